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
package io.millrace.bridge.device.acl;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

import io.millrace.bridge.device.KvCopyQueue;
import io.millrace.bridge.device.KvDevice;
import io.millrace.bridge.device.KvDeviceMeter;
import io.millrace.bridge.device.KvEvent;
import io.millrace.bridge.device.MemoryRegistry;
import org.agrona.CloseHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An Ascend NPU. May be used from any platform thread: each call works in the device's default context, which it shares
 * with the framework in this process, and gives the calling thread its own context back.
 */
public final class AclDevice implements KvDevice
{
    private static final Logger LOGGER = LoggerFactory.getLogger(AclDevice.class);

    private final Context ctx;
    private final AclRuntime runtime;
    private final AclDeviceMemory memory;
    private final AclHostMemory hostMemory;
    private final AclSharedMemory sharedMemory;
    private final List<AclCopyQueue> queues = new CopyOnWriteArrayList<>();
    private volatile boolean isBatchUsed;

    /**
     * Open a device and log what was found.
     *
     * @param ctx settings.
     */
    public AclDevice(final Context ctx)
    {
        this.ctx = ctx;
        runtime = new AclRuntime(ctx);
        memory = new AclDeviceMemory(this);
        hostMemory = new AclHostMemory(this);
        sharedMemory = new AclSharedMemory(this);
        isBatchUsed = runtime.library().has(AclFeature.BATCH_COPY_ASYNC);
        LOGGER.info("{}", runtime.info());
    }

    /**
     * What was found.
     *
     * @return chip, versions and features.
     */
    public AclInfo info()
    {
        return runtime.info();
    }

    /**
     * {@inheritDoc}
     */
    public int deviceId()
    {
        return runtime.info().physicalId();
    }

    /**
     * {@inheritDoc}
     */
    public String name()
    {
        return runtime.name();
    }

    /**
     * {@inheritDoc}
     */
    public long allocate(final long lengthBytes)
    {
        return memory.allocate(lengthBytes);
    }

    /**
     * {@inheritDoc}
     */
    public void free(final long address)
    {
        memory.free(address);
    }

    /**
     * {@inheritDoc}
     */
    public void register(final long address, final long lengthBytes)
    {
        memory.register(address, lengthBytes);
    }

    /**
     * {@inheritDoc}
     */
    public void unregister(final long address)
    {
        retire(registry(), address);
    }

    long retire(final MemoryRegistry regions, final long address)
    {
        // Batches in the way may be this thread's own, which then sees their ends nowhere else.
        return regions.retire(name(), address, ctx.drainTimeoutNs(), () -> queues.forEach(AclCopyQueue::pollAll));
    }

    /**
     * {@inheritDoc}
     */
    public boolean contains(final long address, final long lengthBytes)
    {
        return registry().contains(address, lengthBytes);
    }

    /**
     * {@inheritDoc}
     */
    public ByteBuffer allocateStaging(final int lengthBytes)
    {
        return hostMemory.allocateStaging(lengthBytes);
    }

    /**
     * {@inheritDoc}
     */
    public void freeStaging(final ByteBuffer buffer)
    {
        hostMemory.freeStaging(buffer);
    }

    /**
     * {@inheritDoc}
     */
    public boolean pinHost(final long address, final long lengthBytes)
    {
        return hostMemory.pin(address, lengthBytes);
    }

    /**
     * {@inheritDoc}
     */
    public void unpinHost(final long address)
    {
        hostMemory.unpin(address);
    }

    /**
     * {@inheritDoc}
     */
    public void put(final long address, final byte[] src, final int offset, final int length)
    {
        memory.put(address, src, offset, length);
    }

    /**
     * {@inheritDoc}
     */
    public void get(final long address, final byte[] dst, final int offset, final int length)
    {
        memory.get(address, dst, offset, length);
    }

    /**
     * {@inheritDoc}
     */
    public KvEvent recordEvent(final long computeStream)
    {
        return runtime.recordEvent(computeStream);
    }

    /**
     * Name device memory so that another process can import it.
     *
     * @param address     of an allocation's first byte.
     * @param lengthBytes of it.
     * @return the key.
     * @throws UnsupportedOperationException when the library lacks it.
     */
    public String exportMemory(final long address, final long lengthBytes)
    {
        return sharedMemory.export(address, lengthBytes);
    }

    /**
     * Map and register device memory of another process.
     *
     * @param key         that {@link #exportMemory} returned there.
     * @param lengthBytes of it.
     * @return its address here, until {@link #closeMemory}.
     */
    public long importMemory(final String key, final long lengthBytes)
    {
        return sharedMemory.importKey(key, lengthBytes);
    }

    /**
     * Unregister and unmap what {@link #importMemory} returned.
     *
     * @param key     of it.
     * @param address of it.
     */
    public void closeMemory(final String key, final long address)
    {
        sharedMemory.close(key, address);
    }

    /**
     * {@inheritDoc}
     */
    public KvCopyQueue openQueue()
    {
        return openRawQueue(KvDeviceMeter.NONE);
    }

    /**
     * {@inheritDoc}
     */
    public KvCopyQueue openQueue(final KvDeviceMeter meter)
    {
        return KvDevice.metered(openRawQueue(meter), meter);
    }

    /**
     * {@inheritDoc}
     */
    public void close()
    {
        if (runtime.isClosed())
        {
            return;
        }
        if (!queues.isEmpty())
        {
            throw new IllegalStateException(queues.size() + " queues of " + name() + " are open: close them first");
        }
        runtime.onClose();
        final List<AutoCloseable> all = new ArrayList<>();
        memory.allocated().forEach(address -> all.add(() -> free(address)));
        all.add(runtime::resetDevice);
        all.add(runtime::releaseLibrary);
        // A device that fails is closed as far as it goes.
        CloseHelper.closeAll(all);
    }

    private AclCopyQueue openRawQueue(final KvDeviceMeter meter)
    {
        runtime.checkOpen();
        final AclCopyQueue queue = new AclCopyQueue(this, meter);
        queues.add(queue);
        return queue;
    }

    AclRuntime runtime()
    {
        return runtime;
    }

    void onQueueClosed(final AclCopyQueue queue)
    {
        queues.remove(queue);
    }

    MemoryRegistry registry()
    {
        return memory.registry();
    }

    /**
     * Host memory that others keep and take back.
     */
    MemoryRegistry pinned()
    {
        return hostMemory.pinned();
    }

    int maxInFlight()
    {
        return ctx.maxInFlight();
    }

    long abortTimeoutNs()
    {
        return ctx.abortTimeoutNs();
    }

    boolean isBatchUsed()
    {
        return isBatchUsed;
    }

    void stopUsingBatch(final String reason)
    {
        if (isBatchUsed)
        {
            isBatchUsed = false;
            LOGGER.warn("{} takes copies one by one from now on: {}", name(), reason);
        }
    }

    /**
     * Settings of an {@link AclDevice}.
     */
    public static final class Context extends AclSettings<Context>
    {
        /**
         * Property for the path of libascendcl.so.
         */
        public static final String LIBRARY_PROP_NAME = "millrace.acl.library";

        /**
         * Environment variable for the path of libascendcl.so.
         */
        public static final String LIBRARY_ENV_NAME = "MILLRACE_ACL_LIBRARY";

        /**
         * With defaults.
         */
        public Context()
        {
        }

        Context self()
        {
            return this;
        }
    }
}
