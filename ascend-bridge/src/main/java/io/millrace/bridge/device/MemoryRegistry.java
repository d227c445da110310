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
package io.millrace.bridge.device;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Regions of device memory by address. Any thread may read while another adds or removes.
 */
public final class MemoryRegistry
{
    private static final long PARK_NS = TimeUnit.MICROSECONDS.toNanos(50);

    /**
     * By address, replaced as a whole.
     */
    private volatile MemoryRegion[] regions = {};

    /**
     * Without regions.
     */
    public MemoryRegistry()
    {
    }

    /**
     * Add a region.
     *
     * @param address     of the first byte, over 0.
     * @param lengthBytes 1 and up.
     * @return the region.
     * @throws IllegalArgumentException when it is empty, wraps or overlaps.
     */
    public synchronized MemoryRegion add(final long address, final long lengthBytes)
    {
        final long end = address + lengthBytes;
        if (address <= 0 || lengthBytes <= 0 || end < address)
        {
            throw new IllegalArgumentException("region at 0x" + Long.toHexString(address) + " of " + lengthBytes +
                " bytes: address and length must be over 0");
        }

        final int index = indexBehind(regions, address);
        final MemoryRegion overlap = index > 0 && regions[index - 1].end() > address ? regions[index - 1] :
            index < regions.length && regions[index].address() < end ? regions[index] : null;
        if (null != overlap)
        {
            throw new IllegalArgumentException("region at 0x" + Long.toHexString(address) + " of " + lengthBytes +
                " bytes overlaps 0x" + Long.toHexString(overlap.address()) + " of " + overlap.lengthBytes() +
                " bytes: unregister that first");
        }

        final List<MemoryRegion> changed = new ArrayList<>(Arrays.asList(regions));
        final MemoryRegion region = new MemoryRegion(address, lengthBytes);
        changed.add(index, region);
        regions = changed.toArray(new MemoryRegion[0]);
        return region;
    }

    /**
     * Remove a region.
     *
     * @param address of its first byte.
     * @return its length in bytes, 0 when no region starts there.
     */
    public synchronized long remove(final long address)
    {
        final MemoryRegion region = find(address);
        if (null == region || region.address() != address)
        {
            return 0;
        }

        final List<MemoryRegion> changed = new ArrayList<>(Arrays.asList(regions));
        changed.remove(region);
        regions = changed.toArray(new MemoryRegion[0]);
        return region.lengthBytes();
    }

    /**
     * The region that an address belongs to.
     *
     * @param address of any of its bytes.
     * @return null when there is none.
     */
    public MemoryRegion find(final long address)
    {
        final MemoryRegion[] snapshot = regions;
        final int index = indexBehind(snapshot, address) - 1;
        return index >= 0 && address < snapshot[index].end() ? snapshot[index] : null;
    }

    /**
     * Is a range within one region.
     *
     * @param address     of the first byte.
     * @param lengthBytes of the range.
     * @return false as well for ranges that are empty or wrap.
     */
    public boolean contains(final long address, final long lengthBytes)
    {
        final MemoryRegion region = find(address);
        return null != region && lengthBytes > 0 && lengthBytes <= region.end() - address;
    }

    /**
     * Remove a region once no batch holds it.
     *
     * @param device    for messages.
     * @param address   of the region's first byte.
     * @param timeoutNs nanoseconds to wait for batches in flight.
     * @param whileBusy done while waiting.
     * @return its length in bytes.
     * @throws IllegalArgumentException when no region starts there.
     * @throws IllegalStateException    when batches still hold it then: it stays registered.
     */
    public long retire(final String device, final long address, final long timeoutNs, final Runnable whileBusy)
    {
        final MemoryRegion region = find(address);
        if (null == region || region.address() != address || !region.retire())
        {
            throw new IllegalArgumentException(
                "no region of " + device + " starts at 0x" + Long.toHexString(address) + ": unregister by its start");
        }

        final long deadlineNs = System.nanoTime() + timeoutNs;
        while (region.uses() > 0)
        {
            whileBusy.run();
            if (System.nanoTime() - deadlineNs > 0)
            {
                final String text = region.toString();
                region.revive();
                throw new IllegalStateException(text + ", of " + device + " is in use after " + timeoutNs +
                    " ns: let its transfers end or cancel them, then try again");
            }
            LockSupport.parkNanos(PARK_NS);
        }
        return remove(address);
    }

    /**
     * Regions registered.
     *
     * @return 0 and up.
     */
    public int size()
    {
        return regions.length;
    }

    /**
     * Index of the first region that starts behind an address.
     */
    private static int indexBehind(final MemoryRegion[] regions, final long address)
    {
        int low = 0;
        int high = regions.length;
        while (low < high)
        {
            final int middle = (low + high) >>> 1;
            if (regions[middle].address() <= address)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }
        return low;
    }
}
