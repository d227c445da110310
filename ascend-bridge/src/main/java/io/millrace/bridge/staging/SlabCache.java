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
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

import io.millrace.bridge.device.KvDeviceMeter;
import org.agrona.CloseHelper;

/**
 * Keeps slabs that were freed for the next pool, since pinning memory is slow: to be shared by the senders and
 * receivers of a device, that come and go with sessions. Lengths are rounded up to size classes, four to each
 * doubling, so that pools of almost the same size use the same slabs. Threads may call concurrently.
 */
public final class SlabCache implements SlabSource, AutoCloseable
{
    private static final int MIN_CLASS = 64 << 10;
    private static final int CLASSES_PER_DOUBLING = 4;

    private final SlabSource source;
    private final long maxBytes;
    private final Map<Integer, Deque<ByteBuffer>> free = new HashMap<>();
    private final Map<ByteBuffer, Integer> classes = new IdentityHashMap<>();
    private long cachedBytes;
    private boolean isClosed;

    /**
     * Cache the slabs of a source.
     *
     * @param source   of the slabs.
     * @param maxBytes to keep, 0 and up; what is over it goes back to the source.
     */
    public SlabCache(final SlabSource source, final long maxBytes)
    {
        if (maxBytes < 0)
        {
            throw new IllegalArgumentException("maxBytes=" + maxBytes + " must be 0 or more");
        }
        this.source = source;
        this.maxBytes = maxBytes;
    }

    /**
     * Size class of a length.
     *
     * @param lengthBytes 1 and up.
     * @return bytes, at least the length and at most a quarter over it, where it is 64 KiB or more.
     */
    static int sizeClass(final int lengthBytes)
    {
        if (lengthBytes <= MIN_CLASS)
        {
            return MIN_CLASS;
        }
        final int step = Integer.highestOneBit(lengthBytes - 1) / CLASSES_PER_DOUBLING;
        final long rounded = ((long)lengthBytes + step - 1) / step * step;
        return rounded > Integer.MAX_VALUE - MIN_CLASS ? lengthBytes : (int)rounded;
    }

    /**
     * {@inheritDoc}
     */
    public synchronized ByteBuffer allocate(final int lengthBytes, final KvDeviceMeter meter)
    {
        if (isClosed)
        {
            throw new IllegalStateException("slab cache is closed: close it after its senders and receivers");
        }
        final int size = sizeClass(lengthBytes);
        final Deque<ByteBuffer> slabs = free.get(size);
        final ByteBuffer slab;
        if (null != slabs && !slabs.isEmpty())
        {
            slab = slabs.pop();
            cachedBytes -= size;
            meter.onStagingCacheHit();
        }
        else
        {
            slab = source.allocate(size, meter);
        }
        classes.put(slab, size);
        return slab;
    }

    /**
     * {@inheritDoc}
     */
    public synchronized void free(final ByteBuffer slab)
    {
        final Integer size = classes.remove(slab);
        if (null == size)
        {
            throw new IllegalArgumentException("slab is not of this cache or was freed before: free each once");
        }
        if (isClosed || cachedBytes + size > maxBytes)
        {
            source.free(slab);
        }
        else
        {
            free.computeIfAbsent(size, ignored -> new ArrayDeque<>()).push(slab);
            cachedBytes += size;
        }
    }

    /**
     * Bytes kept for the next pool.
     *
     * @return 0 and up.
     */
    public synchronized long cachedBytes()
    {
        return cachedBytes;
    }

    /**
     * Give what is cached back to the source, before its device is closed. Slabs in use go back when they are freed.
     */
    public synchronized void close()
    {
        isClosed = true;
        final List<AutoCloseable> all = new ArrayList<>();
        free.values().forEach(slabs -> slabs.forEach(slab -> all.add(() -> source.free(slab))));
        free.clear();
        cachedBytes = 0;
        CloseHelper.closeAll(all);
    }
}
