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
package io.millrace.samples.stat;

import io.aeron.Aeron;
import io.aeron.AeronCounters;
import io.aeron.CncFileDescriptor;
import io.aeron.CommonContext;
import io.aeron.Publication;
import io.aeron.Subscription;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.millrace.efa.EfaContext;
import io.millrace.efa.EfaCounters;
import io.millrace.efa.EfaMediaDriver;
import io.millrace.samples.failure.CommandFailure;
import org.agrona.IoUtil;
import org.agrona.SemanticVersion;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.YieldingIdleStrategy;
import org.agrona.concurrent.ringbuffer.ManyToOneRingBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class DriverWatchTest
{
    private static final long DEADLINE_NS = TimeUnit.SECONDS.toNanos(60);
    private static final long INTERVAL_MS = 10;
    private static final int ROUNDS = 200;
    private static final String CHANNEL = "aeron:udp?endpoint=127.0.0.1:";

    @TempDir
    private Path directory;

    private EfaMediaDriver launch(final String name)
    {
        return EfaMediaDriver.launchEmbedded(
            new MediaDriver.Context()
                .aeronDirectoryName(directory.resolve(name).toString())
                .threadingMode(ThreadingMode.SHARED)
                .sharedIdleStrategy(YieldingIdleStrategy.INSTANCE)
                .termBufferSparseFile(true)
                .publicationTermBufferLength(1 << 16)
                .ipcTermBufferLength(1 << 16),
            new EfaContext().protocol("udp"));
    }

    @Test
    void shouldShowPublicationsImagesAndRates() throws Exception
    {
        final UnsafeBuffer message = new UnsafeBuffer(new byte[1000]);
        try (EfaMediaDriver driver = launch("driver");
            Aeron aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(driver.aeronDirectoryName()));
            Subscription subscription = aeron.addSubscription(CHANNEL + "0", 7);
            DriverWatch watch = DriverWatch.open(Path.of(driver.aeronDirectoryName())))
        {
            await(() -> null != subscription.tryResolveChannelEndpointPort());
            try (Publication publication = aeron.addPublication(subscription.tryResolveChannelEndpointPort(), 7);
                Publication ipc = aeron.addPublication(CommonContext.IPC_CHANNEL, 8))
            {
                await(publication::isConnected);
                watch.next(INTERVAL_MS);
                await(() -> publication.offer(message) > 0);
                await(() -> 1 == subscription.poll((buffer, offset, length, header) -> {}, 1));
                for (final int typeId : new int[]{ AeronCounters.DRIVER_PUBLISHER_POS_TYPE_ID,
                    AeronCounters.DRIVER_SENDER_POSITION_TYPE_ID, AeronCounters.DRIVER_RECEIVER_POS_TYPE_ID })
                {
                    // The driver's conductor tells positions in its own time.
                    await(() -> publication.position() == EfaCounters.sum(aeron.countersReader(), typeId));
                }
                final DriverSample sample = watch.next(INTERVAL_MS);

                assertThat(sample.pid()).isEqualTo(ProcessHandle.current().pid());
                assertThat(sample.protocol().rails()).isZero();
                assertThat(sample.protocol().text()).contains("protocol=udp", "asked for by name");
                assertThat(sample.rails()).isEmpty();
                assertThat(sample.system()).containsEntry("nakMessagesSent", 0L);
                assertThat(sample.fabric())
                    .containsEntry("fallbacksToUdp", 0L).containsEntry("dataFramesSentByUdp", 1L);

                assertThat(sample.publications()).hasSize(2);
                final DriverSample.Publication published = sample.publications().stream()
                    .filter((candidate) -> 7 == candidate.streamId()).findFirst().orElseThrow();
                assertThat(published.sessionId()).isEqualTo(publication.sessionId());
                assertThat(published.channel()).startsWith(CHANNEL);
                assertThat(published.position()).isEqualTo(publication.position());
                assertThat(published.bytesPerSecond()).isPositive();
                assertThat(published.senderPosition()).isEqualTo(publication.position());
                assertThat(published.naksReceived()).isZero();

                final DriverSample.Publication local = sample.publications().stream()
                    .filter((candidate) -> 8 == candidate.streamId()).findFirst().orElseThrow();
                assertThat(local.sessionId()).isEqualTo(ipc.sessionId());
                assertThat(local.senderPosition()).isNull();

                final DriverSample.Image image = sample.images().get(0);
                assertThat(image.sessionId()).isEqualTo(publication.sessionId());
                assertThat(image.position()).isEqualTo(publication.position());
                assertThat(image.subscribers()).isEqualTo(1);
                assertThat(image.unreadBytes()).isZero();

                final String table = String.join("\n", DriverWatch.lines(sample, 0));
                assertThat(table).contains("driver    pid ", "protocol  udp", "PUBLICATION", "IMAGE",
                    Integer.toString(publication.sessionId()), "errors 0", "conductor longest");
                assertThat(DriverWatch.lines(sample, 60)).allMatch((line) -> line.length() <= 60)
                    .anyMatch((line) -> line.endsWith("…"));
            }
        }
    }

    @Test
    void shouldFindDriversThatRun() throws Exception
    {
        try (EfaMediaDriver driver = launch("driver"))
        {
            final Path cnc = Path.of(driver.aeronDirectoryName(), CncFileDescriptor.CNC_FILE);
            Files.write(Files.createDirectory(directory.resolve("starting")).resolve(CncFileDescriptor.CNC_FILE),
                new byte[(int)Files.size(cnc)]);
            Files.write(Files.createDirectory(directory.resolve("foreign")).resolve(CncFileDescriptor.CNC_FILE),
                new byte[1]);
            assertThat(Drivers.find(directory)).containsExactly(driver.aeronDirectoryName());
        }
        assertThat(directory.resolve("driver").resolve(CncFileDescriptor.CNC_FILE)).exists();
        assertThat(Drivers.find(directory)).isEmpty();
    }

    @Test
    void shouldTellWhenTheDriverEnds() throws Exception
    {
        final EfaMediaDriver driver = launch("driver");
        try (DriverWatch watch = DriverWatch.open(Path.of(driver.aeronDirectoryName())))
        {
            assertThat(watch.next(INTERVAL_MS)).isNotNull();
            driver.close();
            assertThat(watch.next(TimeUnit.HOURS.toMillis(1))).isNull();
            assertThat(watch.hasSaidSo()).isTrue();
            assertThat(watch.ending()).contains(driver.aeronDirectoryName(), "has ended");
        }
        assertRefused(Path.of(driver.aeronDirectoryName()), "has ended; start one");
    }

    @Test
    void shouldTellADriverThatWasKilledFromOneThatEnded() throws IOException
    {
        final Path copy = damaged((file) -> new ManyToOneRingBuffer(CncFileDescriptor.createToDriverBuffer(
            file, CncFileDescriptor.createMetaDataBuffer(file))).consumerHeartbeatTime(1));
        assertRefused(copy, "it was killed, or stands still");
    }

    @Test
    void shouldRefuseWhatIsNoDriver() throws IOException
    {
        assertRefused(directory.resolve("absent"), "the directory does not exist; name the directory of one that runs");
        assertRefused(directory, "there is no cnc.dat in it");

        final Path empty = Files.createDirectory(directory.resolve("empty"));
        Files.createFile(empty.resolve("cnc.dat"));
        assertRefused(empty, "it has 0 bytes");

        assertRefused(damaged((file) -> file.putInt(
            CncFileDescriptor.cncVersionOffset(0), Integer.reverseBytes(SemanticVersion.compose(0, 1, 0)))),
            "has version 0.1.0, this tool reads 0.2.0");
        assertRefused(damaged((file) -> file.putInt(
            CncFileDescriptor.countersValuesBufferLengthOffset(0), -1)), "shorter than its header says");
    }

    @Test
    void shouldSurviveRandomBytes() throws IOException
    {
        final Random random = new Random(20260101);
        final Path copy = damaged((file) -> {});
        final MappedByteBuffer file = IoUtil.mapExistingFile(copy.resolve("cnc.dat").toFile(), "copy");
        int refused = 0;
        for (int round = 0; round < ROUNDS; round++)
        {
            final byte[] noise = new byte[1 + random.nextInt(100)];
            random.nextBytes(noise);
            // The version stays: what is behind it is the point. Half of the noise goes where the lengths are.
            final int limit = 0 == (round & 1) ? CncFileDescriptor.META_DATA_LENGTH : file.capacity();
            final int at = Integer.BYTES + random.nextInt(limit - Integer.BYTES - noise.length);
            final byte[] good = new byte[noise.length];
            file.get(at, good);
            file.put(at, noise);
            try (DriverWatch watch = DriverWatch.open(copy))
            {
                assertThat(watch.hasEnded()).isFalse();
            }
            catch (final CommandFailure ex)
            {
                assertThat(ex).hasMessageContaining(copy.toString());
                refused++;
            }
            file.put(at, good);
        }
        IoUtil.unmap(file);
        assertThat(refused).isPositive();
    }

    private Path damaged(final Consumer<MappedByteBuffer> damage) throws IOException
    {
        final Path copy = Files.createTempDirectory(directory, "copy");
        final Path file = copy.resolve("cnc.dat");
        try (EfaMediaDriver driver = launch("driver-" + copy.getFileName()))
        {
            Files.copy(Path.of(driver.aeronDirectoryName()).resolve("cnc.dat"), file);
        }
        final MappedByteBuffer mapping = IoUtil.mapExistingFile(file.toFile(), "copy");
        damage.accept(mapping);
        IoUtil.unmap(mapping);
        return copy;
    }

    private static void assertRefused(final Path directory, final String message)
    {
        assertThatThrownBy(() -> DriverWatch.open(directory))
            .isInstanceOf(CommandFailure.class)
            .hasMessageContaining(directory.toString())
            .hasMessageContaining(message);
    }

    private interface Condition
    {
        boolean holds() throws Exception;
    }

    private static void await(final Condition condition) throws Exception
    {
        final long deadlineNs = System.nanoTime() + DEADLINE_NS;
        while (!condition.holds())
        {
            assertThat(System.nanoTime() - deadlineNs).as("deadline").isNegative();
            Thread.yield();
        }
    }
}
