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
import io.aeron.CommonContext;
import io.aeron.ExclusivePublication;
import io.aeron.FragmentAssembler;
import io.aeron.Subscription;
import io.aeron.archive.Archive;
import io.aeron.archive.ArchiveThreadingMode;
import io.aeron.archive.client.AeronArchive;
import io.aeron.archive.codecs.SourceLocation;
import io.aeron.archive.status.RecordingPos;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.aeron.logbuffer.FragmentHandler;
import io.aeron.logbuffer.FrameDescriptor;
import io.aeron.protocol.DataHeaderFlyweight;
import io.millrace.efa.EfaContext;
import io.millrace.efa.EfaCounters;
import io.millrace.efa.EfaMediaDriver;
import org.agrona.BitUtil;
import org.agrona.collections.MutableInteger;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.CountersReader;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.File;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A stream that senders write into the image is recorded by Aeron Archive and replayed, by placement again: the bytes
 * of the recording and of the replay are those that were sent.
 */
@Timeout(120)
class PlacedRecordingTest
{
    private static final int STREAM_ID = 78;
    private static final int REPLAY_STREAM_ID = 79;
    private static final int MESSAGES = 300;
    private static final int[] LENGTHS = { 60_000, 40_000, 100, 65_400, 150_000 };
    private static final long DEADLINE_NS = TimeUnit.SECONDS.toNanos(60);

    @TempDir
    private Path directory;

    @ParameterizedTest
    @ValueSource(strings = { "shm", "tcp" })
    void shouldRecordAndReplayWhatArrivesByPlacement(final String protocol) throws Exception
    {
        final EfaContext efa = new EfaContext().protocol(protocol).placement("on");
        final String channel = channel();
        final String replayChannel = channel();
        try (EfaMediaDriver driver = EfaMediaDriver.launchEmbedded(driverContext(), efa);
            Aeron aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(driver.aeronDirectoryName()));
            MediaDriver archiveDriver = MediaDriver.launchEmbedded(
                EfaMediaDriver.install(driverContext(), efa));
            Archive archive = Archive.launch(archiveContext(archiveDriver));
            AeronArchive client = AeronArchive.connect(new AeronArchive.Context()
                .aeronDirectoryName(archiveDriver.aeronDirectoryName())
                .controlRequestChannel("aeron:ipc").controlResponseChannel("aeron:ipc")))
        {
            client.startRecording(channel, STREAM_ID, SourceLocation.REMOTE);
            final CountersReader counters = client.context().aeron().countersReader();
            final long recordingId;
            final long position;
            try (ExclusivePublication publication = aeron.addExclusivePublication(channel, STREAM_ID))
            {
                await("offered", () -> 1 == EfaCounters.sum(counters, EfaCounters.IMAGE_OFFERS_TYPE_ID));
                for (int i = 0; i < MESSAGES; i++)
                {
                    final UnsafeBuffer message = new UnsafeBuffer(message(i));
                    await("offer", () -> publication.offer(message) > 0);
                }
                position = publication.position();
                final int counterId = RecordingPos.findCounterIdBySession(
                    counters, publication.sessionId(), archive.context().archiveId());
                recordingId = RecordingPos.getRecordingId(counters, counterId);
                await("recorded", () -> client.getRecordingPosition(recordingId) == position);
                client.stopRecording(channel, STREAM_ID);
            }
            assertThat(EfaCounters.sum(counters, EfaCounters.PLACEMENT_COMMITS_TYPE_ID)).isGreaterThan(MESSAGES);
            assertRecorded(recordingId, position);

            try (Subscription subscription = aeron.addSubscription(replayChannel, REPLAY_STREAM_ID))
            {
                client.startReplay(recordingId, 0, position, replayChannel, REPLAY_STREAM_ID);
                final MutableInteger received = new MutableInteger();
                final FragmentHandler handler = new FragmentAssembler((buffer, offset, length, header) ->
                {
                    final byte[] bytes = new byte[length];
                    buffer.getBytes(offset, bytes);
                    assertThat(bytes).isEqualTo(message(received.getAndIncrement()));
                });
                await("replayed", () ->
                {
                    subscription.poll(handler, 10);
                    return MESSAGES == received.get();
                });
                assertThat(EfaCounters.sum(aeron.countersReader(), EfaCounters.PLACEMENT_COMMITS_TYPE_ID))
                    .as("replayed by placement").isPositive();
            }
        }
    }

    /**
     * The payload of the frames in the segment files, one after another, is that of the messages.
     */
    private void assertRecorded(final long recordingId, final long position) throws Exception
    {
        final int segmentLength = 8 << 20;
        final UnsafeBuffer recorded = new UnsafeBuffer(new byte[(int)BitUtil.align(position, segmentLength)]);
        for (int start = 0; start < position; start += segmentLength)
        {
            recorded.putBytes(start, Files.readAllBytes(directory.resolve(recordingId + "-" + start + ".rec")));
        }

        int message = 0;
        byte[] expected = message(0);
        int checked = 0;
        for (int offset = 0; offset < position;)
        {
            final int length = FrameDescriptor.frameLength(recorded, offset);
            if (!FrameDescriptor.isPaddingFrame(recorded, offset))
            {
                final byte[] payload = new byte[length - DataHeaderFlyweight.HEADER_LENGTH];
                recorded.getBytes(offset + DataHeaderFlyweight.HEADER_LENGTH, payload);
                assertThat(payload).isEqualTo(Arrays.copyOfRange(expected, checked, checked + payload.length));
                checked += payload.length;
                if (expected.length == checked)
                {
                    expected = message(++message);
                    checked = 0;
                }
            }
            offset += BitUtil.align(length, FrameDescriptor.FRAME_ALIGNMENT);
        }
        assertThat(message).isEqualTo(MESSAGES);
    }

    private static byte[] message(final int number)
    {
        final byte[] bytes = new byte[LENGTHS[number % LENGTHS.length]];
        new Random(number).nextBytes(bytes);
        return bytes;
    }

    private Archive.Context archiveContext(final MediaDriver driver)
    {
        return new Archive.Context()
            .aeronDirectoryName(driver.aeronDirectoryName())
            .archiveDir(new File(directory.toString()))
            .controlChannelEnabled(false)
            .localControlChannel("aeron:ipc")
            .archiveClientContext(new AeronArchive.Context().controlResponseChannel("aeron:ipc"))
            .recordingEventsEnabled(false)
            .replicationChannel("aeron:udp?endpoint=127.0.0.1:0")
            .threadingMode(ArchiveThreadingMode.SHARED)
            .idleStrategySupplier(() -> new BackoffIdleStrategy(10, 10, 1_000, 100_000))
            .segmentFileLength(8 << 20)
            .lowStorageSpaceThreshold(1 << 20);
    }

    private static MediaDriver.Context driverContext()
    {
        return new MediaDriver.Context()
            .aeronDirectoryName(CommonContext.generateRandomDirName())
            .threadingMode(ThreadingMode.SHARED)
            .sharedIdleStrategy(new BackoffIdleStrategy(10, 10, 1_000, 100_000))
            .termBufferSparseFile(true)
            .ipcTermBufferLength(1 << 20)
            .dirDeleteOnShutdown(true);
    }

    private static String channel() throws Exception
    {
        try (DatagramSocket socket = new DatagramSocket(0, InetAddress.getLoopbackAddress()))
        {
            return "aeron:udp?endpoint=127.0.0.1:" + socket.getLocalPort() + "|mtu=65504|term-length=4m";
        }
    }

    private static void await(final String what, final BooleanSupplier condition)
    {
        final long deadlineNs = System.nanoTime() + DEADLINE_NS;
        while (!condition.getAsBoolean())
        {
            assertThat(System.nanoTime()).as("deadline passed: " + what).isLessThan(deadlineNs);
            Thread.yield();
        }
    }
}
