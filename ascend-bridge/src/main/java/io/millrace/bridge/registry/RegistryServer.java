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
package io.millrace.bridge.registry;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import io.millrace.bridge.CounterSet;
import io.millrace.bridge.device.KvDevice;
import org.agrona.CloseHelper;
import org.agrona.ErrorHandler;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.AgentRunner;
import org.agrona.concurrent.SleepingMillisIdleStrategy;

/**
 * Maps the buffers that clients register in a directory for copies of one device. It keeps nothing: what is wanted
 * stands in the clients' tables, so that a server that is started again maps it all anew.
 */
public final class RegistryServer implements AutoCloseable
{
    /**
     * Silence after which a client's buffers are unmapped.
     */
    public static final long CLIENT_TIMEOUT_NS_DEFAULT = TimeUnit.SECONDS.toNanos(10);

    /**
     * Time after which the table of a dead client is deleted.
     */
    public static final long DELETE_TIMEOUT_NS_DEFAULT = TimeUnit.HOURS.toNanos(1);

    private static final int SCAN_INTERVAL_MS = 10;
    private static final long CLOSE_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(10);

    private final Path directory;
    private final long clientTimeoutNs;
    private final long deleteTimeoutNs;
    private final BufferMapper mapper;
    private final CounterSet<RegistryCounter> counters;
    private final ErrorHandler errorHandler;
    private final RegistryFile file;
    private final long incarnation = ThreadLocalRandom.current().nextLong(1, Long.MAX_VALUE);
    private final Map<Path, ClientTable> clients = new HashMap<>();
    private final Map<Path, String> badFiles = new HashMap<>();
    private final AgentRunner runner;
    private volatile List<MappedBuffer> buffers = List.of();
    private volatile boolean isStopping;
    private boolean isClosed;

    private RegistryServer(
        final Path directory,
        final KvDevice device,
        final long clientTimeoutNs,
        final long deleteTimeoutNs,
        final CounterSet<RegistryCounter> counters,
        final ErrorHandler errorHandler)
    {
        this.directory = directory;
        this.clientTimeoutNs = clientTimeoutNs;
        this.deleteTimeoutNs = deleteTimeoutNs;
        this.counters = counters;
        this.errorHandler = errorHandler;
        mapper = new BufferMapper(device);
        try
        {
            Files.createDirectories(directory);
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException("registry directory " + directory + " cannot be made: " + ex, ex);
        }
        file = RegistryFile.open(directory.resolve(RegistryFile.SERVER_NAME), 0);
        if (!isLockTaken(file))
        {
            file.close();
            throw new IllegalStateException(
                "a live server uses " + directory + ": give each device a directory of its own");
        }
        file.incarnation(incarnation);
        runner = new AgentRunner(
            new SleepingMillisIdleStrategy(SCAN_INTERVAL_MS), errorHandler, null, new Scan());
        AgentRunner.startOnThread(runner);
    }

    private static boolean isLockTaken(final RegistryFile file)
    {
        for (int i = 0; i < RegistryFile.LOCK_ATTEMPTS; i++)
        {
            if (file.tryLock())
            {
                return true;
            }
            LockSupport.parkNanos(RegistryFile.LOCK_PARK_NS);
        }
        return false;
    }

    /**
     * Serve a directory.
     *
     * @param directory    that clients use, best one in {@code /dev/shm}, where only trusted processes may write.
     * @param device       whose copies use the buffers.
     * @param counters     to count in, not closed here.
     * @param errorHandler told of client files that are none.
     * @return the running server.
     * @throws IllegalStateException when a live server uses the directory.
     */
    public static RegistryServer launch(
        final Path directory,
        final KvDevice device,
        final CounterSet<RegistryCounter> counters,
        final ErrorHandler errorHandler)
    {
        return launch(
            directory, device, CLIENT_TIMEOUT_NS_DEFAULT, DELETE_TIMEOUT_NS_DEFAULT, counters, errorHandler);
    }

    /**
     * Serve a directory, with timeouts.
     *
     * @param directory       that clients use, best one in {@code /dev/shm}, where only trusted processes may write.
     * @param device          whose copies use the buffers.
     * @param clientTimeoutNs nanoseconds of silence after which a client's buffers are unmapped, 1 and up.
     * @param deleteTimeoutNs nanoseconds of silence after which the table of a dead client is deleted, 1 and up.
     * @param counters        to count in, not closed here.
     * @param errorHandler    told of client files that are none.
     * @return the running server.
     * @throws IllegalStateException when a live server uses the directory.
     */
    public static RegistryServer launch(
        final Path directory,
        final KvDevice device,
        final long clientTimeoutNs,
        final long deleteTimeoutNs,
        final CounterSet<RegistryCounter> counters,
        final ErrorHandler errorHandler)
    {
        if (clientTimeoutNs < 1 || deleteTimeoutNs < 1)
        {
            throw new IllegalArgumentException("clientTimeoutNs=" + clientTimeoutNs + " and deleteTimeoutNs=" +
                deleteTimeoutNs + " must be over 0");
        }
        return new RegistryServer(directory, device, clientTimeoutNs, deleteTimeoutNs, counters, errorHandler);
    }

    /**
     * Buffers that are mapped.
     *
     * @return as they are now.
     */
    public List<MappedBuffer> buffers()
    {
        return buffers;
    }

    /**
     * Find a range of a client's buffer.
     *
     * @param client      that registered it.
     * @param source      path of the file, or key of the device memory.
     * @param offset      in the file, or from the start of the device memory.
     * @param lengthBytes 1 and up.
     * @return address of the first byte in this process.
     * @throws IllegalArgumentException when the range is not within one buffer that is mapped.
     */
    public long resolve(final String client, final String source, final long offset, final long lengthBytes)
    {
        for (final MappedBuffer buffer : buffers)
        {
            if (buffer.client().equals(client) && buffer.source().equals(source) && offset >= buffer.offset() &&
                lengthBytes > 0 && lengthBytes <= buffer.lengthBytes() - (offset - buffer.offset()))
            {
                return buffer.address() + offset - buffer.offset();
            }
        }
        throw new IllegalArgumentException("bytes " + offset + " + " + lengthBytes + " of '" + source +
            "' are not within one buffer that client '" + client + "' has mapped: register it and await MAPPED");
    }

    /**
     * Unmap all; clients see the server gone at once. Takes 10 s and one drain timeout of the device at most.
     *
     * @throws IllegalStateException that names the buffers which copies still use. They stay mapped and the directory
     * locked, so that no client takes their memory back: let the copies end, then close again.
     */
    public synchronized void close()
    {
        isStopping = true;
        runner.close();
        if (isClosed)
        {
            return;
        }
        file.incarnation(0);
        final long deadlineNs = System.nanoTime() + CLOSE_TIMEOUT_NS;
        final List<String> stuck = new ArrayList<>();
        clients.values().forEach(client -> client.unmapAll(deadlineNs, stuck));
        if (!stuck.isEmpty())
        {
            throw new IllegalStateException(stuck.size() + " buffers of registry " + directory +
                " stay mapped: " + String.join(", ", stuck));
        }
        isClosed = true;
        CloseHelper.closeAll(clients.values());
        file.close();
    }

    private int scan()
    {
        file.beat();
        final long nowNs = System.nanoTime();
        try (DirectoryStream<Path> paths = Files.newDirectoryStream(directory, "*" + RegistryFile.CLIENT_SUFFIX))
        {
            for (final Path path : paths)
            {
                if (!clients.containsKey(path) && !Objects.equals(badFiles.get(path), version(path)))
                {
                    open(path, nowNs);
                }
            }
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException("registry directory " + directory + " cannot be read: " + ex, ex);
        }

        for (final Iterator<ClientTable> i = clients.values().iterator(); i.hasNext();)
        {
            final ClientTable client = i.next();
            client.serve(nowNs);
            if (client.isOver(nowNs))
            {
                client.close();
                i.remove();
            }
        }
        counters.set(RegistryCounter.CLIENTS, clients.values().stream().filter(ClientTable::isAlive).count());
        return 0;
    }

    private void open(final Path path, final long nowNs)
    {
        try
        {
            final RegistryFile table = RegistryFile.openMade(path, RegistryFile.MAX_ENTRIES);
            if (null != table)
            {
                clients.put(path, new ClientTable(table, incarnation, mapper, counters, this::snapshot,
                    clientTimeoutNs, deleteTimeoutNs, () -> isStopping, nowNs));
            }
        }
        catch (final IllegalStateException | UncheckedIOException ex)
        {
            badFiles.put(path, version(path));
            counters.increment(RegistryCounter.BAD_FILES);
            errorHandler.onError(ex);
        }
    }

    /**
     * Tells a file from one that was made anew under its path.
     *
     * @return empty when there is none.
     */
    private static String version(final Path path)
    {
        try
        {
            final BasicFileAttributes attributes = Files.readAttributes(path, BasicFileAttributes.class);
            return attributes.fileKey() + " " + attributes.lastModifiedTime().to(TimeUnit.NANOSECONDS);
        }
        catch (final IOException ex)
        {
            return "";
        }
    }

    /**
     * Publish what is mapped, and show life: each change may have taken a while.
     */
    private void snapshot()
    {
        file.beat();
        final List<MappedBuffer> mapped = new ArrayList<>();
        clients.values().forEach(client -> mapped.addAll(client.mapped()));
        buffers = List.copyOf(mapped);
        counters.set(RegistryCounter.BUFFERS, mapped.size());
        counters.set(RegistryCounter.BYTES, mapped.stream().mapToLong(MappedBuffer::lengthBytes).sum());
    }

    private final class Scan implements Agent
    {
        public int doWork()
        {
            return scan();
        }

        public String roleName()
        {
            return "kv-registry-server";
        }
    }
}
