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
package io.millrace.efa;

import io.aeron.Aeron;
import io.aeron.CommonContext;
import io.aeron.ExclusivePublication;
import io.aeron.driver.MediaDriver;
import io.millrace.efa.libfabric.LibFabric;
import org.agrona.IoUtil;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import static io.millrace.efa.TwoDrivers.await;
import static io.millrace.efa.TwoDrivers.counters;
import static io.millrace.efa.TwoDrivers.driverContext;
import static io.millrace.efa.TwoDrivers.efaContext;
import static io.millrace.efa.TwoDrivers.sum;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * A peer that is killed with messages in flight and restarted on the same port, again and again. Many times with
 * {@code -Dmillrace.test.kills=100}.
 */
@Timeout(3600)
class RestartedPeerTest
{
    private static final String KILLS_PROP_NAME = "millrace.test.kills";
    private static final int KILLS = Integer.getInteger(KILLS_PROP_NAME, 3);
    private static final int STREAM_ID = 9;
    private static final int MESSAGE_LENGTH = 30_000;

    /**
     * After so many restarts all that is made once is there.
     */
    private static final int WARM_UP = 2;
    private static final int FILES_TOLERANCE = 8;
    private static final long HEAP_TOLERANCE_BYTES = 16 << 20;

    @ParameterizedTest
    @ValueSource(strings = { "shm", "tcp" })
    void shouldResumeOnRailsAndLeaveNothing(final String protocol) throws Exception
    {
        final String channel = TwoDrivers.endpoint() + "|mtu=65504|term-length=4m";
        final UnsafeBuffer message = new UnsafeBuffer(new byte[MESSAGE_LENGTH]);
        final List<Long> resumedMs = new ArrayList<>();
        final List<Long> pids = new ArrayList<>();
        final MediaDriver.Context context = driverContext()
            .publicationLingerTimeoutNs(TimeUnit.MILLISECONDS.toNanos(10));
        try (EfaMediaDriver driver = EfaMediaDriver.launchEmbedded(context, efaContext(protocol, 1));
            Aeron aeron = Aeron.connect(new Aeron.Context()
                .aeronDirectoryName(driver.aeronDirectoryName()).errorHandler(Throwable::printStackTrace));
            ExclusivePublication publication = aeron.addExclusivePublication(channel, STREAM_ID))
        {
            final long registeredBytes = sum(aeron, EfaCounters.REGISTERED_BYTES_TYPE_ID);
            long files = 0;
            long heapBytes = 0;
            for (int kill = 0; kill < KILLS; kill++)
            {
                resumedMs.add(runPeer(protocol, channel, aeron, publication, message, pids));
                if (WARM_UP == kill)
                {
                    files = openFiles();
                    heapBytes = heapBytes();
                }
            }

            System.out.printf("%s: %d restarts, on rails after ms: %s, at most %d, fallbacks: %d, locks released: %d%n",
                protocol, KILLS, resumedMs, Collections.max(resumedMs),
                sum(aeron, EfaCounters.FALLBACKS_TYPE_ID), sum(aeron, EfaCounters.SHM_LOCKS_RELEASED_TYPE_ID));
            await("peers forgotten", () -> 0 == sum(aeron, EfaCounters.ADDRESS_ENTRIES_TYPE_ID),
                () -> counters(aeron));
            await("rails open", () -> registeredBytes == sum(aeron, EfaCounters.REGISTERED_BYTES_TYPE_ID),
                () -> counters(aeron));
            for (final long pid : pids)
            {
                await("nothing of peer " + pid + " is mapped", () -> !maps().contains("/dev/shm/" + pid + ":"));
            }
            pids.removeLast();
            assertThat(sharedMemoryFiles()).as("files of killed peers that a successor has swept").noneMatch(
                (file) -> pids.stream().anyMatch((pid) -> file.startsWith(pid + ":")));
            assertThat(openFiles()).isLessThanOrEqualTo(files + FILES_TOLERANCE);
            assertThat(heapBytes()).isLessThanOrEqualTo(heapBytes + HEAP_TOLERANCE_BYTES);
            assertThat(sum(aeron, EfaCounters.LINKS_TYPE_ID)).isZero();
            publication.close();
            LogLeaks.awaitNone(aeron);
        }
    }

    private static long runPeer(
        final String protocol,
        final String channel,
        final Aeron aeron,
        final ExclusivePublication publication,
        final UnsafeBuffer message,
        final List<Long> pids) throws Exception
    {
        final String directory = CommonContext.generateRandomDirName();
        final Process peer = start(protocol, channel, directory);
        pids.add(peer.pid());
        final AtomicInteger lines = new AtomicInteger();
        final long[] timeNs = new long[2];
        final Thread reader = Thread.ofPlatform().daemon().start(() -> read(peer, lines, timeNs));
        try
        {
            await("subscription of the peer", () -> lines.get() >= 1);
            await("on rails", () ->
            {
                publication.offer(message);
                return lines.get() >= 2;
            }, () -> counters(aeron));

            // the window is full when the peer ends, so that operations are in flight to it
            while (publication.offer(message) > 0)
            {
                Thread.onSpinWait();
            }
        }
        finally
        {
            peer.destroyForcibly().waitFor();
            reader.join();
            IoUtil.delete(new File(directory), true);
        }

        return TimeUnit.NANOSECONDS.toMillis(timeNs[1] - timeNs[0]);
    }

    private static void read(final Process peer, final AtomicInteger lines, final long[] timeNs)
    {
        try (BufferedReader reader = peer.inputReader())
        {
            String line = reader.readLine();
            while (null != line)
            {
                final boolean isSign = "SUBSCRIBED".equals(line) || "RECEIVED".equals(line);
                if (isSign && lines.get() < timeNs.length)
                {
                    timeNs[lines.get()] = System.nanoTime();
                    lines.incrementAndGet();
                }
                else if (!isSign)
                {
                    System.out.println("peer: " + line);
                }
                line = reader.readLine();
            }
        }
        catch (final IOException ignore)
        {
            // killed
        }
    }

    private static long openFiles()
    {
        return new File("/proc/self/fd").list().length;
    }

    private static String maps()
    {
        try
        {
            return Files.readString(Path.of("/proc/self/maps"), StandardCharsets.ISO_8859_1);
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }

    private static List<String> sharedMemoryFiles()
    {
        return List.of(new File("/dev/shm").list());
    }

    private static long heapBytes()
    {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    private static Process start(final String protocol, final String channel, final String directory)
        throws IOException
    {
        return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--add-opens", "java.base/jdk.internal.misc=ALL-UNNAMED",
            "--enable-native-access=ALL-UNNAMED",
            "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            "-Djava.util.logging.config.file=/dev/null",
            "-D" + LibFabric.PATH_PROP_NAME + "=" + LibFabric.load().path(),
            "-cp", System.getProperty("java.class.path"),
            RestartedPeerMain.class.getName(), protocol, channel, Integer.toString(STREAM_ID), directory)
            .redirectErrorStream(true)
            .start();
    }
}
