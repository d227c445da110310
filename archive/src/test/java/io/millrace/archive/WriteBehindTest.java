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
import java.lang.reflect.InvocationTargetException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

import io.aeron.archive.Archive;
import io.aeron.archive.codecs.SourceLocation;
import io.aeron.driver.MediaDriver;
import io.aeron.exceptions.ConfigurationException;
import io.millrace.bridge.KvSender;
import org.agrona.concurrent.CountedErrorHandler;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.THROWABLE;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.withSettings;

@Timeout(180)
class WriteBehindTest
{
    private static final long FLUSH_LENGTH = 64 * 1024;

    @TempDir
    private Path directory;
    // Checksum of what a file held when it was forced last.
    private final Map<Path, Long> forced = new ConcurrentHashMap<>();
    private final List<Throwable> told = new CopyOnWriteArrayList<>();

    @Test
    void forcesAllSegmentsOfARecordingAndWhatItEndsWith() throws Exception
    {
        try (Rig rig = new Rig(directory);
            KvRecording recording = rig.client.record(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL);
            KvSender sender = KvSender.launch(rig.senderContext(Rig.IPC).unacknowledged(true)))
        {
            rig.send(sender, 1, 2, 3, 4, 5, 6, 7, 8);
            final long recordingId = recording.awaitStart(Rig.LIMIT_NS);
            await(() -> recording.position() > 2 * Rig.SEGMENT_LENGTH);
            try (WriteBehind ignore = new WriteBehind(
                rig.archive.archiveContext(), new SegmentForcer(directory, this::open), FLUSH_LENGTH))
            {
                await(() -> forced.containsKey(segment(recordingId, 0)));
                rig.send(sender, 9, 10, 11, 12);
                await(() -> recording.position() > 4 * Rig.SEGMENT_LENGTH + FLUSH_LENGTH);
                await(() -> forced.containsKey(segment(recordingId, 4)));

                sender.close();
                recording.awaitStop(Rig.LIMIT_NS);
                final List<Path> files = segments(recordingId);
                assertThat(files).hasSizeGreaterThan(4);
                await(() -> files.stream().allMatch(file -> Long.valueOf(checksum(file)).equals(forced.get(file))));
            }
            assertThat(rig.archive.archiveContext().errorCounter().get()).isZero();
        }
    }

    @Test
    void aFileThatCannotBeForcedIsAnErrorOfTheArchive() throws Exception
    {
        try (Rig rig = new Rig(directory);
            KvRecording recording = rig.client.record(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL);
            KvSender sender = KvSender.launch(rig.senderContext(Rig.IPC).unacknowledged(true)))
        {
            rig.send(sender, 1);
            final Path segment = segment(recording.awaitStart(Rig.LIMIT_NS), 0);
            await(() -> recording.position() > FLUSH_LENGTH);
            Files.delete(segment);
            Files.createDirectory(segment);
            try (WriteBehind ignore = new WriteBehind(
                rig.archive.archiveContext(), new SegmentForcer(directory), FLUSH_LENGTH))
            {
                await(() -> rig.archive.archiveContext().errorCounter().get() > 0);
            }
            assertThat(recording.isStopped()).isFalse();
        }
    }

    @Test
    void outlivesWhatIsThrownAndAHandlerThatThrows()
    {
        final SegmentForcer.Opener opener = file ->
        {
            if (file.getFileName().toString().startsWith("0-"))
            {
                throw new IllegalStateException("first");
            }
            return open(file);
        };
        try (Rig rig = new Rig(directory);
            WriteBehind ignore = new WriteBehind(
                tellingContext(rig), new SegmentForcer(directory, opener), FLUSH_LENGTH))
        {
            for (int i = 0; i < 2; i++)
            {
                final long recordingId = i;
                try (KvRecording recording = rig.client.record(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL);
                    KvSender sender = KvSender.launch(rig.senderContext(Rig.IPC).unacknowledged(true)))
                {
                    rig.send(sender, 1 + i);
                    assertThat(recording.awaitStart(Rig.LIMIT_NS)).isEqualTo(recordingId);
                    await(() -> 0 == recordingId ? !told.isEmpty() : forced.containsKey(segment(recordingId, 0)));
                    sender.close();
                    recording.awaitStop(Rig.LIMIT_NS);
                }
            }
            assertThat(told).singleElement().asInstanceOf(THROWABLE).hasRootCauseMessage("first");
        }
    }

    @Test
    void tellsNothingOnceClosed() throws Exception
    {
        final CountDownLatch isOpening = new CountDownLatch(1);
        final CountDownLatch isClosing = new CountDownLatch(1);
        final CountDownLatch isDone = new CountDownLatch(1);
        final SegmentForcer.Opener opener = file ->
        {
            isOpening.countDown();
            await(() -> 0 == isClosing.getCount());
            isDone.countDown();
            throw new IOException("late");
        };
        try (Rig rig = new Rig(directory);
            KvRecording ignore = rig.client.record(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL);
            KvSender sender = KvSender.launch(rig.senderContext(Rig.IPC).unacknowledged(true)))
        {
            final WriteBehind writeBehind = new WriteBehind(
                tellingContext(rig), new SegmentForcer(directory, opener), FLUSH_LENGTH);
            rig.send(sender, 1);
            assertThat(isOpening.await(Rig.LIMIT_NS, TimeUnit.NANOSECONDS)).isTrue();
            final Thread closing = new Thread(writeBehind::close);
            closing.start();
            // It waits for the thread that forces, or has given up.
            await(() -> switch (closing.getState())
            {
                case WAITING, TIMED_WAITING, TERMINATED -> true;
                default -> false;
            });
            isClosing.countDown();
            assertThat(isDone.await(Rig.LIMIT_NS, TimeUnit.NANOSECONDS)).isTrue();
            closing.join();
            assertThat(told).isEmpty();
        }
    }

    @Test
    void aBadFlushLengthIsRefusedBeforeTheArchiveRuns()
    {
        final Path archiveDirectory = directory.resolve("archive");
        System.setProperty(KvArchiveConfiguration.FLUSH_LENGTH_PROP_NAME, "-1");
        try (MediaDriver driver = MediaDriver.launch(Rig.driverContext()))
        {
            assertThatThrownBy(() -> MillraceArchive.attach(
                driver.aeronDirectoryName(), Rig.archiveContext(archiveDirectory.toFile())))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining(KvArchiveConfiguration.FLUSH_LENGTH_PROP_NAME + "=-1");
            assertThat(archiveDirectory).doesNotExist();
            assertThat(Path.of(driver.aeronDirectoryName())).isDirectoryNotContaining("glob:**archive-*.dir");
        }
        finally
        {
            System.clearProperty(KvArchiveConfiguration.FLUSH_LENGTH_PROP_NAME);
        }
    }

    private Archive.Context tellingContext(final Rig rig)
    {
        final Archive.Context ctx = rig.archive.archiveContext();
        return new Archive.Context()
            .aeronDirectoryName(ctx.aeronDirectoryName()).archiveId(ctx.archiveId())
            .countedErrorHandler(new CountedErrorHandler(ex ->
            {
                told.add(ex);
                throw new IllegalStateException("a handler that throws");
            }, ctx.errorCounter()));
    }

    private FileChannel open(final Path file) throws IOException
    {
        final FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
        return mock(FileChannel.class, withSettings().stubOnly().defaultAnswer(invocation ->
        {
            if ("force".equals(invocation.getMethod().getName()))
            {
                forced.put(file, checksum(file));
            }
            try
            {
                return invocation.getMethod().invoke(channel, invocation.getArguments());
            }
            catch (final InvocationTargetException ex)
            {
                throw ex.getCause();
            }
        }));
    }

    private static long checksum(final Path file)
    {
        try
        {
            final CRC32C crc = new CRC32C();
            crc.update(Files.readAllBytes(file));
            return crc.getValue();
        }
        catch (final IOException ex)
        {
            throw new AssertionError(ex);
        }
    }

    private Path segment(final long recordingId, final int index)
    {
        return directory.resolve(recordingId + "-" + (long)index * Rig.SEGMENT_LENGTH + ".rec");
    }

    private List<Path> segments(final long recordingId) throws IOException
    {
        try (Stream<Path> files = Files.list(directory))
        {
            return files.filter(file -> file.getFileName().toString().matches(recordingId + "-\\d+\\.rec")).toList();
        }
    }

    private static void await(final BooleanSupplier condition)
    {
        final long deadlineNs = System.nanoTime() + Rig.LIMIT_NS;
        while (!condition.getAsBoolean())
        {
            assertThat(System.nanoTime() - deadlineNs).isNegative();
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
        }
    }
}
