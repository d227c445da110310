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
package io.millrace.samples.demo;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.samples.failure.CommandFailure;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A child process as its parent sees it: orders and commands go to its standard input, events come from its standard
 * output, and the last lines of its standard error are kept for the case that it fails.
 */
public final class ChildProcess
{
    private static final int KEPT_ERROR_LINES = 30;
    private static final long EXIT_DEADLINE_MS = 10_000;
    private static final long KILL_DEADLINE_MS = 5_000;
    private static final long ENDING_DEADLINE_MS = 2_000;
    private static final String EXIT = "exit";
    private static final Set<ChildProcess> RUNNING = ConcurrentHashMap.newKeySet();
    private static final ObjectMapper MAPPER = new ObjectMapper();

    /**
     * Something that a child said, or its end.
     *
     * @param child   that it is about.
     * @param message what it said, or null if its output ended.
     */
    public record Event(ChildProcess child, JsonNode message)
    {
    }

    private static boolean isEnding;

    private final String name;
    private final Process process;
    private final BufferedWriter commands;
    private final ArrayDeque<String> errorLines = new ArrayDeque<>();
    private final boolean verbose;
    private boolean toldToExit;

    private ChildProcess(final String name, final Process process, final boolean verbose)
    {
        this.name = name;
        this.process = process;
        this.verbose = verbose;
        commands = process.outputWriter(StandardCharsets.UTF_8);
    }

    /**
     * Start a child on this JVM's class path.
     *
     * @param name      for messages.
     * @param mainClass to run.
     * @param options   of its JVM.
     * @param directory it works in.
     * @param orders    that it reads first, written as JSON.
     * @param events    that take what it says.
     * @param verbose   whether its standard error goes to this process's.
     * @return the child.
     * @throws CommandFailure once this process is ending.
     */
    public static ChildProcess start(
        final String name,
        final Class<?> mainClass,
        final List<String> options,
        final Path directory,
        final Object orders,
        final BlockingQueue<Event> events,
        final boolean verbose)
    {
        final List<String> command = new ArrayList<>(List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--add-opens", "java.base/jdk.internal.misc=ALL-UNNAMED",
            "--add-opens", "java.base/java.util.zip=ALL-UNNAMED",
            "--enable-native-access=ALL-UNNAMED",
            "-Djava.util.logging.SimpleFormatter.format=%4$s: %5$s%6$s%n",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-cp", classPath()));
        command.addAll(options);
        command.add(mainClass.getName());
        try
        {
            final ChildProcess child;
            synchronized (RUNNING)
            {
                if (isEnding)
                {
                    throw CommandFailure.failed("interrupted");
                }
                child = new ChildProcess(
                    name, new ProcessBuilder(command).directory(directory.toFile()).start(), verbose);
                RUNNING.add(child);
            }
            child.process.onExit().thenRun(() -> RUNNING.remove(child));
            daemon(name + "-events", () -> child.readEvents(events));
            daemon(name + "-errors", child::readErrors);
            child.send(MAPPER.writeValueAsString(orders));
            return child;
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }

    // Where it works, a relative path of this process leads elsewhere.
    private static String classPath()
    {
        return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter((entry) -> !entry.isEmpty()).map((entry) -> Path.of(entry).toAbsolutePath().toString())
            .collect(Collectors.joining(File.pathSeparator));
    }

    /**
     * End all children, since this process ends, and let none start any more. Bounded as {@link #kill()} is.
     */
    static void endAll()
    {
        final List<ChildProcess> running;
        synchronized (RUNNING)
        {
            isEnding = true;
            running = List.copyOf(RUNNING);
        }
        running.forEach(ChildProcess::terminate);
        running.forEach(ChildProcess::kill);
    }

    /**
     * Name for messages.
     *
     * @return name given at the start.
     */
    public String name()
    {
        return name;
    }

    /**
     * Process id.
     *
     * @return pid.
     */
    public long pid()
    {
        return process.pid();
    }

    /**
     * Send a command. A child that no longer reads is no error here: its end arrives as an event.
     *
     * @param line to send.
     */
    public void send(final String line)
    {
        toldToExit |= EXIT.equals(line);
        try
        {
            commands.write(line);
            commands.newLine();
            commands.flush();
        }
        catch (final IOException ignore)
        {
            // Reported by readEvents: the child's output ends as well.
        }
    }

    /**
     * Whether its end is expected.
     *
     * @return true once the command to exit was sent.
     */
    public boolean isToldToExit()
    {
        return toldToExit;
    }

    /**
     * Wait for an orderly end.
     *
     * @return true if the child ended with status 0 before the deadline.
     */
    public boolean awaitExit()
    {
        try
        {
            return process.waitFor(EXIT_DEADLINE_MS, TimeUnit.MILLISECONDS) && 0 == process.exitValue();
        }
        catch (final InterruptedException ex)
        {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /**
     * Whether the child ends by itself within a moment.
     *
     * @return true if it has ended.
     */
    public boolean isEnding()
    {
        try
        {
            return process.waitFor(ENDING_DEADLINE_MS, TimeUnit.MILLISECONDS);
        }
        catch (final InterruptedException ex)
        {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    /**
     * Ask the child to end, without waiting for it.
     */
    public void terminate()
    {
        process.destroy();
    }

    /**
     * End the child whatever it is doing, and remove what libfabric's shm provider leaves of a killed process.
     */
    public void kill()
    {
        try
        {
            process.destroy();
            if (!process.waitFor(KILL_DEADLINE_MS, TimeUnit.MILLISECONDS))
            {
                process.destroyForcibly().waitFor(KILL_DEADLINE_MS, TimeUnit.MILLISECONDS);
            }
        }
        catch (final InterruptedException ex)
        {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        if (!process.isAlive())
        {
            ProviderFiles.remove(pid());
        }
    }

    /**
     * How the child ended, with the last lines that it wrote to standard error.
     *
     * @return sentence and lines.
     */
    public String epitaph()
    {
        final StringBuilder text = new StringBuilder(name + " process (pid " + pid() + ") ");
        try
        {
            // Its output ends a moment before the process does.
            if (process.waitFor(EXIT_DEADLINE_MS, TimeUnit.MILLISECONDS))
            {
                final int status = process.exitValue();
                text.append("ended with status ").append(status);
                if (status > 128)
                {
                    text.append(" (signal ").append(status - 128).append(')');
                }
            }
            else
            {
                text.append("closed its output without ending");
            }
        }
        catch (final InterruptedException ex)
        {
            Thread.currentThread().interrupt();
        }
        if (!verbose)
        {
            synchronized (errorLines)
            {
                errorLines.forEach((line) -> text.append("\n  ").append(name).append(": ").append(line));
            }
        }
        return text.toString();
    }

    private void readEvents(final BlockingQueue<Event> events)
    {
        try (BufferedReader reader = process.inputReader(StandardCharsets.UTF_8))
        {
            String line;
            while (null != (line = reader.readLine()))
            {
                final JsonNode message = parse(line);
                if (null == message)
                {
                    keep(line);
                }
                else
                {
                    events.add(new Event(this, message));
                }
            }
        }
        catch (final IOException ignore)
        {
            // The process was killed: what follows is the same.
        }
        events.add(new Event(this, null));
    }

    private void readErrors()
    {
        try (BufferedReader reader = process.errorReader(StandardCharsets.UTF_8))
        {
            String line;
            while (null != (line = reader.readLine()))
            {
                keep(line);
            }
        }
        catch (final IOException ignore)
        {
            // The process was killed.
        }
    }

    private void keep(final String line)
    {
        if (verbose)
        {
            System.err.println(name + ": " + line);
        }
        synchronized (errorLines)
        {
            if (KEPT_ERROR_LINES == errorLines.size())
            {
                errorLines.removeFirst();
            }
            errorLines.addLast(line);
        }
    }

    private static JsonNode parse(final String line)
    {
        try
        {
            final JsonNode node = MAPPER.readTree(line);
            return null != node && node.isObject() ? node : null;
        }
        catch (final JsonProcessingException ex)
        {
            return null;
        }
    }

    private static void daemon(final String threadName, final Runnable task)
    {
        Thread.ofPlatform().name(threadName).daemon().start(task);
    }
}
