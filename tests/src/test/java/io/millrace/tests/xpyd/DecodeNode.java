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
package io.millrace.tests.xpyd;

import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvCounters;
import io.millrace.bridge.KvFailurePolicy;
import io.millrace.bridge.KvFate;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.KvReceiver;
import io.millrace.bridge.KvReceiverListener;
import io.millrace.bridge.KvTransferState;
import io.millrace.bridge.KvTransferStats;
import io.millrace.bridge.session.KvRole;
import io.millrace.samples.demo.BlockContent;
import io.millrace.samples.demo.ChildMain;
import io.millrace.samples.demo.ParentLink;
import org.agrona.CloseHelper;

import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A decode process: learns the fate of each request that it is told to expect, and checks every byte that landed.
 */
public final class DecodeNode extends Node implements KvReceiverListener
{
    private static final long RETRY_NS = TimeUnit.MILLISECONDS.toNanos(1);

    private final Set<Long> expected = new HashSet<>();
    private final Map<Long, KvBlocks> unasked = new HashMap<>();
    private boolean isTold;
    private final List<KvReceiver> receivers;
    private final KvLayout layout;
    private final byte[] part;
    private final byte[] landed;

    private DecodeNode(final ParentLink link)
    {
        super(link, KvRole.DECODE);
        layout = orders.layout();
        part = new byte[layout.partBytes()];
        landed = new byte[layout.partBytes()];
        receivers = launch(orders.prefillStreams().size(), prefill -> KvReceiver.launch(orders.streams(
            new KvReceiver.Context(), prefill, orders.index())
            .device(device).stagingConfig("4:1").idleStrategy(idleStrategy())
            .allocator(cache).listener(this)));
    }

    /**
     * Started by the test.
     *
     * @param args unused.
     */
    public static void main(final String[] args)
    {
        ChildMain.run(DecodeNode::new, link -> { });
    }

    @Override
    void onCommand(final String[] words)
    {
        if ("told".equals(words[0]))
        {
            onTold();
            return;
        }
        final long id = Long.parseLong(words[1]);
        final int tokens = Integer.parseInt(words[2]);
        expectFrom(id);
        receivers.get(Integer.parseInt(words[3]))
            .expect(id, TimeUnit.MILLISECONDS.toNanos(Long.parseLong(words[4])))
            .thenAccept(fate -> onFate(tokens, fate));
        link.send(ParentLink.event("expecting").put("id", id));
    }

    @Override
    public void onTransferComplete(final long transferId, final long requestId, final KvTransferStats stats)
    {
        land(requestId, stats.transfer().blocks());
    }

    private synchronized void land(final long requestId, final KvBlocks blocks)
    {
        if (!isTold && !expected.contains(requestId))
        {
            // This process was started again, and its senders were faster than those who tell it what to expect.
            unasked.put(requestId, blocks);
        }
        else if (!expected.contains(requestId))
        {
            // A prefill process that was started again sends what its predecessor may have sent already.
            cache.free(blocks);
        }
    }

    private synchronized void expectFrom(final long requestId)
    {
        expected.add(requestId);
        unasked.remove(requestId);
    }

    private synchronized void onTold()
    {
        isTold = true;
        unasked.values().forEach(cache::free);
        unasked.clear();
    }

    private synchronized void expectNoMore(final long requestId)
    {
        expected.remove(requestId);
    }

    private void onFate(final int tokens, final KvFate fate)
    {
        expectNoMore(fate.requestId());
        if (KvTransferState.COMPLETED == fate.state())
        {
            work(() -> onLanded(fate));
        }
        else if (KvFailurePolicy.RECOMPUTE == Attempt.policy(fate.requestId()))
        {
            work(() -> recompute(tokens, fate, System.nanoTime()));
        }
        else
        {
            failed(fate.requestId(), fate.error() + " " + fate.text());
        }
    }

    private void onLanded(final KvFate fate)
    {
        link.send(ParentLink.event("verified").put("id", fate.requestId())
            .put("mismatches", verify(fate.requestId(), fate.transfer().blocks()))
            .put("tokens", fate.transfer().info().tokenCount()).put("policy", fate.policy().name()));
    }

    // What did not come is computed here, as the sender would have.
    private void recompute(final int tokens, final KvFate fate, final long sinceNs)
    {
        final String reason = fate.error() + " " + fate.text();
        final KvBlocks blocks = cache.allocate(layout.blocksFor(tokens));
        if (null != blocks)
        {
            for (int layer = 0; layer < layout.layers(); layer++)
            {
                computeLayer(fate.requestId(), layer, blocks, part);
            }
            link.send(ParentLink.event("recomputed").put("id", fate.requestId())
                .put("mismatches", verify(fate.requestId(), blocks)).put("text", reason));
        }
        else if (System.nanoTime() - sinceNs < TimeUnit.MILLISECONDS.toNanos(orders.transferTimeoutMs()))
        {
            // Behind those that have landed, which this thread has to verify before their blocks are free.
            LockSupport.parkNanos(RETRY_NS);
            work(() -> recompute(tokens, fate, sinceNs));
        }
        else
        {
            failed(fate.requestId(), "NO_BLOCKS to recompute it after " + reason);
        }
    }

    private long verify(final long index, final KvBlocks blocks)
    {
        long mismatches = 0;
        for (int layer = 0; layer < layout.layers(); layer++)
        {
            for (int p = 0; p < layout.parts(); p++)
            {
                for (int block = 0; block < blocks.blockCount(); block++)
                {
                    BlockContent.fill(orders.seed(), index, layer, p, block, part, part.length);
                    device.get(blocks.address(layer, p, block), landed, 0, landed.length);
                    mismatches += Arrays.equals(part, landed) ? 0 : 1;
                }
            }
        }
        cache.free(blocks);
        return mismatches;
    }

    @Override
    List<KvCounters> counters()
    {
        return receivers.stream().map(KvReceiver::counters).toList();
    }

    @Override
    void closeStreams()
    {
        CloseHelper.quietCloseAll(receivers);
    }
}
