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

import io.aeron.logbuffer.BufferClaim;
import io.millrace.bridge.KvCounters;
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvException;
import io.millrace.bridge.KvSender;
import io.millrace.bridge.device.KvCopyBatch;
import org.agrona.CloseHelper;

/**
 * Bytes that the agent itself copies from device memory into the log: no claim is held across a copy that another
 * thread or an engine makes.
 */
final class DirectPublisher extends LayerPublisher
{
    /**
     * Bytes for each unit of a transfer's weight, after which it is the next one's turn.
     */
    private static final int TURN_BYTES = 256 << 10;

    private final KvCopyBatch batch = new KvCopyBatch();
    private final TermWindows windows = new TermWindows();

    DirectPublisher(final KvSender.Context ctx, final ForwardWriter writer)
    {
        super(ctx, writer);
    }

    int maxTransfers()
    {
        return Integer.MAX_VALUE;
    }

    int publish(final OutboundTransfer transfer, final long nowNs)
    {
        final int turnBytes = TURN_BYTES * transfer.priority.weight();
        int workCount = 0;
        for (int bytes = 0; bytes < turnBytes && !transfer.isCommitDue && transfer.isAcquired() &&
            transfer.nextPlan();)
        {
            final int layer = transfer.planLayer;
            final int length = (int)Math.min(
                LayerPlanner.maxRangeBytes(transfer.layout, writer.maxChunkPayload()),
                transfer.layerBytes - transfer.planOffset);
            if (0 == transfer.planOffset && !describe(transfer, layer) ||
                !hasCredit(transfer, length) ||
                !chunk(transfer, length))
            {
                break;
            }
            bytes += length;
            workCount++;
            transfer.planned(length);
            if (OutboundTransfer.NO_LAYER == transfer.planLayer)
            {
                endLayer(transfer, layer, transfer.planAttempt);
            }
        }
        return workCount;
    }

    private boolean chunk(final OutboundTransfer transfer, final int length)
    {
        final BufferClaim claim = writer.claimChunk(
            transfer.transferId(), transfer.planLayer, transfer.planAttempt, transfer.planOffset, length);
        if (null == claim)
        {
            counters.increment(KvCounters.Kind.BACK_PRESSURE);
            return false;
        }

        final int offset = ForwardWriter.payloadOffset(claim);
        boolean isCopied = false;
        try
        {
            transfer.plan(batch, length, claim.buffer().addressOffset() + offset);
            copyQueue.copy(batch);
            isCopied = KvCopyBatch.COMPLETED == copyQueue.poll(batch);
        }
        finally
        {
            if (!isCopied)
            {
                claim.abort();
            }
        }
        if (!isCopied)
        {
            throw new KvException(KvError.DEVICE_ERROR, batch.failure());
        }
        claim.commit();
        onChunk(transfer, windows.of(claim.buffer(), offset, length), length, 0);
        return true;
    }

    int prepare(final OutboundTransfer transfer, final int weights, final long nowNs)
    {
        return 0;
    }

    boolean isDone(final OutboundTransfer transfer)
    {
        return true;
    }

    boolean drop(final OutboundTransfer transfer, final long nowNs)
    {
        return true;
    }

    void abandon(final OutboundTransfer transfer)
    {
    }

    void poll()
    {
    }

    void awaitCopies()
    {
        CloseHelper.close(ctx.errorHandler(), copyQueue);
    }

    public void close()
    {
    }
}
