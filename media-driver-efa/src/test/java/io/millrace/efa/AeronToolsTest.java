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
import io.aeron.Publication;
import io.aeron.Subscription;
import io.millrace.efa.contract.ContractMode;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static io.millrace.efa.TwoDrivers.await;
import static io.millrace.efa.TwoDrivers.counters;
import static io.millrace.efa.TwoDrivers.driverContext;
import static io.millrace.efa.TwoDrivers.efaContext;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/**
 * Aeron's own tools, each in a process without Millrace, on drivers with rails.
 */
@Timeout(150)
class AeronToolsTest
{
    /**
     * Where the build puts it.
     */
    private static final File AERON = new File("target/aeron-all.jar");
    private static final int STREAM_ID = 92;

    @TempDir
    private Path directory;
    private final List<Process> processes = new ArrayList<>();

    @Test
    void shouldShowRailsLossAndErrors() throws IOException, InterruptedException
    {
        assumeTrue(AERON.exists(), AERON + " comes with mvn generate-test-resources");
        final Path weather = directory.resolve("weather.properties");
        Files.writeString(weather, "error.rate=0.01\nerror.statuses=13\nerror.delivered.rate=0\n");
        final EfaContext lossy = efaContext("shm", 2)
            .contract(ContractMode.STRICT).contractWeatherFile(weather.toString()).contractSeed(7);
        final String channel = TwoDrivers.endpoint();
        try (TwoDrivers drivers = new TwoDrivers(
            EfaMediaDriver.launchEmbedded(driverContext(), lossy),
            EfaMediaDriver.launchEmbedded(driverContext(), efaContext("shm", 2)));
            Subscription subscription = drivers.subscriber.addSubscription(channel, STREAM_ID);
            Publication publication =
                drivers.publisher.addPublication(channel + "|fabric=required", STREAM_ID))
        {
            RailTraffic.awaitLink(drivers, publication, subscription);
            final UnsafeBuffer message = new UnsafeBuffer(new byte[100]);
            await("loss", () ->
            {
                publication.offer(message);
                subscription.poll((buffer, offset, length, header) -> {}, 10);
                return ReportsTest.lossOf(drivers.subscriber, new ArrayList<>());
            }, () -> counters(drivers.publisher) + counters(drivers.subscriber));

            final Tool stat = start("AeronStat", drivers.publisher, "watch=false");
            final Tool backlog = start("BacklogStat", drivers.publisher);
            final Tool errors = start("ErrorStat", drivers.publisher);
            final Tool loss = start("LossStat", drivers.subscriber);
            assertThat(output(stat))
                .containsPattern("[1-9][0-9,]* - efa-rail snd-0 shm: data frames sent")
                .containsPattern("efa-peer snd " + channel.replaceAll(".*=", "") + ": handshakes completed")
                .contains("snd-pos: ", "efa-rail rcv-1 shm: ");
            assertThat(output(backlog)).contains(Integer.toString(publication.sessionId()), channel);
            assertThat(output(errors)).contains("millrace: ").contains("distinct errors observed");
            assertThat(output(loss)).contains(publication.sessionId() + "," + STREAM_ID);
        }
        finally
        {
            processes.forEach(Process::destroyForcibly);
        }
    }

    private record Tool(Process process, Path out)
    {
    }

    private Tool start(final String name, final Aeron aeron, final String... arguments) throws IOException
    {
        final List<String> command = new ArrayList<>(List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--add-opens", "java.base/jdk.internal.misc=ALL-UNNAMED",
            "-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            "-Daeron.dir=" + aeron.context().aeronDirectoryName(),
            "-cp", AERON.getPath(), "io.aeron.samples." + name));
        command.addAll(List.of(arguments));
        final Path out = directory.resolve(name);
        final Process process =
            new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(out.toFile()).start();
        processes.add(process);
        return new Tool(process, out);
    }

    private static String output(final Tool tool) throws IOException, InterruptedException
    {
        final boolean hasEnded = tool.process.waitFor(TwoDrivers.DEADLINE_NS, TimeUnit.NANOSECONDS);
        final String text = Files.readString(tool.out);
        assertThat(hasEnded).as(text).isTrue();
        assertThat(tool.process.exitValue()).as(text).isZero();
        return text;
    }
}
