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
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvException;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.KvSender;
import io.millrace.bridge.KvTransfer;
import io.millrace.bridge.KvTransferRequest;
import io.millrace.bridge.KvTransferState;
import io.millrace.bridge.session.KvRole;
import io.millrace.samples.demo.ChildMain;
import io.millrace.samples.demo.ParentLink;
import org.agrona.CloseHelper;

import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A prefill process: computes the blocks of a request layer by layer while they are sent.
 */
public final class PrefillNode extends Node
{
    private final List<KvSender> senders;
    private final KvLayout layout;
    private final byte[] part;

    private PrefillNode(final ParentLink link)
    {
        super(link, KvRole.PREFILL);
        layout = orders.layout();
        part = new byte[layout.partBytes()];
        senders = launch(orders.decodeStreams().size(), decode -> KvSender.launch(orders.streams(
            new KvSender.Context(), orders.index(), decode)
            .device(device).stagingConfig("4:1").idleStrategy(idleStrategy())));
    }

    /**
     * Started by the test.
     *
     * @param args unused.
     */
    public static void main(final String[] args)
    {
        ChildMain.run(PrefillNode::new, link -> { });
    }

    @Override
    void onCommand(final String[] words)
    {
        final long id = Long.parseLong(words[1]);
        if ("recall".equals(words[0]))
        {
            failed(id, "the decode side lost it: " + words[2]);
            return;
        }
        work(() -> send(id, Integer.parseInt(words[2]), Integer.parseInt(words[3])));
    }

    private void send(final long id, final int tokens, final int decode)
    {
        try
        {
            final KvBlocks blocks = await(() -> cache.allocate(layout.blocksFor(tokens)),
                TimeUnit.MILLISECONDS.toNanos(orders.transferTimeoutMs()));
            if (null == blocks)
            {
                failed(id, "NO_BLOCKS in the prefill cache within the transfer timeout");
                return;
            }
            final KvTransfer transfer = senders.get(decode).submit(new KvTransferRequest()
                .requestId(id).layout(layout).blocks(blocks).tokenCount(tokens).modelTag(orders.model())
                .layerwise(true).failurePolicy(Attempt.policy(id))
                .timeoutNs(TimeUnit.MILLISECONDS.toNanos(orders.transferTimeoutMs()))
                .resumeTimeoutNs(TimeUnit.MILLISECONDS.toNanos(orders.resumeTimeoutMs())));
            compute(id, blocks, transfer);
            // After the last layer: the blocks are not to be freed while they are written.
            transfer.onEnd(ended -> onEnd(ended, blocks, decode));
        }
        catch (final KvException ex)
        {
            failed(id, ex.error() + " " + ex.getMessage());
        }
        catch (final InterruptedException ex)
        {
            Thread.currentThread().interrupt();
        }
    }

    private void compute(final long index, final KvBlocks blocks, final KvTransfer transfer)
        throws InterruptedException
    {
        for (int layer = 0; layer < layout.layers(); layer++)
        {
            computeLayer(index, layer, blocks, part);
            if (Attempt.isAbandoned(index) && layer == layout.layers() / 2)
            {
                await(() -> transfer.layersAcked() > 0 || transfer.state().isTerminal() ? true : null,
                    TimeUnit.MILLISECONDS.toNanos(orders.transferTimeoutMs()));
                transfer.cancel();
                return;
            }
            transfer.layerReady(layer);
        }
    }

    private void onEnd(final KvTransfer transfer, final KvBlocks blocks, final int decode)
    {
        cache.free(blocks);
        if (KvTransferState.COMPLETED == transfer.state())
        {
            link.send(ParentLink.event("sent").put("id", transfer.requestId()));
            return;
        }
        if (KvError.PEER_GONE == transfer.error())
        {
            membership.suspect("decode-" + decode, transfer.errorText());
        }
        failed(transfer.requestId(), transfer.error() + " " + transfer.errorText());
    }

    @Override
    List<KvCounters> counters()
    {
        return senders.stream().map(KvSender::counters).toList();
    }

    @Override
    void closeStreams()
    {
        CloseHelper.quietCloseAll(senders);
    }
}
