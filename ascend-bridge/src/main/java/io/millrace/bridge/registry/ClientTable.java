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
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

import io.millrace.bridge.CounterSet;

/**
 * What a server has mapped of one client. Used by the server's agent only.
 */
final class ClientTable implements AutoCloseable
{
    private final RegistryFile file;
    private final String name;
    private final long incarnation;
    private final BufferMapper mapper;
    private final CounterSet<RegistryCounter> counters;
    private final Runnable onChange;
    private final long timeoutNs;
    private final long deleteTimeoutNs;
    private final BooleanSupplier isStopping;
    private final Map<Integer, MappedBuffer> mapped = new HashMap<>();
    private final long[] generations = new long[RegistryFile.MAX_ENTRIES];
    private long heartbeat;
    private long seenNs;
    private boolean isAlive;

    ClientTable(
        final RegistryFile file,
        final long incarnation,
        final BufferMapper mapper,
        final CounterSet<RegistryCounter> counters,
        final Runnable onChange,
        final long timeoutNs,
        final long deleteTimeoutNs,
        final BooleanSupplier isStopping,
        final long nowNs)
    {
        this.file = file;
        this.incarnation = incarnation;
        this.mapper = mapper;
        this.counters = counters;
        this.onChange = onChange;
        this.timeoutNs = timeoutNs;
        this.deleteTimeoutNs = deleteTimeoutNs;
        this.isStopping = isStopping;
        final String fileName = file.path().getFileName().toString();
        name = fileName.substring(0, fileName.length() - RegistryFile.CLIENT_SUFFIX.length());
        heartbeat = file.heartbeat();
        seenNs = nowNs;
        isAlive = file.isLocked();
    }

    Collection<MappedBuffer> mapped()
    {
        return mapped.values();
    }

    boolean isAlive()
    {
        return isAlive;
    }

    /**
     * Make the mappings what the table wants.
     */
    void serve(final long nowNs)
    {
        final long newHeartbeat = file.heartbeat();
        if (newHeartbeat != heartbeat)
        {
            heartbeat = newHeartbeat;
            seenNs = nowNs;
            isAlive = true;
        }
        if (RegistryFile.CLOSED == file.lifecycle())
        {
            isAlive = false;
        }
        else if (isAlive && nowNs - seenNs >= timeoutNs)
        {
            isAlive = false;
            counters.increment(RegistryCounter.REAPED);
        }
        if (!isAlive)
        {
            unmapAll();
            return;
        }

        for (int entry = 0; entry < RegistryFile.MAX_ENTRIES; entry++)
        {
            final int wanted = file.wanted(entry);
            if (RegistryFile.FREE != wanted || generations[entry] > 0)
            {
                serve(entry, RegistryFile.MAP == wanted);
            }
        }
    }

    private void serve(final int entry, final boolean isWanted)
    {
        final long generation = file.generation(entry);
        if (isWanted == generations[entry] > 0 && (!isWanted || generation == generations[entry]))
        {
            if (!isWanted &&
                (RegistryFile.UNMAPPED != file.status(entry) || generation != file.statusGeneration(entry)))
            {
                file.answer(entry, RegistryFile.UNMAPPED, generation, incarnation, 0, "");
            }
        }
        else if (unmap(entry) && isWanted)
        {
            map(entry, generation);
        }
        else if (0 == generations[entry])
        {
            file.answer(entry, RegistryFile.UNMAPPED, generation, incarnation, 0, "");
        }
    }

    private void map(final int entry, final long generation)
    {
        final int kind = file.kind(entry);
        final String source = file.source(entry);
        final long offset = file.offset(entry);
        final long length = file.length(entry);
        generations[entry] = generation;
        try
        {
            if (kind < 0 || kind >= BufferKind.values().length)
            {
                throw new IllegalArgumentException("kind " + kind + " is not known to this version");
            }
            final BufferKind bufferKind = BufferKind.values()[kind];
            final long address = mapper.map(bufferKind, source, offset, length);
            mapped.put(entry, new MappedBuffer(name, bufferKind, source, offset, length, address));
            // Who is told that it is mapped finds it.
            onChange.run();
            counters.increment(RegistryCounter.MAPS);
            final int before = file.status(entry);
            if (RegistryFile.MAPPED == before || RegistryFile.REFUSED != before && file.renewals(entry) > 0)
            {
                counters.increment(RegistryCounter.REPLAYS);
            }
            file.answer(entry, RegistryFile.MAPPED, generation, incarnation, address, "");
        }
        catch (final RuntimeException ex)
        {
            counters.increment(RegistryCounter.REFUSALS);
            file.answer(entry, RegistryFile.REFUSED, generation, incarnation, 0, String.valueOf(ex.getMessage()));
        }
    }

    /**
     * Unmap one entry.
     *
     * @return false when copies still use it: to be tried again.
     */
    private boolean unmap(final int entry)
    {
        return !isStopping.getAsBoolean() && null == release(entry);
    }

    /**
     * Unmap one entry, waiting for its copies as long as the device does.
     *
     * @return null, or why it stays mapped.
     */
    private String release(final int entry)
    {
        final MappedBuffer buffer = mapped.get(entry);
        if (null != buffer)
        {
            try
            {
                mapper.unmap(buffer);
            }
            catch (final RuntimeException ex)
            {
                counters.increment(RegistryCounter.UNMAP_DELAYS);
                onChange.run();
                return String.valueOf(ex.getMessage());
            }
            mapped.remove(entry);
            onChange.run();
        }
        generations[entry] = 0;
        return null;
    }

    /**
     * Unmap what no copy uses any more.
     */
    void unmapAll()
    {
        for (int entry = 0; entry < generations.length; entry++)
        {
            if (generations[entry] > 0 && unmap(entry))
            {
                file.answer(entry, RegistryFile.UNMAPPED, file.generation(entry), incarnation, 0, "");
            }
        }
    }

    /**
     * Unmap all that no copy uses, until a deadline.
     *
     * @param deadlineNs after which nothing more is tried.
     * @param stuck      takes what stays mapped, and why.
     */
    void unmapAll(final long deadlineNs, final List<String> stuck)
    {
        for (int entry = 0; entry < generations.length; entry++)
        {
            if (generations[entry] > 0)
            {
                final MappedBuffer buffer = mapped.get(entry);
                final String reason = null != buffer && System.nanoTime() - deadlineNs >= 0 ?
                    "not tried, the time to close was over" : release(entry);
                if (null == reason)
                {
                    file.answer(entry, RegistryFile.UNMAPPED, file.generation(entry), incarnation, 0, "");
                }
                else
                {
                    stuck.add("'" + buffer.source() + "' " + buffer.offset() + " + " + buffer.lengthBytes() +
                        " of client '" + name + "' (" + reason + ")");
                }
            }
        }
    }

    /**
     * Delete the table of a client that was closed, or has been dead for long.
     *
     * @return true when it is not needed any more.
     */
    boolean isOver(final long nowNs)
    {
        final boolean isKept = RegistryFile.CLOSED != file.lifecycle() && nowNs - seenNs < deleteTimeoutNs;
        if (isAlive || !mapped.isEmpty() || isKept || !file.tryLock())
        {
            return false;
        }
        try
        {
            // The client may have started again before the lock was taken.
            if (heartbeat != file.heartbeat())
            {
                file.unlock();
                return false;
            }
            file.lifecycle(RegistryFile.DELETED);
            Files.deleteIfExists(file.path());
            return true;
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }

    public void close()
    {
        file.close();
    }
}
