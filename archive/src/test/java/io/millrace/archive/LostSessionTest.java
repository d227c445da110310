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
import java.util.function.BooleanSupplier;

import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.archive.codecs.SourceLocation;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.millrace.bridge.KvSender;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * Recordings go on when only the session of the client that began them is lost, and so do their handles.
 */
@Timeout(150)
class LostSessionTest
{
    private static final String CHANNEL = "aeron:ipc?term-length=64k";
    private static final int STREAM_ID = 1;

    @TempDir
    private Path directory;

    private volatile boolean isPaused;
    private volatile boolean isClosed;

    /**
     * A client's driver stands still for so long that the archive gives the session up: nobody was closed or killed.
     */
    @Test
    void handlesOfRecordingsOutliveTheLossOfControlImages() throws Exception
    {
        final String control = "aeron:udp?endpoint=localhost:" + Rig.freePort();
        try (MediaDriver driver = MediaDriver.launch(Rig.driverContext());
            MediaDriver clientDriver = MediaDriver.launch(Rig.driverContext().threadingMode(ThreadingMode.INVOKER)))
        {
            final Thread duty = new Thread(() -> run(clientDriver));
            duty.start();
            try (MillraceArchive archive = MillraceArchive.attach(driver.aeronDirectoryName(),
                Rig.archiveContext(directory.resolve("archive").toFile()).controlChannel(control));
                Aeron aeron = connect(driver);
                ExclusivePublication publication = aeron.addExclusivePublication(CHANNEL, STREAM_ID);
                KvArchive client = KvArchive.connect(new KvArchive.Context()
                    .aeronDirectoryName(clientDriver.aeronDirectoryName())
                    .controlRequestChannel(control).controlResponseChannel("aeron:udp?endpoint=localhost:0")
                    .messageTimeoutNs(TimeUnit.SECONDS.toNanos(20))))
            {
                assertThat(client.context().aeron().context().errorHandler())
                    .as("it would end the process").isNotSameAs(Aeron.Configuration.DEFAULT_ERROR_HANDLER);
                final KvRecording recording = client.record(CHANNEL, STREAM_ID, SourceLocation.LOCAL);
                final long id = recording.awaitStart(Rig.LIMIT_NS);
                publish(publication);
                recording.await(publication.position(), Rig.LIMIT_NS);

                isPaused = true;
                await(() -> 0 == archive.archiveContext().controlSessionsCounter().get());
                publish(publication);
                isPaused = false;

                assertThat(recording.await(publication.position(), Rig.LIMIT_NS)).isEqualTo(publication.position());
                assertThat(recording.isStopped()).isFalse();
                assertThat(recording.recordingId()).isEqualTo(id);
                publication.close();
                assertThat(recording.awaitStop(Rig.LIMIT_NS).stopPosition()).isEqualTo(recording.position());
            }
            finally
            {
                isPaused = false;
                isClosed = true;
                duty.join();
            }
        }
    }

    @Test
    void goesOnWithRecordingsWhenOnlyTheSessionWithTheArchiveIsLost()
    {
        try (Rig rig = new Rig(directory.resolve("archive")))
        {
            final KvRecording recording = rig.client.record(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL);
            final KvRecording unseen = rig.client.record("aeron:ipc", 99, SourceLocation.LOCAL);
            final KvRecordingInfo stopped;
            try (KvSender sender = KvSender.launch(rig.senderContext(Rig.IPC).unacknowledged(true)))
            {
                rig.send(sender, 1);
                final long id = recording.awaitStart(Rig.LIMIT_NS);
                final long before = recording.position();
                loseSession(rig.client);
                rig.send(sender, 2);
                assertThat(recording.await(before + 1, Rig.LIMIT_NS)).isGreaterThan(before);
                assertThat(recording.isStopped()).isFalse();
                assertThat(recording.info().isActive()).isTrue();
                assertThatThrownBy(() -> unseen.awaitStart(Rig.LIMIT_NS))
                    .hasMessageContaining("before its stream was seen, and it was ended")
                    .extracting(ex -> ((KvArchiveException)ex).error()).isEqualTo(KvArchiveError.ARCHIVE_GONE);
                rig.client.record("aeron:ipc", 99, SourceLocation.LOCAL).close();
                assertThat(recording.recordingId()).isEqualTo(id);
            }
            stopped = recording.awaitStop(Rig.LIMIT_NS);
            assertThat(stopped.isActive()).isFalse();
            assertThat(recording.position()).isEqualTo(stopped.stopPosition());
            assertThatThrownBy(() -> recording.await(stopped.stopPosition() + 1, Rig.LIMIT_NS))
                .extracting(ex -> ((KvArchiveException)ex).error()).isEqualTo(KvArchiveError.STOPPED);
        }
    }

    static void loseSession(final KvArchive client)
    {
        client.session().call("lose the session", archive ->
        {
            archive.close();
            return null;
        });
    }

    private void run(final MediaDriver driver)
    {
        while (!isClosed)
        {
            if (!isPaused)
            {
                driver.sharedAgentInvoker().invoke();
            }
            Thread.yield();
        }
    }

    private static Aeron connect(final MediaDriver driver)
    {
        return Aeron.connect(new Aeron.Context().aeronDirectoryName(driver.aeronDirectoryName()));
    }

    private static void publish(final ExclusivePublication publication)
    {
        final UnsafeBuffer message = new UnsafeBuffer(new byte[100]);
        await(() -> publication.offer(message) > 0);
    }

    private static void await(final BooleanSupplier condition)
    {
        final long deadlineNs = System.nanoTime() + Rig.LIMIT_NS;
        while (!condition.getAsBoolean())
        {
            assertThat(System.nanoTime() - deadlineNs).isNegative();
            Thread.yield();
        }
    }
}
