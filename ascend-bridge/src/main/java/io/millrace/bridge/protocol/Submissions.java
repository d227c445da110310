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

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvException;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.KvSender;
import io.millrace.bridge.KvTransfer;
import io.millrace.bridge.KvTransferRequest;
import org.agrona.concurrent.ManyToOneConcurrentArrayQueue;

/**
 * Requests on their way from users' threads to the sender's agent, bounded with all transfers that have not ended.
 */
final class Submissions
{
    private final KvSender.Context ctx;
    private final ManyToOneConcurrentArrayQueue<OutboundTransfer> queue;
    private final AtomicInteger pendingCount = new AtomicInteger();
    private final AtomicLong nextTransferId;
    private volatile boolean isClosed;

    Submissions(final KvSender.Context ctx, final long firstTransferId)
    {
        this.ctx = ctx;
        nextTransferId = new AtomicLong(firstTransferId);
        queue = new ManyToOneConcurrentArrayQueue<>(Math.max(2, ctx.maxPending()));
    }

    KvTransfer submit(final KvTransferRequest request)
    {
        check(request);
        reserve(1);
        return enqueue(request);
    }

    List<KvTransfer> submit(final List<KvTransferRequest> requests)
    {
        requests.forEach(this::check);
        reserve(requests.size());
        return requests.stream().map(this::enqueue).toList();
    }

    /**
     * Hand what was submitted to the agent, on its thread.
     */
    int drain(final Consumer<OutboundTransfer> consumer)
    {
        if (!isClosed)
        {
            return queue.drain(consumer);
        }
        int count = 0;
        for (OutboundTransfer transfer = pollClosed(); null != transfer; transfer = pollClosed())
        {
            consumer.accept(transfer);
            count++;
        }
        return count;
    }

    /**
     * A transfer has ended: there is room for another.
     */
    void onEnd()
    {
        pendingCount.decrementAndGet();
    }

    /**
     * Take no more.
     */
    void close()
    {
        isClosed = true;
    }

    private void check(final KvTransferRequest request)
    {
        request.validate();
        checkAligned(request.layout(), request.blocks());
        LayerPlanner.checkBlocks(ctx.device(), request.layout(), request.blocks());
        if (isClosed)
        {
            throw new KvException(KvError.SHUTDOWN, "sender is closed");
        }
    }

    private static void checkAligned(final KvLayout layout, final KvBlocks blocks)
    {
        final int elementBytes = layout.dtype().bytes();
        for (int layer = 0; layer < layout.layers(); layer++)
        {
            for (int part = 0; part < layout.parts(); part++)
            {
                for (int block = 0; block < blocks.blockCount(); block++)
                {
                    final long address = blocks.address(layer, part, block);
                    if (0 != address % elementBytes)
                    {
                        throw new IllegalArgumentException("layer " + layer + " part " + part + " block " + block +
                            " at 0x" + Long.toHexString(address) + " does not start on a multiple of " + elementBytes +
                            " bytes, the element size of " + layout.dtype() + ": give addresses of whole elements");
                    }
                }
            }
        }
    }

    private void reserve(final int count)
    {
        if (pendingCount.addAndGet(count) > ctx.maxPending())
        {
            pendingCount.addAndGet(-count);
            throw new KvException(KvError.QUEUE_FULL, "maxPending=" + ctx.maxPending() +
                " transfers have not ended: wait for some of them, or raise maxPending");
        }
    }

    /**
     * Queue a transfer that room was reserved for.
     */
    private KvTransfer enqueue(final KvTransferRequest request)
    {
        long id = nextTransferId.getAndIncrement();
        id = 0 == id ? nextTransferId.getAndIncrement() : id;
        final int maxSlots = null == ctx.staging() ? 0 : ctx.staging().slots();
        final OutboundTransfer transfer = new OutboundTransfer(id, request, maxSlots, ctx.nanoClock());
        // The queue holds all that can be reserved: it refuses only while another thread takes its place in it.
        while (!queue.offer(transfer))
        {
            Thread.onSpinWait();
        }
        if (isClosed)
        {
            // The agent may have emptied the queue before this offer: nobody else would end the transfer.
            drain(late -> late.finish(KvError.SHUTDOWN, "sender was closed"));
        }
        return transfer;
    }

    /**
     * The queue has one consumer, which is several threads' part once it is closed.
     */
    private OutboundTransfer pollClosed()
    {
        synchronized (queue)
        {
            return queue.poll();
        }
    }
}
