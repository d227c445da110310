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

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

import io.aeron.archive.client.AeronArchive;
import io.aeron.archive.codecs.SourceLocation;
import io.aeron.driver.MediaDriver;
import io.millrace.bridge.KvReceiver;
import io.millrace.bridge.KvSender;
import org.agrona.SystemUtil;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

@Timeout(150)
class FaultTest
{
    private static final long SHORT_NS = TimeUnit.MILLISECONDS.toNanos(300);
    private static final long[] REQUEST_IDS = {1, 2, 3, 4, 5, 6};

    @TempDir
    private Path directory;

    @Test
    void namesADamagedSegmentAndServesNothingOfIt()
    {
        try (Rig rig = new Rig(directory); Rig.Destination replayed = new Rig.Destination())
        {
            final KvRecordingInfo info = rig.recordOnly(REQUEST_IDS);
            final Path segment = Frames.damage(directory, info, info.stopPosition() - info.bytes() / 6);

            try (KvReplay replay = rig.replay(info.recordingId(), replayed))
            {
                assertThat(replay.await(Rig.LIMIT_NS)).isEqualTo(KvReplayState.FAILED);
                assertThat(replay.error()).isEqualTo(KvArchiveError.CHECKSUM_MISMATCH);
                assertThat(replay.errorText())
                    .startsWith("replay of recording " + info.recordingId() + " from 0 to " + info.stopPosition())
                    .contains("CRC checksum mismatch at position=", "segmentFile=" + segment.getFileName(), "restore");
                assertThat(replay.bytesReplayed()).isLessThan(info.bytes());
                assertThat(replay.transfersCompleted()).isLessThan(REQUEST_IDS.length);
            }
            assertThat(replayed.completed.keySet()).doesNotContain(6L);
            rig.assertSame(replayed, replayed.completed.keySet().stream().mapToLong(Long::longValue).toArray());
        }
    }

    @Test
    void namesAnAbsentSegment() throws Exception
    {
        try (Rig rig = new Rig(directory); Rig.Destination replayed = new Rig.Destination())
        {
            final KvRecordingInfo info = rig.recordOnly(REQUEST_IDS);
            final Path segment = Frames.segment(directory, info, Rig.SEGMENT_LENGTH);
            Files.delete(segment);

            try (KvReplay replay = rig.replay(info.recordingId(), replayed))
            {
                assertThat(replay.await(Rig.LIMIT_NS)).isEqualTo(KvReplayState.FAILED);
                assertThat(replay.error()).isEqualTo(KvArchiveError.TRUNCATED);
                assertThat(replay.errorText()).contains("segmentFile=" + segment.getFileName(), "restore");
            }
            rig.assertSame(replayed, replayed.completed.keySet().stream().mapToLong(Long::longValue).toArray());
        }
    }

    @Test
    void servesNothingWrongOfAShortenedSegmentOrABrokenHeader()
    {
        try (Rig rig = new Rig(directory);
            Rig.Destination shortened = new Rig.Destination();
            Rig.Destination broken = new Rig.Destination())
        {
            final KvRecordingInfo one = rig.recordOnly(REQUEST_IDS);
            final KvRecordingInfo other = rig.recordOnly(REQUEST_IDS);
            Frames.truncate(Frames.segment(directory, one, Rig.SEGMENT_LENGTH), 100_000);
            Frames.flip(Frames.segment(directory, other, Rig.SEGMENT_LENGTH), 0);

            final long timeoutNs = TimeUnit.SECONDS.toNanos(3);
            try (KvReplay first = rig.client.replay(
                one.recordingId(), 0, one.bytes(), timeoutNs, shortened.receiverContext());
                KvReplay second = rig.client.replay(
                    other.recordingId(), 0, other.bytes(), timeoutNs, broken.receiverContext()))
            {
                assertThat(first.await(Rig.LIMIT_NS)).isIn(KvReplayState.FAILED, KvReplayState.TIMEOUT);
                assertThat(second.await(Rig.LIMIT_NS)).isEqualTo(KvReplayState.FAILED);
                assertThat(second.error()).isEqualTo(KvArchiveError.CHECKSUM_MISMATCH);
            }
            assertThat(shortened.completed).hasSizeLessThan(REQUEST_IDS.length);
            assertThat(broken.completed).hasSizeLessThan(REQUEST_IDS.length);
            rig.assertSame(shortened, shortened.completed.keySet().stream().mapToLong(Long::longValue).toArray());
            rig.assertSame(broken, broken.completed.keySet().stream().mapToLong(Long::longValue).toArray());
        }
    }

    @Test
    void refusesUnknownRecordingsAndRangesThatAreNotRecorded()
    {
        try (Rig rig = new Rig(directory); Rig.Destination replayed = new Rig.Destination())
        {
            assertError(KvArchiveError.UNKNOWN_RECORDING, "no recording 77: use an id that ./millrace archive ls lists",
                () -> rig.replay(77, replayed));
            assertError(KvArchiveError.UNKNOWN_RECORDING, "no recording 77", () -> rig.client.find(77));
            final KvRecordingInfo info = rig.recordOnly(1);

            final KvReceiver.Context ctx = replayed.receiverContext();
            assertError(KvArchiveError.OUT_OF_RANGE, "fromPosition=" + info.stopPosition(),
                () -> rig.client.replay(info.recordingId(), info.stopPosition(), 32, Rig.LIMIT_NS, ctx));
            assertError(KvArchiveError.OUT_OF_RANGE, "fromPosition=31",
                () -> rig.client.replay(info.recordingId(), 31, 32, Rig.LIMIT_NS, ctx));
            assertError(KvArchiveError.OUT_OF_RANGE, "lengthBytes=" + (info.bytes() + 32),
                () -> rig.client.replay(info.recordingId(), 0, info.bytes() + 32, Rig.LIMIT_NS, ctx));
            assertError(KvArchiveError.OUT_OF_RANGE, "lengthBytes=0",
                () -> rig.client.replay(info.recordingId(), 0, 0, Rig.LIMIT_NS, ctx));
            assertError(KvArchiveError.OUT_OF_RANGE, "does not point to a valid frame", () ->
                rig.client.replay(info.recordingId(), info.stopPosition() - 320_000, 32, Rig.LIMIT_NS, ctx));
        }
    }

    @Test
    void refusesToRecordAStreamTwice()
    {
        try (Rig rig = new Rig(directory);
            KvRecording recording = rig.client.record(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL))
        {
            assertError(KvArchiveError.REFUSED, "recording exists for streamId=" + Rig.STREAM_ID,
                () -> rig.client.record(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL));
            recording.stop();
            rig.recordOnly(1);
        }
    }

    @Test
    void aRecordingThatFailsEndsItsWaits() throws Exception
    {
        try (Rig rig = new Rig(directory))
        {
            final KvRecording recording = rig.client.record(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL);
            // Where the archive wants to write its first segment.
            Files.createDirectory(directory.resolve("0-0.rec"));
            try (KvSender ignore = KvSender.launch(rig.senderContext(Rig.IPC).unacknowledged(true)))
            {
                assertError(KvArchiveError.REFUSED, "failed: ", () -> recording.awaitStop(Rig.LIMIT_NS));
                recording.close();
            }
        }
    }

    @Test
    void boundsEveryWait()
    {
        try (Rig rig = new Rig(directory); Rig.Destination full = new Rig.Destination())
        {
            final KvRecording recording = rig.client.record("aeron:ipc", 99, SourceLocation.LOCAL);
            assertError(KvArchiveError.DEADLINE, "within " + SystemUtil.formatDuration(SHORT_NS) +
                ": allow more time", () -> recording.awaitStart(SHORT_NS));
            assertError(KvArchiveError.DEADLINE, "position 1 of", () -> recording.await(1, SHORT_NS));
            assertError(KvArchiveError.DEADLINE, "stop of", () -> recording.awaitStop(SHORT_NS));
            assertError(KvArchiveError.UNKNOWN_RECORDING, "has not started", recording::info);
            recording.stop();
            assertError(KvArchiveError.STOPPED, "before its stream was seen", () -> recording.awaitStart(SHORT_NS));

            final KvRecordingInfo info = rig.recordOnly(1);
            full.isFull = true;
            try (KvReplay replay = rig.client.replay(info.recordingId(), AeronArchive.NULL_POSITION,
                AeronArchive.NULL_LENGTH, SHORT_NS, full.receiverContext()))
            {
                assertThat(replay.await(Rig.LIMIT_NS)).isEqualTo(KvReplayState.TIMEOUT);
                assertThat(replay.error()).isEqualTo(KvArchiveError.DEADLINE);
                assertThat(replay.errorText()).contains("within " + SystemUtil.formatDuration(SHORT_NS), "blocks");
            }
            assertThat(full.completed).isEmpty();
        }
    }

    @Test
    void cancelsAReplayByClose()
    {
        try (Rig rig = new Rig(directory); Rig.Destination full = new Rig.Destination())
        {
            final KvRecordingInfo info = rig.recordOnly(1);
            full.isFull = true;
            final KvReplay replay = rig.replay(info.recordingId(), full);
            assertThat(replay.state()).isEqualTo(KvReplayState.RUNNING);
            assertThat(replay.error()).isEqualTo(KvArchiveError.NONE);

            replay.close();

            assertThat(replay.future()).isCompletedWithValue(KvReplayState.CANCELED);
            assertThat(replay.error()).isEqualTo(KvArchiveError.CANCELED);
        }
    }

    @Test
    void tellsThatTheArchiveIsGone()
    {
        try (Rig rig = Rig.attached(directory); Rig.Destination full = new Rig.Destination())
        {
            final KvRecordingInfo info = rig.recordOnly(REQUEST_IDS);
            final KvRecording recording = rig.client.record("aeron:ipc", 99, SourceLocation.LOCAL);
            full.isFull = true;
            try (KvReplay replay = rig.replay(info.recordingId(), full))
            {
                rig.archive.close();

                assertThat(replay.await(Rig.LIMIT_NS)).isEqualTo(KvReplayState.FAILED);
                assertThat(replay.error()).isEqualTo(KvArchiveError.ARCHIVE_GONE);
            }
            assertError(KvArchiveError.ARCHIVE_GONE, "start the archive again",
                () -> recording.awaitStart(SHORT_NS));
            assertError(KvArchiveError.ARCHIVE_GONE, "start the archive again", () -> rig.client.list(0, 1));
            recording.close();
        }
    }

    @Test
    void tellsThatNoArchiveAnswers()
    {
        try (MediaDriver driver = MediaDriver.launch(Rig.driverContext()))
        {
            assertError(KvArchiveError.ARCHIVE_GONE, "no archive answered on control channel aeron:ipc", () ->
                KvArchive.connect(new KvArchive.Context()
                .aeronDirectoryName(driver.aeronDirectoryName()).messageTimeoutNs(SHORT_NS)).close());
        }
    }

    private static void assertError(final KvArchiveError error, final String text, final ThrowingCallable call)
    {
        assertThatThrownBy(call).isInstanceOfSatisfying(
            KvArchiveException.class, ex -> assertThat(ex.error()).as(ex.getMessage()).isEqualTo(error))
            .hasMessageContaining(text);
    }
}
