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
package io.millrace.samples.bench;

import io.aeron.archive.Archive;
import io.aeron.archive.ArchiveThreadingMode;
import io.millrace.archive.KvArchive;
import io.millrace.archive.KvBlockStore;
import io.millrace.archive.KvEviction;
import io.millrace.archive.KvFetch;
import io.millrace.archive.KvFetchPlan;
import io.millrace.archive.KvReplayState;
import io.millrace.archive.KvScanProgress;
import io.millrace.archive.KvScope;
import io.millrace.archive.MillraceArchive;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.KvReceiver;
import io.millrace.bridge.KvReceiverListener;
import io.millrace.bridge.KvTransferStats;
import io.millrace.efa.EfaCounters;
import io.millrace.samples.demo.ProgressDisplay;
import io.millrace.samples.demo.WorkDirectory;
import io.millrace.samples.failure.CommandFailure;
import io.millrace.samples.trace.TraceReader;
import org.HdrHistogram.Histogram;
import org.agrona.CloseHelper;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;

/**
 * The requests of a trace through an archive: blocks that are stored are fetched into the decode node's memory, the
 * others are computed on the prefill node, sent, and recorded there on the way; what was not used for the longest time
 * is evicted. Every block is compared in decode memory with what it must be.
 */
public final class TracePass implements KvReceiverListener, AutoCloseable
{
    private static final int MTU = 65_504;
    private static final String STAGING = "4:4";
    private static final int MAX_REQUEST_BLOCKS = 256;
    private static final int CONCURRENT = 8;
    private static final int MAX_REPLAYS = 4;
    private static final int TENTHS = 10;
    private static final long TIMEOUT_NS = TimeUnit.SECONDS.toNanos(60);

    private final TracePassOptions options;
    private final KvLayout layout;
    private final KvScope scope;
    private final WorkDirectory directory;
    private final WorkDirectory archiveDirectory;
    private final Channels data;
    private final Map<Long, long[]> expected = new ConcurrentHashMap<>();
    private final AtomicLong verified = new AtomicLong();
    private final AtomicLong mismatches = new AtomicLong();
    private final Histogram fetchMicros = new Histogram(3);
    private final List<Long> privateMegabytes = new ArrayList<>();
    private TraceNode prefill;
    private TraceNode decode;
    private MillraceArchive archive;
    private KvArchive client;
    private KvArchive decodeClient;
    private KvBlockStore store;
    private KvReceiver receiver;
    private TraceSender sender;
    private long blocks;
    private long hits;
    private long failedFetches;
    private long bytesServed;
    private long bytesRead;
    private long segments;
    private long transfers;
    private long refused;

    private record Running(
        long[] hashes, KvFetchPlan plan, KvBlocks target, KvFetch fetch, CompletableFuture<Long> durationNs)
    {
    }

    private TracePass(final TracePassOptions options)
    {
        this.options = options;
        layout = KvLayout.parse(options.model(), options.tokensPerBlock());
        scope = new KvScope("trace", layout);
        directory = WorkDirectory.create(WorkDirectory.Owner.TRACE, options.directory());
        archiveDirectory = WorkDirectory.create(WorkDirectory.Owner.TRACE, options.archiveDirectory());
        data = channels();
    }

    /**
     * Run.
     *
     * @param options of the user.
     * @return what it came to.
     * @throws CommandFailure if an option cannot be used here, or blocks did not arrive.
     */
    public static TracePassReport run(final TracePassOptions options)
    {
        try (TracePass pass = new TracePass(options))
        {
            pass.start();
            return pass.run();
        }
    }

    private void start()
    {
        final Path disk = archiveDirectory.path();
        if (disk.toFile().getUsableSpace() < options.capacityBytes() + 2 * options.recordingBytes())
        {
            throw CommandFailure.failed(options.archiveDirectory() + " has " + disk.toFile().getUsableSpace() +
                " bytes free, and --capacity and two recordings take " +
                (options.capacityBytes() + 2 * options.recordingBytes()) + ": make room, or lower --capacity");
        }
        prefill = new TraceNode(options.isStock(), options.protocol(), directory.path().resolve("prefill"), layout,
            2 * TraceSender.IN_FLIGHT * options.blocksPerTransfer());
        decode = new TraceNode(options.isStock(), options.protocol(), directory.path().resolve("decode"), layout,
            CONCURRENT * MAX_REQUEST_BLOCKS + 2 * TraceSender.IN_FLIGHT * options.blocksPerTransfer());
        final Channels control = channels();
        archive = MillraceArchive.attach(prefill.aeron().context().aeronDirectoryName(), new Archive.Context()
            .archiveDir(disk.resolve("recordings").toFile())
            .threadingMode(ArchiveThreadingMode.SHARED)
            .idleStrategySupplier(TraceNode::idleStrategy)
            .segmentFileLength(options.segmentBytes())
            .maxConcurrentReplays(2 * CONCURRENT * MAX_REPLAYS)
            .controlChannel(control.toServer())
            .replicationChannel("aeron:udp?endpoint=127.0.0.1:0"));
        client = KvArchive.connect(archive.clientContext().aeron(prefill.aeron()));
        decodeClient = KvArchive.connect(new KvArchive.Context()
            .aeron(decode.aeron())
            .controlRequestChannel(control.toServer())
            .controlRequestStreamId(archive.archiveContext().controlStreamId())
            .controlResponseChannel("aeron:udp?endpoint=127.0.0.1:0")
            .replayChannel(channels().toServer()));
        store = KvBlockStore.open(client, new KvBlockStore.Context()
            .indexFile(disk.resolve("index")).updateIntervalNs(0).maxReplays(MAX_REPLAYS));
        receiver = KvReceiver.launch(receiverContext()
            .aeron(decode.aeron())
            .channel(data.toServer())
            .streamId(TraceSender.STREAM_ID)
            .reverseChannel(data.toClient())
            .reverseStreamId(TraceSender.STREAM_ID + 1)
            .allocator(decode.cache())
            .listener(this));
        sender = new TraceSender(options, layout, scope.modelTag(), prefill, client, data, expected);
    }

    private TracePassReport run()
    {
        final long startNs = System.nanoTime();
        final long total = Math.max(1, (long)(options.share() * requests()));
        long done = 0;
        try (TraceReader trace = new TraceReader(options.trace());
            ProgressDisplay progress = new ProgressDisplay("trace", total, "", 1))
        {
            final List<long[]> window = new ArrayList<>();
            while (done < total && null != trace.next())
            {
                window.add(Arrays.stream(trace.hashIds()).distinct().limit(MAX_REQUEST_BLOCKS).toArray());
                done++;
                if (window.size() < CONCURRENT && done < total)
                {
                    continue;
                }
                serve(window);
                window.clear();
                evict();
                progress.stepTo(done);
                if (done * TENTHS / total > privateMegabytes.size())
                {
                    privateMegabytes.add(privateBytes() >> 20);
                }
            }
        }
        sender.endRecording();
        evict();
        final long stored = client.list(0, Integer.MAX_VALUE).stream().mapToLong(info -> info.bytes()).sum();
        final long indexed = Math.max(1, store.index().stats().blocks());
        return new TracePassReport(prefill.description(), done, blocks,
            layout.layers() * (long)layout.blockBytesPerLayer(), hits, hits / (double)Math.max(1, blocks),
            failedFetches, bytesServed, bytesRead, sender.recordedBytes(), segments, transfers, refused, stored,
            mismatches.get(), verified.get(), (System.nanoTime() - startNs) / 1e9,
            List.of(fetchMicros.getValueAtPercentile(50), fetchMicros.getValueAtPercentile(99),
            fetchMicros.getMaxValue()), privateMegabytes, store.index().stats().memoryBytes() / (double)indexed,
            frames(EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID), frames(EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID));
    }

    /**
     * Requests that are served at the same time: fetches side by side, then what is missing.
     */
    private void serve(final List<long[]> requests)
    {
        final List<Running> running = new ArrayList<>();
        for (final long[] hashes : requests)
        {
            blocks += hashes.length;
            final KvFetchPlan plan = store.plan(scope, hashes);
            bytesRead += plan.bytesToRead();
            final KvBlocks target = decode.cache().allocate(hashes.length);
            final long startNs = System.nanoTime();
            final KvFetch fetch = 0 == plan.hits().length ? null :
                store.fetch(decodeClient, plan, target, receiverContext());
            // Stamped when it ends: it is waited for after the work of the requests before it.
            running.add(new Running(hashes, plan, target, fetch, null == fetch ? null :
                fetch.future().thenApply((state) -> System.nanoTime() - startNs)));
        }
        for (final Running one : running)
        {
            final int[] missing = IntStream.concat(
                IntStream.of(one.plan().misses()), IntStream.of(awaitFetch(one))).toArray();
            for (int from = 0; from < missing.length; from += options.blocksPerTransfer())
            {
                sender.send(Arrays.stream(missing, from, Math.min(missing.length, from + options.blocksPerTransfer()))
                    .mapToLong(index -> one.hashes()[index]).toArray());
            }
        }
        sender.awaitTransfers(0);
    }

    private int[] awaitFetch(final Running one)
    {
        try (KvFetch fetch = one.fetch())
        {
            if (null == fetch)
            {
                return new int[0];
            }
            if (KvReplayState.RUNNING == fetch.await(TIMEOUT_NS))
            {
                throw CommandFailure.failed(
                    "a fetch of " + one.plan().hits().length + " blocks did not end within 60 s");
            }
            fetchMicros.recordValue(TimeUnit.NANOSECONDS.toMicros(one.durationNs().join()));
            hits += fetch.landed().length;
            bytesServed += fetch.landed().length * (long)layout.blockBytesPerLayer() * layout.layers();
            for (final int landed : fetch.landed())
            {
                check(one.target(), landed, one.hashes()[landed]);
            }
            if (0 != fetch.failed().length)
            {
                failedFetches += fetch.failed().length;
                System.err.println("millrace: " + fetch.failed().length + " blocks are computed, since their fetch " +
                    "failed: " + fetch.errorText());
            }
            return fetch.failed();
        }
        finally
        {
            decode.cache().free(one.target());
        }
    }

    /**
     * {@inheritDoc}
     */
    public void onTransferComplete(final long transferId, final long requestId, final KvTransferStats stats)
    {
        final KvBlocks landed = stats.transfer().blocks();
        final long[] hashes = expected.remove(requestId);
        for (int i = 0; i < hashes.length; i++)
        {
            check(landed, i, hashes[i]);
        }
        decode.cache().free(landed);
    }

    /**
     * {@inheritDoc}
     */
    public void onTransferFailed(
        final long transferId, final long requestId, final KvError reason, final String text)
    {
        expected.remove(requestId);
    }

    private void check(final KvBlocks landed, final int index, final long hash)
    {
        verified.incrementAndGet();
        if (!decode.isSame(landed, index, hash))
        {
            mismatches.incrementAndGet();
        }
    }

    private void evict()
    {
        store.update(KvScanProgress.NONE);
        final KvEviction eviction = store.retention().evict(options.capacityBytes());
        segments += eviction.segments();
        transfers += eviction.transfers();
        refused += eviction.refused();
    }

    private KvReceiver.Context receiverContext()
    {
        return new KvReceiver.Context()
            .device(decode.device()).stagingConfig(STAGING).idleStrategy(TraceNode.idleStrategy());
    }

    private Channels channels()
    {
        return Channels.create(Transport.MILLRACE, new BenchCase(CaseKind.KV, 0, MTU, "udp"));
    }

    private long requests()
    {
        try (TraceReader trace = new TraceReader(options.trace()))
        {
            long count = 0;
            while (null != trace.next())
            {
                count++;
            }
            return count;
        }
    }

    private long frames(final int typeId)
    {
        return options.isStock() ? 0 : prefill.frames(typeId) + decode.frames(typeId);
    }

    private static long privateBytes()
    {
        try
        {
            return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("RssAnon:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10).findFirst().orElse(0);
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }

    /**
     * {@inheritDoc}
     */
    public void close()
    {
        CloseHelper.quietCloseAll(sender, receiver, store, decodeClient, client, archive, decode, prefill,
            archiveDirectory, directory);
    }
}
