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

import java.io.File;
import java.net.DatagramSocket;
import java.net.SocketException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;

import io.aeron.CommonContext;
import io.aeron.archive.Archive;
import io.aeron.archive.ArchiveMarkFile;
import io.aeron.archive.ArchiveThreadingMode;
import io.aeron.archive.codecs.SourceLocation;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvInboundTransfer;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.KvReceiver;
import io.millrace.bridge.KvReceiverListener;
import io.millrace.bridge.KvSender;
import io.millrace.bridge.KvTransfer;
import io.millrace.bridge.KvTransferRequest;
import io.millrace.bridge.KvTransferState;
import io.millrace.bridge.KvTransferStats;
import io.millrace.bridge.PagedKvCache;
import io.millrace.bridge.device.HostDevice;
import org.agrona.CloseHelper;
import org.agrona.concurrent.SystemEpochClock;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A media driver with an archive over a directory, a source device with contents by request id, and what receivers saw.
 */
final class Rig implements AutoCloseable
{
    static final KvLayout LAYOUT = KvLayout.parse("4x2x32");
    static final int BLOCKS = 24;
    static final int STREAM_ID = 1001;
    static final String IPC = "aeron:ipc?term-length=1m|mtu=65472";
    static final String REVERSE = "aeron:ipc?term-length=64k";
    static final long LIMIT_NS = TimeUnit.SECONDS.toNanos(60);
    static final int SEGMENT_LENGTH = 1 << 20;
    private static final int PORT_TRIES = 100;
    private static final int FIRST_PORT = 10_000;
    // Of Linux, unless it is told otherwise.
    private static final int FIRST_EPHEMERAL_PORT = 32_768;

    final MediaDriver driver;
    final MillraceArchive archive;
    private final String aeronDirectory;
    final KvArchive client;
    final HostDevice sourceDevice = new HostDevice();
    final PagedKvCache sourceCache = PagedKvCache.allocate(sourceDevice, LAYOUT, 16 * BLOCKS);
    final Map<Long, KvBlocks> sent = new ConcurrentHashMap<>();

    Rig(final Path archiveDirectory)
    {
        this(archiveDirectory.toFile(), false);
    }

    /**
     * With an archive that may be closed while the driver lives on.
     */
    static Rig attached(final Path archiveDirectory)
    {
        return new Rig(archiveDirectory.toFile(), true);
    }

    /**
     * Without driver and archive of its own, on ones of other processes.
     */
    static Rig client(final String aeronDirectory)
    {
        return new Rig(aeronDirectory);
    }

    private Rig(final String aeronDirectory)
    {
        this.aeronDirectory = aeronDirectory;
        driver = null;
        archive = null;
        client = KvArchive.connect(new KvArchive.Context()
            .aeronDirectoryName(aeronDirectory)
            .controlResponseChannel(CommonContext.IPC_CHANNEL)
            .messageTimeoutNs(TimeUnit.SECONDS.toNanos(10)));
    }

    private Rig(final File archiveDirectory, final boolean isAttached)
    {
        driver = isAttached ? MediaDriver.launch(driverContext()) : null;
        archive = isAttached ?
            MillraceArchive.attach(driver.aeronDirectoryName(), archiveContext(archiveDirectory)) :
            MillraceArchive.launch(driverContext(), archiveContext(archiveDirectory));
        aeronDirectory = archive.aeronDirectoryName();
        client = KvArchive.connect(archive.clientContext().messageTimeoutNs(TimeUnit.SECONDS.toNanos(20)));
    }

    static MediaDriver.Context driverContext()
    {
        return new MediaDriver.Context()
            .aeronDirectoryName(CommonContext.generateRandomDirName())
            .threadingMode(ThreadingMode.SHARED)
            .dirDeleteOnStart(true)
            .dirDeleteOnShutdown(true);
    }

    static Archive.Context archiveContext(final File archiveDirectory)
    {
        return new Archive.Context()
            .archiveDir(archiveDirectory)
            .threadingMode(ArchiveThreadingMode.SHARED)
            .segmentFileLength(SEGMENT_LENGTH)
            .lowStorageSpaceThreshold(SEGMENT_LENGTH);
    }

    /**
     * Make the directory of an archive that was killed free as its successor does, which would watch it for longer.
     */
    static void awaitDead(final Path archiveDirectory)
    {
        final File mark = archiveDirectory.resolve(ArchiveMarkFile.FILENAME).toFile();
        if (mark.exists())
        {
            Predecessor.await(mark, TimeUnit.SECONDS.toMillis(2), SystemEpochClock.INSTANCE);
        }
    }

    // Below those that the system hands out: the port stays free until it is used.
    static int freePort()
    {
        for (int i = 0; i < PORT_TRIES; i++)
        {
            final int port = ThreadLocalRandom.current().nextInt(FIRST_PORT, FIRST_EPHEMERAL_PORT);
            try
            {
                new DatagramSocket(port).close();
                return port;
            }
            catch (final SocketException ignore)
            {
                // In use: another one.
            }
        }
        throw new IllegalStateException("no port of " + PORT_TRIES + " from " + FIRST_PORT + " to " +
            FIRST_EPHEMERAL_PORT + " is free");
    }

    KvSender.Context senderContext(final String channel)
    {
        return new KvSender.Context()
            .aeronDirectoryName(aeronDirectory)
            .channel(channel).streamId(STREAM_ID)
            .reverseChannel(REVERSE).reverseStreamId(STREAM_ID + 1)
            .device(sourceDevice)
            .stagingConfig("4:1");
    }

    KvReceiver live(final String channel, final Destination destination)
    {
        return KvReceiver.launch(destination.receiverContext()
            .aeronDirectoryName(aeronDirectory)
            .channel(channel).streamId(STREAM_ID)
            .reverseChannel(REVERSE).reverseStreamId(STREAM_ID + 1));
    }

    /**
     * Contents of a request in the source's memory, the same in every process.
     */
    KvBlocks fill(final long requestId)
    {
        final KvBlocks blocks = sourceCache.allocate(BLOCKS);
        final byte[] bytes = new byte[LAYOUT.partBytes()];
        final Random random = new Random(requestId);
        for (int layer = 0; layer < LAYOUT.layers(); layer++)
        {
            for (int part = 0; part < KvLayout.PARTS; part++)
            {
                for (int block = 0; block < BLOCKS; block++)
                {
                    random.nextBytes(bytes);
                    sourceDevice.put(blocks.address(layer, part, block), bytes, 0, bytes.length);
                }
            }
        }
        sent.put(requestId, blocks);
        return blocks;
    }

    KvTransfer submit(final KvSender sender, final long requestId, final boolean isLayerwise)
    {
        final KvBlocks blocks = fill(requestId);
        return sender.submit(new KvTransferRequest()
            .requestId(requestId).layout(LAYOUT).blocks(blocks).blockHashes(hashes(requestId))
            .layerwise(isLayerwise).timeoutNs(LIMIT_NS));
    }

    static long[] hashes(final long requestId)
    {
        return LongStream.range(0, BLOCKS).map(i -> requestId * 1000 + i).toArray();
    }

    /**
     * Compare a block on another device with the one that was sent under a hash.
     */
    void assertSame(final HostDevice device, final KvBlocks blocks, final int index, final long hash)
    {
        final KvBlocks source = sent.get(hash / 1000);
        for (int layer = 0; layer < LAYOUT.layers(); layer++)
        {
            for (int part = 0; part < KvLayout.PARTS; part++)
            {
                assertThat(device.view(blocks.address(layer, part, index), LAYOUT.partBytes())
                    .compareTo(sourceDevice.view(source.address(layer, part, (int)(hash % 1000)), LAYOUT.partBytes())))
                    .as("hash %d layer %d part %d", hash, layer, part).isZero();
            }
        }
    }

    void send(final KvSender sender, final long... requestIds)
    {
        final List<KvTransfer> transfers = new ArrayList<>();
        for (final long requestId : requestIds)
        {
            transfers.add(submit(sender, requestId, false));
        }
        transfers.forEach(transfer -> assertThat(transfer.await(LIMIT_NS))
            .as("%s", transfer.errorText()).isEqualTo(KvTransferState.COMPLETED));
    }

    /**
     * Record transfers that nobody receives.
     */
    KvRecordingInfo recordOnly(final long... requestIds)
    {
        final KvRecording recording =
            client.record(IPC, STREAM_ID, SourceLocation.LOCAL);
        try (KvSender sender = KvSender.launch(senderContext(IPC).unacknowledged(true)))
        {
            send(sender, requestIds);
        }
        return recording.awaitStop(LIMIT_NS);
    }

    KvReplay replay(final long recordingId, final Destination destination)
    {
        return client.replay(recordingId, destination.receiverContext());
    }

    void assertReplayed(final KvReplay replay, final KvRecordingInfo info)
    {
        assertThat(replay.await(LIMIT_NS)).as("%s", replay.errorText()).isEqualTo(KvReplayState.COMPLETED);
        assertThat(replay.error()).isEqualTo(KvArchiveError.NONE);
        assertThat(replay.bytesReplayed()).isEqualTo(info.bytes());
    }

    void assertSame(final Destination destination, final long... requestIds)
    {
        assertThat(destination.completed.keySet()).as("%s", destination.events)
            .containsExactlyInAnyOrderElementsOf(LongStream.of(requestIds).boxed().toList());
        destination.completed.forEach((requestId, blocks) ->
        {
            for (int layer = 0; layer < LAYOUT.layers(); layer++)
            {
                for (int part = 0; part < KvLayout.PARTS; part++)
                {
                    for (int block = 0; block < BLOCKS; block++)
                    {
                        assertThat(destination.device.view(blocks.address(layer, part, block), LAYOUT.partBytes())
                            .compareTo(sourceDevice.view(
                                sent.get(requestId).address(layer, part, block), LAYOUT.partBytes())))
                            .as("request %d layer %d part %d block %d", requestId, layer, part, block).isZero();
                    }
                }
            }
        });
    }

    public void close()
    {
        CloseHelper.closeAll(client, archive, driver, sourceCache, sourceDevice);
    }

    /**
     * A device with a cache and the record of what landed in it.
     */
    static final class Destination implements KvReceiverListener, AutoCloseable
    {
        final HostDevice device = new HostDevice();
        final PagedKvCache cache = PagedKvCache.allocate(device, LAYOUT, 32 * BLOCKS);
        final Map<Long, KvBlocks> completed = new ConcurrentHashMap<>();
        volatile boolean isFull;
        final ConcurrentLinkedQueue<String> events = new ConcurrentLinkedQueue<>();

        KvReceiver.Context receiverContext()
        {
            return new KvReceiver.Context()
                .device(device)
                .allocator(info -> isFull ? null : cache.allocate(info))
                .listener(this)
                .stagingConfig("4:1");
        }

        public void onTransferComplete(final long transferId, final long requestId, final KvTransferStats stats)
        {
            completed.put(requestId, stats.transfer().blocks());
        }

        public void onTransferBegin(final KvInboundTransfer transfer)
        {
            events.add("begin " + transfer.info().requestId());
        }

        public void onTransferFailed(
            final long transferId, final long requestId, final KvError reason, final String text)
        {
            events.add("failed " + requestId + " " + reason + " " + text);
        }

        public void onRefused(final long transferId, final KvError reason, final String text)
        {
            events.add("refused " + reason);
        }

        public void close()
        {
            CloseHelper.closeAll(cache, device);
        }
    }
}
