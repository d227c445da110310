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
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A child's line to its parent. When the parent dies the line closes, and the child ends: an orphan would hold memory
 * that nobody else knows of.
 */
public final class ParentLink
{
    /**
     * Exit status of a child whose parent died.
     */
    public static final int ORPHANED = 4;

    private static final long HEARTBEAT_INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(200);
    // The parent has its own, shorter deadlines, and this child ends when the parent does.
    private static final long COMMAND_DEADLINE_MS = TimeUnit.HOURS.toMillis(1);
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final PrintStream out;
    private final BufferedReader in;
    private final String orders;
    private final BlockingQueue<String> commands = new LinkedBlockingQueue<>();
    private volatile boolean orphaned;
    private long lastHeartbeatNs = System.nanoTime();

    /**
     * Read the orders and listen for commands. From here on standard output belongs to events: anything else that is
     * printed goes to standard error.
     */
    public ParentLink()
    {
        out = System.out;
        System.setOut(System.err);
        in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        try
        {
            orders = in.readLine();
            if (null == orders)
            {
                throw new IllegalStateException("no orders on standard input: only another program starts this one");
            }
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
        Thread.ofPlatform().name("parent-link").daemon().start(this::readCommands);
    }

    /**
     * What this child is to do.
     *
     * @param type of the orders.
     * @param <T>  of the orders.
     * @return orders.
     */
    public <T> T orders(final Class<T> type)
    {
        return read(orders, type);
    }

    /**
     * Read what the parent wrote as JSON.
     *
     * @param text of one value.
     * @param type of it.
     * @param <T>  of it.
     * @return the value.
     */
    public static <T> T read(final String text, final Class<T> type)
    {
        try
        {
            return MAPPER.readValue(text, type);
        }
        catch (final JsonProcessingException ex)
        {
            throw new IllegalArgumentException(text, ex);
        }
    }

    /**
     * Begin an event.
     *
     * @param name of the event.
     * @return node for its fields, to be given to {@link #send(ObjectNode)}.
     */
    public static ObjectNode event(final String name)
    {
        return MAPPER.createObjectNode().put("event", name);
    }

    /**
     * Send an event.
     *
     * @param event to send.
     */
    public synchronized void send(final ObjectNode event)
    {
        out.println(event);
        out.flush();
    }

    /**
     * Tell the parent that work goes on, a few times a second however often this is called.
     *
     * @param bytes landed so far of the request at work, 0 if this child does not land any.
     */
    public synchronized void heartbeat(final long bytes)
    {
        final long nowNs = System.nanoTime();
        if (nowNs - lastHeartbeatNs > HEARTBEAT_INTERVAL_NS)
        {
            lastHeartbeatNs = nowNs;
            send(event("alive").put("bytes", bytes));
        }
    }

    /**
     * Wait for the next command.
     *
     * @param expected the only one that may come now.
     * @throws InterruptedException  if the wait was interrupted.
     * @throws IllegalStateException if none came in time, or another.
     */
    public void expectCommand(final String expected) throws InterruptedException
    {
        final String command = awaitCommand();
        if (!expected.equals(command))
        {
            throw new IllegalStateException("the parent said '" + command + "', expected '" + expected + "'");
        }
    }

    /**
     * Wait for the next command, whatever it is.
     *
     * @return the command, or null if none came in time.
     * @throws InterruptedException if the wait was interrupted.
     */
    public String awaitCommand() throws InterruptedException
    {
        return commands.poll(COMMAND_DEADLINE_MS, TimeUnit.MILLISECONDS);
    }

    /**
     * Whether a command waits. Cheap enough for a duty cycle.
     *
     * @return true if {@link #awaitCommand()} returns at once.
     */
    public boolean hasCommand()
    {
        return !commands.isEmpty();
    }

    /**
     * Whether the parent is gone.
     *
     * @return true once the line is closed.
     */
    public boolean isOrphaned()
    {
        return orphaned;
    }

    private void readCommands()
    {
        try
        {
            String line;
            while (null != (line = in.readLine()))
            {
                commands.add(line);
            }
        }
        catch (final IOException ignore)
        {
            // Same as the end of the stream.
        }
        orphaned = true;
        System.exit(ORPHANED);
    }
}
