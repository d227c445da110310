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
import io.millrace.bridge.KvReceiver;
import io.millrace.bridge.device.CopyDirection;
import io.millrace.bridge.device.KvCopyBatch;
import io.millrace.bridge.device.KvCopyQueue;
import org.agrona.BitUtil;
import org.agrona.CloseHelper;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Payload that the agent itself copies from the log into device memory.
 */
final class DirectLanding implements Landing
{
    private static final int SAMPLE_INTERVAL = 13;

    private final KvReceiver.Context ctx;
    private final Handler handler;
    private final KvCounters counters;
    private final KvCopyBatch batch = new KvCopyBatch();
    private final UnsafeBuffer bounce = new UnsafeBuffer(ByteBuffer.allocateDirect(0));
    private KvCopyQueue copyQueue;
    private int untilSample = SAMPLE_INTERVAL;

    DirectLanding(final KvReceiver.Context ctx, final Handler handler)
    {
        this.ctx = ctx;
        this.handler = handler;
        this.counters = ctx.counters();
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
        final ByteBuffer memory = buffer.byteBuffer();
        if (null == memory || !memory.isDirect())
        {
            // Of a source that is no log: addresses of the heap do not hold still.
            if (bounce.capacity() < length)
            {
                bounce.wrap(ByteBuffer.allocateDirect(BitUtil.findNextPositivePowerOfTwo(length)));
            }
            bounce.putBytes(0, buffer, offset, length);
            return landMapped(transfer, bounce, 0, length);
        }
        return landMapped(transfer, buffer, offset, length);
    }

    private int landMapped(
        final InboundTransfer transfer, final DirectBuffer buffer, final int offset, final int length)
    {
        final int layer = transfer.currentLayer;
        final int maxRange = LayerPlanner.maxRangeBytes(transfer.info().layout(), length);
        for (int done = 0; done < length;)
        {
            final int count = Math.min(length - done, maxRange);
            LayerPlanner.plan(batch, CopyDirection.HOST_TO_DEVICE, transfer.info().layout(), transfer.carried,
                transfer.runs.blocks(), layer, transfer.nextOffset, count, buffer.addressOffset() + offset + done);
            copyQueue.copy(batch);
            if (KvCopyBatch.COMPLETED != copyQueue.poll(batch))
            {
                handler.onCopyFailed(transfer, batch.failure());
                return length;
            }
            transfer.nextOffset += count;
            done += count;
        }
        checksum(transfer, buffer, offset, length);
        handler.onCopied(transfer, layer, length);
        return length;
    }

    private void checksum(
        final InboundTransfer transfer, final DirectBuffer buffer, final int offset, final int length)
    {
        final boolean isSampled = 0 == --untilSample;
        final long startNs = isSampled ? ctx.nanoClock().nanoTime() : 0;
        transfer.crc.update(transfer.windows.of(buffer, offset, length));
        if (isSampled)
        {
            untilSample = SAMPLE_INTERVAL;
            counters.add(KvCounters.Kind.CRC_NS, (ctx.nanoClock().nanoTime() - startNs) * SAMPLE_INTERVAL);
        }
    }

    public int flushAll(final long nowNs)
    {
        return 0;
    }

    public void discard(final InboundTransfer transfer)
    {
    }

    public int poll(final long nowNs)
    {
        return 0;
    }

    public boolean isIdle()
    {
        return true;
    }

    public void close()
    {
        CloseHelper.close(copyQueue);
    }
}
