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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
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

    @TempDir
    private Path directory;

    private final HttpClient client = HttpClient.newHttpClient();
    private String address;

    @Test
    void servesMetricsAndHealthAndDrainsOnSigterm() throws Exception
    {
        final Path files = Files.createDirectory(directory.resolve("files"));
        try (Tool service = Tool.start(directory, Map.of("MILLRACE_PROTOCOL", "udp"), "sample", "embedded-service",
            "--port", "0", "--dir", files.toString()))
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

            final List<CompletableFuture<HttpResponse<String>>> running = new ArrayList<>();
            for (int i = 0; i < 4; i++)
            {
                running.add(post("/prefill?tokens=2000"));
            }
            service.awaitTrue("requests in flight", () -> json(get("/health")).get("inFlight").asInt() > 0 ||
                running.stream().allMatch(CompletableFuture::isDone));
            service.signal("TERM");
            assertThat(service.awaitStatus()).as(service::toString).isZero();
            assertThat(service.err()).contains("drained");
            assertThat(running).allSatisfy((request) -> assertThat(request).satisfiesAnyOf(
                (answered) -> assertThat(answered.join().statusCode()).isIn(200, 503),
                (refused) -> assertThat(refused).isCompletedExceptionally()));
            try (var left = Files.list(files))
            {
                assertThat(left).as("files of the driver and the recording").isEmpty();
            }
        }
    }

    private HttpResponse<String> get(final String path)
    {
        return client.sendAsync(HttpRequest.newBuilder(URI.create(address + path)).build(),
            HttpResponse.BodyHandlers.ofString()).join();
    }

    private CompletableFuture<HttpResponse<String>> post(final String path)
    {
        return client.sendAsync(HttpRequest.newBuilder(URI.create(address + path))
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
