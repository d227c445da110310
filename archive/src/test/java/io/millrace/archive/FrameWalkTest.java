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

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;

import io.aeron.archive.client.AeronArchive;
import io.aeron.archive.client.PersistentSubscription;
import io.aeron.archive.codecs.SourceLocation;
import io.aeron.driver.MediaDriver;
import io.aeron.protocol.HeaderFlyweight;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvSender;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

@Timeout(120)
class FrameWalkTest
{
    private static final KvScope SCOPE = new KvScope("", Rig.LAYOUT);

    @TempDir
    private Path directory;

    @Test
    void namesAFrameAtWhichAReplayWouldHangAndGoesOnBehindItsSegment() throws IOException
    {
        final Path archiveDirectory = directory.resolve("archive");
        try (Rig rig = new Rig(archiveDirectory); KvBlockStore store = open(rig.client))
        {
            final KvRecordingInfo info = recordOneAfterTheOther(rig, 1, 2, 3, 4, 5, 6, 7, 8);
            final KvRecordingInfo whole = rig.recordOnly(9);
            final long position = Frames.transferBegins(archiveDirectory, info)[1];
            final Path segment = damageType(archiveDirectory, info, position);

            store.archive().context().archiveDirectory(archiveDirectory);
            final KvVerifyReport report = store.verify(KvScanProgress.NONE);
            assertThat(report.isClean()).isFalse();
            assertThat(report.damages()).singleElement().satisfies(damage ->
            {
                assertThat(damage.error()).isEqualTo(KvArchiveError.BAD_FRAME);
                assertThat(damage.position()).isEqualTo(position);
                assertThat(damage.segmentFile()).isEqualTo(segment.getFileName().toString());
            });
            // The archive lives, and serves the rest.
            assertThat(rig.client.list(0, 10)).containsExactly(info, whole);
            assertThat(store.plan(SCOPE, Rig.hashes(9)).misses()).isEmpty();
            assertThat(report.bytes()).isEqualTo(info.bytes() + whole.bytes());
        }
    }

    @Test
    void aFrameThatReachesPastWhatWasRecordedIsNamed() throws IOException
    {
        final Path archiveDirectory = directory.resolve("archive");
        try (Rig rig = new Rig(archiveDirectory); KvBlockStore store = open(rig.client))
        {
            final KvRecordingInfo info = recordOneAfterTheOther(rig, 1, 2, 3);
            final long position = Frames.transferBegins(archiveDirectory, info)[2];
            try (FileChannel channel = FileChannel.open(
                Frames.segment(archiveDirectory, info, position), StandardOpenOption.WRITE))
            {
                final ByteBuffer length = ByteBuffer.allocate(Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
                channel.write(length.putInt(0, (int)(info.position() - position) + 1), position % Rig.SEGMENT_LENGTH);
            }

            store.archive().context().archiveDirectory(archiveDirectory);
            assertThat(store.verify(KvScanProgress.NONE).damages()).singleElement().satisfies(damage ->
            {
                assertThat(damage.error()).isEqualTo(KvArchiveError.BAD_FRAME);
                assertThat(damage.position()).isEqualTo(position);
            });
            assertThat(rig.client.list(0, 10)).containsExactly(info);
        }
    }

    @Test
    void fetchAndReplayServeWhatIsBeforeSuchAFrameAndNameIt() throws IOException
    {
        final Path archiveDirectory = directory.resolve("archive");
        try (Rig rig = new Rig(archiveDirectory); Rig.Destination target = new Rig.Destination();
            KvBlockStore store = open(rig.client))
        {
            final KvRecordingInfo info = recordOneAfterTheOther(rig, 1, 2);
            final KvRecordingInfo whole = rig.recordOnly(9);
            store.update(KvScanProgress.NONE);
            final long position = Frames.transferBegins(archiveDirectory, info)[1];
            damageType(archiveDirectory, info, position);

            final long[] hashes = {1000, 2000, 9000};
            final KvBlocks blocks = target.cache.allocate(hashes.length);
            try (KvFetch fetch = store.fetch(store.plan(SCOPE, hashes), blocks, target.receiverContext()))
            {
                assertThat(fetch.await(Rig.LIMIT_NS)).isEqualTo(KvReplayState.FAILED);
                assertThat(fetch.errorText()).contains("damaged frame at position " + position, "restore the segment");
                assertThat(fetch.landed()).containsExactly(0, 2);
                assertThat(fetch.failed()).containsExactly(1);
            }
            rig.assertSame(target.device, blocks, 0, hashes[0]);
            rig.assertSame(target.device, blocks, 2, hashes[2]);

            try (KvReplay replay = rig.replay(info.recordingId(), target))
            {
                assertThat(replay.await(Rig.LIMIT_NS)).isEqualTo(KvReplayState.FAILED);
                assertThat(replay.error()).isEqualTo(KvArchiveError.BAD_FRAME);
                assertThat(replay.errorText()).contains("damaged frame at position " + position);
                assertThat(replay.transfersCompleted()).isEqualTo(1);
            }
            assertThatThrownBy(() -> rig.client.replay(info.recordingId(), position, AeronArchive.NULL_LENGTH,
                Rig.LIMIT_NS, target.receiverContext())).isInstanceOf(KvArchiveException.class)
                .hasMessageContaining("damaged frame at position " + position);
            assertThatThrownBy(() -> KvLateJoin.subscribe(rig.client, info.recordingId(),
                PersistentSubscription.FROM_START, Rig.IPC, Rig.STREAM_ID, null)).isInstanceOf(KvArchiveException.class)
                .hasMessageContaining("damaged frame at position " + position);

            try (KvReplay replay = rig.replay(whole.recordingId(), target))
            {
                rig.assertReplayed(replay, whole);
            }
        }
    }

    @Test
    void aFetchFromAnArchiveThatHangsEndsWithItsDeadline() throws Exception
    {
        final Path archiveDirectory = directory.resolve("archive");
        try (MediaDriver driver = MediaDriver.launch(Rig.driverContext());
            ChildJvm archive = new ChildJvm(List.of(), directory.resolve("archive.err").toFile(), CrashServer.class,
                "ARCHIVE", driver.aeronDirectoryName(), archiveDirectory.toString()))
        {
            assertThat(archive.next(Rig.LIMIT_NS)).isEqualTo("ready");
            try (Rig rig = Rig.client(driver.aeronDirectoryName()); Rig.Destination target = new Rig.Destination();
                KvBlockStore store = open(rig.client))
            {
                final KvRecordingInfo info = rig.recordOnly(1);
                store.update(KvScanProgress.NONE);
                damageType(archiveDirectory, info, Frames.transferBegins(archiveDirectory, info)[0]);
                // As where the archive is on another machine.
                Files.delete(DirectoryNote.file(
                    rig.client.context().aeron(), rig.client.session().archiveId()));

                rig.client.context().replayTimeoutNs(TimeUnit.SECONDS.toNanos(3));
                try (KvFetch fetch = store.fetch(
                    store.plan(SCOPE, 1000), target.cache.allocate(1), target.receiverContext()))
                {
                    assertThat(fetch.await(Rig.LIMIT_NS)).isIn(KvReplayState.TIMEOUT, KvReplayState.FAILED);
                    assertThat(fetch.errorText()).contains("archive");
                    assertThat(fetch.failed()).containsExactly(0);
                }
                archive.kill();
            }
        }
    }

    private static KvRecordingInfo recordOneAfterTheOther(final Rig rig, final long... requestIds)
    {
        final KvRecording recording = rig.client.record(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL);
        try (KvSender sender = KvSender.launch(rig.senderContext(Rig.IPC).unacknowledged(true)))
        {
            LongStream.of(requestIds).forEach(requestId -> rig.send(sender, requestId));
        }
        return recording.awaitStop(Rig.LIMIT_NS);
    }

    private KvBlockStore open(final KvArchive client)
    {
        return KvBlockStore.open(client,
            new KvBlockStore.Context().indexFile(directory.resolve("index")).updateIntervalNs(0));
    }

    static Path damageType(final Path archiveDirectory, final KvRecordingInfo info, final long position)
        throws IOException
    {
        final Path segment = Frames.segment(archiveDirectory, info, position);
        try (FileChannel channel = FileChannel.open(segment, StandardOpenOption.WRITE))
        {
            channel.write(ByteBuffer.wrap(new byte[] {0x55}),
                position % Rig.SEGMENT_LENGTH + HeaderFlyweight.TYPE_FIELD_OFFSET);
        }
        return segment;
    }
}
