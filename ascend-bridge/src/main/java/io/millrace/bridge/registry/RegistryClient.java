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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;

import io.millrace.bridge.device.HostMemory;
import org.agrona.CloseHelper;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.AgentRunner;
import org.agrona.concurrent.SleepingMillisIdleStrategy;
import org.slf4j.LoggerFactory;

/**
 * Registers buffers with the {@link RegistryServer} of a directory, whether it runs or not: the table says what is
 * wanted, the server makes it so whenever it is there. A client that is started again under its name finds its
 * registrations of host memory and has them mapped anew. Threads may call concurrently.
 */
public final class RegistryClient implements AutoCloseable
{
    /**
     * Silence after which a server counts as gone.
     */
    public static final long SERVER_TIMEOUT_NS_DEFAULT = TimeUnit.SECONDS.toNanos(10);

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,64}");
    private static final long PARK_NS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final int BEAT_INTERVAL_MS = 50;

    private final String name;
    private final RegistryFile table;
    private final ServerWatch server;
    private final AgentRunner beat;
    private boolean isClosed;

    private RegistryClient(final Path directory, final String name, final long serverTimeoutNs)
    {
        this.name = name;
        try
        {
            Files.createDirectories(directory);
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException("registry directory " + directory + " cannot be made: " + ex, ex);
        }
        server = new ServerWatch(directory, serverTimeoutNs);
        try
        {
            table = own(directory.resolve(name + RegistryFile.CLIENT_SUFFIX));
        }
        catch (final RuntimeException ex)
        {
            server.close();
            throw ex;
        }
        replay();
        beat = new AgentRunner(new SleepingMillisIdleStrategy(BEAT_INTERVAL_MS),
            ex -> LoggerFactory.getLogger(RegistryClient.class).error("{}", name, ex), null, new Beat());
        AgentRunner.startOnThread(beat, run ->
        {
            final Thread thread = new Thread(run);
            thread.setDaemon(true);
            return thread;
        });
    }

    /**
     * Open a client.
     *
     * @param directory that the server uses, best one in {@code /dev/shm}.
     * @param name      of the client, 1 to 64 letters, digits, dots, dashes and underscores; one process at a time.
     * @return the client, with what it had registered before.
     * @throws IllegalStateException when a live process has that name.
     */
    public static RegistryClient open(final Path directory, final String name)
    {
        return open(directory, name, SERVER_TIMEOUT_NS_DEFAULT);
    }

    /**
     * Open a client.
     *
     * @param directory       that the server uses, best one in {@code /dev/shm}.
     * @param name            of the client, 1 to 64 letters, digits, dots, dashes and underscores; one process at a
     *                        time.
     * @param serverTimeoutNs nanoseconds of silence after which a server counts as gone, 1 and up.
     * @return the client, with what it had registered before.
     * @throws IllegalStateException when a live process has that name.
     */
    public static RegistryClient open(final Path directory, final String name, final long serverTimeoutNs)
    {
        if (null == name || !NAME.matcher(name).matches() || serverTimeoutNs < 1)
        {
            throw new IllegalArgumentException("name '" + name + "' must be 1 to 64 of A-Z a-z 0-9 . _ -, and " +
                "serverTimeoutNs=" + serverTimeoutNs + " over 0");
        }
        return new RegistryClient(directory, name, serverTimeoutNs);
    }

    private static RegistryFile own(final Path path)
    {
        for (int i = 0; i < RegistryFile.LOCK_ATTEMPTS; i++)
        {
            final RegistryFile file = RegistryFile.open(path, RegistryFile.MAX_ENTRIES);
            if (file.tryLock() && RegistryFile.DELETED != file.lifecycle())
            {
                file.incarnation(ThreadLocalRandom.current().nextLong(1, Long.MAX_VALUE));
                return file;
            }
            file.close();
            // A server holds the lock for the moment in which it deletes a file.
            LockSupport.parkNanos(RegistryFile.LOCK_PARK_NS);
        }
        throw new IllegalStateException("a live process uses " + path + ": give each client a name of its own");
    }

    private void replay()
    {
        for (int i = 0; i < RegistryFile.MAX_ENTRIES; i++)
        {
            if (RegistryFile.MAP == table.wanted(i))
            {
                if (RegistryFile.CLOSED == table.lifecycle() || BufferKind.HOST_FILE.ordinal() != table.kind(i))
                {
                    // Device memory ended with the process that had it.
                    table.wanted(i, RegistryFile.UNMAP);
                }
                else
                {
                    table.renew(i);
                }
            }
        }
        table.lifecycle(RegistryFile.KEPT);
        table.beat();
    }

    /**
     * Register host memory of a file. The same again is no second registration.
     *
     * @param file        whose bytes other processes may map; it is not truncated while it is registered.
     * @param offset      of the first byte, a multiple of 4096.
     * @param lengthBytes 1 and up.
     * @return the buffer.
     * @throws IllegalArgumentException when the range was registered with another length.
     * @throws IllegalStateException    when the table is full.
     */
    public RegisteredBuffer registerFile(final Path file, final long offset, final long lengthBytes)
    {
        if (offset < 0 || 0 != offset % HostMemory.BASE_PAGE)
        {
            throw new IllegalArgumentException(
                "offset=" + offset + " must be a multiple of " + HostMemory.BASE_PAGE);
        }
        return register(BufferKind.HOST_FILE, file.toAbsolutePath().toString(), offset, lengthBytes);
    }

    /**
     * Register device memory of this process. The same again is no second registration.
     *
     * @param key         that {@link io.millrace.bridge.device.acl.AclDevice#exportMemory} returned.
     * @param lengthBytes 1 and up.
     * @return the buffer.
     * @throws IllegalArgumentException when the key was registered with another length.
     * @throws IllegalStateException    when the table is full.
     */
    public RegisteredBuffer registerDevice(final String key, final long lengthBytes)
    {
        return register(BufferKind.DEVICE_KEY, key, 0, lengthBytes);
    }

    private synchronized RegisteredBuffer register(
        final BufferKind kind, final String source, final long offset, final long lengthBytes)
    {
        checkOpen();
        if (lengthBytes < 1 || source.length() > RegistryFile.MAX_SOURCE_LENGTH / 4)
        {
            throw new IllegalArgumentException("lengthBytes=" + lengthBytes + " must be over 0, and '" + source +
                "' at most " + RegistryFile.MAX_SOURCE_LENGTH / 4 + " characters");
        }
        int free = -1;
        for (int i = 0; i < RegistryFile.MAX_ENTRIES; i++)
        {
            final int wanted = table.wanted(i);
            if (RegistryFile.MAP == wanted && kind.ordinal() == table.kind(i) && offset == table.offset(i) &&
                source.equals(table.source(i)))
            {
                if (lengthBytes != table.length(i))
                {
                    throw new IllegalArgumentException("'" + source + "' at " + offset + " is registered with " +
                        table.length(i) + " bytes, now with " + lengthBytes + ": unregister it first");
                }
                if (RegistryFile.REFUSED == table.status(i))
                {
                    // What was wrong may have been put right.
                    table.renew(i);
                }
                return buffer(i);
            }
            if (free < 0 && (RegistryFile.FREE == wanted ||
                RegistryFile.UNMAP == wanted && (isUnmapped(i) || server.isDead())))
            {
                free = i;
            }
        }
        if (free < 0)
        {
            throw new IllegalStateException("client " + name + " has " + RegistryFile.MAX_ENTRIES +
                " registrations: unregister some");
        }
        table.request(free, kind, source, offset, lengthBytes);
        return buffer(free);
    }

    private boolean isUnmapped(final int entry)
    {
        return RegistryFile.UNMAPPED == table.status(entry) && table.statusGeneration(entry) == table.generation(entry);
    }

    private RegisteredBuffer buffer(final int entry)
    {
        return new RegisteredBuffer(entry, BufferKind.values()[table.kind(entry)], table.source(entry),
            table.offset(entry), table.length(entry));
    }

    /**
     * Unregister a buffer. Its memory is the caller's again when {@link #status} is UNREGISTERED.
     *
     * @param buffer that was registered.
     */
    public synchronized void unregister(final RegisteredBuffer buffer)
    {
        checkOpen();
        if (!isRegistered(buffer))
        {
            throw new IllegalArgumentException(buffer + " is not registered: unregister each once");
        }
        table.wanted(buffer.entry(), RegistryFile.UNMAP);
    }

    private boolean isRegistered(final RegisteredBuffer buffer)
    {
        return RegistryFile.MAP == table.wanted(buffer.entry()) && buffer.equals(buffer(buffer.entry()));
    }

    /**
     * Where a registration stands.
     *
     * @param buffer that was registered.
     * @return the status; of what was unregistered, UNMAPPING until it is certain that the server does not have it.
     */
    public synchronized MapStatus status(final RegisteredBuffer buffer)
    {
        checkOpen();
        final int entry = buffer.entry();
        if (!isRegistered(buffer))
        {
            // An entry is used again only when it was certain of the buffer before.
            final boolean isSame = RegistryFile.UNMAP == table.wanted(entry) && buffer.equals(buffer(entry));
            return !isSame || isUnmapped(entry) || server.isDead() ? MapStatus.UNREGISTERED : MapStatus.UNMAPPING;
        }
        if (!server.isAlive())
        {
            return MapStatus.UNSERVED;
        }
        final boolean isCurrent = table.statusIncarnation(entry) == server.incarnation() &&
            table.statusGeneration(entry) == table.generation(entry);
        return !isCurrent ? MapStatus.REQUESTED : switch (table.status(entry))
        {
            case RegistryFile.MAPPED -> MapStatus.MAPPED;
            case RegistryFile.REFUSED -> MapStatus.REFUSED;
            default -> MapStatus.REQUESTED;
        };
    }

    /**
     * Why a registration was refused.
     *
     * @param buffer that was registered.
     * @return sentence of the server, empty when it was not refused.
     */
    public synchronized String refusal(final RegisteredBuffer buffer)
    {
        return MapStatus.REFUSED == status(buffer) ? table.text(buffer.entry()) : "";
    }

    /**
     * Wait for the server's answer.
     *
     * @param buffer    that was registered.
     * @param timeoutNs nanoseconds to wait.
     * @return the status then: MAPPED, REFUSED, or what it was at the end of the wait.
     */
    public MapStatus await(final RegisteredBuffer buffer, final long timeoutNs)
    {
        final long startNs = System.nanoTime();
        MapStatus status = status(buffer);
        while (MapStatus.MAPPED != status && MapStatus.REFUSED != status &&
            System.nanoTime() - startNs < timeoutNs && !Thread.currentThread().isInterrupted())
        {
            LockSupport.parkNanos(PARK_NS);
            status = status(buffer);
        }
        return status;
    }

    /**
     * Buffers that are registered, those of earlier starts included.
     *
     * @return as they are now.
     */
    public synchronized List<RegisteredBuffer> buffers()
    {
        checkOpen();
        final List<RegisteredBuffer> buffers = new ArrayList<>();
        for (int i = 0; i < RegistryFile.MAX_ENTRIES; i++)
        {
            if (RegistryFile.MAP == table.wanted(i))
            {
                buffers.add(buffer(i));
            }
        }
        return buffers;
    }

    /**
     * Is there a server that shows signs of life.
     *
     * @return false from its timeout after the last, and before the first.
     */
    public synchronized boolean isServerAlive()
    {
        checkOpen();
        return server.isAlive();
    }

    private void checkOpen()
    {
        if (isClosed)
        {
            throw new IllegalStateException("registry client " + name + " is closed");
        }
    }

    /**
     * Unregister all.
     */
    public void close()
    {
        beat.close();
        synchronized (this)
        {
            if (!isClosed)
            {
                isClosed = true;
                table.lifecycle(RegistryFile.CLOSED);
                CloseHelper.closeAll(table, server);
            }
        }
    }

    private final class Beat implements Agent
    {
        public int doWork()
        {
            table.beat();
            isServerAlive();
            return 0;
        }

        public String roleName()
        {
            return "kv-registry-client-" + name;
        }
    }
}
