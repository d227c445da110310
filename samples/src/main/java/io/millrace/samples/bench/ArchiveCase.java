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

import io.aeron.archive.codecs.SourceLocation;
import io.millrace.archive.KvBlockStore;
import io.millrace.archive.KvFetch;
import io.millrace.archive.KvFetchPlan;
import io.millrace.archive.KvRecording;
import io.millrace.archive.KvRecordingInfo;
import io.millrace.archive.KvReplay;
import io.millrace.archive.KvReplayState;
import io.millrace.archive.KvScanProgress;
import io.millrace.archive.KvScope;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvDtype;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.KvReceiver;
import io.millrace.bridge.KvReceiverListener;
import io.millrace.bridge.KvSender;
import io.millrace.bridge.KvTransfer;
import io.millrace.bridge.KvTransferRequest;
import io.millrace.bridge.KvTransferState;
import io.millrace.bridge.KvTransferStats;
import io.millrace.samples.demo.ParentLink;
import io.millrace.samples.demo.WorkDirectory;
import org.agrona.BitUtil;
import org.agrona.CloseHelper;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongUnaryOperator;
import java.util.stream.LongStream;

/**
 * KV blocks from one driver to the disk of another one, and back into device memory there. All parts of a round are
 * measured one after the other, with as many bytes, on the same disk.
 */
final class ArchiveCase implements AutoCloseable
{
    /** What a round measures. */
    static final List<Transport> PARTS = List.of(Transport.UNRECORDED, Transport.RECORD, Transport.RECORD_LOCAL,
        Transport.DISK_WRITE, Transport.REPLAY, Transport.DISK_READ, Transport.FETCH_RANGE, Transport.FETCH_SCATTERED);

    private static final long BYTES_PER_SECOND = 256L << 20;
    private static final int STREAM_ID = 3101;
    private static final int IN_FLIGHT = 4;
    private static final int BLOCKS_PER_TRANSFER = 16;
    private static final int SCATTER = 4;
    private static final long TIMEOUT_NS = TimeUnit.SECONDS.toNanos(120);
    private static final String REC = ".rec";

    private final BenchOptions options;
    private final String protocol;
    private final CaseResult result;
    private final KvLayout layout;
    private final long blockBytes;
    private final long blocks;
    private final WorkDirectory disk;
    private final TraceNode source;
    private final TraceNode target;
    private final ArchiveSite site;
    private int streamId = STREAM_ID;

    private ArchiveCase(
        final BenchOptions options, final String protocol, final Path drivers, final CaseResult result)
    {
        this.options = options;
        this.protocol = protocol;
        this.result = result;
        layout = new KvLayout(1, 1, KvShape.PIECE_UNIT / 2, KvDtype.BF16,
            result.benchCase().size() / KvShape.PIECE_UNIT);
        blockBytes = layout.blockBytesPerLayer();
        // Of whole transfers, also in a quarter.
        final int unit = BLOCKS_PER_TRANSFER * SCATTER;
        blocks = BitUtil.align(
            (int)(BYTES_PER_SECOND * options.durationMs() / TimeUnit.SECONDS.toMillis(1) / blockBytes), unit);
        disk = WorkDirectory.create(WorkDirectory.Owner.BENCH, null == options.archiveDirectory() ?
            Path.of(System.getProperty("java.io.tmpdir")) : options.archiveDirectory());
        source = new TraceNode(false, protocol, drivers.resolve("source"), layout, IN_FLIGHT * BLOCKS_PER_TRANSFER);
        target = new TraceNode(false, protocol, drivers.resolve("target"), layout,
            (int)blocks + IN_FLIGHT * BLOCKS_PER_TRANSFER);
        site = new ArchiveSite(target, disk.path().resolve("recordings"));
    }

    /**
     * Run all rounds.
     *
     * @param drivers directory for the drivers' files.
     * @param result  that takes what each part came to.
     */
    static void run(final BenchOptions options, final String protocol, final Path drivers, final CaseResult result)
    {
        try (ArchiveCase archiveCase = new ArchiveCase(options, protocol, drivers, result))
        {
            // The first one compiles the code.
            for (int round = 0; round <= options.rounds(); round++)
            {
                archiveCase.round(round);
            }
        }
    }

    private void round(final int round)
    {
        final boolean isCounted = round > 0;
        final Path recordings = site.directory();
        final long bytes = blocks * blockBytes;
        add(isCounted, Transport.UNRECORDED, bytes, stream());

        final Recorded recorded = record(site, channels(), SourceLocation.REMOTE);
        final KvRecordingInfo info = recorded.info();
        add(isCounted, Transport.RECORD, bytes, recorded.elapsedNs());
        add(isCounted, Transport.RECORD_LOCAL, bytes, recordLocally());

        final long writeNs = System.nanoTime();
        PlainDisk.write(disk.path(), info.bytes(), site.segmentLength());
        add(isCounted, Transport.DISK_WRITE, info.bytes(), System.nanoTime() - writeNs);

        PlainDisk.remove(disk.path(), ".bin");

        // The same files for both. What reads them second may find them in the disk's own cache: they take turns.
        if (0 == round % 2)
        {
            readPlainly(isCounted);
        }
        PlainDisk.forget(recordings, REC);
        add(isCounted, Transport.REPLAY, bytes, replay(info));
        if (1 == round % 2)
        {
            readPlainly(isCounted);
        }

        try (KvBlockStore store = KvBlockStore.open(site.client(), new KvBlockStore.Context()
            .indexFile(disk.path().resolve("index")).updateIntervalNs(0).mergeGapBytes(0)))
        {
            store.update(KvScanProgress.NONE);
            final long some = blocks / SCATTER;
            PlainDisk.forget(recordings, REC);
            add(isCounted, Transport.FETCH_RANGE, some * blockBytes,
                fetch(store, LongStream.range(0, some).toArray()));
            PlainDisk.forget(recordings, REC);
            add(isCounted, Transport.FETCH_SCATTERED, some * blockBytes,
                fetch(store, LongStream.range(0, some).map((i) -> i * SCATTER).toArray()));
            store.retention().purge(info.recordingId(), info.stopPosition());
        }
    }

    private void readPlainly(final boolean isCounted)
    {
        PlainDisk.forget(site.directory(), REC);
        final long startNs = System.nanoTime();
        final long read = PlainDisk.read(site.directory(), REC);
        add(isCounted, Transport.DISK_READ, read, System.nanoTime() - startNs);
    }

    private void add(final boolean isCounted, final Transport part, final long bytes, final long elapsedNs)
    {
        if (isCounted)
        {
            result.series().get(part).add(ParentLink.event("result")
                .put("messagesPerSecond", bytes * 1e9 / blockBytes / elapsedNs)
                .put("gigabytesPerSecond", bytes / (double)elapsedNs));
        }
    }

    private long stream()
    {
        final Channels channels = channels();
        final int id = streamId += 2;
        try (KvReceiver ignore = KvReceiver.launch(new KvReceiver.Context()
            .aeron(target.aeron())
            .channel(channels.toServer()).streamId(id)
            .reverseChannel(channels.toClient()).reverseStreamId(id + 1)
            .device(target.device())
            .allocator(target.cache())
            .listener(new Freeing())
            .idleStrategy(TraceNode.idleStrategy())))
        {
            return send(channels, id, false, (startNs) -> System.nanoTime() - startNs);
        }
    }

    /**
     * By an archive on the sender's own driver, which spies on the publication.
     */
    private long recordLocally()
    {
        final Path directory = disk.path().resolve("local");
        try (ArchiveSite local = new ArchiveSite(source, directory))
        {
            final Channels channels = channels();
            return record(local, new Channels(channels.toServer() + "|ssc=true", channels.toClient()),
                SourceLocation.LOCAL).elapsedNs();
        }
        finally
        {
            PlainDisk.remove(directory, REC);
        }
    }

    private Recorded record(final ArchiveSite at, final Channels channels, final SourceLocation location)
    {
        final int id = streamId += 2;
        final KvRecording recording = at.client().record(channels.toServer(), id, location);
        final long elapsedNs = send(channels, id, true, (startNs) ->
        {
            final long recorded = at.awaitRecorded(recording.awaitStart(TIMEOUT_NS), source, id, TIMEOUT_NS);
            PlainDisk.force(at.directory(), REC);
            final long elapsed = System.nanoTime() - startNs;
            if (recorded < blocks * blockBytes)
            {
                throw new IllegalStateException(recorded + " of " + blocks * blockBytes + " bytes were recorded");
            }
            return elapsed;
        });
        return new Recorded(recording.awaitStop(TIMEOUT_NS), elapsedNs);
    }

    /**
     * @param end that is given the time of the first transfer, and called before the publication is closed.
     */
    private long send(
        final Channels channels,
        final int id,
        final boolean isUnacknowledged,
        final LongUnaryOperator end)
    {
        final ArrayDeque<KvTransfer> inFlight = new ArrayDeque<>();
        final KvBlocks[] buffers = new KvBlocks[IN_FLIGHT];
        for (int i = 0; i < IN_FLIGHT; i++)
        {
            buffers[i] = source.cache().allocate(BLOCKS_PER_TRANSFER);
        }
        try (KvSender sender = KvSender.launch(new KvSender.Context()
            .aeron(source.aeron())
            .channel(channels.toServer()).streamId(id)
            .reverseChannel(channels.toClient()).reverseStreamId(id + 1)
            .device(source.device())
            .unacknowledged(isUnacknowledged)
            .idleStrategy(TraceNode.idleStrategy())))
        {
            awaitConnected(sender);
            final long startNs = System.nanoTime();
            for (long from = 0; from < blocks; from += BLOCKS_PER_TRANSFER)
            {
                if (inFlight.size() == IN_FLIGHT)
                {
                    await(inFlight.remove());
                }
                inFlight.add(sender.submit(new KvTransferRequest()
                    .requestId(from)
                    .layout(layout)
                    .blocks(buffers[(int)(from / BLOCKS_PER_TRANSFER % IN_FLIGHT)])
                    .blockHashes(LongStream.range(from, from + BLOCKS_PER_TRANSFER).toArray())
                    .timeoutNs(TIMEOUT_NS)));
            }
            inFlight.forEach(ArchiveCase::await);
            return end.applyAsLong(startNs);
        }
        finally
        {
            for (final KvBlocks buffer : buffers)
            {
                source.cache().free(buffer);
            }
        }
    }

    private static void awaitConnected(final KvSender sender)
    {
        final long deadlineNs = System.nanoTime() + TIMEOUT_NS;
        while (!sender.isConnected())
        {
            if (System.nanoTime() - deadlineNs > 0)
            {
                throw new IllegalStateException("nobody subscribes to " + sender.context().channel());
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
    }

    private static void await(final KvTransfer transfer)
    {
        if (KvTransferState.COMPLETED != transfer.await(TIMEOUT_NS))
        {
            throw new IllegalStateException("transfer is " + transfer.state() + ": " + transfer.errorText());
        }
    }

    private long replay(final KvRecordingInfo info)
    {
        final long startNs = System.nanoTime();
        try (KvReplay replay = site.client().replay(info.recordingId(), new KvReceiver.Context()
            .device(target.device())
            .allocator(target.cache())
            .listener(new Freeing())
            .idleStrategy(TraceNode.idleStrategy())))
        {
            check(replay.await(TIMEOUT_NS), replay.errorText());
            return System.nanoTime() - startNs;
        }
    }

    private long fetch(final KvBlockStore store, final long[] hashes)
    {
        final KvBlocks blocks = target.cache().allocate(hashes.length);
        final long startNs = System.nanoTime();
        final KvFetchPlan plan = store.plan(new KvScope("", layout), hashes);
        try (KvFetch fetch = store.fetch(plan, blocks, new KvReceiver.Context()
            .device(target.device()).idleStrategy(TraceNode.idleStrategy())))
        {
            check(fetch.await(TIMEOUT_NS), fetch.errorText());
            if (fetch.landed().length != hashes.length)
            {
                throw new IllegalStateException(fetch.landed().length + " of " + hashes.length + " blocks landed");
            }
            return System.nanoTime() - startNs;
        }
        finally
        {
            target.cache().free(blocks);
        }
    }

    private static void check(final KvReplayState state, final String errorText)
    {
        if (KvReplayState.COMPLETED != state)
        {
            throw new IllegalStateException("it is " + state + ": " + errorText);
        }
    }

    private Channels channels()
    {
        return Channels.create(Transport.MILLRACE,
            new BenchCase(CaseKind.KV, result.benchCase().size(), result.benchCase().mtu(), protocol));
    }

    /**
     * {@inheritDoc}
     */
    public void close()
    {
        CloseHelper.quietCloseAll(site, target, source, disk);
    }

    private record Recorded(KvRecordingInfo info, long elapsedNs)
    {
    }

    /**
     * Frees what landed.
     */
    private final class Freeing implements KvReceiverListener
    {
        public void onTransferComplete(final long transferId, final long requestId, final KvTransferStats stats)
        {
            target.cache().free(stats.transfer().blocks());
        }
    }
}
