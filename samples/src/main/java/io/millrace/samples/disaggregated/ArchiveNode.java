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

import io.aeron.archive.Archive;
import io.aeron.archive.ArchiveThreadingMode;
import io.millrace.archive.KvArchive;
import io.millrace.archive.KvBlockStore;
import io.millrace.archive.KvFetch;
import io.millrace.archive.KvFetchPlan;
import io.millrace.archive.KvReplayState;
import io.millrace.archive.KvScope;
import io.millrace.archive.MillraceArchive;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvReceiver;
import io.millrace.samples.demo.ParentLink;
import org.agrona.CloseHelper;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * The archive of the prefill machine: records what its prefill instances send. To decode instances it is one more
 * instance that sends, but its blocks are read and not computed.
 */
public final class ArchiveNode extends SenderNode
{
    private static final long FETCH_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(60);
    private static final int SEGMENT_LENGTH = 16 << 20;

    /**
     * Bytes of recordings that it keeps: what is over goes, the least recently used first.
     */
    static final long CAPACITY_BYTES = 4L << 30;

    private final MillraceArchive archive;
    private final KvArchive client;
    private final KvBlockStore store;
    private final KvScope scope;

    private ArchiveNode(final ParentLink link)
    {
        super(link);
        final Path directory = Path.of(orders.archiveDirectory());
        scope = new KvScope(orders.model(), layout);
        archive = MillraceArchive.attach(orders.aeronDirectory(), new Archive.Context()
            .archiveDir(directory.resolve("recordings").toFile())
            .segmentFileLength(SEGMENT_LENGTH)
            .threadingMode(ArchiveThreadingMode.SHARED)
            .idleStrategySupplier(Node::idle));
        client = KvArchive.connect(archive.clientContext().aeron(aeron));
        store = KvBlockStore.open(client, new KvBlockStore.Context()
            .indexFile(directory.resolve("blocks.index")).capacityBytes(CAPACITY_BYTES));
    }

    /**
     * Started by the sample, not by a user.
     *
     * @param args unused.
     */
    public static void main(final String[] args)
    {
        start(ArchiveNode::new);
    }

    @Override
    void onCommand(final Command command)
    {
        if (Command.Kind.PLAN == command.kind())
        {
            link.send(ParentLink.event("planned").put("id", command.id())
                .put("blocks", store.plan(scope, command.hashes()).prefixLength()));
        }
        else
        {
            super.onCommand(command);
        }
    }

    @Override
    void produce(final Command command, final KvBlocks blocks)
    {
        link.send(ParentLink.event("reading").put("id", command.id()).put("startNs", System.nanoTime()));
        final KvFetchPlan plan = store.plan(scope, command.hashes());
        try (KvFetch fetch = store.fetch(plan, blocks, streams(new KvReceiver.Context())))
        {
            if (0 == plan.misses().length && KvReplayState.COMPLETED == fetch.await(FETCH_TIMEOUT_NS))
            {
                submit(command, blocks, false).onEnd((transfer) -> onEnd(transfer, blocks));
                return;
            }
            lost(command.id(), "the archive lacks " + plan.misses().length + " blocks; " + fetch.errorText());
        }
        // After the fetch is closed: nothing writes to them any more.
        cache.free(blocks);
    }

    @Override
    public void close()
    {
        CloseHelper.quietCloseAll(store, client, archive);
        super.close();
    }
}
