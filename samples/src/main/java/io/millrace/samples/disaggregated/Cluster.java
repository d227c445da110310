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
package io.millrace.samples.disaggregated;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.bridge.session.KvRole;
import io.millrace.samples.demo.ChildProcess;
import io.millrace.samples.demo.WorkDirectory;
import io.millrace.samples.failure.CommandFailure;

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
 * The processes: two machines in one, each with a driver, prefill instances and the archive on the first, decode
 * instances on the second. On real machines an orchestrator would start them.
 */
final class Cluster implements AutoCloseable
{
    /**
     * Prompts of the largest size that an instance which sends has memory for.
     */
    static final int SENDER_PROMPTS = 2;

    /**
     * Tokens a second of one answer.
     */
    static final double DECODE_RATE = 60;

    private static final long START_DEADLINE_NS = TimeUnit.SECONDS.toNanos(60);
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final List<String> JVM_OPTIONS = List.of("-Xmx128m", "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1", "-Dagrona.disable.bounds.checks=true");

    private final BlockingQueue<ChildProcess.Event> events = new LinkedBlockingQueue<>();
    private final List<ChildProcess> children = new ArrayList<>();
    private final List<ChildProcess> drivers = new ArrayList<>();
    private final List<String> aeronDirectories = new ArrayList<>();
    private final DisaggregatedOptions options;
    private final int largestPrompt;
    private final WorkDirectory directory;
    private final WorkDirectory archiveDirectory;
    private final Thread hook = new Thread(this::end, "end-processes");
    private String transport;
    private boolean isEnded;

    /**
     * @param directory        for the drivers' files; closed with this.
     * @param archiveDirectory for the recordings, or null without an archive; closed with this.
     */
    Cluster(
        final DisaggregatedOptions options,
        final int largestPrompt,
        final WorkDirectory directory,
        final WorkDirectory archiveDirectory)
    {
        this.options = options;
        this.largestPrompt = largestPrompt;
        this.directory = directory;
        this.archiveDirectory = archiveDirectory;
        Runtime.getRuntime().addShutdownHook(hook);
        directory.handOver();
        if (null != archiveDirectory)
        {
            archiveDirectory.handOver();
        }
    }

    /**
     * Start both drivers.
     */
    void startDrivers()
    {
        for (final String name : List.of("prefill-machine", "decode-machine"))
        {
            final String aeronDirectory = directory.path().resolve(name).resolve("driver").toString();
            drivers.add(start(name, DriverNode.class, aeronDirectory, 1, 0));
        }
        final String[] names = new String[drivers.size()];
        for (int i = 0; i < names.length; i++)
        {
            final ChildProcess.Event event = next(System.nanoTime() + START_DEADLINE_NS);
            if (null == event)
            {
                throw CommandFailure.failed("the media drivers did not start within 60 s");
            }
            names[drivers.indexOf(event.child())] = event.message().get("aeronDirectory").asText();
            transport = event.message().get("transport").asText();
        }
        aeronDirectories.addAll(List.of(names));
    }

    /**
     * Start an instance on its machine.
     */
    Instance start(final String name, final KvRole role)
    {
        final double speed = options.speed();
        final ChildProcess process = switch (role)
        {
            case DECODE -> start(
                name, DecodeNode.class, aeronDirectories.get(1), options.cacheBlocks(), DECODE_RATE * speed);
            case PREFILL -> start(name, PrefillNode.class, aeronDirectories.get(0), SENDER_PROMPTS * largestPrompt,
                options.tokensPerSecond() * speed);
            default -> start(name, ArchiveNode.class, aeronDirectories.get(0), SENDER_PROMPTS * largestPrompt, 0);
        };
        return new Instance(name, role, process);
    }

    private synchronized ChildProcess start(
        final String name,
        final Class<?> mainClass,
        final String aeronDirectory,
        final int cacheBlocks,
        final double tokensPerSecond)
    {
        if (isEnded)
        {
            throw CommandFailure.failed("interrupted");
        }
        final Path own = directory.path().resolve(name);
        try
        {
            Files.createDirectories(own);
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
        final ChildProcess child = ChildProcess.start(name, mainClass, JVM_OPTIONS, own, new NodeOrders(name,
            directory.path().toString(), own.toString(), aeronDirectory,
            null == archiveDirectory ? null : archiveDirectory.path().toString(), options.protocol(),
            options.model(), cacheBlocks, tokensPerSecond), events, options.verbose());
        children.add(child);
        return child;
    }

    static void tell(final ChildProcess child, final Command command)
    {
        try
        {
            child.send(MAPPER.writeValueAsString(command));
        }
        catch (final JsonProcessingException ex)
        {
            throw new IllegalStateException(ex);
        }
    }

    /**
     * Next thing that a process said.
     *
     * @return null when none came in time; without a message the end of a process that was told to end.
     * @throws CommandFailure when a process failed or ended by itself.
     */
    ChildProcess.Event next(final long deadlineNs)
    {
        final ChildProcess.Event event;
        try
        {
            event = events.poll(Math.max(0, deadlineNs - System.nanoTime()), TimeUnit.NANOSECONDS);
        }
        catch (final InterruptedException ex)
        {
            Thread.currentThread().interrupt();
            throw CommandFailure.failed("interrupted");
        }
        if (null != event && null == event.message() && !event.child().isToldToExit())
        {
            throw CommandFailure.failed(event.child().epitaph());
        }
        if (null != event && null != event.message() && "failed".equals(event.message().path("event").asText()))
        {
            throw CommandFailure.failed(event.child().name() + ": " + event.message().path("message").asText());
        }
        return event;
    }

    /**
     * Frames that both drivers sent.
     *
     * @return on rails and by UDP.
     */
    long[] frames()
    {
        final long[] frames = new long[2];
        drivers.forEach((driver) -> tell(driver, Command.count()));
        final long deadlineNs = System.nanoTime() + START_DEADLINE_NS;
        for (int left = drivers.size(); left > 0;)
        {
            final ChildProcess.Event event = next(deadlineNs);
            if (null == event)
            {
                throw CommandFailure.failed("the media drivers did not tell their counters within 60 s");
            }
            final JsonNode message = event.message();
            if (null != message && "counted".equals(message.path("event").asText()))
            {
                frames[0] += message.get("fabricFrames").asLong();
                frames[1] += message.get("udpFrames").asLong();
                left--;
            }
        }
        return frames;
    }

    String transport()
    {
        return transport;
    }

    /**
     * End what still runs, the drivers last, and remove all files.
     */
    @Override
    public void close()
    {
        end();
        try
        {
            Runtime.getRuntime().removeShutdownHook(hook);
        }
        catch (final IllegalStateException ignore)
        {
            // The JVM is ending: the hook runs, or has run.
        }
    }

    private synchronized void end()
    {
        if (isEnded)
        {
            return;
        }
        isEnded = true;
        end(children.stream().filter((child) -> !drivers.contains(child)).toList());
        end(drivers);
        archiveClose();
        directory.close();
    }

    private void archiveClose()
    {
        if (null != archiveDirectory)
        {
            archiveDirectory.close();
        }
    }

    private static void end(final List<ChildProcess> some)
    {
        some.forEach((child) -> child.send("exit"));
        some.forEach(ChildProcess::terminate);
        some.forEach(ChildProcess::kill);
    }
}
