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

import java.util.Arrays;

/**
 * Regions of device memory, sorted by address, found without a lock. Writers are serialised.
 */
public final class MemoryRegistry
{
    /**
     * Starts and ends of the regions, replaced as a whole so that readers see both of one moment.
     */
    private volatile long[][] regions = {new long[0], new long[0]};

    /**
     * Add a region.
     *
     * @param address     of the first byte, over 0.
     * @param lengthBytes 1 and up.
     * @throws IllegalArgumentException when it is empty, wraps or overlaps.
     */
    public synchronized void add(final long address, final long lengthBytes)
    {
        final long end = address + lengthBytes;
        if (address <= 0 || lengthBytes <= 0 || end < address)
        {
            throw new IllegalArgumentException("region at 0x" + Long.toHexString(address) + " of " + lengthBytes +
                " bytes: address and length must be over 0");
        }

        final long[] starts = regions[0];
        final long[] ends = regions[1];
        final int index = -Arrays.binarySearch(starts, address) - 1;
        final int overlap = index < 0 ? -index - 1 :
            index > 0 && ends[index - 1] > address ? index - 1 :
            index < starts.length && starts[index] < end ? index : -1;
        if (overlap >= 0)
        {
            throw new IllegalArgumentException("region at 0x" + Long.toHexString(address) + " of " + lengthBytes +
                " bytes overlaps 0x" + Long.toHexString(starts[overlap]) + " of " + (ends[overlap] - starts[overlap]) +
                " bytes: unregister that first");
        }

        regions = new long[][]{insert(starts, index, address), insert(ends, index, end)};
    }

    /**
     * Remove a region.
     *
     * @param address of its first byte.
     * @return its length in bytes, 0 when no region starts there.
     */
    public synchronized long remove(final long address)
    {
        final long[] starts = regions[0];
        final long[] ends = regions[1];
        final int index = Arrays.binarySearch(starts, address);
        if (index < 0)
        {
            return 0;
        }

        final long lengthBytes = ends[index] - starts[index];
        regions = new long[][]{remove(starts, index), remove(ends, index)};
        return lengthBytes;
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
        final long[][] snapshot = regions;
        final int found = Arrays.binarySearch(snapshot[0], address);
        final int index = found >= 0 ? found : -found - 2;

        return index >= 0 && lengthBytes > 0 && lengthBytes <= snapshot[1][index] - address;
    }

    /**
     * Regions registered.
     *
     * @return 0 and up.
     */
    public int size()
    {
        return regions[0].length;
    }

    private static long[] insert(final long[] array, final int index, final long value)
    {
        final long[] result = new long[array.length + 1];
        System.arraycopy(array, 0, result, 0, index);
        result[index] = value;
        System.arraycopy(array, index, result, index + 1, array.length - index);
        return result;
    }

    private static long[] remove(final long[] array, final int index)
    {
        final long[] result = new long[array.length - 1];
        System.arraycopy(array, 0, result, 0, index);
        System.arraycopy(array, index + 1, result, index, result.length - index);
        return result;
    }
}
