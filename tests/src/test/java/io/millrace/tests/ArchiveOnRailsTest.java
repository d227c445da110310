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
import io.aeron.Subscription;
import io.aeron.archive.client.AeronArchive;
import io.aeron.archive.client.RecordingEventsPoller;
import io.aeron.archive.codecs.RecordingStoppedDecoder;
import io.aeron.archive.codecs.SourceLocation;
import io.millrace.archive.KvArchive;
import io.millrace.archive.KvRecording;
import io.millrace.archive.KvRecordingInfo;
import io.millrace.archive.KvReplay;
import io.millrace.archive.KvReplayState;
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
import org.agrona.concurrent.status.CountersReader;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A KV publication that crosses libfabric is recorded by an Aeron Archive on a stock context that was put on rails, and
 * replayed byte for byte.
 */
@Timeout(150)
class ArchiveOnRailsTest
{
    private static final KvLayout LAYOUT = KvLayout.parse("4x2x32");
    private static final int BLOCKS = 40;
    private static final int STREAM_ID = 77;
    private static final long LIMIT_NS = TimeUnit.SECONDS.toNanos(60);

    @TempDir
    private Path directory;

    @ParameterizedTest
    @ValueSource(strings = { "shm", "tcp" })
    void recordsWhatCrossesRailsAndReplaysIt(final String protocol) throws Exception
    {
        final EfaContext efaContext = new EfaContext().protocol(protocol);
        final String channel = "aeron:udp?endpoint=127.0.0.1:" + Tool.freePort() + "|term-length=1m|mtu=8k";
        final String events = "aeron:udp?endpoint=127.0.0.1:" + Tool.freePort();
        try (EfaMediaDriver prefill = EfaMediaDriver.launchEmbedded(Rails.driverContext(), efaContext);
            MillraceArchive archive = MillraceArchive.launch(
                EfaMediaDriver.install(Rails.driverContext(), efaContext), Rails.archiveContext(directory)
                .recordingEventsEnabled(true).recordingEventsChannel(events));
            KvArchive client = KvArchive.connect(archive.clientContext());
            HostDevice source = new HostDevice();
            PagedKvCache sourceCache = PagedKvCache.allocate(source, LAYOUT, 4 * BLOCKS);
            HostDevice destination = new HostDevice();
            PagedKvCache destinationCache = PagedKvCache.allocate(destination, LAYOUT, 4 * BLOCKS);
            Aeron aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(prefill.aeronDirectoryName()));
            Subscription eventStream = aeron.addSubscription(
                events, AeronArchive.Configuration.recordingEventsStreamId()))
        {
            final RecordingEventsPoller told = new RecordingEventsPoller(eventStream);
            await(eventStream::isConnected);
            final KvRecording recording = client.record(channel, STREAM_ID, SourceLocation.REMOTE);
            final Map<Long, KvBlocks> sent = new ConcurrentHashMap<>();
            try (KvSender sender = KvSender.launch(new KvSender.Context()
                .aeron(aeron).channel(channel).streamId(STREAM_ID)
                .reverseChannel("aeron:ipc?term-length=64k").reverseStreamId(STREAM_ID + 1)
                .device(source).stagingConfig("4:1").unacknowledged(true)))
            {
                for (long requestId = 1; requestId <= 3; requestId++)
                {
                    sent.put(requestId, fill(source, sourceCache.allocate(BLOCKS), requestId));
                    assertThat(sender.submit(new KvTransferRequest()
                        .requestId(requestId).layout(LAYOUT).blocks(sent.get(requestId)).timeoutNs(LIMIT_NS))
                        .await(LIMIT_NS)).isEqualTo(KvTransferState.COMPLETED);
                }
            }

            final KvRecordingInfo info = recording.awaitStop(LIMIT_NS);
            assertThat(EfaCounters.sum(aeron.countersReader(), EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID))
                .isGreaterThan(info.bytes() / 8192 / 2);
            assertThat(EfaCounters.sum(aeron.countersReader(), EfaCounters.FALLBACKS_TYPE_ID)).isZero();

            // The archive tells the other driver's clients of it, over rails too.
            await(() -> told.poll() > 0 && RecordingStoppedDecoder.TEMPLATE_ID == told.templateId());
            assertThat(told.recordingId()).isEqualTo(info.recordingId());
            assertThat(told.recordingStopPosition()).isEqualTo(info.stopPosition());
            final CountersReader counters = client.context().aeron().countersReader();
            assertThat(EfaCounters.sum(counters, EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID)).isPositive();
            assertThat(EfaCounters.sum(counters, EfaCounters.FALLBACKS_TYPE_ID)).isZero();

            final Map<Long, KvBlocks> landed = new ConcurrentHashMap<>();
            try (KvReplay replay = client.replay(info.recordingId(), new KvReceiver.Context()
                .device(destination).allocator(destinationCache).stagingConfig("4:1").listener(collect(landed))))
            {
                assertThat(replay.await(LIMIT_NS)).as(replay::errorText).isEqualTo(KvReplayState.COMPLETED);
                assertThat(replay.bytesReplayed()).isEqualTo(info.bytes());
            }

            assertThat(landed).containsOnlyKeys(sent.keySet());
            landed.forEach((requestId, blocks) -> assertSame(source, sent.get(requestId), destination, blocks));
        }
    }

    private static void await(final BooleanSupplier condition)
    {
        final long deadlineNs = System.nanoTime() + LIMIT_NS;
        while (!condition.getAsBoolean())
        {
            assertThat(System.nanoTime() - deadlineNs).isNegative();
            Thread.yield();
        }
    }

    private static KvReceiverListener collect(final Map<Long, KvBlocks> landed)
    {
        return new KvReceiverListener()
        {
            @Override
            public void onTransferComplete(final long transferId, final long requestId, final KvTransferStats stats)
            {
                landed.put(requestId, stats.transfer().blocks());
            }
        };
    }

    private static KvBlocks fill(final HostDevice device, final KvBlocks blocks, final long seed)
    {
        final Random random = new Random(seed);
        final byte[] bytes = new byte[LAYOUT.partBytes()];
        Rails.forEachPart(LAYOUT, BLOCKS, (layer, part, block) ->
        {
            random.nextBytes(bytes);
            device.put(blocks.address(layer, part, block), bytes, 0, bytes.length);
        });
        return blocks;
    }

    private static void assertSame(
        final HostDevice source, final KvBlocks expected, final HostDevice destination, final KvBlocks actual)
    {
        Rails.forEachPart(LAYOUT, BLOCKS, (layer, part, block) ->
            assertThat(destination.view(actual.address(layer, part, block), LAYOUT.partBytes())
                .compareTo(source.view(expected.address(layer, part, block), LAYOUT.partBytes())))
                .as("layer %d part %d block %d", layer, part, block).isZero());
    }
}
