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
package io.millrace.bridge.staging;

import java.nio.ByteBuffer;
import java.util.IdentityHashMap;
import java.util.Map;

import io.millrace.bridge.device.HostMemory;
import io.millrace.bridge.device.HostMemory.NoHostMemoryException;
import io.millrace.bridge.device.KvDevice;
import io.millrace.bridge.device.KvDeviceMeter;
import org.agrona.BufferUtil;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Slabs of host memory on the largest pages there are, 1 GiB, 2 MiB or the base size, bound to a NUMA node and pinned
 * for the device. Pages over twice a slab's length are not asked for. Where a step fails the next smaller one is
 * taken, then memory of any node, at last memory of the device's library: each counted and logged.
 */
public final class HostSlabs implements SlabSource
{
    /**
     * Bind to no node.
     */
    public static final int ANY_NODE = -1;

    private static final Logger LOGGER = LoggerFactory.getLogger(HostSlabs.class);
    private static final int[] PAGE_SHIFTS = {30, 21, 12};
    private static final int BASE_SHIFT = 12;

    private final KvDevice device;
    private final int numaNode;
    private final DeviceSlabs fallback;
    private final Map<ByteBuffer, Long> lengths = new IdentityHashMap<>();

    /**
     * For a device.
     *
     * @param device   whose copies use the slabs.
     * @param numaNode to bind them to, {@link #ANY_NODE} for none.
     */
    public HostSlabs(final KvDevice device, final int numaNode)
    {
        this.device = device;
        this.numaNode = numaNode;
        fallback = new DeviceSlabs(device);
    }

    /**
     * {@inheritDoc}
     */
    public ByteBuffer allocate(final int lengthBytes, final KvDeviceMeter meter)
    {
        final long[] length = new long[1];
        final long address = allocate(lengthBytes, length, meter);
        if (!device.pinHost(address, length[0]))
        {
            HostMemory.free(address, length[0]);
            meter.onStagingPinFallback();
            LOGGER.warn("{} cannot pin {} bytes of host memory: staging comes from its library", device.name(),
                length[0]);
            return fallback.allocate(lengthBytes, meter);
        }
        final ByteBuffer slab = HostMemory.view(address, lengthBytes);
        synchronized (lengths)
        {
            lengths.put(slab, length[0]);
        }
        return slab;
    }

    private long allocate(final int lengthBytes, final long[] length, final KvDeviceMeter meter)
    {
        int node = numaNode;
        while (true)
        {
            for (final int shift : PAGE_SHIFTS)
            {
                final long page = 1L << shift;
                if (lengthBytes < page >> 1 && shift > BASE_SHIFT)
                {
                    continue;
                }
                length[0] = (lengthBytes + page - 1) & -page;
                try
                {
                    return HostMemory.allocate(length[0], shift, node);
                }
                catch (final NoHostMemoryException ex)
                {
                    if (shift > BASE_SHIFT)
                    {
                        meter.onStagingPageFallback();
                        LOGGER.warn("staging of {} gets no pages of {} bytes: {}; reserve some in {}", device.name(),
                            page, ex.getMessage(),
                            "/sys/kernel/mm/hugepages/hugepages-" + (page >> 10) + "kB/nr_hugepages");
                    }
                    else if (ANY_NODE == node)
                    {
                        throw ex;
                    }
                    else
                    {
                        meter.onStagingNodeFallback();
                        LOGGER.warn("staging of {} is on no certain NUMA node, not on {}: {}", device.name(), node,
                            ex.getMessage());
                    }
                }
            }
            node = ANY_NODE;
        }
    }

    /**
     * {@inheritDoc}
     */
    public void free(final ByteBuffer slab)
    {
        final Long length;
        synchronized (lengths)
        {
            length = lengths.get(slab);
        }
        if (null == length)
        {
            fallback.free(slab);
            return;
        }
        final long address = BufferUtil.address(slab);
        // What cannot be unpinned stays mapped and known: to be freed again.
        device.unpinHost(address);
        synchronized (lengths)
        {
            lengths.remove(slab);
        }
        HostMemory.free(address, length);
    }
}
