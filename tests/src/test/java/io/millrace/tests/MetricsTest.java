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
import io.aeron.Counter;
import io.aeron.Publication;
import io.aeron.Subscription;
import io.aeron.archive.Archive;
import io.millrace.bridge.KvCounters;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * {@code ./millrace metrics} beside drivers of other processes.
 */
class MetricsTest
{
    private static final Pattern METRIC = Pattern.compile("\\b(?:aeron|millrace)_[a-z0-9_]+");
    private static final int STREAM_ID = 1001;
    private static final int APPLICATION_TYPE_ID = 5001;

    @TempDir
    private Path directory;

    @Test
    void exportsADriverThatComesAndGoes() throws Exception
    {
        final String dir = directory.resolve("driver").toString();
        try (Tool exporter = Tool.start(directory, Map.of(), "metrics", "--dir", dir, "--port", "0", "--host",
            "127.0.0.1"))
        {
            final String address = exporter.awaitLine().split(" ")[1];
            assertThat(scrape(address)).contains("aeron_driver_up{dir=\"" + dir + "\"} 0.0");

            try (Tool driver = Tool.start(directory, Map.of(), "driver", "-Daeron.dir=" + dir,
                "-Dmillrace.efa.protocol=shm", "-Daeron.threading.mode=SHARED", "-Daeron.term.buffer.length=64k",
                "-Daeron.ipc.term.buffer.length=64k", "-Daeron.dir.delete.on.shutdown=true"))
            {
                driver.awaitLine();
                try (Aeron aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(dir).clientName("people")
                    .driverTimeoutMs(TimeUnit.MINUTES.toMillis(1)));
                    // The driver allocates its own counters with its first channel of the network.
                    Subscription subscription = aeron.addSubscription("aeron:udp?endpoint=127.0.0.1:0", STREAM_ID);
                    Publication publication = aeron.addPublication(port(driver, subscription), STREAM_ID);
                    KvCounters one = KvCounters.allocate(aeron, "twin");
                    KvCounters two = KvCounters.allocate(aeron, "twin");
                    Archive archive = Archive.launch(Rails.archiveContext(directory.resolve("archive"))
                        .aeronDirectoryName(dir).controlChannel("aeron:udp?endpoint=127.0.0.1:" + Tool.freePort())
                        .replicationChannel("aeron:udp?endpoint=127.0.0.1:0"));
                    Counter application = aeron.addCounter(APPLICATION_TYPE_ID, "my \"own\" counter"))
                {
                    driver.awaitTrue("connection", publication::isConnected);
                    driver.awaitTrue("message", () -> publication.offer(new UnsafeBuffer(new byte[64])) > 0);
                    application.setRelease(7);
                    final String session = "session_id=\"" + publication.sessionId() + "\"";
                    exporter.awaitTrue("position", () -> scrape(address).lines().anyMatch((line) ->
                        line.startsWith("aeron_publisher_position_bytes_total{") && line.contains(session) &&
                        line.contains("stream_id=\"1001\"") && line.endsWith("} 96.0")));

                    // Aeron's client adds its name to its counter some time after it made it.
                    exporter.awaitTrue("name of the client", () -> scrape(address).lines().anyMatch((line) ->
                        line.startsWith("aeron_client_heartbeat") && line.contains("client=\"people\"")));

                    final String text = scrape(address);
                    assertThat(text).contains("aeron_driver_up{dir=\"" + dir + "\"} 1.0",
                        "# TYPE aeron_sent_bytes_total counter", "aeron_version_info{version=\"1.51.0\"} 1",
                        "millrace_rails{protocol=\"shm\",provider=\"shm\",reason=\"asked for by name\"} 1.0",
                        "millrace_rail_open{nic=\"shm\",rail=\"snd-0\"} 1.0",
                        "millrace_kv_chunks_total{kv=\"twin\"} 0.0", "aeron_counter{label=\"my \\\"own\\\" counter\"",
                        "type_id=\"5001\"} 7.0");
                    assertThat(text.lines().filter((line) -> line.startsWith("millrace_kv_chunks_total{")))
                        .as("one of two with the same labels has its id").hasSize(2)
                        .anyMatch((line) -> line.contains("counter_id="));

                    assertThat(archive.context().archiveDir()).isNotEmptyDirectory();
                    for (final String file : List.of("grafana/millrace.json", "prometheus/millrace-alerts.yml"))
                    {
                        // What a dashboard shows and an alert waits for is there to be scraped.
                        final Matcher names =
                            METRIC.matcher(Files.readString(Tool.ROOT.resolve("packaging/" + file)));
                        assertThat(names.results().map(MatchResult::group).collect(Collectors.toSet())).as(file)
                            .hasSizeGreaterThan(10)
                            .isSubsetOf(text.lines().map((line) -> line.split("[{ ]")[0]).collect(Collectors.toSet()));
                    }

                    final Tool once = Tool.run(directory, "metrics", "--dir", dir, "--once");
                    assertThat(once.process().exitValue()).as(once::toString).isZero();
                    assertThat(once.out()).contains("aeron_driver_up{", "millrace_rail_open{");
                }
                driver.signal("TERM");
                assertThat(driver.awaitStatus()).isZero();
            }
            exporter.awaitTrue("end of the driver", () -> scrape(address).contains("aeron_driver_up{dir=\"" + dir +
                "\"} 0.0"));
            exporter.signal("TERM");
            assertThat(exporter.awaitStatus()).as(exporter::toString).isZero();
        }
    }

    @Test
    void refusesWhatCannotBe() throws IOException
    {
        final Tool wrong = Tool.run(directory, "metrics", "--port", "70000");
        assertThat(wrong.process().exitValue()).isEqualTo(2);
        assertThat(wrong.err()).contains("--port is 70000", "0 to 65535");

        final Tool both = Tool.run(directory, "metrics", "--once", "--json");
        assertThat(both.process().exitValue()).isEqualTo(2);
        assertThat(both.err()).contains("--once", "stat");
    }

    private static String port(final Tool driver, final Subscription subscription)
    {
        driver.awaitTrue("port", () -> null != subscription.tryResolveChannelEndpointPort());
        return subscription.tryResolveChannelEndpointPort();
    }

    private static String scrape(final String address)
    {
        try
        {
            final HttpResponse<String> response = HttpClient.newHttpClient().send(
                HttpRequest.newBuilder(URI.create(address)).build(), HttpResponse.BodyHandlers.ofString());
            assertThat(response.statusCode()).isEqualTo(200);
            return response.body();
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
        catch (final InterruptedException ex)
        {
            Thread.currentThread().interrupt();
            throw new AssertionError(ex);
        }
    }
}
