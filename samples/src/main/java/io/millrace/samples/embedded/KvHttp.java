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
package io.millrace.samples.embedded;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.millrace.bridge.KvException;
import io.millrace.bridge.KvTransfer;
import io.millrace.samples.metrics.DriverCollector;
import io.prometheus.metrics.exporter.httpserver.MetricsHandler;
import io.prometheus.metrics.model.registry.PrometheusRegistry;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * The service over HTTP: {@code POST /prefill?tokens=N}, {@code GET /health}, {@code GET /metrics}.
 */
public final class KvHttp implements AutoCloseable
{
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final int OK = 200;
    private static final int BAD_REQUEST = 400;
    private static final int BAD_METHOD = 405;
    private static final int FAILED = 500;
    private static final int UNAVAILABLE = 503;
    private static final int LAST_ANSWERS_SECONDS = 5;

    private final KvService service;
    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    /**
     * Listen.
     *
     * @param service        to serve.
     * @param aeronDirectory of the driver, whose counters are the metrics.
     * @param address        to listen on.
     * @throws IOException if the address is taken.
     */
    public KvHttp(final KvService service, final Path aeronDirectory, final InetSocketAddress address)
        throws IOException
    {
        this.service = service;
        server = HttpServer.create(address, 0);
        server.setExecutor(threads);
        final PrometheusRegistry registry = new PrometheusRegistry();
        registry.register(new DriverCollector(aeronDirectory));
        server.createContext("/metrics", new MetricsHandler(registry));
        server.createContext("/health", this::health);
        server.createContext("/prefill", this::prefill);
        server.start();
    }

    /**
     * Port that it listens on.
     *
     * @return the port.
     */
    public int port()
    {
        return server.getAddress().getPort();
    }

    private void health(final HttpExchange exchange) throws IOException
    {
        final String state = service.state();
        answer(exchange, "up".equals(state) ? OK : UNAVAILABLE, Map.of("state", state, "inFlight", service.inFlight(),
            "landedBytes", service.landedBytes(), "recordedBytes", service.recordedBytes()));
    }

    private void prefill(final HttpExchange exchange) throws IOException
    {
        final String query = exchange.getRequestURI().getQuery();
        if (!"POST".equals(exchange.getRequestMethod()))
        {
            answer(exchange, BAD_METHOD, Map.of("error", "POST /prefill?tokens=N"));
        }
        else if (null == query || !query.matches("tokens=\\d{1,9}"))
        {
            answer(exchange, BAD_REQUEST, Map.of("error", "tokens=N is missing, the length of the prompt"));
        }
        else
        {
            prefill(exchange, Integer.parseInt(query.substring("tokens=".length())));
        }
    }

    private void prefill(final HttpExchange exchange, final int tokens) throws IOException
    {
        try
        {
            final KvTransfer transfer = service.prefill(tokens);
            answer(exchange, OK, Map.of("state", transfer.state(), "bytes", transfer.totalBytes(),
                "micros", transfer.durationNs() / 1000));
        }
        catch (final IllegalArgumentException ex)
        {
            answer(exchange, BAD_REQUEST, Map.of("error", ex.getMessage()));
        }
        catch (final IllegalStateException ex)
        {
            answer(exchange, UNAVAILABLE, Map.of("error", ex.getMessage()));
        }
        catch (final KvException ex)
        {
            answer(exchange, FAILED, Map.of("error", ex.getMessage()));
        }
    }

    private static void answer(final HttpExchange exchange, final int status, final Object value) throws IOException
    {
        final byte[] bytes = MAPPER.writeValueAsBytes(value);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(status, bytes.length);
        try (exchange)
        {
            exchange.getResponseBody().write(bytes);
        }
    }

    /**
     * Stop listening, once the last answers are out, or after 5 seconds.
     */
    public void close()
    {
        server.stop(LAST_ANSWERS_SECONDS);
        threads.shutdownNow();
        try
        {
            threads.awaitTermination(LAST_ANSWERS_SECONDS, TimeUnit.SECONDS);
        }
        catch (final InterruptedException ex)
        {
            Thread.currentThread().interrupt();
        }
    }
}
