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
package io.millrace.archive;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.LongStream;

import io.aeron.CommonContext;
import io.aeron.archive.codecs.SourceLocation;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.KvReceiver;
import io.millrace.bridge.KvSender;
import io.millrace.bridge.KvTransfer;
import io.millrace.bridge.KvTransferRequest;
import io.millrace.bridge.KvTransferState;
import io.millrace.bridge.PagedKvCache;
import io.millrace.bridge.device.HostDevice;

/**
 * A process that stores blocks without end. Told {@code go FIRST MUST MAY}, it opens the store, checks the requests of
 * the list MUST, which have to be there, and of the list MAY, which have to be right if they are there, says
 * {@code checked}, and then stores requests from FIRST on. It says {@code purge RECORDING POSITION} before it purges,
 * {@code broken TEXT} for what must never be, and {@code again TEXT} when the archive went: then it waits for the next
 * {@code go}.
 */
final class CrashClient
{
    private static final KvScope SCOPE = new KvScope("", Rig.LAYOUT);
    private static final long MESSAGE_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(10);
    private static final long KEPT_BYTES = 16L << 20;
    private static final int REQUESTS_OF_A_FETCH = 8;
    private static final int UPDATE_EVERY = 3;
    private static final int COMPACT_EVERY = 5;

    private final String aeronDirectory;
    private final Path indexFile;
    private final HostDevice device = new HostDevice();
    private final PagedKvCache cache =
        PagedKvCache.allocate(device, Rig.LAYOUT, (1 + REQUESTS_OF_A_FETCH) * Rig.BLOCKS);
    private final KvBlocks source = cache.allocate(Rig.BLOCKS);
    private final KvBlocks target = cache.allocate(REQUESTS_OF_A_FETCH * Rig.BLOCKS);
    private final Random random = new Random();
    private final byte[] part = new byte[Rig.LAYOUT.partBytes()];
    private final byte[] landed = new byte[Rig.LAYOUT.partBytes()];

    private CrashClient(final String aeronDirectory, final Path indexFile)
    {
        this.aeronDirectory = aeronDirectory;
        this.indexFile = indexFile;
    }

    /**
     * Run.
     *
     * @param args directory of the driver, file of the index.
     */
    public static void main(final String[] args) throws InterruptedException
    {
        final BlockingQueue<String> heard = ChildJvm.heard();
        final CrashClient client = new CrashClient(args[0], Path.of(args[1]));
        System.out.println("ready");
        while (true)
        {
            final String[] words = heard.take().split(" ");
            try
            {
                client.session(Long.parseLong(words[1]), ids(words[2]), ids(words[3]));
            }
            catch (final RuntimeException ex)
            {
                ex.printStackTrace();
                System.out.println("again " + ex.toString().replace('\n', ' '));
            }
        }
    }

    static String list(final List<Long> ids)
    {
        return ids.isEmpty() ? "-" : String.join(",", ids.stream().map(String::valueOf).toList());
    }

    private static long[] ids(final String list)
    {
        return "-".equals(list) ? new long[0] : Arrays.stream(list.split(",")).mapToLong(Long::parseLong).toArray();
    }

    private void session(final long firstId, final long[] must, final long[] may)
    {
        try (KvArchive archive = KvArchive.connect(new KvArchive.Context()
            .aeronDirectoryName(aeronDirectory)
            .controlResponseChannel(CommonContext.IPC_CHANNEL)
            .messageTimeoutNs(MESSAGE_TIMEOUT_NS));
            KvBlockStore store = KvBlockStore.open(
                archive, new KvBlockStore.Context().indexFile(indexFile).updateIntervalNs(0)))
        {
            checkIndex(archive, store);
            store.update(KvScanProgress.NONE);
            check(store, must, may);
            if (0 == random.nextInt(COMPACT_EVERY))
            {
                final KvVerifyReport report = store.verify(KvScanProgress.NONE);
                // Missing may be what a purge that did not come to its end had forgotten.
                if (!report.damages().isEmpty() || !report.damagedTransfers().isEmpty() || report.stale() > 0 ||
                    report.indexDamagedAt() >= 0)
                {
                    broken("verify: " + report);
                }
            }
            System.out.println("checked " + must.length);
            store(archive, store, firstId);
        }
    }

    /**
     * Before anything is mended: what the index points at is there.
     */
    private static void checkIndex(final KvArchive archive, final KvBlockStore store)
    {
        final List<KvRecordingInfo> recordings = archive.list(0, Integer.MAX_VALUE);
        for (final long recordingId : store.index().recordingIds())
        {
            store.index().forEach(recordingId, transfer ->
            {
                if (recordings.stream().noneMatch(info -> info.recordingId() == recordingId &&
                    info.startPosition() <= transfer.position() && transfer.endPosition() <= info.position()))
                {
                    broken("the index has " + transfer + ", of which the archive has no bytes: " + recordings);
                }
            });
        }
    }

    private void check(final KvBlockStore store, final long[] must, final long[] may)
    {
        final Set<Long> mustBeThere = new HashSet<>(LongStream.of(must).boxed().toList());
        final long[] all = LongStream.concat(LongStream.of(must), LongStream.of(may)).toArray();
        for (int from = 0; from < all.length; from += REQUESTS_OF_A_FETCH)
        {
            final long[] hashes = Arrays.stream(all, from, Math.min(all.length, from + REQUESTS_OF_A_FETCH))
                .flatMap(id -> LongStream.of(Rig.hashes(id))).toArray();
            final KvFetchPlan plan = store.plan(SCOPE, hashes);
            for (final int miss : plan.misses())
            {
                if (mustBeThere.contains(hashes[miss] / 1000))
                {
                    broken("block " + hashes[miss] + " is not found");
                }
            }
            try (KvFetch fetch = store.fetch(
                plan, target, new KvReceiver.Context().device(device).stagingConfig("4:1")))
            {
                if (KvReplayState.COMPLETED != fetch.await(Rig.LIMIT_NS))
                {
                    throw new IllegalStateException("fetch " + fetch.state() + ": " + fetch.errorText());
                }
            }
            for (final int hit : plan.hits())
            {
                compare(hit, hashes[hit]);
            }
        }
    }

    private void store(final KvArchive archive, final KvBlockStore store, final long firstId)
    {
        // A stream of its own: that of a client which was killed is recorded until the driver sees that it is gone.
        final int streamId = Rig.STREAM_ID + (int)(firstId / 500);
        final KvRecording recording = archive.record(Rig.IPC, streamId, SourceLocation.LOCAL);
        try (KvSender sender = KvSender.launch(new KvSender.Context()
            .aeronDirectoryName(aeronDirectory)
            .channel(Rig.IPC).streamId(streamId)
            .reverseChannel(Rig.REVERSE).reverseStreamId(streamId + 1)
            .device(device)
            .stagingConfig("4:1")
            .unacknowledged(true)))
        {
            for (long requestId = firstId;; requestId++)
            {
                fill(requestId);
                final KvTransfer transfer = sender.submit(new KvTransferRequest()
                    .requestId(requestId).layout(Rig.LAYOUT).blocks(source).blockHashes(Rig.hashes(requestId))
                    .timeoutNs(Rig.LIMIT_NS));
                recording.awaitStart(Rig.LIMIT_NS);
                while (!transfer.state().isTerminal())
                {
                    recording.position();
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
                }
                if (KvTransferState.COMPLETED != transfer.state())
                {
                    throw new IllegalStateException("transfer " + transfer.state() + ": " + transfer.errorText());
                }
                System.out.println("sent " + requestId);
                if (0 == random.nextInt(UPDATE_EVERY))
                {
                    store.update(KvScanProgress.NONE);
                    purge(archive, store);
                }
                if (0 == random.nextInt(COMPACT_EVERY))
                {
                    store.index().compact();
                }
            }
        }
    }

    private void purge(final KvArchive archive, final KvBlockStore store)
    {
        final List<KvRecordingInfo> recordings = archive.list(0, Integer.MAX_VALUE);
        if (recordings.stream().mapToLong(KvRecordingInfo::bytes).sum() > KEPT_BYTES)
        {
            final KvRecordingInfo info = recordings.get(random.nextInt(recordings.size()));
            final long next = info.segmentBase(info.startPosition()) + info.segmentFileLength();
            final long to = next <= info.segmentBase(info.position()) ? next : info.isActive() ? -1 : info.position();
            if (to > 0)
            {
                System.out.println("purge " + info.recordingId() + " " + to);
                store.retention().purge(info.recordingId(), to);
            }
        }
    }

    private static void broken(final String text)
    {
        System.out.println("broken " + text.replace('\n', ' '));
        throw new IllegalStateException(text);
    }

    private void fill(final long requestId)
    {
        for (int block = 0; block < Rig.BLOCKS; block++)
        {
            for (int layer = 0; layer < Rig.LAYOUT.layers(); layer++)
            {
                for (int i = 0; i < KvLayout.PARTS; i++)
                {
                    content(requestId * 1000 + block, layer, i);
                    device.put(source.address(layer, i, block), part, 0, part.length);
                }
            }
        }
    }

    private void compare(final int index, final long hash)
    {
        for (int layer = 0; layer < Rig.LAYOUT.layers(); layer++)
        {
            for (int i = 0; i < KvLayout.PARTS; i++)
            {
                content(hash, layer, i);
                device.get(target.address(layer, i, index), landed, 0, landed.length);
                if (!Arrays.equals(part, landed))
                {
                    broken("block " + hash + " has other bytes in layer " + layer);
                }
            }
        }
    }

    private void content(final long hash, final int layer, final int index)
    {
        new Random(hash * 31 + layer * 2L + index).nextBytes(part);
    }
}
