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
import io.millrace.samples.marketdata.MarketResult.LateJoined;
import io.millrace.samples.marketdata.MarketResult.OrderStream;
import io.millrace.samples.marketdata.StageOrders.Role;

import org.agrona.CloseHelper;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
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
 * The five processes, and one that joins late, on one transport, from their start to their results.
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
    private static final String LATE = "late";

    private final Map<String, ChildProcess> children = new LinkedHashMap<>();
    private final BlockingQueue<ChildProcess.Event> events = new LinkedBlockingQueue<>();
    private final MarketOptions options;
    private final String protocol;
    private final Path workDirectory;
    private final Path directory;
    private final Path archiveDirectory;
    private final List<String> endpoints = freeEndpoints(1 + StageOrders.STRATEGIES);

    Pipeline(final MarketOptions options, final String protocol, final Path workDirectory)
    {
        this.options = options;
        this.protocol = protocol;
        this.workDirectory = workDirectory;
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
        NAMES.forEach(this::start);
    }

    private static List<String> freeEndpoints(final int count)
    {
        final DatagramSocket[] sockets = new DatagramSocket[count];
        final List<String> endpoints = new ArrayList<>();
        try
        {
            // All are held while the ports are chosen, so that they differ.
            for (int i = 0; i < count; i++)
            {
                sockets[i] = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                endpoints.add("127.0.0.1:" + sockets[i].getLocalPort());
            }
            return endpoints;
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
        finally
        {
            CloseHelper.quietCloseAll(sockets);
        }
    }

    private void start(final String name)
    {
        children.put(name, ChildProcess.start(
            name, Stage.class, JVM_OPTIONS, directory, orders(name), events, options.verbose()));
    }

    private StageOrders orders(final String name)
    {
        final int strategy = name.startsWith("strategy-") ? name.charAt(name.length() - 1) - '0' : 0;
        return new StageOrders(Role.valueOf(name.split("-")[0].toUpperCase(Locale.ROOT)), strategy,
            workDirectory.toString(), directory.resolve(name).toString(), archiveDirectory.toString(), protocol,
            options.rate(), options.messages(), 1 == strategy ? options.slowMicros() : 0,
            options.lateJoin() > 0, endpoints.getFirst(), endpoints.subList(1, endpoints.size()));
    }

    MarketResult run(final Progress progress)
    {
        progress.show("starting " + NAMES.size() + " processes");
        final Map<String, JsonNode> opened = await("opened", NAMES.size(), STEP_DEADLINE_MS);
        connect("publisher", opened, "normaliser");
        connect("normaliser", opened);
        connect("strategy-0", opened, "gateway");
        connect("strategy-1", opened, "gateway");
        connect("gateway", opened);
        final Map<String, JsonNode> connected = await("connected", NAMES.size(), STEP_DEADLINE_MS);

        progress.show("publishing " + options.messages() + " messages");
        final long startNs = System.nanoTime();
        children.get("publisher").send("go");
        if (options.lateJoin() > 0)
        {
            joinLate(progress);
        }
        final long dueMs = 0 == options.rate() ? 0 : TimeUnit.SECONDS.toMillis(options.messages()) / options.rate();
        final long slowMs = TimeUnit.MICROSECONDS.toMillis(options.slowMicros() * options.messages());
        final Map<String, JsonNode> results = await("result", children.size(),
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
            lateJoins(results.get(LATE), strategies),
            FeedReplay.run(progress, directory, archiveDirectory, recordings, strategies, 1, 10, 0));
    }

    /**
     * Start a process in the middle of the run.
     */
    private void joinLate(final Progress progress)
    {
        final long delayMs = (long)(options.lateJoin() * TimeUnit.SECONDS.toMillis(1));
        final ChildProcess.Event early = next(System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(delayMs));
        if (null != early)
        {
            throw unexpected(early);
        }
        progress.show("strategies join late");
        start(LATE);
        await("live", 1, STEP_DEADLINE_MS + delayMs);
        children.get("publisher").send("joined");
    }

    private static List<LateJoined> lateJoins(final JsonNode late, final List<OrderStream> strategies)
    {
        final List<LateJoined> joined = new ArrayList<>();
        for (int i = 0; null != late && i < strategies.size(); i++)
        {
            final JsonNode feed = late.get("feeds").get(i);
            final long live = feed.get("live").asLong();
            final OrderStream orders = new OrderStream(feed.get("orders").asLong(), feed.get("sha256").asText());
            joined.add(new LateJoined("strategy-" + i, feed.get("messages").asLong() - live, live,
                feed.get("gaps").asLong(), strategies.get(i).equals(orders)));
        }
        return joined;
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
                throw CommandFailure.failed("no '" + expected + "' of " + children.keySet().stream()
                    .filter((name) -> !found.containsKey(name)).toList() + " within " + deadlineMs + " ms");
            }
            if (null == event.message() || !expected.equals(event.message().path("event").asText()))
            {
                throw unexpected(event);
            }
            found.put(event.child().name(), event.message());
        }
        return found;
    }

    private static CommandFailure unexpected(final ChildProcess.Event event)
    {
        return CommandFailure.failed(null == event.message() ? event.child().epitaph() : event.child().name() + ": " +
            event.message().path("message").asText(event.message().toString()));
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
