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

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import org.agrona.BufferUtil;
import org.agrona.UnsafeApi;
import org.agrona.concurrent.UnsafeBuffer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A device that is off-heap memory of this process, for machines without an NPU. Batches that are submitted run on
 * threads of its own, so that callers meet the same asynchrony as with hardware; agents copy at once instead, since the
 * processor reaches the memory. Allocations of 2 MiB and more ask for transparent huge pages.
 */
public final class HostDevice implements KvDevice
{
    /**
     * Least alignment of allocations in bytes.
     */
    public static final int ALIGNMENT = 4096;

    private static final Logger LOGGER = LoggerFactory.getLogger(HostDevice.class);
    private static final int MAX_COPY_THREADS = 16;
    private static final long DRAIN_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(5);

    private final int deviceId;
    private final long drainTimeoutNs;
    private final MemoryRegistry registry = new MemoryRegistry();
    private final Map<Long, Long> allocations = new HashMap<>();
    private final Map<ByteBuffer, ByteBuffer> stagingBuffers = new IdentityHashMap<>();
    private final HostCopyEngine engine;

    private boolean isClosed;

    /**
     * Device 0 with one copy thread.
     */
    public HostDevice()
    {
        this(0, 1);
    }

    /**
     * A device.
     *
     * @param deviceId    0 and up.
     * @param copyThreads 1 to 16.
     */
    public HostDevice(final int deviceId, final int copyThreads)
    {
        this(deviceId, copyThreads, DRAIN_TIMEOUT_NS);
    }

    /**
     * A device.
     *
     * @param deviceId       0 and up.
     * @param copyThreads    1 to 16.
     * @param drainTimeoutNs nanoseconds that free and unregister wait for copies of the region.
     */
    public HostDevice(final int deviceId, final int copyThreads, final long drainTimeoutNs)
    {
        if (deviceId < 0 || copyThreads < 1 || copyThreads > MAX_COPY_THREADS)
        {
            throw new IllegalArgumentException("deviceId=" + deviceId + " must be 0 or more, copyThreads=" +
                copyThreads + " must be 1 to " + MAX_COPY_THREADS);
        }
        this.deviceId = deviceId;
        this.drainTimeoutNs = drainTimeoutNs;
        this.engine = new HostCopyEngine(name(), registry, copyThreads);
    }

    /**
     * {@inheritDoc}
     */
    public int deviceId()
    {
        return deviceId;
    }

    /**
     * {@inheritDoc}
     */
    public String name()
    {
        return "host:" + deviceId;
    }

    /**
     * {@inheritDoc}
     */
    public long allocate(final long lengthBytes)
    {
        if (lengthBytes < 1)
        {
            throw new IllegalArgumentException("lengthBytes=" + lengthBytes + " must be 1 or more");
        }

        final boolean isLarge = lengthBytes >= HostMemory.TRANSPARENT_PAGE;
        final long alignment = isLarge ? HostMemory.TRANSPARENT_PAGE : ALIGNMENT;
        final long raw = UnsafeApi.allocateMemory(lengthBytes + alignment);
        final long address = (raw + alignment - 1) & -alignment;
        if (isLarge)
        {
            adviseHugePages(address, lengthBytes);
        }
        synchronized (allocations)
        {
            if (isClosed)
            {
                UnsafeApi.freeMemory(raw);
                throw new IllegalStateException(name() + " is closed");
            }
            allocations.put(address, raw);
        }
        registry.add(address, lengthBytes);
        return address;
    }

    // Scattered blocks miss the TLB once a page.
    private void adviseHugePages(final long address, final long lengthBytes)
    {
        try
        {
            HostMemory.adviseHugePages(address, lengthBytes);
        }
        catch (final HostMemory.NoHostMemoryException | LinkageError ex)
        {
            LOGGER.info("{} has {} bytes on base pages: {}", name(), lengthBytes, ex.toString());
        }
    }

    /**
     * {@inheritDoc}
     */
    public void free(final long address)
    {
        final Long raw;
        synchronized (allocations)
        {
            raw = allocations.get(address);
        }
        if (null == raw)
        {
            throw new IllegalArgumentException("0x" + Long.toHexString(address) + " was not allocated by " + name() +
                " or was freed before: free each allocation once");
        }

        unregister(address);
        synchronized (allocations)
        {
            allocations.remove(address);
        }
        UnsafeApi.freeMemory(raw);
    }

    /**
     * {@inheritDoc}
     */
    public void register(final long address, final long lengthBytes)
    {
        registry.add(address, lengthBytes);
    }

    /**
     * {@inheritDoc}
     */
    public void unregister(final long address)
    {
        registry.retire(name(), address, drainTimeoutNs, Thread::onSpinWait);
    }

    /**
     * {@inheritDoc}
     */
    public boolean contains(final long address, final long lengthBytes)
    {
        return registry.contains(address, lengthBytes);
    }

    /**
     * {@inheritDoc}
     */
    public ByteBuffer allocateStaging(final int lengthBytes)
    {
        if (lengthBytes < 1 || lengthBytes > Integer.MAX_VALUE - ALIGNMENT)
        {
            throw new IllegalArgumentException(
                "lengthBytes=" + lengthBytes + " must be 1 to " + (Integer.MAX_VALUE - ALIGNMENT));
        }

        final ByteBuffer raw = ByteBuffer.allocateDirect(lengthBytes + ALIGNMENT);
        final int offset = (int)(-BufferUtil.address(raw) & (ALIGNMENT - 1));
        final ByteBuffer aligned = raw.limit(offset + lengthBytes).position(offset).slice();
        synchronized (stagingBuffers)
        {
            stagingBuffers.put(aligned, raw);
        }
        return aligned;
    }

    /**
     * {@inheritDoc}
     */
    public void freeStaging(final ByteBuffer buffer)
    {
        final ByteBuffer raw;
        synchronized (stagingBuffers)
        {
            raw = stagingBuffers.remove(buffer);
        }
        if (null == raw)
        {
            throw new IllegalArgumentException(
                "buffer is not staging memory of " + name() + " or was freed before: free each once");
        }
        BufferUtil.free(raw);
    }

    /**
     * {@inheritDoc}
     */
    public boolean pinHost(final long address, final long lengthBytes)
    {
        return true;
    }

    /**
     * {@inheritDoc}
     */
    public void unpinHost(final long address)
    {
    }

    /**
     * {@inheritDoc}
     */
    public boolean isHostAccessible()
    {
        return true;
    }

    /**
     * The host computes in step with its callers: the event is reached already. A producer of its own makes a
     * {@link HostEvent} and signals it.
     *
     * @param computeStream is not looked at.
     * @return event that is reached.
     */
    public KvEvent recordEvent(final long computeStream)
    {
        return new HostEvent().signal();
    }

    /**
     * {@inheritDoc}
     */
    public KvCopyQueue openQueue()
    {
        return engine.openQueue();
    }

    /**
     * Write device memory from the host. Memory that is freed meanwhile by another thread goes when the copy is done.
     *
     * @param address of the first byte.
     * @param src     to read.
     * @param offset  in src.
     * @param length  in bytes.
     */
    public void put(final long address, final byte[] src, final int offset, final int length)
    {
        final MemoryRegion region = hold(address, length);
        try
        {
            new UnsafeBuffer(address, length).putBytes(0, src, offset, length);
        }
        finally
        {
            region.release();
        }
    }

    /**
     * Read device memory from the host. Memory that is freed meanwhile by another thread goes when the copy is done.
     *
     * @param address of the first byte.
     * @param dst     to write.
     * @param offset  in dst.
     * @param length  in bytes.
     */
    public void get(final long address, final byte[] dst, final int offset, final int length)
    {
        final MemoryRegion region = hold(address, length);
        try
        {
            new UnsafeBuffer(address, length).getBytes(0, dst, offset, length);
        }
        finally
        {
            region.release();
        }
    }

    private MemoryRegion hold(final long address, final int length)
    {
        checkRange(address, length);
        final MemoryRegion region = registry.find(address);
        if (null == region || !region.hold())
        {
            throw new IllegalArgumentException(KvDevice.outOfRange(name(), address, length));
        }
        return region;
    }

    /**
     * Window over device memory for the host. Nothing holds the memory for it: using the window after the memory was
     * freed, also by {@link #close()}, crashes the process. Where another thread may free, use {@link #get} and
     * {@link #put}.
     *
     * @param address     of the first byte.
     * @param lengthBytes 1 and up.
     * @return buffer that is valid until the memory is freed.
     */
    public UnsafeBuffer view(final long address, final int lengthBytes)
    {
        checkRange(address, lengthBytes);
        return new UnsafeBuffer(address, lengthBytes);
    }

    /**
     * {@inheritDoc}
     */
    public void close()
    {
        final Long[] addresses;
        synchronized (allocations)
        {
            isClosed = true;
            addresses = allocations.keySet().toArray(new Long[0]);
        }
        engine.close();
        for (final Long address : addresses)
        {
            free(address);
        }
    }
}
