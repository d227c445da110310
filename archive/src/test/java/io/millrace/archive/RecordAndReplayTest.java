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
import java.util.concurrent.TimeUnit;

import io.aeron.Aeron;
import io.aeron.archive.client.AeronArchive;
import io.aeron.archive.codecs.SourceLocation;
import io.aeron.driver.MediaDriver;
import io.millrace.bridge.KvReceiver;
import io.millrace.bridge.KvSender;
import io.millrace.bridge.KvTransfer;
import io.millrace.bridge.KvTransferState;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

@Timeout(150)
class RecordAndReplayTest
{
    @TempDir
    private Path directory;

    @Test
    void recordsWhatALiveReceiverGetsAndReplaysItByteForByte()
    {
        try (Rig rig = new Rig(directory);
            Rig.Destination live = new Rig.Destination();
            Rig.Destination replayed = new Rig.Destination())
        {
            final KvRecording recording = rig.client.record(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL);
            try (KvReceiver ignore = rig.live(Rig.IPC, live);
                KvSender sender = KvSender.launch(rig.senderContext(Rig.IPC)))
            {
                rig.send(sender, 1);
                rig.send(sender, 2, 3);

                assertThat(recording.awaitStart(Rig.LIMIT_NS)).isNotEqualTo(Aeron.NULL_VALUE);
                assertThat(rig.client.find(recording.recordingId()).isActive()).isTrue();
                final long payloadBytes = 3 * Rig.LAYOUT.totalBytes(Rig.BLOCKS);
                assertThat(recording.await(payloadBytes, Rig.LIMIT_NS)).isGreaterThanOrEqualTo(payloadBytes);
            }
            final KvRecordingInfo info = recording.awaitStop(Rig.LIMIT_NS);

            assertThat(recording.isStopped()).isTrue();
            assertThat(info.stopPosition()).isEqualTo(recording.position()).isEqualTo(info.position());
            assertThat(info.stopTimestampMs()).isGreaterThanOrEqualTo(info.startTimestampMs());
            rig.assertSame(live, 1, 2, 3);
            try (KvReplay replay = rig.replay(info.recordingId(), replayed))
            {
                rig.assertReplayed(replay, info);
                assertThat(replay.transfersCompleted()).isEqualTo(3);
                assertThat(replay.transfersFailed()).isZero();
            }
            rig.assertSame(replayed, 1, 2, 3);
        }
    }

    @Test
    void recordsWithoutAnyReceiver()
    {
        try (Rig rig = new Rig(directory); Rig.Destination replayed = new Rig.Destination())
        {
            final KvRecordingInfo info = rig.recordOnly(7);

            try (KvReplay replay = rig.replay(info.recordingId(), replayed))
            {
                rig.assertReplayed(replay, info);
            }
            rig.assertSame(replayed, 7);
        }
    }

    @Test
    void replaysInterleavedTransfersOverManySegmentsAndTwice()
    {
        final long[] requestIds = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
        try (Rig rig = new Rig(directory);
            Rig.Destination first = new Rig.Destination();
            Rig.Destination second = new Rig.Destination())
        {
            final KvRecordingInfo info = rig.recordOnly(requestIds);
            assertThat(info.bytes()).isGreaterThan(Rig.SEGMENT_LENGTH);

            try (KvReplay one = rig.replay(info.recordingId(), first);
                KvReplay other = rig.replay(info.recordingId(), second))
            {
                rig.assertReplayed(one, info);
                rig.assertReplayed(other, info);
            }
            rig.assertSame(first, requestIds);
            rig.assertSame(second, requestIds);
        }
    }

    @Test
    void replaysABoundedPart()
    {
        try (Rig rig = new Rig(directory); Rig.Destination replayed = new Rig.Destination())
        {
            final KvRecordingInfo whole = recordOneByOne(rig, 1, 2, 3);
            final long[] begins = Frames.transferBegins(directory, whole);
            assertThat(begins).hasSize(3);

            try (KvReplay replay = rig.client.replay(
                whole.recordingId(), begins[1], begins[2] - begins[1], Rig.LIMIT_NS, replayed.receiverContext()))
            {
                assertThat(replay.await(Rig.LIMIT_NS)).isEqualTo(KvReplayState.COMPLETED);
                assertThat(replay.position()).isEqualTo(replay.limitPosition()).isEqualTo(begins[2]);
                assertThat(replay.fromPosition()).isEqualTo(begins[1]);
            }
            rig.assertSame(replayed, 2);
            assertThat(replayed.events).containsExactly("begin 2");
        }
    }

    @Test
    void endsTransfersThatTheRangeCutsOff()
    {
        try (Rig rig = new Rig(directory); Rig.Destination replayed = new Rig.Destination())
        {
            final KvRecordingInfo whole = recordOneByOne(rig, 1, 2);
            final long[] begins = Frames.transferBegins(directory, whole);
            final long length = begins[1] - whole.startPosition() + Rig.LAYOUT.layerBytes(Rig.BLOCKS);

            try (KvReplay replay = rig.client.replay(
                whole.recordingId(), whole.startPosition(), length, Rig.LIMIT_NS, replayed.receiverContext()))
            {
                assertThat(replay.await(Rig.LIMIT_NS)).isEqualTo(KvReplayState.COMPLETED);
                assertThat(replay.bytesReplayed()).isGreaterThanOrEqualTo(length);
                assertThat(replay.transfersCompleted()).isEqualTo(1);
                assertThat(replay.transfersFailed()).isEqualTo(1);
            }
            rig.assertSame(replayed, 1);
            assertThat(replayed.events).anyMatch(event -> event.startsWith("failed 2 PEER_GONE"));
        }
    }

    @Test
    void replaysAfterTheArchiveWasStartedAgain()
    {
        final KvRecordingInfo info;
        try (Rig rig = new Rig(directory))
        {
            info = rig.recordOnly(1, 2);
        }

        try (Rig rig = new Rig(directory); Rig.Destination replayed = new Rig.Destination())
        {
            assertThat(rig.client.list(0, 10)).containsExactly(info);
            // The same seeds give the same contents to compare with; this goes to a recording of its own.
            assertThat(rig.recordOnly(1, 2).recordingId()).isNotEqualTo(info.recordingId());

            try (KvReplay replay = rig.replay(info.recordingId(), replayed))
            {
                rig.assertReplayed(replay, info);
            }
            rig.assertSame(replayed, 1, 2);
        }
    }

    @Test
    void listsRecordingsByIdAndStream()
    {
        try (Rig rig = new Rig(directory))
        {
            final KvRecordingInfo first = rig.recordOnly(1);
            final KvRecordingInfo second = rig.recordOnly(2);
            assertThat(rig.client.record("aeron:ipc?alias=other", 77, SourceLocation.LOCAL).recordingId())
                .isEqualTo(Aeron.NULL_VALUE);

            assertThat(rig.client.list(0, 10)).containsExactly(first, second);
            assertThat(rig.client.list(0, 1)).containsExactly(first);
            assertThat(rig.client.list(second.recordingId(), 10)).containsExactly(second);
            assertThat(rig.client.list(0, 10, "ipc", Rig.STREAM_ID)).containsExactly(first, second);
            assertThat(rig.client.list(0, 10, "udp", Rig.STREAM_ID)).isEmpty();
            assertThat(rig.client.list(0, 10, "ipc", 77)).isEmpty();
            assertThat(first.channel()).isEqualTo(Rig.IPC);
            assertThat(first.streamId()).isEqualTo(Rig.STREAM_ID);
            assertThat(first.sessionId()).isNotEqualTo(second.sessionId());
            assertThat(first.bytes()).isGreaterThan(Rig.LAYOUT.totalBytes(Rig.BLOCKS));
        }
    }

    @Test
    void recordsARemoteStreamFromAnotherDriverAndASpiedOne() throws Exception
    {
        final String remote = "aeron:udp?endpoint=localhost:" + Rig.freePort() + "|term-length=1m|mtu=8k";
        final String spied =
            "aeron:udp?endpoint=localhost:" + Rig.freePort() + "|term-length=1m|mtu=8k|ssc=true";
        try (Rig rig = new Rig(directory);
            MediaDriver other = MediaDriver.launch(Rig.driverContext());
            Rig.Destination fromRemote = new Rig.Destination();
            Rig.Destination fromSpied = new Rig.Destination())
        {
            final KvRecording remoteRecording = rig.client.record(remote, Rig.STREAM_ID, SourceLocation.REMOTE);
            final KvRecording spiedRecording = rig.client.record(spied, Rig.STREAM_ID, SourceLocation.LOCAL);
            try (KvSender sender = KvSender.launch(rig.senderContext(remote)
                .aeronDirectoryName(other.aeronDirectoryName()).unacknowledged(true));
                KvSender local = KvSender.launch(rig.senderContext(spied).unacknowledged(true)))
            {
                rig.send(sender, 1, 2);
                rig.send(local, 3, 4);
            }
            final KvRecordingInfo remoteInfo = remoteRecording.awaitStop(Rig.LIMIT_NS);
            final KvRecordingInfo spiedInfo = spiedRecording.awaitStop(Rig.LIMIT_NS);

            try (KvReplay one = rig.replay(remoteInfo.recordingId(), fromRemote);
                KvReplay another = rig.replay(spiedInfo.recordingId(), fromSpied))
            {
                rig.assertReplayed(one, remoteInfo);
                rig.assertReplayed(another, spiedInfo);
            }
            rig.assertSame(fromRemote, 1, 2);
            rig.assertSame(fromSpied, 3, 4);
        }
    }

    @Test
    void stopsInMidRecordingWhileTheStreamGoesOn()
    {
        try (Rig rig = new Rig(directory);
            Rig.Destination live = new Rig.Destination();
            Rig.Destination replayed = new Rig.Destination())
        {
            final KvRecording recording = rig.client.record(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL);
            try (KvReceiver ignore = rig.live(Rig.IPC, live);
                KvSender sender = KvSender.launch(rig.senderContext(Rig.IPC)))
            {
                rig.send(sender, 1);
                final KvTransfer layerwise = rig.submit(sender, 2, true);
                layerwise.layerReady(0);
                recording.await(
                    Rig.LAYOUT.totalBytes(Rig.BLOCKS) + Rig.LAYOUT.layerBytes(Rig.BLOCKS), Rig.LIMIT_NS);
                recording.stop();
                recording.stop();
                layerwise.layerReady(Rig.LAYOUT.layers() - 1);
                assertThat(layerwise.await(Rig.LIMIT_NS)).isEqualTo(KvTransferState.COMPLETED);
            }

            final KvRecordingInfo info = recording.info();
            assertThat(info.isActive()).isFalse();
            assertThat(info.stopPosition()).isEqualTo(recording.position());
            assertThat(info.bytes()).isLessThan(2 * Rig.LAYOUT.totalBytes(Rig.BLOCKS));
            rig.assertSame(live, 1, 2);
            try (KvReplay replay = rig.replay(info.recordingId(), replayed))
            {
                rig.assertReplayed(replay, info);
                assertThat(replay.transfersFailed()).isEqualTo(1);
            }
            rig.assertSame(replayed, 1);
            assertThatThrownBy(() -> recording.await(info.stopPosition() + 1, Rig.LIMIT_NS))
                .isInstanceOf(KvArchiveException.class)
                .hasMessageStartingWith("STOPPED: recording " + info.recordingId())
                .hasMessageContaining("stopped at position " + info.stopPosition());
        }
    }

    @Test
    void replaysWhatAnActiveRecordingHolds()
    {
        try (Rig rig = new Rig(directory); Rig.Destination replayed = new Rig.Destination())
        {
            final KvRecording recording = rig.client.record(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL);
            try (KvSender sender = KvSender.launch(rig.senderContext(Rig.IPC).unacknowledged(true)))
            {
                rig.send(sender, 1);
                recording.awaitStart(Rig.LIMIT_NS);
                recording.await(Rig.LAYOUT.totalBytes(Rig.BLOCKS), Rig.LIMIT_NS);
                final long recorded = recording.position();

                try (KvReplay replay = rig.client.replay(recording.recordingId(), AeronArchive.NULL_POSITION,
                    recorded - rig.client.find(recording.recordingId()).startPosition(),
                    TimeUnit.SECONDS.toNanos(20), replayed.receiverContext()))
                {
                    assertThat(replay.await(Rig.LIMIT_NS)).isEqualTo(KvReplayState.COMPLETED);
                    assertThat(replay.limitPosition()).isEqualTo(recorded);
                }
            }
            assertThat(replayed.events).first().isEqualTo("begin 1");
        }
    }

    private static KvRecordingInfo recordOneByOne(final Rig rig, final long... requestIds)
    {
        final KvRecording recording = rig.client.record(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL);
        try (KvSender sender = KvSender.launch(rig.senderContext(Rig.IPC).unacknowledged(true)))
        {
            for (final long requestId : requestIds)
            {
                rig.send(sender, requestId);
            }
        }
        return recording.awaitStop(Rig.LIMIT_NS);
    }
}
