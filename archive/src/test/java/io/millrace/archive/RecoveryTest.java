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
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.LongStream;

import io.aeron.CommonContext;
import io.aeron.archive.ArchiveMarkFile;
import io.aeron.archive.codecs.SourceLocation;
import io.aeron.driver.MediaDriver;
import io.aeron.exceptions.ConfigurationException;
import io.millrace.archive.index.IndexException;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvSender;
import org.agrona.CloseHelper;
import org.agrona.concurrent.EpochClock;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

@Timeout(120)
class RecoveryTest
{
    private static final KvScope SCOPE = new KvScope("", Rig.LAYOUT);

    @TempDir
    private Path directory;

    @Test
    void startsWhereAnArchiveWasKilledWhateverTheClockSays() throws Exception
    {
        final Path file = directory.resolve("archive").resolve(ArchiveMarkFile.FILENAME);
        final byte[] alive;
        try (Rig rig = new Rig(directory.resolve("archive")))
        {
            assertThatThrownBy(() -> MillraceArchive.attach(rig.archive.aeronDirectoryName(),
                Rig.archiveContext(directory.resolve("archive").toFile())))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("is in use by process " + ProcessHandle.current().pid());
            alive = Files.readAllBytes(file);
            rig.recordOnly(1);
        }

        // As a kill leaves it: soon too old to be of one that lives.
        Files.write(file, alive, StandardOpenOption.WRITE);
        final long aheadMs = Predecessor.LIVENESS_MS - TimeUnit.SECONDS.toMillis(1);
        try (MediaDriver driver = MediaDriver.launch(Rig.driverContext());
            MillraceArchive archive = MillraceArchive.attach(driver.aeronDirectoryName(), Rig.archiveContext(
                directory.resolve("archive").toFile()).epochClock(() -> System.currentTimeMillis() + aheadMs)))
        {
            assertThat(archive.archiveContext().epochClock().time()).isPositive();
        }

        // The clock was put back: too young for an hour.
        Files.write(file, alive, StandardOpenOption.WRITE);
        final EpochClock clock = () -> System.currentTimeMillis() - TimeUnit.HOURS.toMillis(1);
        Predecessor.await(file.toFile(), 500, clock);
        try (MediaDriver driver = MediaDriver.launch(Rig.driverContext());
            MillraceArchive archive = MillraceArchive.attach(driver.aeronDirectoryName(), Rig.archiveContext(
                directory.resolve("archive").toFile()).epochClock(clock));
            KvArchive client = KvArchive.connect(archive.clientContext()))
        {
            assertThat(client.list(0, 10)).hasSize(1);
        }
    }

    @Test
    void goesOnByItselfWhenTheArchiveIsBack()
    {
        MillraceArchive second = null;
        try (Rig rig = Rig.attached(directory.resolve("archive"));
            KvBlockStore store = KvBlockStore.open(rig.client, new KvBlockStore.Context()
                .indexFile(directory.resolve("index")).updateIntervalNs(1_000_000)))
        {
            final KvRecordingInfo first = rig.recordOnly(1);
            store.awaitIndexed(first.recordingId(), first.stopPosition(), Rig.LIMIT_NS);
            final KvRecording lost = rig.client.record("aeron:ipc", 99, SourceLocation.LOCAL);
            rig.archive.close();
            await("the end is seen", () -> fails(() -> rig.client.list(0, 1)));

            second = MillraceArchive.attach(
                rig.driver.aeronDirectoryName(), Rig.archiveContext(directory.resolve("archive").toFile()));
            await("the archive is found again", () -> !fails(() -> rig.client.list(0, 1)));
            final KvRecordingInfo next = rig.recordOnly(2);
            store.awaitIndexed(next.recordingId(), next.stopPosition(), Rig.LIMIT_NS);
            assertThat(store.plan(SCOPE, hashes(2)).misses()).isEmpty();
            assertThatThrownBy(() -> lost.awaitStart(Rig.LIMIT_NS)).hasMessageContaining("record again")
                .extracting(ex -> ((KvArchiveException)ex).error()).isEqualTo(KvArchiveError.ARCHIVE_GONE);
        }
        finally
        {
            CloseHelper.close(second);
        }
    }

    @Test
    void anArchiveThatEndsWhileItIsReadIsNoDamage()
    {
        try (Rig rig = Rig.attached(directory.resolve("archive")); Rig.Destination target = new Rig.Destination();
            KvBlockStore store = open(rig, directory.resolve("index")))
        {
            final long[] requestIds = LongStream.rangeClosed(1, 10).toArray();
            rig.recordOnly(requestIds);
            assertThatThrownBy(() -> store.update((id, position, limit) -> rig.archive.close()))
                .isInstanceOf(KvArchiveException.class)
                .extracting(ex -> ((KvArchiveException)ex).error()).isEqualTo(KvArchiveError.ARCHIVE_GONE);

            try (MillraceArchive ignore = MillraceArchive.attach(
                rig.driver.aeronDirectoryName(), Rig.archiveContext(directory.resolve("archive").toFile())))
            {
                await("the archive is found again", () -> !fails(() -> store.update(KvScanProgress.NONE)));
                assertThat(store.damages()).isEmpty();
                assertFetched(rig, store, target, requestIds);
            }
        }
    }

    @Test
    void keepsWhatWasRecordedBeforeTheDiskWasFull() throws Exception
    {
        final Path disk = Files.createDirectory(directory.resolve("disk"));
        Assumptions.assumeTrue(run("mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk.toString()),
            "a small file system cannot be mounted here, which takes root");
        try
        {
            recordUntilFull(disk);
        }
        finally
        {
            run("umount", "-l", disk.toString());
        }
    }

    private void recordUntilFull(final Path disk) throws Exception
    {
        try (Rig rig = new Rig(disk.resolve("archive")); Rig.Destination target = new Rig.Destination();
            KvBlockStore store = open(rig, disk.resolve("index")))
        {
            rig.recordOnly(1, 2, 3);
            final Path ballast = disk.resolve("ballast");
            Files.write(ballast, new byte[(int)(disk.toFile().getUsableSpace() - 4L * Rig.SEGMENT_LENGTH)]);
            final KvRecording recording = rig.client.record(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL);
            try (KvSender sender = KvSender.launch(rig.senderContext(Rig.IPC).unacknowledged(true)))
            {
                // More than there is room for: those that the recording did not take have nobody to go to.
                LongStream.rangeClosed(4, 16).forEach(id -> rig.submit(sender, id, false));
                assertThatThrownBy(() -> recording.awaitStop(Rig.LIMIT_NS)).isInstanceOf(KvArchiveException.class);
                assertThatThrownBy(recording::info).hasMessageContainingAll("No space left on device", "purge")
                    .extracting(ex -> ((KvArchiveException)ex).error()).isEqualTo(KvArchiveError.DISK_FULL);
            }
            assertThatThrownBy(() -> rig.client.record("aeron:ipc", 99, SourceLocation.LOCAL))
                .hasMessageContainingAll("low storage threshold", "purge");

            // What is covered by the recorded position is served, from a disk that is still full.
            final KvRecordingInfo cut = rig.client.find(recording.recordingId());
            assertThat(cut.isActive()).isFalse();
            final long[] committed = LongStream.concat(LongStream.of(1, 2, 3), Committed.transfers(
                disk.resolve("archive"), cut.recordingId(), cut.position()).keySet().stream()
                .mapToLong(Long::longValue)).toArray();
            assertThat(committed).hasSizeGreaterThan(6).hasSizeLessThan(16);
            store.update(KvScanProgress.NONE);
            assertFetched(rig, store, target, committed);

            // The index has no room for a byte: it says so, and tells nothing wrong.
            fillUp(ballast);
            assertThatThrownBy(() -> store.rebuild(KvScanProgress.NONE)).isInstanceOf(IndexException.class)
                .hasMessageContaining("see whether its disk is full");

            // Somebody made room: neither archive nor store is started again.
            Files.delete(ballast);
            store.update(KvScanProgress.NONE);
            assertFetched(rig, store, target, committed);
            rig.sourceCache.free(rig.sent.remove(16L));
            rig.recordOnly(17);
            store.update(KvScanProgress.NONE);
            assertFetched(rig, store, target, 17);
            assertThat(store.verify(KvScanProgress.NONE).isClean()).isTrue();
        }
    }

    @Test
    void keepsWhatWasRecordedBeforeAWriteFailed() throws Exception
    {
        Assumptions.assumeTrue(run("prlimit", "--version"), "util-linux's prlimit is not here");
        final Path archiveDirectory = directory.resolve("archive");
        final String aeronDirectory = CommonContext.generateRandomDirName();
        try (MediaDriver driver = MediaDriver.launch(Rig.driverContext().aeronDirectoryName(aeronDirectory));
            ChildJvm archive = new ChildJvm(List.of(), directory.resolve("archive.err").toFile(), CrashServer.class,
                "ARCHIVE", driver.aeronDirectoryName(), archiveDirectory.toString()))
        {
            assertThat(archive.next(TimeUnit.SECONDS.toNanos(60))).isEqualTo("ready");
            try (Rig rig = Rig.client(aeronDirectory); Rig.Destination target = new Rig.Destination();
                KvBlockStore store = open(rig, directory.resolve("index")))
            {
                final KvRecording recording = rig.client.record(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL);
                final long[] first = new long[1];
                try (KvSender sender = KvSender.launch(rig.senderContext(Rig.IPC).unacknowledged(true)))
                {
                    rig.send(sender, 1);
                    recording.awaitStart(Rig.LIMIT_NS);
                    await("the first is recorded", () ->
                        !Committed.transfers(archiveDirectory, 0, first[0] = recording.position()).isEmpty());
                    // The rest of the segment fails to be written.
                    final String limit = "--fsize=" + (first[0] + 5000) + ":";
                    assertThat(run("prlimit", "--pid", Long.toString(archive.pid()), limit)).isTrue();
                    rig.submit(sender, 2, false);
                    assertThatThrownBy(() -> recording.await(1L << 40, Rig.LIMIT_NS))
                        .hasMessageContaining("File too large");
                }
                assertThat(run("prlimit", "--pid", Long.toString(archive.pid()), "--fsize=unlimited:")).isTrue();
                store.update(KvScanProgress.NONE);
                assertFetched(rig, store, target, 1);
                assertThat(store.plan(SCOPE, hashes(2)).hits()).isEmpty();
                rig.recordOnly(3);
                store.update(KvScanProgress.NONE);
                assertFetched(rig, store, target, 3);
                assertThat(store.verify(KvScanProgress.NONE).isClean()).isTrue();
            }
        }
    }

    @Test
    void startsPastAFrameThatAKilledArchiveLeftUnfinished() throws Exception
    {
        final Path archiveDirectory = directory.resolve("archive");
        final long position;
        try (MediaDriver driver = MediaDriver.launch(Rig.driverContext());
            ChildJvm archive = new ChildJvm(List.of(), directory.resolve("archive.err").toFile(), CrashServer.class,
                "ARCHIVE", driver.aeronDirectoryName(), archiveDirectory.toString());
            Rig rig = ready(archive, driver.aeronDirectoryName()))
        {
            final KvRecording recording = rig.client.record(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL);
            try (KvSender sender = KvSender.launch(rig.senderContext(Rig.IPC).unacknowledged(true)))
            {
                rig.send(sender, 1);
                recording.awaitStart(Rig.LIMIT_NS);
                await("it is recorded", () ->
                    !Committed.transfers(archiveDirectory, 0, recording.position()).isEmpty());
                position = recording.position();
                archive.kill();
            }
        }
        // A frame of two pages, of which nothing but the header was written.
        final ByteBuffer header = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putInt(8192).putInt(0xC000);
        try (FileChannel segment = FileChannel.open(archiveDirectory.resolve("0-0.rec"), StandardOpenOption.WRITE))
        {
            segment.write(header.flip(), position);
        }
        Rig.awaitDead(archiveDirectory);
        try (Rig rig = new Rig(archiveDirectory); Rig.Destination target = new Rig.Destination();
            KvBlockStore store = open(rig, directory.resolve("index")))
        {
            assertThat(rig.client.find(0).stopPosition()).isEqualTo(position);
            rig.fill(1);
            store.update(KvScanProgress.NONE);
            assertFetched(rig, store, target, 1);
        }
    }

    private static Rig ready(final ChildJvm archive, final String aeronDirectory)
    {
        assertThat(archive.next(TimeUnit.SECONDS.toNanos(60))).isEqualTo("ready");
        return Rig.client(aeronDirectory);
    }

    private static void assertFetched(
        final Rig rig, final KvBlockStore store, final Rig.Destination target, final long... requestIds)
    {
        final long[] hashes = hashes(requestIds);
        final KvFetchPlan plan = store.plan(SCOPE, hashes);
        assertThat(plan.misses()).isEmpty();
        final KvBlocks blocks = target.cache.allocate(hashes.length);
        try (KvFetch fetch = store.fetch(plan, blocks, target.receiverContext()))
        {
            assertThat(fetch.await(Rig.LIMIT_NS)).as("%s", fetch.errorText()).isEqualTo(KvReplayState.COMPLETED);
        }
        for (int i = 0; i < hashes.length; i++)
        {
            rig.assertSame(target.device, blocks, i, hashes[i]);
        }
        target.cache.free(blocks);
    }

    private static void fillUp(final Path file) throws Exception
    {
        final byte[] bytes = new byte[4096];
        try (OutputStream out = Files.newOutputStream(file, StandardOpenOption.APPEND))
        {
            while (true)
            {
                out.write(bytes);
            }
        }
        catch (final IOException ignore)
        {
            // Full.
        }
    }

    private static boolean fails(final Runnable call)
    {
        try
        {
            call.run();
            return false;
        }
        catch (final KvArchiveException ex)
        {
            return KvArchiveError.DEADLINE != ex.error();
        }
    }

    private static void await(final String what, final BooleanSupplier condition)
    {
        final long endNs = System.nanoTime() + Rig.LIMIT_NS;
        while (!condition.getAsBoolean())
        {
            assertThat(System.nanoTime() - endNs).as(what).isNegative();
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
        }
    }

    private static boolean run(final String... command) throws Exception
    {
        return 0 == new ProcessBuilder(command).redirectErrorStream(true)
            .redirectOutput(new File("/dev/null")).start().waitFor();
    }

    private static long[] hashes(final long... requestIds)
    {
        return LongStream.of(requestIds).flatMap(id -> LongStream.of(Rig.hashes(id))).toArray();
    }

    private static KvBlockStore open(final Rig rig, final Path index)
    {
        return KvBlockStore.open(rig.client, new KvBlockStore.Context().indexFile(index).updateIntervalNs(0));
    }
}
