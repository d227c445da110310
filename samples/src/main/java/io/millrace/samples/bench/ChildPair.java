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
package io.millrace.samples.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.samples.demo.ChildProcess;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * The two processes of one transport. They are started when they are needed, and anew after a failure.
 */
final class ChildPair implements AutoCloseable
{
    private static final long STEP_DEADLINE_MS = 30_000;
    private static final int TIMES_OF_A_ROUND = 3;
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final List<String> OPTIONS = List.of(
        "-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-Dagrona.disable.bounds.checks=true");
    private static final List<String> PASSED_ON = List.of("millrace.", "aeron.", "agrona.");

    private final String name;
    private final Path directory;
    private final BenchOptions options;
    private BlockingQueue<ChildProcess.Event> events;
    private ChildProcess server;
    private ChildProcess client;
    private boolean closed;

    /**
     * Prepare.
     *
     * @param name      of the transport.
     * @param directory of the run.
     * @param options   of the user.
     */
    ChildPair(final String name, final Path directory, final BenchOptions options)
    {
        this.name = name;
        this.directory = directory;
        this.options = options;
    }

    /**
     * Whether the processes have to be started first, so that nothing is compiled yet.
     *
     * @return true before the first measurement and after a failure.
     */
    boolean isCold()
    {
        return null == server;
    }

    /**
     * Where the driver of a side has its files.
     *
     * @param side client or server.
     * @return directory.
     */
    Path driverDirectory(final String side)
    {
        return home(side).resolve("driver");
    }

    private Path home(final String side)
    {
        return directory.resolve(name + "-" + side);
    }

    /**
     * Measure.
     *
     * @param serverOrder of one side.
     * @param clientOrder of the other.
     * @return result of the side that had one.
     * @throws RoundFailure if a side failed, ended or stood still.
     */
    JsonNode measure(final Order serverOrder, final Order clientOrder) throws RoundFailure
    {
        try
        {
            start();
            server.send(json(serverOrder));
            final JsonNode serverAddress = await("opened", 1, STEP_DEADLINE_MS);
            client.send(json(clientOrder));
            final JsonNode clientAddress = await("opened", 1, STEP_DEADLINE_MS);
            server.send(clientAddress.toString());
            client.send(serverAddress.toString());
            await("connected", 2, STEP_DEADLINE_MS);
            server.send("go");
            client.send("go");
            final ObjectNode result = (ObjectNode)await("result", 1,
                STEP_DEADLINE_MS + TIMES_OF_A_ROUND * (clientOrder.durationMs() + clientOrder.warmupMs()));
            // A side that goes on while the other closes finds its connection broken.
            client.send("stop");
            server.send("stop");
            await("stopped", 2, STEP_DEADLINE_MS);
            client.send("close");
            server.send("close");
            result.setAll((ObjectNode)await("closed", 1, STEP_DEADLINE_MS));
            result.setAll((ObjectNode)await("closed", 1, STEP_DEADLINE_MS));
            return result;
        }
        catch (final RoundFailure ex)
        {
            kill();
            throw ex;
        }
    }

    private synchronized void start() throws RoundFailure
    {
        if (closed)
        {
            throw new RoundFailure("interrupted");
        }
        if (null == server)
        {
            events = new LinkedBlockingQueue<>();
            server = startChild("server");
            client = startChild("client");
        }
    }

    private ChildProcess startChild(final String side)
    {
        final Path home = home(side);
        try
        {
            Files.createDirectories(home);
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
        return ChildProcess.start(name + "-" + side, BenchChild.class, javaOptions(), home,
            new BenchChild.Home(directory.toString(), home.toString()), events, options.verbose());
    }

    private List<String> javaOptions()
    {
        final List<String> all = new ArrayList<>(OPTIONS);
        // What the user set for this process is meant for those that do the work.
        System.getProperties().stringPropertyNames().stream()
            .filter((property) -> PASSED_ON.stream().anyMatch(property::startsWith))
            .forEach((property) -> all.add("-D" + property + "=" + System.getProperty(property)));
        all.addAll(options.javaOptions());
        return all;
    }

    private JsonNode await(final String expected, final int count, final long deadlineMs) throws RoundFailure
    {
        JsonNode message = null;
        for (int i = 0; i < count; i++)
        {
            final ChildProcess.Event event;
            try
            {
                event = events.poll(deadlineMs, TimeUnit.MILLISECONDS);
            }
            catch (final InterruptedException ex)
            {
                Thread.currentThread().interrupt();
                throw new RoundFailure("interrupted");
            }
            if (null == event)
            {
                throw new RoundFailure("no sign of '" + expected + "' within " + deadlineMs + " ms");
            }
            message = event.message();
            if (null == message)
            {
                throw new RoundFailure(event.child().epitaph());
            }
            if (!expected.equals(message.path("event").asText()))
            {
                throw new RoundFailure(
                    event.child().name() + ": " + message.path("message").asText(message.toString()));
            }
        }
        return message;
    }

    private static String json(final Object value)
    {
        try
        {
            return MAPPER.writeValueAsString(value);
        }
        catch (final JsonProcessingException ex)
        {
            throw new IllegalStateException(ex);
        }
    }

    private synchronized void kill()
    {
        if (null != server)
        {
            server.kill();
            client.kill();
            server = null;
            client = null;
        }
    }

    /**
     * End both processes, now or, if they are being started by another thread, as soon as they are.
     */
    public synchronized void close()
    {
        closed = true;
        if (null != server)
        {
            server.send("exit");
            client.send("exit");
        }
        kill();
    }
}
