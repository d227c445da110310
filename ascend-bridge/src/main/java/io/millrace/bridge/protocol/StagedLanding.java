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

import java.util.ArrayList;

import io.millrace.bridge.KvCounters;
import io.millrace.bridge.KvReceiver;
import io.millrace.bridge.device.CopyDirection;
import io.millrace.bridge.device.KvCopyBatch;
import io.millrace.bridge.device.KvCopyQueue;
import io.millrace.bridge.staging.StagingPool;
import io.millrace.bridge.staging.StagingSlot;
import org.agrona.DirectBuffer;

/**
 * Brings payload through staging slots, from which asynchronous copies of the device take it.
 */
final class StagedLanding implements Landing
{
    private static final int SAMPLE_INTERVAL = 13;

    private final KvReceiver.Context ctx;
    private final StagingPool pool;
    private KvCopyQueue copyQueue;
    private final Handler handler;
    private final KvCounters counters;
    private final ArrayList<StagingSlot> inFlight = new ArrayList<>();
    private final ArrayList<StagingSlot> filling = new ArrayList<>();
    private int untilSample = SAMPLE_INTERVAL;

    StagedLanding(final KvReceiver.Context ctx, final Handler handler)
    {
        this.ctx = ctx;
        this.handler = handler;
        this.counters = ctx.counters();
        pool = new StagingPool(ctx.device(), ctx.slabs(), ctx.staging(), counters);
    }

    public void onStart()
    {
        copyQueue = ctx.device().openQueue(counters);
    }

    public int land(
        final InboundTransfer transfer,
        final DirectBuffer buffer,
        final int offset,
        final int length,
        final int attempt,
        final long nowNs)
    {
        final int capacity = LayerPlanner.maxRangeBytes(transfer.info().layout(), pool.config().slotBytes());
        int done = 0;
        while (done < length)
        {
            if (null == transfer.slot && !openSlot(transfer, attempt, nowNs))
            {
                break;
            }

            final StagingSlot slot = transfer.slot;
            final int start = slot.length();
            final int count = Math.min(length - done, capacity - start);
            final boolean isSampled = 0 == --untilSample;
            final long startNs = isSampled ? ctx.nanoClock().nanoTime() : 0;
            slot.buffer().putBytes(start, buffer, offset + done, count);
            final long copiedNs = isSampled ? ctx.nanoClock().nanoTime() : 0;
            transfer.crc.update(slot.window(start, count));
            if (isSampled)
            {
                untilSample = SAMPLE_INTERVAL;
                counters.add(KvCounters.Kind.LOG_COPY_NS, (copiedNs - startNs) * SAMPLE_INTERVAL);
                counters.add(
                    KvCounters.Kind.CRC_NS, (ctx.nanoClock().nanoTime() - copiedNs) * SAMPLE_INTERVAL);
            }
            slot.grow(count);
            transfer.nextOffset += count;
            done += count;
            if (slot.length() == capacity || transfer.nextOffset == transfer.layerBytes())
            {
                flush(transfer, nowNs);
            }
        }
        return done;
    }

    public int flushAll(final long nowNs)
    {
        final int count = filling.size();
        while (!filling.isEmpty())
        {
            flush((InboundTransfer)filling.get(filling.size() - 1).owner(), nowNs);
        }
        return count;
    }

    public void discard(final InboundTransfer transfer)
    {
        if (null != transfer.slot)
        {
            removeFilling(transfer.slot);
            pool.release(transfer.slot);
            transfer.slot = null;
        }
    }

    public int poll(final long nowNs)
    {
        int workCount = 0;
        for (int i = inFlight.size() - 1; i >= 0; i--)
        {
            final StagingSlot slot = inFlight.get(i);
            if (KvCopyBatch.IDLE == slot.batch().status())
            {
                copyQueue.submit(slot.batch());
                continue;
            }

            final int status = copyQueue.poll(slot.batch());
            final InboundTransfer transfer = (InboundTransfer)slot.owner();
            if (KvCopyBatch.PENDING != status)
            {
                final int layer = slot.layer();
                final int length = slot.length();
                final String failure = slot.batch().failure();
                removeInFlight(i);
                pool.release(slot);
                transfer.copiesInFlight[layer]--;
                if (KvCopyBatch.COMPLETED == status)
                {
                    handler.onCopied(transfer, layer, length);
                }
                else
                {
                    handler.onCopyFailed(transfer, failure);
                }
                free(transfer);
                workCount++;
            }
            else if (nowNs - slot.batch().deadlineNs() >= 0)
            {
                removeInFlight(i);
                counters.increment(KvCounters.Kind.QUARANTINED);
                pool.quarantine(slot);
                handler.onCopyFailed(transfer, "copy of " + slot.length() + " bytes of layer " + slot.layer() + " to " +
                    ctx.device().name() + " has not ended within " + ctx.copyTimeoutNs() + " ns");
                workCount++;
            }
        }

        StagingSlot late = pool.pollQuarantine(copyQueue);
        while (null != late)
        {
            final InboundTransfer transfer = (InboundTransfer)late.owner();
            pool.release(late);
            free(transfer);
            workCount++;
            late = pool.pollQuarantine(copyQueue);
        }
        return workCount;
    }

    public boolean isIdle()
    {
        return inFlight.isEmpty() && 0 == pool.quarantinedCount();
    }

    public void close()
    {
        if (null != copyQueue)
        {
            copyQueue.close();
            poll(ctx.nanoClock().nanoTime());
        }
        pool.close();
    }

    private void free(final InboundTransfer transfer)
    {
        transfer.slotsInFlight--;
        handler.onSlotFree(transfer);
    }

    private boolean openSlot(final InboundTransfer transfer, final int attempt, final long nowNs)
    {
        final StagingSlot slot = pool.acquire();
        if (null == slot)
        {
            counters.increment(KvCounters.Kind.STAGING_STALLS);
            // Slots that others fill slowly would never come back while this fragment blocks the stream.
            flushAll(nowNs);
            return false;
        }
        slot.assign(transfer, transfer.currentLayer, attempt, transfer.nextOffset, 0);
        transfer.slot = slot;
        filling.add(slot);
        return true;
    }

    private void flush(final InboundTransfer transfer, final long nowNs)
    {
        final StagingSlot slot = transfer.slot;
        transfer.slot = null;
        removeFilling(slot);
        slot.filled();
        LayerPlanner.plan(
            slot.batch(),
            CopyDirection.HOST_TO_DEVICE,
            transfer.info().layout(),
            transfer.carried,
            transfer.runs.blocks(),
            slot.layer(),
            slot.layerOffset(),
            slot.length(),
            slot.buffer().addressOffset());
        slot.batch().deadlineNs(nowNs + ctx.copyTimeoutNs());
        slot.published();
        transfer.copiesInFlight[slot.layer()]++;
        transfer.slotsInFlight++;
        inFlight.add(slot);
        copyQueue.submit(slot.batch());
    }

    private void removeFilling(final StagingSlot slot)
    {
        final int last = filling.size() - 1;
        filling.set(filling.indexOf(slot), filling.get(last));
        filling.remove(last);
    }

    private void removeInFlight(final int index)
    {
        final int last = inFlight.size() - 1;
        inFlight.set(index, inFlight.get(last));
        inFlight.remove(last);
    }
}
