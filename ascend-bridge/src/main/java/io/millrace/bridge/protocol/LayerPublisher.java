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

import java.nio.ByteBuffer;

import io.millrace.bridge.KvCounters;
import io.millrace.bridge.KvSender;
import io.millrace.bridge.device.KvCopyQueue;

/**
 * Publishes the bytes of a transfer's layers as chunks, with their descriptors and commits.
 */
abstract class LayerPublisher implements AutoCloseable
{
    // No divisor of the chunks of a slot: the first one of a slot is not like the others.
    private static final int SAMPLE_INTERVAL = 13;

    final KvSender.Context ctx;
    final ForwardWriter writer;
    final KvCounters counters;
    KvCopyQueue copyQueue;
    private int untilSample = SAMPLE_INTERVAL;

    LayerPublisher(final KvSender.Context ctx, final ForwardWriter writer)
    {
        this.ctx = ctx;
        this.writer = writer;
        this.counters = ctx.counters();
    }

    /**
     * A publisher that suits the context.
     *
     * @param ctx concluded; without staging the agent itself copies between device memory and the log.
     */
    static LayerPublisher of(final KvSender.Context ctx, final ForwardWriter writer)
    {
        return null == ctx.staging() ? new DirectPublisher(ctx, writer) : new StagedPublisher(ctx, writer);
    }

    /**
     * Called on the agent's thread before anything else.
     */
    final void onStart()
    {
        copyQueue = ctx.device().openQueue(counters);
    }

    /**
     * Most transfers that have their turn.
     */
    abstract int maxTransfers();

    /**
     * Publish some of a transfer's bytes.
     *
     * @return chunks published.
     * @throws io.millrace.bridge.KvException when the device failed.
     */
    abstract int publish(OutboundTransfer transfer, long nowNs);

    /**
     * Get bytes of a transfer ready.
     *
     * @param weights of all transfers.
     * @throws io.millrace.bridge.KvException when the device failed.
     */
    abstract int prepare(OutboundTransfer transfer, int weights, long nowNs);

    /**
     * Is everything of a transfer published that it has.
     */
    abstract boolean isDone(OutboundTransfer transfer);

    /**
     * Forget the bytes that are ready.
     *
     * @return false while copies are in flight.
     */
    abstract boolean drop(OutboundTransfer transfer, long nowNs);

    /**
     * Set aside the bytes of a transfer whose copies cannot be looked after.
     */
    abstract void abandon(OutboundTransfer transfer);

    /**
     * Look after copies of transfers that have ended.
     */
    abstract void poll();

    /**
     * Wait for the copies in flight, and tell of those that still run.
     */
    abstract void awaitCopies();

    /**
     * Free what no copy uses.
     */
    public abstract void close();

    /**
     * Say what a layer consists of.
     *
     * @return false when there is no room now.
     */
    final boolean describe(final OutboundTransfer transfer, final int layer)
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
                counters.increment(KvCounters.Kind.BACK_PRESSURE);
                return false;
            }
            transfer.describedBlocks = count == left ? 0 : transfer.describedBlocks + count;
            transfer.describedRun += count == left ? 1 : 0;
        }
        return true;
    }

    /**
     * Have the receivers room for a chunk.
     */
    final boolean hasCredit(final OutboundTransfer transfer, final int length)
    {
        final boolean hasCredit =
            transfer.bytesSent() - transfer.bytesBefore + length <= transfer.receivers().creditLimit();
        if (!hasCredit)
        {
            counters.increment(KvCounters.Kind.BACK_PRESSURE);
        }
        return hasCredit;
    }

    /**
     * Is the next chunk one whose time is taken.
     */
    final boolean isSampled()
    {
        return 1 == untilSample;
    }

    /**
     * Count a chunk that was published, and its bytes into the checksum of its layer.
     *
     * @param bytes  of the chunk, in the cache since they were copied.
     * @param copyNs time that their copy into the log took, 0 when it was not taken or counts elsewhere.
     */
    final void onChunk(final OutboundTransfer transfer, final ByteBuffer bytes, final int length, final long copyNs)
    {
        final boolean isSampled = isSampled();
        final long startNs = isSampled ? ctx.nanoClock().nanoTime() : 0;
        transfer.crc.update(bytes);
        if (isSampled)
        {
            counters.add(KvCounters.Kind.LOG_COPY_NS, copyNs * SAMPLE_INTERVAL);
            counters.add(KvCounters.Kind.CRC_NS, (ctx.nanoClock().nanoTime() - startNs) * SAMPLE_INTERVAL);
        }
        untilSample = isSampled ? SAMPLE_INTERVAL : untilSample - 1;
        transfer.addBytesSent(length);
        counters.add(KvCounters.Kind.BYTES, length);
        counters.increment(KvCounters.Kind.CHUNKS);
    }

    /**
     * All bytes of a layer are published.
     */
    final void endLayer(final OutboundTransfer transfer, final int layer, final int attempt)
    {
        transfer.describedRun = 0;
        transfer.layerChecksums[layer] = (int)transfer.crc.getValue();
        transfer.crc.reset();
        transfer.commitLayer = layer;
        transfer.commitAttempt = attempt;
        transfer.isCommitDue = true;
        commitLayer(transfer);
    }

    /**
     * Commit the layer that is due.
     *
     * @return false when there is no room now.
     */
    final boolean commitLayer(final OutboundTransfer transfer)
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
}
