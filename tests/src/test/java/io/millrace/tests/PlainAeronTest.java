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
package io.millrace.tests;

import io.aeron.Aeron;
import io.millrace.efa.EfaCounters;
import io.millrace.efa.EfaReceiveChannelEndpointSupplier;
import io.millrace.efa.EfaSendChannelEndpointSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A program written against plain Aeron, compiled with nothing but Aeron's client and Agrona on the class path, run
 * over two drivers of ours, and over one of ours and a stock one.
 */
class PlainAeronTest
{
    private static final int MESSAGES = 2_000;

    @TempDir
    private Path output;
    private Path shared;
    private final List<Tool> drivers = new ArrayList<>();

    @BeforeEach
    void createDirectory() throws IOException
    {
        shared = Files.createTempDirectory(Path.of("/dev/shm"), "millrace-test-");
    }

    @AfterEach
    void endDrivers() throws IOException
    {
        for (final Tool driver : drivers)
        {
            driver.close();
        }
        Files.delete(shared);
    }

    @ParameterizedTest
    @ValueSource(strings = { "shm", "tcp" })
    void travelsOverLibfabricBetweenTwoDriversOfOurs(final String protocol) throws Exception
    {
        final Tool one = startOurs("one", protocol);
        final Tool two = startOurs("two", protocol);
        exchange("one", "two");

        assertThat(counter("one", EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID)).isPositive();
        assertThat(counter("one", EfaCounters.FALLBACKS_TYPE_ID)).isZero();
        end(one);
        end(two);
        assertThat(shared).isEmptyDirectory();
    }

    @Test
    void travelsOverUdpToAStockDriverAndBack() throws Exception
    {
        final Tool ours = startOurs("ours", "auto");
        final Tool stock = startStock("stock");
        exchange("ours", "stock");
        exchange("stock", "ours");

        assertThat(counter("ours", EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID)).isPositive();
        end(ours);
        stock.process().destroy();
        stock.awaitStatus();
        assertThat(shared).isEmptyDirectory();
    }

    @Test
    void travelsOverLibfabricThroughAStockDriverGivenOurSuppliers() throws Exception
    {
        final Tool ours = startOurs("ours", "shm");
        final Tool stock = startStockOnRails("stock");
        exchange("stock", "ours");
        exchange("ours", "stock");

        assertThat(counter("ours", EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID)).isPositive();
        assertThat(counter("stock", EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID)).isPositive();
        assertThat(counter("stock", EfaCounters.FALLBACKS_TYPE_ID)).isZero();
        end(ours);
        stock.process().destroy();
        stock.awaitStatus();
        assertThat(Tool.providerFiles(stock.process().pid())).isEmpty();
        assertThat(shared).isEmptyDirectory();
    }

    @Test
    void driverTakesPropertiesFromFilesToo() throws Exception
    {
        final Path file = Files.writeString(output.resolve("driver.properties"),
            "aeron.dir=" + shared.resolve("file") + "\nmillrace.efa.protocol=udp\naeron.dir.delete.on.shutdown=true\n");
        final Tool driver = Tool.start(output, Map.of(), "driver", file.toString());
        drivers.add(driver);
        assertThat(driver.awaitLine())
            .startsWith("ready: aeron.dir=" + shared.resolve("file") + " protocol=udp provider=udp rails=0 why=");
        driver.signal("INT");
        assertThat(driver.awaitStatus()).as(driver::toString).isZero();
        assertThat(shared).isEmptyDirectory();
    }

    private void exchange(final String from, final String to) throws IOException
    {
        final String channel = "aeron:udp?endpoint=127.0.0.1:" + Tool.freePort();
        try (Tool subscriber = startPlain("subscribe", to, channel);
            Tool publisher = startPlain("publish", from, channel))
        {
            assertThat(subscriber.awaitStatus()).as(() -> subscriber + "" + publisher).isZero();
            assertThat(subscriber.out()).isEqualTo("received " + MESSAGES + "\n");
            assertThat(publisher.awaitStatus()).as(publisher::toString).isZero();
        }
    }

    private Tool startOurs(final String name, final String protocol) throws IOException
    {
        final Tool driver = Tool.start(output, Map.of(), "driver",
            "-Daeron.dir=" + shared.resolve(name),
            "-Dmillrace.efa.protocol=" + protocol,
            "-Daeron.dir.delete.on.shutdown=true",
            "-Daeron.publication.connection.timeout=1s",
            "-Daeron.threading.mode=SHARED",
            "-Daeron.sharedidle.strategy=org.agrona.concurrent.BackoffIdleStrategy");
        drivers.add(driver);
        assertThat(driver.awaitLine()).startsWith("ready: aeron.dir=" + shared.resolve(name) + " protocol=");
        return driver;
    }

    private Tool startStock(final String name) throws IOException
    {
        return startStock(name, "aeron-driver|aeron-client|agrona", List.of());
    }

    private Tool startStockOnRails(final String name) throws IOException
    {
        final String jars = "aeron-driver|aeron-client|agrona|jna|millrace-media-driver-efa|millrace-codecs";
        return startStock(name, jars, List.of(
            "-Daeron.SendChannelEndpoint.supplier=" + EfaSendChannelEndpointSupplier.class.getName(),
            "-Daeron.ReceiveChannelEndpoint.supplier=" + EfaReceiveChannelEndpointSupplier.class.getName(),
            "-Dmillrace.efa.protocol=shm",
            "--enable-native-access=ALL-UNNAMED"));
    }

    private Tool startStock(final String name, final String jars, final List<String> moreOptions) throws IOException
    {
        final List<String> options = new ArrayList<>(List.of(
            "-Daeron.dir=" + shared.resolve(name),
            "-Daeron.dir.delete.on.shutdown=true",
            "-Daeron.publication.connection.timeout=1s",
            "-Daeron.threading.mode=SHARED",
            "-Daeron.sharedidle.strategy=org.agrona.concurrent.BackoffIdleStrategy"));
        options.addAll(moreOptions);
        final Tool driver = startJava(options, jars, List.of("io.aeron.driver.MediaDriver"));
        drivers.add(driver);
        driver.awaitTrue("driver", () -> Files.exists(shared.resolve(name).resolve("cnc.dat")));
        return driver;
    }

    private Tool startPlain(final String role, final String driver, final String channel) throws IOException
    {
        final Path source = Tool.ROOT.resolve("tests/src/test/resources/PlainAeron.java");
        return startJava(List.of(), "aeron-client|agrona", List.of(
            source.toString(), role, shared.resolve(driver).toString(), channel, Integer.toString(MESSAGES)));
    }

    private Tool startJava(final List<String> options, final String jars, final List<String> arguments)
        throws IOException
    {
        final String classPath = Arrays.stream(System.getProperty("java.class.path").split(":"))
            .filter((entry) -> Path.of(entry).getFileName().toString()
                .matches("(" + jars + ")-[0-9.]+(-SNAPSHOT)?\\.jar"))
            .collect(Collectors.joining(":"));
        final List<String> command = new ArrayList<>(List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--add-opens", "java.base/jdk.internal.misc=ALL-UNNAMED",
            "-Xmx256m",
            "-cp", classPath));
        command.addAll(options);
        command.addAll(arguments);
        return Tool.startProcess(output, Map.of(), command);
    }

    private static void end(final Tool driver) throws Exception
    {
        driver.signal("TERM");
        assertThat(driver.awaitStatus()).as(driver::toString).isZero();
        assertThat(driver.out().lines()).hasSize(1);
        assertThat(Tool.providerFiles(driver.process().pid())).isEmpty();
    }

    private long counter(final String driver, final int typeId)
    {
        try (Aeron aeron = Aeron.connect(
            new Aeron.Context().aeronDirectoryName(shared.resolve(driver).toString())))
        {
            return EfaCounters.sum(aeron.countersReader(), typeId);
        }
    }
}
