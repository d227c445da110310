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
import com.fasterxml.jackson.databind.ObjectMapper;
import io.aeron.Aeron;
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvException;
import io.millrace.bridge.KvReceiver;
import io.millrace.bridge.device.HostDevice;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * {@code ./millrace sample embedded-service}.
 */
class EmbeddedServiceTest
{
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private static final Duration LIMIT = Duration.ofSeconds(60);

    @TempDir
    private Path directory;

    private final HttpClient client = HttpClient.newHttpClient();
    private String address;

    @Test
    void servesMetricsAndHealthAndDrainsOnSigterm() throws Exception
    {
        final Path files = Files.createDirectory(directory.resolve("files"));
        try (Tool service = Tool.start(directory, Map.of("MILLRACE_PROTOCOL", "udp"), "sample", "embedded-service",
            "--port", "0", "--dir", files.toString(), "--compute", "3000"))
        {
            address = service.awaitLine().replace("ready: ", "");
            service.awaitTrue("health", () -> 200 == get("/health").statusCode());

            final HttpResponse<String> sent = post("/prefill?tokens=1000").join();
            assertThat(sent.statusCode()).as(sent.body()).isEqualTo(200);
            assertThat(json(sent).get("state").asText()).isEqualTo("COMPLETED");
            final long bytes = json(sent).get("bytes").asLong();
            assertThat(bytes).isPositive();
            service.awaitTrue("landed and recorded", () ->
            {
                final JsonNode health = json(get("/health"));
                return bytes == health.get("landedBytes").asLong() && health.get("recordedBytes").asLong() > bytes;
            });
            assertThat(post("/prefill?tokens=0").join().statusCode()).isEqualTo(400);
            assertThat(post("/prefill?tokens=999999").join().body()).contains("from 1 to 8192");
            assertThat(post("/prefill").join().statusCode()).isEqualTo(400);
            assertThat(get("/prefill?tokens=1").statusCode()).isEqualTo(405);

            final String metrics = get("/metrics").body();
            assertThat(metrics).contains("aeron_driver_up{", "millrace_kv_transfers_completed_total{kv=\"kv-sender",
                "aeron_archive_recorder_written_bytes_total{");

            final List<CompletableFuture<HttpResponse<String>>> running = inFlight(service);
            service.signal("TERM");
            assertThat(service.awaitStatus()).as(service::toString).isZero();
            assertThat(service.err()).contains("drained");
            assertThat(running).allSatisfy((request) -> assertThat(request.join().statusCode()).isEqualTo(200));
            try (var left = Files.list(files))
            {
                assertThat(left).as("files of the driver and the recording").isEmpty();
            }
        }
    }

    @Test
    void endsWhenRequestsDoNot() throws Exception
    {
        try (Tool service = Tool.start(directory, Map.of("MILLRACE_PROTOCOL", "udp"), "sample", "embedded-service",
            "--port", "0", "--dir", directory.toString(), "--compute", "600000", "--drain", "0"))
        {
            address = service.awaitLine().replace("ready: ", "");
            service.awaitTrue("health", () -> 200 == get("/health").statusCode());
            final List<CompletableFuture<HttpResponse<String>>> running = inFlight(service);
            service.signal("TERM");
            assertThat(service.awaitStatus()).as(service::toString).isEqualTo(1);
            assertThat(service.err()).contains("4 requests were not done within 0 s");
            assertThat(running).allSatisfy((request) -> assertThat(request.join().statusCode()).isEqualTo(503));
        }
    }

    @Test
    void answersWithTheReasonWhenItsWorkFails() throws Exception
    {
        final Path files = Files.createDirectory(directory.resolve("files"));
        try (Tool service = Tool.start(directory, Map.of("MILLRACE_PROTOCOL", "udp"), "sample", "embedded-service",
            "--port", "0", "--dir", files.toString()))
        {
            address = service.awaitLine().replace("ready: ", "");
            // Another receiver of its stream, without memory: what is sent has to land at both.
            try (Aeron aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(driverOf(files)));
                HostDevice device = new HostDevice();
                KvReceiver ignored = KvReceiver.launch(new KvReceiver.Context()
                    .aeron(aeron).channel("aeron:ipc").streamId(4001).reverseChannel("aeron:ipc").reverseStreamId(4002)
                    .device(device).allocator((info) ->
                    {
                        throw new KvException(KvError.NO_BLOCKS, "no memory at the second one");
                    })))
            {
                final List<HttpResponse<String>> answers = new ArrayList<>();
                service.awaitTrue("a transfer that the other one takes part in", () ->
                {
                    answers.add(post("/prefill?tokens=1000").join());
                    return 200 != answers.getLast().statusCode();
                });
                assertThat(answers.getLast().statusCode()).isEqualTo(500);
                assertThat(json(answers.getLast()).get("error").asText())
                    .contains("NO_BLOCKS", "no memory at the second one");
            }
            // It goes on when the reason is gone.
            service.awaitTrue("work", () -> 200 == post("/prefill?tokens=1000").join().statusCode());
        }
    }

    private static String driverOf(final Path files) throws IOException
    {
        try (var work = Files.list(files))
        {
            return work.findFirst().orElseThrow().resolve("driver").toString();
        }
    }

    /**
     * Four requests that are all being served. Where the machine stalls until they are done, four others.
     */
    private List<CompletableFuture<HttpResponse<String>>> inFlight(final Tool service)
    {
        final List<CompletableFuture<HttpResponse<String>>> requests = new ArrayList<>();
        service.awaitTrue("requests in flight", () ->
        {
            if (requests.stream().allMatch(CompletableFuture::isDone))
            {
                requests.clear();
                for (int i = 0; i < 4; i++)
                {
                    requests.add(post("/prefill?tokens=2000"));
                }
            }
            return 4 == json(get("/health")).get("inFlight").asInt();
        });
        return requests;
    }

    private HttpResponse<String> get(final String path)
    {
        return client.sendAsync(HttpRequest.newBuilder(URI.create(address + path)).timeout(LIMIT).build(),
            HttpResponse.BodyHandlers.ofString()).join();
    }

    private CompletableFuture<HttpResponse<String>> post(final String path)
    {
        return client.sendAsync(HttpRequest.newBuilder(URI.create(address + path)).timeout(LIMIT)
            .POST(HttpRequest.BodyPublishers.noBody()).build(), HttpResponse.BodyHandlers.ofString());
    }

    private static JsonNode json(final HttpResponse<String> response)
    {
        try
        {
            return MAPPER.readTree(response.body());
        }
        catch (final IOException ex)
        {
            throw new AssertionError(response.body(), ex);
        }
    }
}
