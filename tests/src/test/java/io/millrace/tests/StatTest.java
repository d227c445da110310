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

import com.fasterxml.jackson.databind.JsonNode;
import io.aeron.Aeron;
import io.aeron.Publication;
import io.aeron.Subscription;
import io.millrace.efa.EfaCounters;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * {@code ./millrace stat} on drivers of other processes.
 */
class StatTest
{
    private static final int STREAM_ID = 1001;

    @TempDir
    private Path directory;

    private final List<Tool> drivers = new ArrayList<>();

    @AfterEach
    void after()
    {
        drivers.forEach(Tool::close);
    }

    private Tool launch(final String name, final String protocol) throws IOException
    {
        final Tool driver = Tool.start(directory, Map.of(), "driver",
            "-Daeron.dir=" + directory.resolve(name),
            "-Dmillrace.efa.protocol=" + protocol,
            "-Daeron.threading.mode=SHARED",
            "-Daeron.term.buffer.length=64k",
            "-Daeron.dir.delete.on.shutdown=true");
        drivers.add(driver);
        assertThat(driver.awaitLine()).startsWith("ready: ");
        return driver;
    }

    private Aeron connect(final String name)
    {
        // A machine that stands still must not end the JVM of all tests, as a client does whose driver is silent.
        return Aeron.connect(new Aeron.Context()
            .aeronDirectoryName(directory.resolve(name).toString())
            .driverTimeoutMs(TimeUnit.MINUTES.toMillis(1)));
    }

    private Tool stat(final String... arguments) throws IOException
    {
        final List<String> all = new ArrayList<>(List.of("stat"));
        all.addAll(List.of(arguments));
        return Tool.run(directory, all.toArray(String[]::new));
    }

    @Test
    void showsRailsPeersStreamsAndWhyAPeerIsOnUdp() throws Exception
    {
        final Tool one = launch("one", "shm");
        final Tool two = launch("two", "shm");
        launch("other", "tcp");
        final UnsafeBuffer message = new UnsafeBuffer(new byte[100]);
        try (Aeron publisher = connect("one"); Aeron subscriber = connect("two"); Aeron other = connect("other");
            Subscription subscription = subscriber.addSubscription("aeron:udp?endpoint=127.0.0.1:0", STREAM_ID);
            Subscription otherSubscription = other.addSubscription("aeron:udp?endpoint=127.0.0.1:0", STREAM_ID))
        {
            two.awaitTrue("port", () -> null != subscription.tryResolveChannelEndpointPort());
            two.awaitTrue("port", () -> null != otherSubscription.tryResolveChannelEndpointPort());
            final String channel = subscription.tryResolveChannelEndpointPort();
            final String otherChannel = otherSubscription.tryResolveChannelEndpointPort();
            try (Publication publication = publisher.addPublication(channel, STREAM_ID);
                Publication otherPublication = publisher.addPublication(otherChannel, STREAM_ID))
            {
                one.awaitTrue("connection", () -> publication.isConnected() && otherPublication.isConnected());
                one.awaitTrue("a message on rails, and a fallback", () ->
                {
                    publication.offer(message);
                    subscription.poll((buffer, offset, length, header) -> {}, 10);
                    return EfaCounters.sum(publisher.countersReader(), EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID) > 0 &&
                        EfaCounters.sum(publisher.countersReader(), EfaCounters.PEER_FALLBACKS_TYPE_ID) > 0;
                });

                final JsonNode sample = sample("one");
                assertThat(sample.at("/protocol/text").asText()).contains("protocol=shm", "asked for by name");
                assertThat(sample.get("rails").findValuesAsText("name")).containsExactly("snd-0 shm", "rcv-0 shm");
                assertThat(sample.get("rails").findValuesAsText("state")).containsOnly("open");
                assertThat(sample.at("/publications").findValues("sessionId").stream().map(JsonNode::intValue))
                    .containsExactlyInAnyOrder(publication.sessionId(), otherPublication.sessionId());
                assertThat(sample.at("/fabric/fallbacksToUdp").asLong()).isPositive();
                assertThat(sample.at("/fabric/timeInOpeningRailsInNs").asLong()).isPositive();
                assertThat(sample.at("/fabric/timeInInsertingAddressesInNs").asLong()).isPositive();
                assertThat(sample.at("/fabric/fabricConductorMaxCycleTimeInNs").asLong()).isPositive();
                assertThat(sample.at("/system/nakMessagesSent").isNumber()).isTrue();

                assertThat(peer(sample, publication).at("/transport").asText()).isEqualTo("rails");
                final JsonNode peer = peer(sample, otherPublication);
                assertThat(peer.at("/transport").asText()).isEqualTo("udp");
                assertThat(peer.at("/reason").asText()).as(peer::toString).contains("shm").contains("stays on UDP");

                final Tool table = stat("--dir", directory.resolve("one").toString(), "--interval", "0.1");
                assertThat(table.process().exitValue()).as(table::toString).isZero();
                assertThat(table.out()).contains("RAIL  ", "snd-0 shm", "PEER  ", "rails", "udp", "PUBLICATION",
                    Integer.toString(publication.sessionId()), "ERRORS AND FALLBACKS");

                final JsonNode image = sample("two").at("/images/0");
                assertThat(image.get("sessionId").asInt()).isEqualTo(publication.sessionId());
                assertThat(image.get("channel").asText()).contains("127.0.0.1");
            }
        }
        watchUntilTheDriverEnds(two);
    }

    private void watchUntilTheDriverEnds(final Tool driver) throws Exception
    {
        final String name = directory.resolve("two").toString();
        try (Tool watch = Tool.start(directory, Map.of(), "stat", "--watch", "0.1", "--dir", name))
        {
            watch.awaitTrue("two tables", () -> tables(watch) >= 2);
            driver.signal("TERM");
            assertThat(watch.awaitStatus()).as(watch::toString).isZero();
            assertThat(watch.err()).contains("the driver of " + name + " (pid ").contains("has ended");
            assertThat(watch.out()).as("no terminal, no control sequences").doesNotContain("\033");
        }
        final Tool late = stat("--json", "--dir", name);
        assertThat(late.process().exitValue()).isEqualTo(1);
        assertThat(late.out()).isEmpty();
    }

    private static int tables(final Tool watch)
    {
        try
        {
            return watch.out().split("driver    pid ", -1).length - 1;
        }
        catch (final IOException ex)
        {
            throw new AssertionError(ex);
        }
    }

    private JsonNode sample(final String name)
    {
        try
        {
            final Tool tool = stat("--json", "--interval", "0.1", "--dir", directory.resolve(name).toString());
            assertThat(tool.process().exitValue()).as(tool::toString).isZero();
            return tool.json();
        }
        catch (final IOException ex)
        {
            throw new AssertionError(ex);
        }
    }

    private static JsonNode peer(final JsonNode sample, final Publication publication)
    {
        final String port = publication.channel().substring(publication.channel().lastIndexOf(':') + 1);
        for (final JsonNode peer : sample.get("peers"))
        {
            if (peer.get("name").asText().endsWith(":" + port))
            {
                return peer;
            }
        }
        throw new AssertionError("no peer with port " + port + ": " + sample.get("peers"));
    }

    @Test
    void warnsOfPropertiesThatNobodyKnows() throws Exception
    {
        final Tool driver = Tool.start(directory, Map.of("MILLRACE_EFA_NAK_DELY", "1ms"), "driver",
            "-Daeron.dir=" + directory.resolve("driver"), "-Dmillrace.efa.protocol=udp",
            "-Dmillrace.efa.rail.slot=32", "-Daeron.threading.mode=SHARED", "-Daeron.term.buffer.length=64k");
        drivers.add(driver);
        driver.awaitLine();
        assertThat(driver.err().lines().filter((line) -> line.contains("millrace")))
            .as("protocol and two warnings, a line each").hasSize(3);
        assertThat(driver.err())
            .contains("property millrace.efa.rail.slot is not known and has no effect: did you mean " +
            "millrace.efa.rail.slots?")
            .contains("did you mean MILLRACE_EFA_NAK_DELAY?");
        final JsonNode sample = sample("driver");
        assertThat(sample.at("/fabric/warningsAtStart").asLong()).isEqualTo(2);
        assertThat(sample.at("/protocol/text").asText()).as("before any channel").contains("protocol=udp");
    }

    @Test
    void takesValuesFromTheEnvironmentAndRefusesThem() throws Exception
    {
        final Tool driver = Tool.start(directory, Map.of("MILLRACE_EFA_RAIL_SLOTS", "1"), "driver",
            "-Daeron.dir=" + directory.resolve("driver"));
        assertThat(driver.awaitStatus()).isEqualTo(2);
        assertThat(driver.err()).contains("millrace.efa.rail.slots=1: a whole number from 16 to 16384 is needed");
    }
}
