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
package io.millrace.efa.term;

import io.aeron.logbuffer.LogBufferDescriptor;
import io.millrace.efa.libfabric.FabricException;
import io.millrace.efa.libfabric.MappedFile;
import io.millrace.efa.rail.Rail;

import java.io.File;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Maps logs and registers them with rails, within a budget of pages: a NIC has room for so many translations, for all
 * that is registered with it. Slow: fabric conductor only.
 */
public final class LogRegions
{
    private final long pagesPerNic;
    private final long pagesPerRegion;
    private final TermCounters counters;
    private final Consumer<String> onRefused;
    private final Map<String, Long> pagesByNic = new HashMap<>();
    private boolean isClosing;

    /**
     * Create regions.
     *
     * @param pagesPerNic    that logs may take on a NIC, for both agents.
     * @param pagesPerRegion that a log may have.
     * @param counters       of logs.
     * @param onRefused      told why a log is not registered.
     */
    public LogRegions(
        final long pagesPerNic,
        final long pagesPerRegion,
        final TermCounters counters,
        final Consumer<String> onRefused)
    {
        this.pagesPerNic = pagesPerNic;
        this.pagesPerRegion = pagesPerRegion;
        this.counters = counters;
        this.onRefused = onRefused;
    }

    /**
     * Map a log and register it.
     *
     * @param file   of the log.
     * @param rails  to register it with.
     * @param access of {@link io.millrace.efa.libfabric.MemoryRegion}.
     * @param minMtu of the stream, bytes: with a shorter one no frame would use the registration.
     * @return the log, or null when its frames are too short, or when it was refused, which is counted.
     */
    public RegisteredLog register(final File file, final List<Rail> rails, final int access, final int minMtu)
    {
        final MappedFile mapping;
        try
        {
            mapping = MappedFile.map(file);
        }
        catch (final UncheckedIOException ex)
        {
            refuse(ex.getCause().getMessage());
            return null;
        }

        counters.mappedLogs.incrementRelease();
        final RegisteredLog log = new RegisteredLog(this, file.getName(), mapping, access);
        if (LogBufferDescriptor.mtuLength(log.metaData()) < minMtu)
        {
            log.close();
            return null;
        }

        for (final Rail rail : rails)
        {
            if (rail.isUsable() && !log.add(rail))
            {
                log.close();
                return null;
            }
        }

        return log;
    }

    /**
     * The driver ends: what is closed from now on is not counted any more, as that may be after its counters are gone.
     */
    public void closing()
    {
        isClosing = true;
        counters.mappedLogs.setRelease(0);
        counters.registeredBytes.setRelease(0);
    }

    void onRegistered(final long bytes)
    {
        if (!isClosing)
        {
            counters.registeredBytes.getAndAddRelease(bytes);
        }
    }

    void onUnmapped(final boolean isFenced)
    {
        if (!isClosing)
        {
            counters.mappedLogs.getAndAddRelease(-1);
            if (isFenced)
            {
                counters.fencedLogs.incrementRelease();
            }
        }
    }

    /**
     * Reserve pages of a NIC.
     *
     * @return false when they exceed the budget, which is counted.
     */
    boolean reserve(final Rail rail, final String log, final long pages)
    {
        final String nic = rail.endpoint().nic().domainName();
        final long used = pagesByNic.getOrDefault(nic, 0L);
        if (pages > pagesPerRegion)
        {
            refuse(log + " has " + pages + " pages, more than the " + pagesPerRegion +
                " of a memory region: use shorter terms or huge pages for the Aeron directory");
            return false;
        }

        if (used + pages > pagesPerNic)
        {
            refuse(log + " has " + pages + " pages, " + used + " of the " + pagesPerNic + " pages of " + nic +
                " are taken: use fewer or shorter logs, or huge pages for the Aeron directory");
            return false;
        }

        pagesByNic.put(nic, used + pages);
        return true;
    }

    void release(final Rail rail, final long pages)
    {
        pagesByNic.merge(rail.endpoint().nic().domainName(), -pages, Long::sum);
    }

    void refuse(final FabricException ex, final String log)
    {
        refuse(log + ": " + ex.getMessage());
    }

    /**
     * Count and tell that the frames of a log are copied.
     *
     * @param reason for people.
     */
    public void refuse(final String reason)
    {
        counters.refusedLogs.incrementRelease();
        onRefused.accept("log is not registered, its frames are copied: " + reason);
    }

    /**
     * Pages that are taken on all NICs.
     *
     * @return pages.
     */
    long pages()
    {
        return pagesByNic.values().stream().mapToLong(Long::longValue).sum();
    }
}
