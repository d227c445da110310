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
import io.millrace.efa.libfabric.MemoryRegion;
import io.millrace.efa.rail.Rail;
import org.agrona.concurrent.UnsafeBuffer;

import java.util.LinkedHashMap;
import java.util.Map;

import static io.aeron.logbuffer.LogBufferDescriptor.LOG_META_DATA_LENGTH;
import static io.aeron.logbuffer.LogBufferDescriptor.PARTITION_COUNT;

/**
 * A log mapped by us and registered with rails, so that the life of the memory regions does not depend on Aeron's own
 * mapping. Regions are closed before the mapping. Fabric conductor only, the address excepted.
 */
public final class RegisteredLog implements AutoCloseable
{
    private final LogRegions owner;
    private final String name;
    private final MappedFile mapping;
    private final int access;
    private final UnsafeBuffer metaData;
    private final Map<Rail, MemoryRegion> regions = new LinkedHashMap<>();
    private final int termLength;
    private boolean isFenced;
    private boolean isClosed;

    RegisteredLog(final LogRegions owner, final String name, final MappedFile mapping, final int access)
    {
        this.owner = owner;
        this.name = name;
        this.mapping = mapping;
        this.access = access;
        this.metaData = new UnsafeBuffer(
            mapping.address() + mapping.length() - LOG_META_DATA_LENGTH, LOG_META_DATA_LENGTH);
        this.termLength = LogBufferDescriptor.termLength(metaData);
    }

    /**
     * Register with one more rail.
     *
     * @param rail to register with.
     * @return false when that is refused, which is counted.
     */
    public boolean add(final Rail rail)
    {
        final long pages = pages();
        if (!owner.reserve(rail, name, pages))
        {
            return false;
        }

        try
        {
            regions.put(rail, rail.endpoint().register(mapping.address(), length(), access));
        }
        catch (final FabricException ex)
        {
            owner.release(rail, pages);
            owner.refuse(ex, name);
            return false;
        }

        owner.onRegistered(length());
        return true;
    }

    /**
     * A rail is closed, and with it the region.
     *
     * @param rail that is closed.
     * @return true if the log was registered with it.
     */
    public boolean remove(final Rail rail)
    {
        final MemoryRegion region = regions.remove(rail);
        if (null == region)
        {
            return false;
        }

        region.close();
        owner.release(rail, pages());
        owner.onRegistered(-length());
        return true;
    }

    /**
     * Region of a rail.
     *
     * @param rail to look for.
     * @return the region, or null.
     */
    public MemoryRegion region(final Rail rail)
    {
        return regions.get(rail);
    }

    /**
     * Rails with which the log is registered.
     *
     * @return a new array.
     */
    public Rail[] rails()
    {
        return regions.keySet().toArray(new Rail[0]);
    }

    /**
     * First byte of the log.
     *
     * @return address.
     */
    public long address()
    {
        return mapping.address();
    }

    /**
     * Length of a term.
     *
     * @return bytes.
     */
    public int termLength()
    {
        return termLength;
    }

    /**
     * Aeron's description of the log.
     *
     * @return buffer over the log's last section.
     */
    public UnsafeBuffer metaData()
    {
        return metaData;
    }

    /**
     * Close the regions. Nobody is to touch the memory any more, but somebody may: the mapping gives way to memory of
     * nobody, that stays until {@link #close()}.
     */
    public void fence()
    {
        closeRegions();
        mapping.detach();
        isFenced = true;
        owner.onUnmapped(true);
    }

    /**
     * Close the regions, then the mapping. Nothing may be in flight on it.
     */
    @Override
    public void close()
    {
        if (!isClosed)
        {
            isClosed = true;
            closeRegions();
            mapping.close();
            if (!isFenced)
            {
                owner.onUnmapped(false);
            }
        }
    }

    private void closeRegions()
    {
        for (final Rail rail : rails())
        {
            remove(rail);
        }
    }

    private long length()
    {
        return (long)PARTITION_COUNT * termLength;
    }

    private long pages()
    {
        return (length() + mapping.pageSize() - 1) / mapping.pageSize();
    }
}
