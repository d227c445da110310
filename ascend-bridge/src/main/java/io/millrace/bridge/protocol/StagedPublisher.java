/*
 * Copyright 2026 The Millrace Authors.
 *
 * Licensed under the Apache License, Version 2.0 (the "License");
 * you may not use this file except in compliance with the License.
 * You may obtain a copy of the License at
 *
 * https://www.apache.org/licenses/LICENSE-2.0
 *
 * Unless required by applicable law or agreed to in writing, software
 * distributed under the License is distributed on an "AS IS" BASIS,
 * WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
 * See the License for the specific language governing permissions and
 * limitations under the License.
 */
package io.millrace.bridge.protocol;

import io.millrace.bridge.KvCounters;
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvException;
import io.millrace.bridge.KvSender;
import io.millrace.bridge.device.KvCopyBatch;
import io.millrace.bridge.protocol.OutboundTransfer.Phase;
import io.millrace.bridge.staging.StagingPool;
import io.millrace.bridge.staging.StagingSlot;
import org.agrona.CloseHelper;

/**
 * Bytes that asynchronous copies of the device bring into staging slots first.
 */
final class StagedPublisher extends LayerPublisher
{
    private final StagingPool pool;
    private boolean isQueueClosed;

    StagedPublisher(final KvSender.Context ctx, final ForwardWriter writer)
    {
        super(ctx, writer);
        pool = new StagingPool(ctx.device(), ctx.slabs(), ctx.staging(), counters);
    }

    int maxTransfers()
    {
        return pool.config().slots();
    }

    /**
     * {@inheritDoc} At most one slot.
     */
    int publish(final OutboundTransfer transfer, final long nowNs)
    {
        final StagingSlot slot = transfer.slots.head();
        if (null == slot)
        {
            return 0;
        }
        if (StagingSlot.State.COPYING == slot.state())
        {
            pollCopy(slot, nowNs);
        }
        if (StagingSlot.State.FILLED == slot.state())
        {
            slot.published();
        }
        return StagingSlot.State.PUBLISHED == slot.state() ? publishSlot(transfer, slot) : 0;
    }

    private int publishSlot(final OutboundTransfer transfer, final StagingSlot slot)
    {
        if (0 == slot.layerOffset() && 0 == slot.cursor() && !describe(transfer, slot.layer()))
        {
            return 0;
        }

        int workCount = 0;
        while (slot.cursor() < slot.length())
        {
            final int length = Math.min(writer.maxChunkPayload(), slot.length() - slot.cursor());
            if (!hasCredit(transfer, length))
            {
                return workCount;
            }
            final long startNs = isSampled() ? ctx.nanoClock().nanoTime() : 0;
            if (!writer.chunk(transfer, slot, length))
            {
                counters.increment(KvCounters.Kind.BACK_PRESSURE);
                return workCount;
            }
            final long copyNs = isSampled() ? ctx.nanoClock().nanoTime() - startNs : 0;
            onChunk(transfer, slot.window(slot.cursor(), length), length, copyNs);
            slot.advance(length);
            workCount++;
        }

        transfer.slots.pop();
        if (slot.layerOffset() + slot.length() == transfer.layerBytes)
        {
            endLayer(transfer, slot.layer(), slot.attempt());
        }
        pool.release(slot);
        return workCount + 1;
    }

    /**
     * {@inheritDoc} Starts copies and looks after those in flight.
     */
    int prepare(final OutboundTransfer transfer, final int weights, final long nowNs)
    {
        int workCount = 0;
        for (int i = 0; i < transfer.slots.size(); i++)
        {
            final StagingSlot slot = transfer.slots.get(i);
            if (StagingSlot.State.COPYING == slot.state())
            {
                workCount += pollCopy(slot, nowNs);
            }
        }

        final int maxSlots = Math.max(1, pool.config().slots() * transfer.priority.weight() / weights);
        // A slot that waits for a producer would be missing to other transfers.
        while (Phase.STREAM == transfer.phase && transfer.slots.size() < maxSlots && transfer.isAcquired() &&
            transfer.nextPlan())
        {
            final StagingSlot slot = pool.acquire();
            if (null == slot)
            {
                counters.increment(KvCounters.Kind.STAGING_STALLS);
                break;
            }

            final int maxRange = LayerPlanner.maxRangeBytes(transfer.layout, pool.config().slotBytes());
            final int chunk = writer.maxChunkPayload();
            final int wholeChunks = maxRange > chunk ? maxRange - maxRange % chunk : maxRange;
            final int length = (int)Math.min(wholeChunks, transfer.layerBytes - transfer.planOffset);
            slot.assign(transfer, transfer.planLayer, transfer.planAttempt, transfer.planOffset, length);
            if (!submit(transfer, slot, nowNs))
            {
                break;
            }

            transfer.slots.push(slot);
            transfer.planned(length);
            workCount++;
        }
        return workCount;
    }

    // Starts the copy into a slot, or gives the slot back.
    private boolean submit(final OutboundTransfer transfer, final StagingSlot slot, final long nowNs)
    {
        boolean isSubmitted = false;
        try
        {
            transfer.plan(slot.batch(), slot.length(), slot.buffer().addressOffset());
            slot.batch().acquire(transfer.acquired).deadlineNs(nowNs + ctx.copyTimeoutNs());
            isSubmitted = copyQueue.submit(slot.batch());
        }
        finally
        {
            if (!isSubmitted)
            {
                pool.release(slot);
            }
        }
        return isSubmitted;
    }

    private int pollCopy(final StagingSlot slot, final long nowNs)
    {
        final int status = copyQueue.poll(slot.batch());
        if (KvCopyBatch.COMPLETED == status)
        {
            slot.filled();
            return 1;
        }
        if (KvCopyBatch.FAILED == status)
        {
            throw new KvException(KvError.DEVICE_ERROR, slot.batch().failure());
        }
        if (nowNs - slot.batch().deadlineNs() >= 0)
        {
            throw new KvException(KvError.DEVICE_ERROR, "copy of " + slot.length() + " bytes of layer " +
                slot.layer() + " from " + ctx.device().name() + " has not ended within " + ctx.copyTimeoutNs() +
                " ns");
        }
        return 0;
    }

    boolean isDone(final OutboundTransfer transfer)
    {
        return 0 == transfer.slots.size();
    }

    boolean drop(final OutboundTransfer transfer, final long nowNs)
    {
        while (transfer.slots.size() > 0)
        {
            final StagingSlot slot = transfer.slots.head();
            final boolean isCopying =
                StagingSlot.State.COPYING == slot.state() && KvCopyBatch.PENDING == copyQueue.poll(slot.batch());
            if (!isCopying)
            {
                pool.release(slot);
            }
            else if (nowNs - slot.batch().deadlineNs() >= 0)
            {
                quarantine(slot);
            }
            else
            {
                return false;
            }
            transfer.slots.pop();
        }
        return true;
    }

    void abandon(final OutboundTransfer transfer)
    {
        for (StagingSlot slot = transfer.slots.head(); null != slot; slot = transfer.slots.head())
        {
            quarantine(slot);
            transfer.slots.pop();
        }
    }

    private void quarantine(final StagingSlot slot)
    {
        counters.increment(KvCounters.Kind.QUARANTINED);
        pool.quarantine(slot);
    }

    void poll()
    {
        StagingSlot slot = pool.pollQuarantine(copyQueue);
        while (null != slot)
        {
            pool.release(slot);
            slot = pool.pollQuarantine(copyQueue);
        }
    }

    void awaitCopies()
    {
        try
        {
            CloseHelper.close(copyQueue);
            isQueueClosed = true;
        }
        catch (final RuntimeException ex)
        {
            ctx.errorHandler().onError(ex);
        }
    }

    public void close()
    {
        // Copies that still run keep their staging memory.
        if (isQueueClosed)
        {
            pool.close();
        }
    }
}
