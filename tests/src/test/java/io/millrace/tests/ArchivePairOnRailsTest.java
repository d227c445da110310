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
package io.millrace.tests;

import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.archive.Archive;
import io.aeron.archive.client.PersistentSubscription;
import io.aeron.archive.codecs.SourceLocation;
import io.aeron.driver.MediaDriver;
import io.millrace.archive.KvArchive;
import io.millrace.archive.KvBlockReader;
import io.millrace.archive.KvBlockStore;
import io.millrace.archive.KvLateJoin;
import io.millrace.archive.KvRead;
import io.millrace.archive.KvRecording;
import io.millrace.archive.KvRecordingInfo;
import io.millrace.archive.KvReplicator;
import io.millrace.archive.KvScanProgress;
import io.millrace.archive.KvScope;
import io.millrace.archive.MillraceArchive;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.KvReceiver;
import io.millrace.bridge.KvReceiverListener;
import io.millrace.bridge.KvSender;
import io.millrace.bridge.KvTransferRequest;
import io.millrace.bridge.KvTransferState;
import io.millrace.bridge.KvTransferStats;
import io.millrace.bridge.PagedKvCache;
import io.millrace.bridge.device.HostDevice;
import io.millrace.efa.EfaContext;
import io.millrace.efa.EfaCounters;
import io.millrace.efa.EfaMediaDriver;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.LongStream;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Two drivers on rails, with archives: late join, copies of recordings, and reads that go on with the second archive.
 */
@Timeout(180)
class ArchivePairOnRailsTest
{
    private static final KvLayout LAYOUT = KvLayout.parse("4x2x32");
    private static final int BLOCKS = 40;
    private static final int STREAM_ID = 77;
    private static final long LIMIT_NS = TimeUnit.SECONDS.toNanos(60);
    private static final String LOCAL = "aeron:udp?endpoint=127.0.0.1:0";

    @TempDir
    private Path directory;

    private final EfaContext efaContext = new EfaContext().protocol("shm");

    @Test
    void joinsStreamsLate() throws Exception
    {
        final String kvChannel = "aeron:udp?endpoint=127.0.0.1:" + Tool.freePort() + "|term-length=1m|mtu=8k";
        final String channel = "aeron:udp?endpoint=127.0.0.1:" + Tool.freePort() + "|term-length=1m|mtu=8k";
        final Map<Long, KvBlocks> landed = new ConcurrentHashMap<>();
        try (EfaMediaDriver prefill = EfaMediaDriver.launchEmbedded(Rails.driverContext(), efaContext);
            MillraceArchive archive = MillraceArchive.launch(
                EfaMediaDriver.install(Rails.driverContext(), efaContext), archiveContext("one"));
            KvArchive client = KvArchive.connect(archive.clientContext());
            Aeron aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(prefill.aeronDirectoryName()));
            HostDevice source = new HostDevice();
            PagedKvCache cache = PagedKvCache.allocate(source, LAYOUT, 4 * BLOCKS);
            HostDevice destination = new HostDevice();
            PagedKvCache destinationCache = PagedKvCache.allocate(destination, LAYOUT, 4 * BLOCKS))
        {
            final KvRecording kv = client.record(kvChannel, STREAM_ID, SourceLocation.REMOTE);
            final KvRecording other = client.record(channel, STREAM_ID, SourceLocation.REMOTE);
            try (KvSender sender = sender(aeron, kvChannel, source);
                ExclusivePublication publication = aeron.addExclusivePublication(channel, STREAM_ID))
            {
                send(sender, cache, 1);
                send(sender, cache, 2);
                final UnsafeBuffer message = new UnsafeBuffer(new byte[64]);
                final int[] sent = new int[1];
                await(() -> offer(publication, message, sent) == 1000);
                kv.awaitStart(LIMIT_NS);
                other.awaitStart(LIMIT_NS);

                try (KvLateJoin join = KvLateJoin.start(client, kv.recordingId(), kvChannel, STREAM_ID,
                    new KvReceiver.Context().device(destination).allocator(destinationCache).stagingConfig("4:1")
                    .listener(new KvReceiverListener()
                    {
                        @Override
                        public void onTransferComplete(
                            final long transferId, final long requestId, final KvTransferStats stats)
                        {
                            landed.put(requestId, stats.transfer().blocks());
                        }
                    }));
                    PersistentSubscription subscription = KvLateJoin.subscribe(client, other.recordingId(),
                        PersistentSubscription.FROM_START, channel, STREAM_ID, null))
                {
                    final int[] received = new int[1];
                    await(() ->
                    {
                        poll(subscription, received);
                        return offer(publication, message, sent) >= 2000 && subscription.isLive() && join.isLive();
                    });
                    send(sender, cache, 3);
                    send(sender, cache, 4);
                    await(() ->
                    {
                        poll(subscription, received);
                        return received[0] >= sent[0] && landed.size() == 4;
                    });
                    assertThat(received[0]).isEqualTo(sent[0]);
                }
            }
            assertThat(EfaCounters.sum(aeron.countersReader(), EfaCounters.FALLBACKS_TYPE_ID)).isZero();
            assertThat(EfaCounters.sum(aeron.countersReader(), EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID))
                .isGreaterThan(4 * LAYOUT.totalBytes(BLOCKS) / 8192);
            landed.forEach((id, blocks) -> assertSame(destination, id, blocks));
        }
    }

    @Test
    void copiesToASecondArchiveAndReadsFromIt() throws Exception
    {
        final String control = "aeron:udp?endpoint=127.0.0.1:" + Tool.freePort();
        final String ipc = "aeron:ipc?term-length=1m|mtu=8k";
        try (MediaDriver firstDriver = MediaDriver.launch(EfaMediaDriver.install(Rails.driverContext(), efaContext));
            MillraceArchive first = MillraceArchive.attach(
                firstDriver.aeronDirectoryName(), archiveContext("one").controlChannel(control));
            MillraceArchive second = MillraceArchive.launch(
                EfaMediaDriver.install(Rails.driverContext(), efaContext), archiveContext("two"));
            KvArchive firstClient = KvArchive.connect(first.clientContext());
            KvArchive secondClient = KvArchive.connect(second.clientContext());
            KvArchive remote = KvArchive.connect(new KvArchive.Context()
                .aeronDirectoryName(second.aeronDirectoryName())
                .controlRequestChannel(control).controlResponseChannel(LOCAL)
                .messageTimeoutNs(TimeUnit.SECONDS.toNanos(30))
                .replayChannel("aeron:udp?endpoint=127.0.0.1:" + Tool.freePort()));
            KvBlockStore remoteStore = open(remote, "one.index");
            KvBlockStore secondStore = open(secondClient, "two.index");
            Aeron aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(firstDriver.aeronDirectoryName()));
            HostDevice source = new HostDevice();
            PagedKvCache cache = PagedKvCache.allocate(source, LAYOUT, 4 * BLOCKS);
            HostDevice destination = new HostDevice();
            PagedKvCache destinationCache = PagedKvCache.allocate(destination, LAYOUT, 4 * BLOCKS))
        {
            final KvRecording recording = firstClient.record(ipc, STREAM_ID, SourceLocation.LOCAL);
            try (KvSender sender = sender(aeron, ipc, source))
            {
                send(sender, cache, 1);
                send(sender, cache, 2);
            }
            final KvRecordingInfo info = recording.awaitStop(LIMIT_NS);
            final long framesBefore =
                EfaCounters.sum(aeron.countersReader(), EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID);
            try (KvReplicator replicator = new KvReplicator(remote, secondClient, LOCAL))
            {
                replicator.await(LIMIT_NS);
            }
            assertThat(EfaCounters.sum(aeron.countersReader(), EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID) - framesBefore)
                .isGreaterThan(info.bytes() / 8192 / 2);
            assertThat(remoteStore.update(KvScanProgress.NONE)).isEqualTo(2);
            assertThat(secondStore.update(KvScanProgress.NONE)).isEqualTo(2);

            first.close();
            // What is gone is waited for in vain.
            remote.context().messageTimeoutNs(TimeUnit.SECONDS.toNanos(1));
            final long[] hashes = LongStream.range(0, BLOCKS).map(i -> 2000 + i).toArray();
            final KvBlocks blocks = destinationCache.allocate(BLOCKS);
            try (KvBlockReader reader = new KvBlockReader(List.of(remoteStore, secondStore), LIMIT_NS))
            {
                final KvRead read = reader.read(new KvScope("", LAYOUT), hashes, blocks,
                    () -> new KvReceiver.Context().device(destination).stagingConfig("4:1"), LIMIT_NS);
                assertThat(read.landed()).as(read.errorText()).hasSize(BLOCKS);
                assertThat(read.failovers()).isEqualTo(1);
            }
            assertSame(destination, 2, blocks);
        }
    }

    private static int offer(final ExclusivePublication publication, final UnsafeBuffer message, final int[] sent)
    {
        message.putInt(0, sent[0]);
        sent[0] += publication.offer(message) > 0 ? 1 : 0;
        return sent[0];
    }

    private static void poll(final PersistentSubscription subscription, final int[] received)
    {
        subscription.poll((buffer, offset, length, header) ->
            assertThat(buffer.getInt(offset)).isEqualTo(received[0]++), 20);
    }

    private static void await(final BooleanSupplier condition)
    {
        final long startNs = System.nanoTime();
        while (!condition.getAsBoolean())
        {
            assertThat(System.nanoTime() - startNs).isLessThan(LIMIT_NS);
            LockSupport.parkNanos(10_000);
        }
    }

    private static KvSender sender(final Aeron aeron, final String channel, final HostDevice device)
    {
        return KvSender.launch(new KvSender.Context()
            .aeron(aeron).channel(channel).streamId(STREAM_ID)
            .reverseChannel("aeron:ipc?term-length=64k").reverseStreamId(STREAM_ID + 1)
            .device(device).stagingConfig("4:1").unacknowledged(true));
    }

    private static void send(final KvSender sender, final PagedKvCache cache, final long requestId)
    {
        final KvBlocks blocks = cache.allocate(BLOCKS);
        final HostDevice device = (HostDevice)sender.context().device();
        Rails.forEachPart(LAYOUT, BLOCKS, (layer, part, block) -> device.put(
            blocks.address(layer, part, block), content(requestId, layer, part, block), 0, LAYOUT.partBytes()));
        assertThat(sender.submit(new KvTransferRequest().requestId(requestId).layout(LAYOUT).blocks(blocks)
            .blockHashes(LongStream.range(0, BLOCKS).map(i -> requestId * 1000 + i).toArray()).timeoutNs(LIMIT_NS))
            .await(LIMIT_NS)).isEqualTo(KvTransferState.COMPLETED);
    }

    private static byte[] content(final long requestId, final int layer, final int part, final int block)
    {
        final byte[] bytes = new byte[LAYOUT.partBytes()];
        new Random(((requestId * 31 + layer) * 31 + part) * 1009 + block).nextBytes(bytes);
        return bytes;
    }

    private static void assertSame(
        final HostDevice destination, final long requestId, final KvBlocks actual)
    {
        Rails.forEachPart(LAYOUT, BLOCKS, (layer, part, block) ->
        {
            final byte[] bytes = new byte[LAYOUT.partBytes()];
            destination.view(actual.address(layer, part, block), bytes.length).getBytes(0, bytes);
            assertThat(bytes).as("request %d layer %d part %d block %d", requestId, layer, part, block)
                .isEqualTo(content(requestId, layer, part, block));
        });
    }

    private Archive.Context archiveContext(final String name)
    {
        return Rails.archiveContext(directory.resolve(name));
    }

    private KvBlockStore open(final KvArchive client, final String index)
    {
        return KvBlockStore.open(client,
            new KvBlockStore.Context().indexFile(directory.resolve(index)).updateIntervalNs(0));
    }
}
