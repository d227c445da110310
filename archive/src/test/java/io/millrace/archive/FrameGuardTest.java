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
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

import io.aeron.ExclusivePublication;
import io.aeron.archive.codecs.SourceLocation;
import io.aeron.driver.MediaDriver;
import io.aeron.protocol.DataHeaderFlyweight;
import io.millrace.bridge.KvSender;
import org.agrona.concurrent.UnsafeBuffer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

@Timeout(150)
class FrameGuardTest
{
    private static final long ARCHIVE_ID = 1;
    private static final String SAME_TERM = Rig.IPC + "|init-term-id=7|term-id=7|term-offset=0";

    @TempDir
    private Path directory;

    /**
     * Both machines have an archive of the same id, as drivers give them out, with a recording of the same terms.
     */
    @Test
    void looksAtNoFilesOfAnotherArchiveThanTheOneItTalksTo() throws Exception
    {
        final String control = "aeron:udp?endpoint=localhost:" + Rig.freePort();
        try (MediaDriver firstDriver = MediaDriver.launch(Rig.driverContext());
            MillraceArchive first = attach(firstDriver, "first", control);
            KvArchive local = KvArchive.connect(first.clientContext());
            Rig rig = Rig.client(firstDriver.aeronDirectoryName());
            MediaDriver secondDriver = MediaDriver.launch(Rig.driverContext());
            MillraceArchive second = attach(secondDriver, "second", null);
            KvArchive secondLocal = KvArchive.connect(second.clientContext());
            KvArchive remote = KvArchive.connect(new KvArchive.Context()
                .aeronDirectoryName(secondDriver.aeronDirectoryName())
                .controlRequestChannel(control).controlResponseChannel("aeron:udp?endpoint=localhost:0")
                .replayChannel("aeron:udp?endpoint=localhost:" + Rig.freePort())
                .messageTimeoutNs(TimeUnit.SECONDS.toNanos(30)));
            Rig.Destination target = new Rig.Destination())
        {
            final KvRecordingInfo whole = record(rig, local, firstDriver, SAME_TERM, 1);
            final KvRecordingInfo damaged = record(rig, secondLocal, secondDriver, SAME_TERM, 2);
            assertThat(damaged.recordingId()).isEqualTo(whole.recordingId());
            FrameWalkTest.damageType(directory.resolve("second"), damaged, 0);

            assertThat(firstBad(secondLocal, damaged)).isZero();
            assertThat(firstBad(remote, whole)).isEqualTo(whole.position());
            try (KvReplay replay = remote.replay(whole.recordingId(), target.receiverContext()))
            {
                rig.assertReplayed(replay, whole);
            }

            // What is damaged in the archive it talks to is seen once it is told where to look.
            FrameWalkTest.damageType(directory.resolve("first"), whole, 0);
            remote.context().archiveDirectory(directory.resolve("first"));
            assertThat(firstBad(remote, whole)).isZero();
        }
    }

    @Test
    void knowsNothingMoreOfTheFormerArchiveWhenAnotherOneAnswers() throws IOException
    {
        try (MediaDriver driver = MediaDriver.launch(Rig.driverContext());
            MillraceArchive first = attach(driver, "first", null);
            KvArchive client = KvArchive.connect(first.clientContext());
            Rig rig = Rig.client(driver.aeronDirectoryName()))
        {
            final KvRecordingInfo former = record(rig, client, driver, Rig.IPC, 1);
            assertThat(firstBad(client, former)).isEqualTo(former.position());
            first.close();
            await(() -> null == DirectoryNote.file(client.context().aeron(), ARCHIVE_ID));
            try (MillraceArchive ignore = attach(driver, "second", null))
            {
                awaitBack(client);
                final KvRecordingInfo info = record(rig, client, driver, Rig.IPC, 2);
                assertThat(info.recordingId()).isEqualTo(former.recordingId());
                FrameWalkTest.damageType(directory.resolve("second"), info, 0);
                assertThat(firstBad(client, info)).isZero();
            }
        }
    }

    @Test
    void looksAtShortFramesByBlocksAndEndsWhenCanceledOrLate() throws IOException
    {
        final int frame = 96;
        try (Rig rig = new Rig(directory))
        {
            final KvRecordingInfo info;
            final KvRecording recording = rig.client.record(Rig.IPC, 7, SourceLocation.LOCAL);
            try (ExclusivePublication publication =
                rig.client.context().aeron().addExclusivePublication(Rig.IPC, 7))
            {
                recording.awaitStart(Rig.LIMIT_NS);
                final UnsafeBuffer message = new UnsafeBuffer(new byte[frame - DataHeaderFlyweight.HEADER_LENGTH]);
                while (publication.position() < 3L * Rig.SEGMENT_LENGTH)
                {
                    if (publication.offer(message) < 0)
                    {
                        LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(100));
                    }
                }
            }
            info = recording.awaitStop(Rig.LIMIT_NS);
            final AtomicInteger reads = new AtomicInteger();
            assertThat(firstBad(rig.client, info, () -> reads.incrementAndGet() < 0, Rig.LIMIT_NS))
                .isEqualTo(info.position());
            assertThat(reads.get()).isBetween(4, 20);

            assertError(KvArchiveError.CANCELED, () -> firstBad(
                rig.client, info, () -> reads.decrementAndGet() < 2, Rig.LIMIT_NS));
            assertError(KvArchiveError.DEADLINE, () -> firstBad(rig.client, info, () -> false, 0));

            final long position = 2L * Rig.SEGMENT_LENGTH + 100 * frame;
            FrameWalkTest.damageType(directory, info, position);
            assertThat(firstBad(rig.client, info)).isEqualTo(position);
        }
    }

    /**
     * A store that is closed while it looks at frames keeps no lock and reads no more.
     */
    @Test
    void aReaderStopsAtTheNextLookWhenCanceled()
    {
        try (Rig rig = new Rig(directory))
        {
            final KvRecordingInfo info = rig.recordOnly(1, 2, 3, 4, 5, 6, 7, 8);
            final AtomicBoolean isCanceled = new AtomicBoolean();
            try (RecordingReader reader = new RecordingReader(rig.client, null, isCanceled::get))
            {
                final TransferScanner scanner = new TransferScanner(info.recordingId(), System::currentTimeMillis,
                    (transfer, tag, hashes) -> { });
                scanner.skipTo(0);
                // What was being replayed may be read to its end, which is that of the segment.
                assertThat(reader.read(info, 0, scanner, true, (id, position, limit) -> isCanceled.set(true)))
                    .isPositive().isLessThanOrEqualTo(Rig.SEGMENT_LENGTH).isLessThan(info.position());
                assertThat(reader.damages()).isEmpty();
            }
        }
    }

    private static void assertError(final KvArchiveError error, final ThrowingCallable call)
    {
        assertThatThrownBy(call).extracting(ex -> ((KvArchiveException)ex).error()).isEqualTo(error);
    }

    private MillraceArchive attach(final MediaDriver driver, final String name, final String control)
    {
        return MillraceArchive.attach(driver.aeronDirectoryName(), Rig.archiveContext(
            directory.resolve(name).toFile()).archiveId(ARCHIVE_ID).controlChannel(control));
    }

    private static long firstBad(final KvArchive client, final KvRecordingInfo info)
    {
        return firstBad(client, info, () -> false, Rig.LIMIT_NS);
    }

    private static long firstBad(
        final KvArchive client, final KvRecordingInfo info, final BooleanSupplier isCanceled, final long timeoutNs)
    {
        return client.frames().firstBad(info.recordingId(), 0, info.position(), isCanceled, timeoutNs);
    }

    private static KvRecordingInfo record(
        final Rig rig,
        final KvArchive client,
        final MediaDriver driver,
        final String channel,
        final long requestId)
    {
        final KvRecording recording = client.record(channel, Rig.STREAM_ID, SourceLocation.LOCAL);
        try (KvSender sender = KvSender.launch(rig.senderContext(channel)
            .aeronDirectoryName(driver.aeronDirectoryName()).unacknowledged(true)))
        {
            rig.send(sender, requestId);
        }
        return recording.awaitStop(Rig.LIMIT_NS);
    }

    /**
     * Until the client has found an archive again.
     */
    static void awaitBack(final KvArchive client)
    {
        await(() ->
        {
            try
            {
                client.list(0, 1);
                return true;
            }
            catch (final KvArchiveException ex)
            {
                return false;
            }
        });
    }

    private static void await(final BooleanSupplier condition)
    {
        final long startNs = System.nanoTime();
        while (!condition.getAsBoolean())
        {
            assertThat(System.nanoTime() - startNs).as("waited for in vain").isLessThan(Rig.LIMIT_NS);
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
        }
    }
}
