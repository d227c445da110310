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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
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
    private static final long SAME_CONTEXT = -1;

    private final Context ctx;
    private final String name;
    private final AclLibrary library;
    private final long context;
    private final AclInfo info;
    private final MemoryRegistry registry = new MemoryRegistry();
    private final Map<Long, Long> allocations = new HashMap<>();
    private final AclHostMemory hostMemory = new AclHostMemory(this);
    private final AclSharedMemory sharedMemory = new AclSharedMemory(this);
    private final List<AclCopyQueue> queues = new CopyOnWriteArrayList<>();
    private final AtomicBoolean isUnclassifiedTold = new AtomicBoolean();
    private volatile boolean isBatchUsed;
    private volatile String lostText;
    private volatile boolean isClosed;

    /**
     * Open a device and log what was found.
     *
     * @param ctx settings.
     */
    public AclDevice(final Context ctx)
    {
        this.ctx = ctx;
        name = "acl:" + ctx.deviceId();
        library = AclLibrary.open(ctx.libraryPath(), ctx.aclConfigPath());
        final long previous;
        boolean isSet = false;
        try
        {
            final Memory out = AclLibrary.scratch();
            check("aclrtGetDeviceCount", AclCalls.aclrtGetDeviceCount(AclLibrary.address(out)));
            final int deviceCount = out.getInt(0);
            if (ctx.deviceId() < 0 || ctx.deviceId() >= deviceCount)
            {
                throw new IllegalArgumentException("device " + name() + " is not there: libascendcl sees " +
                    deviceCount + " devices, with ids from 0; check npu-smi and ASCEND_RT_VISIBLE_DEVICES");
            }
            previous = currentContext();
            library.setDevice(ctx.deviceId(), name());
            isSet = true;
            context = currentContext();
            isBatchUsed = library.has(AclFeature.BATCH_COPY_ASYNC);
            info = new AclInfo(name(), physicalId(), library.socName(), library.version(), library.path(),
                library.isInitializedHere(), library.features());
        }
        catch (final RuntimeException ex)
        {
            if (isSet)
            {
                library.resetDevice(ctx.deviceId(), name());
            }
            library.release(ctx.finalizeOnClose());
            throw ex;
        }
        exit(previous);
        LOGGER.info("{}", info);
    }

    /**
     * What was found.
     *
     * @return chip, versions and features.
     */
    public AclInfo info()
    {
        return info;
    }

    /**
     * {@inheritDoc}
     */
    public int deviceId()
    {
        return info.physicalId();
    }

    /**
     * {@inheritDoc}
     */
    public String name()
    {
        return name;
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
        final long previous = enterOpen();
        try
        {
            final Memory out = AclLibrary.scratch();
            final int code = AclCalls.aclrtMalloc(AclLibrary.address(out), lengthBytes, AclAbi.MALLOC_HUGE_FIRST);
            check("aclrtMalloc", code);
            final long address = out.getLong(0);
            try
            {
                registry.add(address, lengthBytes);
            }
            catch (final IllegalArgumentException ex)
            {
                AclCalls.aclrtFree(address);
                throw ex;
            }
            synchronized (allocations)
            {
                allocations.put(address, lengthBytes);
            }
            return address;
        }
        finally
        {
            exit(previous);
        }
    }

    /**
     * {@inheritDoc}
     */
    public void free(final long address)
    {
        synchronized (allocations)
        {
            if (!allocations.containsKey(address))
            {
                throw new IllegalArgumentException("0x" + Long.toHexString(address) + " was not allocated by " +
                    name() + " or was freed before: free each allocation once");
            }
        }
        unregister(address);
        synchronized (allocations)
        {
            allocations.remove(address);
        }
        final long previous = enter();
        try
        {
            check("aclrtFree", AclCalls.aclrtFree(address));
        }
        finally
        {
            exit(previous);
        }
    }

    /**
     * {@inheritDoc}
     */
    public void register(final long address, final long lengthBytes)
    {
        checkIsDevice(address);
        checkIsDevice(address + lengthBytes - 1);
        registry.add(address, lengthBytes);
    }

    /**
     * {@inheritDoc}
     */
    public void unregister(final long address)
    {
        retire(registry, address);
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
        return registry.contains(address, lengthBytes);
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
        checkRange(address, length);
        try (Memory host = new Memory(length))
        {
            host.write(0, src, offset, length);
            copy(address, AclLibrary.address(host), length, AclAbi.HOST_TO_DEVICE);
        }
    }

    /**
     * {@inheritDoc}
     */
    public void get(final long address, final byte[] dst, final int offset, final int length)
    {
        checkRange(address, length);
        try (Memory host = new Memory(length))
        {
            copy(AclLibrary.address(host), address, length, AclAbi.DEVICE_TO_HOST);
            host.read(0, dst, offset, length);
        }
    }

    /**
     * {@inheritDoc}
     */
    public KvEvent recordEvent(final long computeStream)
    {
        final long previous = enterOpen();
        try
        {
            final long event = createEvent();
            final int code = AclCalls.aclrtRecordEvent(event, computeStream);
            if (AclError.SUCCESS != code)
            {
                final AclException error = error("aclrtRecordEvent", code);
                AclCalls.aclrtDestroyEvent(event);
                throw error;
            }
            return new AclEvent(this, event);
        }
        finally
        {
            exit(previous);
        }
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
        if (isClosed)
        {
            return;
        }
        if (!queues.isEmpty())
        {
            throw new IllegalStateException(queues.size() + " queues of " + name() + " are open: close them first");
        }
        isClosed = true;
        final List<AutoCloseable> all = new ArrayList<>();
        synchronized (allocations)
        {
            allocations.keySet().forEach(address -> all.add(() -> free(address)));
        }
        all.add(() -> library.resetDevice(ctx.deviceId(), name()));
        all.add(() -> library.release(ctx.finalizeOnClose()));
        // A device that fails is closed as far as it goes.
        CloseHelper.closeAll(all);
    }

    private AclCopyQueue openRawQueue(final KvDeviceMeter meter)
    {
        checkOpen();
        final AclCopyQueue queue = new AclCopyQueue(this, meter);
        queues.add(queue);
        return queue;
    }

    void onQueueClosed(final AclCopyQueue queue)
    {
        queues.remove(queue);
    }

    AclLibrary library()
    {
        return library;
    }

    MemoryRegistry registry()
    {
        return registry;
    }

    /**
     * Host memory that others keep and take back.
     */
    MemoryRegistry pinned()
    {
        return hostMemory.pinned();
    }

    int logicalId()
    {
        return ctx.deviceId();
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

    String lostText()
    {
        return lostText;
    }

    void onError(final int code, final String text)
    {
        if (AclError.isDeviceLost(code) && null == lostText)
        {
            lostText = name() + " is lost: " + text + "; close it and restart the process";
            LOGGER.error(lostText);
        }
    }

    /**
     * Make the device's context the calling thread's.
     *
     * @return for {@link #exit}.
     */
    long enter()
    {
        final long previous = currentContext();
        if (previous == context)
        {
            return SAME_CONTEXT;
        }
        check("aclrtSetCurrentContext", AclCalls.aclrtSetCurrentContext(context));
        return previous;
    }

    /**
     * Give the calling thread its context back. A thread that had none keeps the device's: there is no way to none.
     */
    void exit(final long previous)
    {
        if (previous > 0)
        {
            check("aclrtSetCurrentContext", AclCalls.aclrtSetCurrentContext(previous));
        }
    }

    void check(final String call, final int code)
    {
        library.check(call, code, name());
    }

    AclException error(final String call, final int code)
    {
        return library.error(call, code, name());
    }

    /**
     * Wait for a stream without limit.
     */
    void synchronize(final long stream)
    {
        enter();
        AclCalls.aclrtSynchronizeStream(stream);
    }

    long createEvent()
    {
        final Memory out = AclLibrary.scratch();
        check("aclrtCreateEvent", AclCalls.aclrtCreateEvent(AclLibrary.address(out)));
        return out.getLong(0);
    }

    long enterOpen()
    {
        checkOpen();
        return enter();
    }

    private void checkOpen()
    {
        if (isClosed)
        {
            throw new IllegalStateException(name() + " is closed");
        }
    }

    void checkFeature(final AclFeature feature)
    {
        if (!library.has(feature))
        {
            throw new UnsupportedOperationException(
                feature + " needs " + String.join(", ", feature.symbols()) + ", which " + library.path() + " lacks");
        }
    }

    private void copy(final long destination, final long source, final int length, final int kind)
    {
        final long previous = enterOpen();
        try
        {
            check("aclrtMemcpy", AclCalls.aclrtMemcpy(destination, length, source, length, kind));
        }
        finally
        {
            exit(previous);
        }
    }

    private long currentContext()
    {
        final Memory out = AclLibrary.scratch();
        final int code = AclCalls.aclrtGetCurrentContext(AclLibrary.address(out));
        if (AclError.CONTEXT_NULL == code)
        {
            return 0;
        }
        check("aclrtGetCurrentContext", code);
        return out.getLong(0);
    }

    private int physicalId()
    {
        if (!library.has(AclFeature.PHYSICAL_ID))
        {
            return ctx.deviceId();
        }
        final Memory out = AclLibrary.scratch();
        final int code = library.call(AclFeature.PHYSICAL_ID, ctx.deviceId(), out);
        return AclError.SUCCESS == code ? out.getInt(0) : ctx.deviceId();
    }

    /**
     * Refuse what is known not to be memory of this device.
     */
    private void checkIsDevice(final long address)
    {
        final long previous = enterOpen();
        try (Memory attributes = new Memory(AclAbi.PTR_ATTRIBUTES_SIZE))
        {
            final boolean isKnown = library.has(AclFeature.POINTER_ATTRIBUTES) && AclError.SUCCESS ==
                library.call(AclFeature.POINTER_ATTRIBUTES, new Pointer(address), attributes);
            final int type = isKnown ?
                attributes.getInt(AclAbi.PTR_ATTRIBUTES_LOCATION + AclAbi.MEM_LOCATION_TYPE) : AclAbi.LOCATION_DEVICE;
            final int id = isKnown ?
                attributes.getInt(AclAbi.PTR_ATTRIBUTES_LOCATION + AclAbi.MEM_LOCATION_ID) : ctx.deviceId();
            if (!isKnown && isUnclassifiedTold.compareAndSet(false, true))
            {
                LOGGER.warn("{} cannot tell host from device memory: addresses are taken as they are", name());
            }
            if (AclAbi.LOCATION_HOST == type || AclAbi.LOCATION_UNREGISTERED == type || id != ctx.deviceId())
            {
                throw new IllegalArgumentException("0x" + Long.toHexString(address) + " is " +
                    (AclAbi.LOCATION_HOST == type ? "pinned host memory" :
                    AclAbi.LOCATION_UNREGISTERED == type ? "host memory, or none" : "memory of device " + id) +
                    ", not memory of " + name() + ": register what aclrtMalloc returned on that device");
            }
        }
        finally
        {
            exit(previous);
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
