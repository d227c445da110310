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
package io.millrace.samples.demo;

import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvCounters;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.KvSender;
import io.millrace.bridge.KvTransfer;
import io.millrace.bridge.KvTransferRequest;
import io.millrace.bridge.KvTransferState;
import io.millrace.bridge.PagedKvCache;
import io.millrace.samples.trace.Request;
import io.millrace.samples.trace.Requests;
import org.agrona.CloseHelper;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * The prefill side: fills KV blocks in device memory and streams them. While the decode side checks one request, the
 * next one is filled; a transfer starts on the parent's word.
 */
public final class PrefillChild implements ChildMain.Role
{
    private static final long AWAIT_MARGIN_MS = 1_000;

    private final ParentLink link;
    private final Orders orders;
    private final KvLayout layout;
    private final DemoNode node;
    private final PagedKvCache cache;
    private final KvSender sender;
    private final byte[] part;

    private Request request;
    private KvBlocks blocks;
    private long digest;

    private PrefillChild(final ParentLink link)
    {
        this.link = link;
        orders = link.orders(Orders.class);
        layout = KvLayout.parse(orders.model(), orders.tokensPerBlock());
        part = new byte[layout.partBytes()];
        node = new DemoNode(orders);
        cache = PagedKvCache.allocate(node.device(), layout, orders.capacityBlocks());
        sender = KvSender.launch(new KvSender.Context()
            .aeron(node.aeron())
            .channel(orders.channel())
            .streamId(Orders.STREAM_ID)
            .reverseChannel(orders.reverseChannel())
            .reverseStreamId(Orders.REVERSE_STREAM_ID)
            .device(node.device())
            .idleStrategy(DemoNode.idleStrategy()));
    }

    /**
     * Started by the demonstration, not by a user.
     *
     * @param args unused.
     */
    public static void main(final String[] args)
    {
        ChildMain.run(PrefillChild::new, Orders::tidy);
    }

    /**
     * {@inheritDoc}
     */
    public void run() throws Exception
    {
        link.send(node.awaitReady());
        final Workload workload =
            new Workload(null == orders.trace() ? null : Path.of(orders.trace()), orders.seed());
        try (Requests requests = workload.open())
        {
            for (long i = 0; i < orders.requests(); i++)
            {
                fill(next(requests, i));
                link.expectCommand("next");
                transfer();
            }
        }
        link.expectCommand("finish");
        link.send(node.counters(sender.counters().get(KvCounters.Kind.CHECKSUM_ERRORS)));
        // Before its driver ends: then the driver says that the stream has ended, and a recording of it need not wait.
        sender.close();
        link.expectCommand("exit");
    }

    /**
     * {@inheritDoc}
     */
    public void close()
    {
        CloseHelper.quietCloseAll(sender, cache, node);
    }

    private Request next(final Requests requests, final long index)
    {
        final Request next = requests.next();
        if (null == next || layout.blocksFor(next.tokens()) > orders.capacityBlocks())
        {
            throw new IllegalStateException("trace " + orders.trace() + " has changed since the run began: request " +
                index + (null == next ? " is not there any more" : " has " + next.tokens() + " tokens now") +
                "; leave the file alone while it is used");
        }
        return next;
    }

    private void fill(final Request next)
    {
        request = next;
        blocks = cache.allocate(layout.blocksFor(next.tokens()));
        digest = 0;
        for (int layer = 0; layer < layout.layers(); layer++)
        {
            for (int half = 0; half < KvLayout.PARTS; half++)
            {
                for (int block = 0; block < blocks.blockCount(); block++)
                {
                    BlockContent.fill(orders.seed(), next.index(), layer, half, block, part, part.length);
                    node.device().put(blocks.address(layer, half, block), part, 0, part.length);
                    digest = BlockDigest.combine(digest, BlockDigest.of(part, part.length));
                }
            }
            link.heartbeat(0);
        }
    }

    private void transfer()
    {
        final KvTransfer transfer = sender.submit(new KvTransferRequest()
            .requestId(request.index())
            .layout(layout)
            .blocks(blocks)
            .tokenCount(request.tokens())
            .modelTag(orders.model())
            .timeoutNs(TimeUnit.MILLISECONDS.toNanos(orders.transferTimeoutMs())));
        // No sign of life from here: only bytes that land are progress, and the decode side reports those.
        final KvTransferState state =
            transfer.await(TimeUnit.MILLISECONDS.toNanos(orders.transferTimeoutMs() + AWAIT_MARGIN_MS));
        if (KvTransferState.COMPLETED != state)
        {
            throw new IllegalStateException("transfer of request " + request.index() + " is " + state +
                " (" + transfer.error() + "): " + transfer.errorText());
        }
        link.send(ParentLink.event("sent")
            .put("request", request.index())
            .put("tokens", request.tokens())
            .put("bytes", transfer.totalBytes())
            .put("durationNs", transfer.durationNs())
            .put("digest", digest));
        cache.free(blocks);
    }
}
