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
package io.millrace.samples.disaggregated;

import io.aeron.archive.codecs.SourceLocation;
import io.millrace.archive.KvArchive;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvTransfer;
import io.millrace.samples.demo.ParentLink;
import org.agrona.CloseHelper;

import java.util.concurrent.locks.LockSupport;

/**
 * A prefill instance: computes the blocks of a prompt layer by layer, each of which leaves when it is ready. Has its
 * machine's archive record what it sends.
 */
public final class PrefillNode extends SenderNode
{
    private final BlockWork model = new BlockWork(device, layout);
    private final KvArchive archive;

    private PrefillNode(final ParentLink link)
    {
        super(link);
        archive = null == orders.archiveDirectory() ? null : KvArchive.connect(new KvArchive.Context().aeron(aeron));
    }

    /**
     * Started by the sample, not by a user.
     *
     * @param args unused.
     */
    public static void main(final String[] args)
    {
        start(PrefillNode::new);
    }

    @Override
    void beforeStream(final String channel, final int streamId)
    {
        if (null != archive)
        {
            archive.record(channel, streamId, SourceLocation.LOCAL);
        }
    }

    @Override
    void produce(final Command command, final KvBlocks blocks)
    {
        final long startNs = System.nanoTime();
        final long computeNs = orders.computeNs(command.tokens());
        final KvTransfer transfer = submit(command, blocks, true);
        for (int layer = 0; layer < layout.layers(); layer++)
        {
            model.compute(blocks, command.hashes(), layer);
            parkUntil(startNs + computeNs * (layer + 1) / layout.layers());
            transfer.layerReady(layer);
        }
        link.send(ParentLink.event("computed")
            .put("id", command.id()).put("startNs", startNs).put("endNs", System.nanoTime()));
        // Not earlier: the blocks are not to be freed while they are written.
        transfer.onEnd((ended) -> onEnd(ended, blocks));
    }

    private static void parkUntil(final long timeNs)
    {
        long leftNs = timeNs - System.nanoTime();
        while (leftNs > 0 && !Thread.currentThread().isInterrupted())
        {
            LockSupport.parkNanos(leftNs);
            leftNs = timeNs - System.nanoTime();
        }
    }

    @Override
    public void close()
    {
        CloseHelper.quietClose(archive);
        super.close();
    }
}
