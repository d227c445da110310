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
package io.millrace.samples.marketdata;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.samples.demo.ChildProcess;
import io.millrace.samples.failure.CommandFailure;
import io.millrace.samples.marketdata.MarketResult.HopResult;
import io.millrace.samples.marketdata.MarketResult.OrderStream;
import io.millrace.samples.marketdata.StageOrders.Role;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * The five processes on one transport, from their start to their results.
 */
final class Pipeline implements AutoCloseable
{
    private static final long STEP_DEADLINE_MS = 60_000;
    private static final long SLOWEST_MESSAGES_PER_MS = 1;
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final List<String> JVM_OPTIONS = List.of("-Xmx128m", "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1", "-Dagrona.disable.bounds.checks=true");
    private static final List<String> NAMES = List.of(
        "publisher", "normaliser", "strategy-0", "strategy-1", "gateway");

    private final Map<String, ChildProcess> children = new LinkedHashMap<>();
    private final BlockingQueue<ChildProcess.Event> events = new LinkedBlockingQueue<>();
    private final MarketOptions options;
    private final Path directory;
    private final Path archiveDirectory;

    Pipeline(final MarketOptions options, final String protocol, final Path workDirectory)
    {
        this.options = options;
        directory = workDirectory.resolve(null == protocol ? "millrace" : protocol);
        archiveDirectory = directory.resolve("archive");
        try
        {
            Files.createDirectories(directory);
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
        for (final String name : NAMES)
        {
            children.put(name, ChildProcess.start(name, Stage.class, JVM_OPTIONS, directory,
                orders(name, protocol, workDirectory), events, options.verbose()));
        }
    }

    private StageOrders orders(final String name, final String protocol, final Path workDirectory)
    {
        final int strategy = name.startsWith("strategy-") ? name.charAt(name.length() - 1) - '0' : 0;
        return new StageOrders(Role.valueOf(name.split("-")[0].toUpperCase(Locale.ROOT)), strategy,
            workDirectory.toString(), directory.resolve(name).toString(), archiveDirectory.toString(), protocol,
            options.rate(), options.messages(), 1 == strategy ? options.slowMicros() : 0);
    }

    MarketResult run(final Progress progress)
    {
        progress.show("starting " + NAMES.size() + " processes");
        final Map<String, JsonNode> opened = await("opened", NAMES.size(), STEP_DEADLINE_MS);
        connect("publisher", opened, "normaliser");
        connect("normaliser", opened, "strategy-0", "strategy-1");
        connect("strategy-0", opened, "gateway");
        connect("strategy-1", opened, "gateway");
        connect("gateway", opened);
        final Map<String, JsonNode> connected = await("connected", NAMES.size(), STEP_DEADLINE_MS);

        progress.show("publishing " + options.messages() + " messages");
        final long startNs = System.nanoTime();
        children.get("publisher").send("go");
        final long dueMs = 0 == options.rate() ? 0 : TimeUnit.SECONDS.toMillis(options.messages()) / options.rate();
        final long slowMs = TimeUnit.MICROSECONDS.toMillis(options.slowMicros() * options.messages());
        final Map<String, JsonNode> results = await("result", NAMES.size(),
            STEP_DEADLINE_MS + dueMs + slowMs + options.messages() / SLOWEST_MESSAGES_PER_MS);
        final double seconds = (System.nanoTime() - startNs) / (double)TimeUnit.SECONDS.toNanos(1);
        children.values().forEach((child) -> child.send("exit"));
        children.values().forEach(ChildProcess::awaitExit);

        final List<OrderStream> strategies = new ArrayList<>();
        results.get("gateway").get("digests").forEach((digest) ->
            strategies.add(new OrderStream(digest.get("orders").asLong(), digest.get("sha256").asText())));
        final JsonNode normaliser = results.get("normaliser");
        final long[] recordings = new long[StageOrders.STRATEGIES];
        final List<Long> conflated = new ArrayList<>();
        for (int i = 0; i < recordings.length; i++)
        {
            recordings[i] = normaliser.get("recordings").get(i).asLong();
            conflated.add(normaliser.get("conflated").get(i).asLong());
        }
        return new MarketResult(
            connected.get("publisher").get("transport").asText(),
            options.messages(),
            seconds,
            NAMES.subList(1, NAMES.size()).stream().map((name) -> hop(name, results.get(name))).toList(),
            conflated,
            strategies,
            sum(results, "fabricFrames"),
            sum(results, "udpFrames"),
            FeedReplay.run(progress, directory, archiveDirectory, recordings, strategies, 1, 10, 0));
    }

    private static long sum(final Map<String, JsonNode> results, final String field)
    {
        return results.values().stream().mapToLong((result) -> result.get(field).asLong()).sum();
    }

    private static HopResult hop(final String name, final JsonNode result)
    {
        return new HopResult(name, result.get("messages").asLong(), result.get("gaps").asLong(),
            result.get("p50Micros").asDouble(), result.get("p99Micros").asDouble(),
            result.get("p999Micros").asDouble(), result.get("maxMicros").asDouble());
    }

    private void connect(final String name, final Map<String, JsonNode> opened, final String... targets)
    {
        children.get(name).send(MAPPER.valueToTree(
            Arrays.stream(targets).map((target) -> opened.get(target).get("channel").asText()).toList())
            .toString());
    }

    private Map<String, JsonNode> await(final String expected, final int count, final long deadlineMs)
    {
        final Map<String, JsonNode> found = new HashMap<>();
        final long endNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(deadlineMs);
        while (found.size() < count)
        {
            final ChildProcess.Event event = next(endNs);
            if (null == event)
            {
                throw CommandFailure.failed("no '" + expected + "' of " + NAMES.stream()
                    .filter((name) -> !found.containsKey(name)).toList() + " within " + deadlineMs + " ms");
            }
            if (null == event.message())
            {
                throw CommandFailure.failed(event.child().epitaph());
            }
            if (!expected.equals(event.message().path("event").asText()))
            {
                throw CommandFailure.failed(event.child().name() + ": " +
                    event.message().path("message").asText(event.message().toString()));
            }
            found.put(event.child().name(), event.message());
        }
        return found;
    }

    private ChildProcess.Event next(final long endNs)
    {
        try
        {
            return events.poll(endNs - System.nanoTime(), TimeUnit.NANOSECONDS);
        }
        catch (final InterruptedException ex)
        {
            Thread.currentThread().interrupt();
            throw CommandFailure.failed("interrupted");
        }
    }

    /**
     * End the processes that still run.
     */
    @Override
    public void close()
    {
        children.values().forEach(ChildProcess::kill);
    }
}
