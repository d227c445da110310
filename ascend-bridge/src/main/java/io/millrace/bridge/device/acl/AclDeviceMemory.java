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

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import io.millrace.bridge.device.MemoryRegistry;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Memory of an NPU: what the bridge allocates there, and what others allocated and registered.
 */
final class AclDeviceMemory
{
    private static final Logger LOGGER = LoggerFactory.getLogger(AclDeviceMemory.class);

    private final AclDevice device;
    private final AclRuntime runtime;
    private final MemoryRegistry registry = new MemoryRegistry();
    private final Set<Long> allocations = new HashSet<>();
    private final AtomicBoolean isUnclassifiedTold = new AtomicBoolean();

    AclDeviceMemory(final AclDevice device)
    {
        this.device = device;
        runtime = device.runtime();
    }

    MemoryRegistry registry()
    {
        return registry;
    }

    List<Long> allocated()
    {
        synchronized (allocations)
        {
            return new ArrayList<>(allocations);
        }
    }

    long allocate(final long lengthBytes)
    {
        if (lengthBytes < 1)
        {
            throw new IllegalArgumentException("lengthBytes=" + lengthBytes + " must be 1 or more");
        }
        final long previous = runtime.enterOpen();
        try
        {
            final Memory out = AclLibrary.scratch();
            final int code = AclCalls.aclrtMalloc(AclLibrary.address(out), lengthBytes, AclAbi.MALLOC_HUGE_FIRST);
            runtime.check("aclrtMalloc", code);
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
                allocations.add(address);
            }
            return address;
        }
        finally
        {
            runtime.exit(previous);
        }
    }

    void free(final long address)
    {
        synchronized (allocations)
        {
            if (!allocations.contains(address))
            {
                throw new IllegalArgumentException("0x" + Long.toHexString(address) + " was not allocated by " +
                    runtime.name() + " or was freed before: free each allocation once");
            }
        }
        device.unregister(address);
        synchronized (allocations)
        {
            allocations.remove(address);
        }
        final long previous = runtime.enter();
        try
        {
            runtime.check("aclrtFree", AclCalls.aclrtFree(address));
        }
        finally
        {
            runtime.exit(previous);
        }
    }

    void register(final long address, final long lengthBytes)
    {
        checkIsDevice(address);
        checkIsDevice(address + lengthBytes - 1);
        registry.add(address, lengthBytes);
    }

    void put(final long address, final byte[] src, final int offset, final int length)
    {
        device.checkRange(address, length);
        try (Memory host = new Memory(length))
        {
            host.write(0, src, offset, length);
            copy(address, AclLibrary.address(host), length, AclAbi.HOST_TO_DEVICE);
        }
    }

    void get(final long address, final byte[] dst, final int offset, final int length)
    {
        device.checkRange(address, length);
        try (Memory host = new Memory(length))
        {
            copy(AclLibrary.address(host), address, length, AclAbi.DEVICE_TO_HOST);
            host.read(0, dst, offset, length);
        }
    }

    private void copy(final long destination, final long source, final int length, final int kind)
    {
        final long previous = runtime.enterOpen();
        try
        {
            runtime.check("aclrtMemcpy", AclCalls.aclrtMemcpy(destination, length, source, length, kind));
        }
        finally
        {
            runtime.exit(previous);
        }
    }

    /**
     * Refuse what is known not to be memory of this device.
     */
    private void checkIsDevice(final long address)
    {
        final long previous = runtime.enterOpen();
        try (Memory attributes = new Memory(AclAbi.PTR_ATTRIBUTES_SIZE))
        {
            final boolean isKnown = runtime.library().has(AclFeature.POINTER_ATTRIBUTES) && AclError.SUCCESS ==
                runtime.library().call(AclFeature.POINTER_ATTRIBUTES, new Pointer(address), attributes);
            final int type = isKnown ?
                attributes.getInt(AclAbi.PTR_ATTRIBUTES_LOCATION + AclAbi.MEM_LOCATION_TYPE) : AclAbi.LOCATION_DEVICE;
            final int id = isKnown ?
                attributes.getInt(AclAbi.PTR_ATTRIBUTES_LOCATION + AclAbi.MEM_LOCATION_ID) : runtime.logicalId();
            if (!isKnown && isUnclassifiedTold.compareAndSet(false, true))
            {
                LOGGER.warn("{} cannot tell host from device memory: addresses are taken as they are", runtime.name());
            }
            if (AclAbi.LOCATION_HOST == type || AclAbi.LOCATION_UNREGISTERED == type || id != runtime.logicalId())
            {
                throw new IllegalArgumentException("0x" + Long.toHexString(address) + " is " +
                    (AclAbi.LOCATION_HOST == type ? "pinned host memory" :
                    AclAbi.LOCATION_UNREGISTERED == type ? "host memory, or none" : "memory of device " + id) +
                    ", not memory of " + runtime.name() + ": register what aclrtMalloc returned on that device");
            }
        }
        finally
        {
            runtime.exit(previous);
        }
    }
}
