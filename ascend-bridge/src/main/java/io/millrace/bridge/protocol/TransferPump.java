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
import io.millrace.bridge.KvSender;
import io.millrace.bridge.device.CopyDirection;
import io.millrace.bridge.device.KvCopyBatch;
import io.millrace.bridge.device.KvCopyQueue;
import io.millrace.bridge.protocol.OutboundTransfer.Phase;
import io.millrace.bridge.staging.StagingPool;
import io.millrace.bridge.staging.StagingSlot;

/**
 * Moves the bytes of one transfer at a time: device to staging slots, slots to claims of the publication.
 */
final class TransferPump
{
    // No divisor of the chunks of a slot: the first one of a slot is not like the others.
    private static final int SAMPLE_INTERVAL = 13;

    private final KvSender.Context ctx;
    private final ForwardWriter writer;
    private final StagingPool pool;
    private final KvCopyQueue copyQueue;
    private final Peers peers;
    private final TransferEnding ending;
    private final KvCounters counters;
    private int untilSample = SAMPLE_INTERVAL;

    TransferPump(
        final KvSender.Context ctx,
        final ForwardWriter writer,
        final StagingPool pool,
        final KvCopyQueue copyQueue,
        final Peers peers,
        final TransferEnding ending)
    {
        this.ending = ending;
        this.peers = peers;
        this.ctx = ctx;
        this.writer = writer;
        this.pool = pool;
        this.copyQueue = copyQueue;
        this.counters = ctx.counters();
    }

    /**
     * Publish what a transfer has to say, at most one slot of its bytes.
     */
    int publish(final OutboundTransfer transfer, final long nowNs)
    {
        if (Phase.CANCELING != transfer.phase && Phase.ENDING != transfer.phase)
        {
            if (transfer.isCancelRequested())
            {
                ending.cancel(transfer, nowNs);
            }
            else if (nowNs - transfer.deadlineNs >= 0)
            {
                ending.end(transfer, KvError.DEADLINE, "deadline of " + transfer.timeoutNs + " ns passed in phase " +
                    transfer.phase + ": sent " + transfer.bytesSent() + " of " + transfer.totalBytes() + " bytes, " +
                    transfer.layersAcked() + " of " + transfer.layout.layers() + " layers acknowledged", nowNs);
            }
        }

        if (transfer.receivers().count() > 1)
        {
            ending.attend(transfer, nowNs);
        }
        return switch (transfer.phase)
        {
            case BEGIN -> begin(transfer, nowNs);
            case GRANT -> awaitGrant(transfer, nowNs);
            case STREAM -> stream(transfer, nowNs);
            case INTERRUPTED -> resume(transfer, nowNs);
            case CANCELING, ENDING -> ending.tellEnd(transfer, nowNs);
            case ACKNOWLEDGE -> 0;
        };
    }

    /**
     * Start device copies for a transfer and look after those in flight.
     */
    int copy(final OutboundTransfer transfer, final int maxSlots, final long nowNs)
    {
        int workCount = 0;
        for (int i = 0; i < transfer.slots.size(); i++)
        {
            final StagingSlot slot = transfer.slots.get(i);
            if (StagingSlot.State.COPYING == slot.state())
            {
                workCount += pollCopy(transfer, slot, nowNs);
            }
        }

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
            transfer.planOffset += length;
            if (transfer.planOffset == transfer.layerBytes)
            {
                transfer.planLayer = OutboundTransfer.NO_LAYER;
            }
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
            LayerPlanner.plan(
                slot.batch(),
                CopyDirection.DEVICE_TO_HOST,
                transfer.layout,
                transfer.carried,
                transfer.runs.blocks(),
                slot.layer(),
                slot.layerOffset(),
                slot.length(),
                slot.buffer().addressOffset());
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

    private int begin(final OutboundTransfer transfer, final long nowNs)
    {
        final boolean isUnacknowledged = ctx.unacknowledged();
        final boolean isResumed = transfer.attempt > 0;
        final int layers = transfer.layout.layers();
        final Destinations resumed = isResumed ?
            transfer.receivers().resumed(peers, transfer.interruptedNs, nowNs) : null;
        final boolean isReady = isUnacknowledged ||
            (isResumed ? null != resumed : peers.size() >= ctx.minReceivers() && !peers.isAsking(nowNs));
        if (isResumed && !isReady)
        {
            transfer.phase = Phase.INTERRUPTED;
        }
        if (!isReady || !writer.transferBegin(
            transfer, transfer.deadlineNs - nowNs, isUnacknowledged,
            (isResumed ? resumed.takingPart() : peers.size()) > 1))
        {
            return 0;
        }

        transfer.begun(isUnacknowledged ? Destinations.NONE : isResumed ? resumed :
            Destinations.of(peers, layers), nowNs);
        counters.increment(0 == transfer.attempt ? KvCounters.Kind.TRANSFERS_STARTED : KvCounters.Kind.RESUMES);
        transfer.phase = isUnacknowledged ? Phase.STREAM : Phase.GRANT;
        return 1;
    }

    private int awaitGrant(final OutboundTransfer transfer, final long nowNs)
    {
        if (transfer.grantTimeoutNs > 0 && nowNs - transfer.beginNs >= transfer.grantTimeoutNs)
        {
            for (int i = 0; i < transfer.receivers().count(); i++)
            {
                final Destination destination = transfer.receivers().get(i);
                if (!destination.isGranted && destination.isTakingPart())
                {
                    ending.expel(transfer, destination, KvError.NO_BLOCKS, "receiver granted nothing within " +
                        transfer.grantTimeoutNs + " ns", nowNs);
                }
            }
        }
        if (Phase.GRANT == transfer.phase && transfer.receivers().isAllGranted())
        {
            transfer.phase = Phase.STREAM;
            return 1;
        }
        return 0;
    }

    private int resume(final OutboundTransfer transfer, final long nowNs)
    {
        final Destinations receivers = transfer.receivers();
        for (int i = 0; i < receivers.count(); i++)
        {
            final Destination destination = receivers.get(i);
            // Those that were lost while others went on have their time from when these ended.
            if (destination.isLost && !destination.isEnded() &&
                nowNs - transfer.interruptedNs >= transfer.resumeTimeoutNs)
            {
                ending.endDestination(transfer, destination, KvError.PEER_GONE, "no receiver came back within " +
                    transfer.resumeTimeoutNs + " ns: sent " + transfer.bytesSent() + " of " + transfer.totalBytes() +
                    " bytes", nowNs);
            }
        }
        if (Phase.INTERRUPTED == transfer.phase &&
            null != receivers.resumed(peers, transfer.interruptedNs, nowNs) &&
            ending.dropSlots(transfer, nowNs))
        {
            transfer.restart();
            return 1;
        }
        return 0;
    }

    private int stream(final OutboundTransfer transfer, final long nowNs)
    {
        if (transfer.isCommitDue && !commitLayer(transfer))
        {
            return 0;
        }

        final StagingSlot slot = transfer.slots.head();
        if (null != slot)
        {
            if (StagingSlot.State.COPYING == slot.state())
            {
                pollCopy(transfer, slot, nowNs);
            }
            if (StagingSlot.State.FILLED == slot.state())
            {
                slot.published();
            }
            return StagingSlot.State.PUBLISHED == slot.state() ? publishSlot(transfer, slot) : 0;
        }

        return transfer.isAllPublished() && transfer.receivers().isAllAcked(transfer.layout.layers()) ?
            commitTransfer(transfer, nowNs) : 0;
    }

    private int publishSlot(final OutboundTransfer transfer, final StagingSlot slot)
    {
        if (0 == slot.layerOffset() && 0 == slot.cursor() && !describe(transfer, slot.layer()))
        {
            counters.increment(KvCounters.Kind.BACK_PRESSURE);
            return 0;
        }

        final long creditLimit = transfer.receivers().creditLimit();
        int workCount = 0;
        while (slot.cursor() < slot.length())
        {
            final int length = Math.min(writer.maxChunkPayload(), slot.length() - slot.cursor());
            if (transfer.bytesSent() - transfer.bytesBefore + length > creditLimit)
            {
                counters.increment(KvCounters.Kind.BACK_PRESSURE);
                return workCount;
            }
            final boolean isSampled = 1 == untilSample;
            final long startNs = isSampled ? ctx.nanoClock().nanoTime() : 0;
            if (!writer.chunk(transfer, slot, length))
            {
                counters.increment(KvCounters.Kind.BACK_PRESSURE);
                return workCount;
            }
            // The checksum comes after the copy, which has brought the chunk into the cache.
            final long copiedNs = isSampled ? ctx.nanoClock().nanoTime() : 0;
            transfer.crc.update(slot.window(slot.cursor(), length));
            if (isSampled)
            {
                counters.add(KvCounters.Kind.LOG_COPY_NS, (copiedNs - startNs) * SAMPLE_INTERVAL);
                counters.add(
                    KvCounters.Kind.CRC_NS, (ctx.nanoClock().nanoTime() - copiedNs) * SAMPLE_INTERVAL);
            }
            untilSample = isSampled ? SAMPLE_INTERVAL : untilSample - 1;

            slot.advance(length);
            transfer.addBytesSent(length);
            counters.add(KvCounters.Kind.BYTES, length);
            counters.increment(KvCounters.Kind.CHUNKS);
            workCount++;
        }

        transfer.slots.pop();
        transfer.describedRun = 0;
        if (slot.layerOffset() + slot.length() == transfer.layerBytes)
        {
            transfer.layerChecksums[slot.layer()] = (int)transfer.crc.getValue();
            transfer.commitLayer = slot.layer();
            transfer.commitAttempt = slot.attempt();
            transfer.crc.reset();
            transfer.isCommitDue = true;
        }
        pool.release(slot);
        if (transfer.isCommitDue)
        {
            commitLayer(transfer);
        }
        return workCount + 1;
    }

    private boolean describe(final OutboundTransfer transfer, final int layer)
    {
        final long[] hashes = 0 == layer ? transfer.blockHashes : null;
        while (transfer.describedRun < transfer.runs.size())
        {
            final int run = transfer.describedRun;
            final int left = transfer.runs.count(run) - transfer.describedBlocks;
            final int count = null == hashes ? left : Math.min(left, writer.maxHashes());
            if (!writer.blockDescriptor(
                transfer, layer, transfer.runs.first(run) + transfer.describedBlocks, count, hashes))
            {
                return false;
            }
            transfer.describedBlocks = count == left ? 0 : transfer.describedBlocks + count;
            transfer.describedRun += count == left ? 1 : 0;
        }
        return true;
    }

    private boolean commitLayer(final OutboundTransfer transfer)
    {
        final int layer = transfer.commitLayer;
        if (!writer.layerCommit(transfer.transferId(), layer, transfer.commitAttempt, transfer.layerBytes,
            transfer.layerChecksums[layer]))
        {
            counters.increment(KvCounters.Kind.BACK_PRESSURE);
            return false;
        }
        transfer.isCommitDue = false;
        return true;
    }

    private int commitTransfer(final OutboundTransfer transfer, final long nowNs)
    {
        if (!writer.transferCommit(
            transfer, Checksums.ofLayers(transfer.crc, transfer.layerChecksums, transfer.fromLayer)))
        {
            return 0;
        }
        transfer.isCommitSent = true;
        if (ctx.unacknowledged())
        {
            ending.end(transfer, KvError.NONE, null, nowNs);
        }
        else
        {
            transfer.phase = Phase.ACKNOWLEDGE;
        }
        return 1;
    }

    private int pollCopy(final OutboundTransfer transfer, final StagingSlot slot, final long nowNs)
    {
        final int status = copyQueue.poll(slot.batch());
        if (KvCopyBatch.COMPLETED == status)
        {
            slot.filled();
            return 1;
        }
        if (KvCopyBatch.FAILED == status)
        {
            ending.end(transfer, KvError.DEVICE_ERROR, slot.batch().failure(), nowNs);
        }
        else if (nowNs - slot.batch().deadlineNs() >= 0)
        {
            ending.end(transfer, KvError.DEVICE_ERROR, "copy of " + slot.length() + " bytes of layer " + slot.layer() +
                " from " + ctx.device().name() + " has not ended within " + ctx.copyTimeoutNs() + " ns", nowNs);
        }
        return 0;
    }
}
