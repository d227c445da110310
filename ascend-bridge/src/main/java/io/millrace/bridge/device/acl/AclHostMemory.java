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
import java.util.IdentityHashMap;
import java.util.Map;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import io.millrace.bridge.device.MemoryRegistry;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Host memory that an NPU copies from and to: what the library allocates, and what is there and gets pinned.
 */
final class AclHostMemory
{
    private static final Logger LOGGER = LoggerFactory.getLogger(AclHostMemory.class);
    private static final int STAGING_ALIGNMENT = 4096;

    private final AclDevice device;
    private final AclRuntime runtime;
    private final MemoryRegistry pinned = new MemoryRegistry();
    private final Map<ByteBuffer, Long> stagingBuffers = new IdentityHashMap<>();

    AclHostMemory(final AclDevice device)
    {
        this.device = device;
        runtime = device.runtime();
    }

    MemoryRegistry pinned()
    {
        return pinned;
    }

    ByteBuffer allocateStaging(final int lengthBytes)
    {
        if (lengthBytes < 1 || lengthBytes > Integer.MAX_VALUE - STAGING_ALIGNMENT)
        {
            throw new IllegalArgumentException(
                "lengthBytes=" + lengthBytes + " must be 1 to " + (Integer.MAX_VALUE - STAGING_ALIGNMENT));
        }
        final long previous = runtime.enterOpen();
        try
        {
            final Memory out = AclLibrary.scratch();
            runtime.check("aclrtMallocHost",
                AclCalls.aclrtMallocHost(AclLibrary.address(out), (long)lengthBytes + STAGING_ALIGNMENT));
            final long raw = out.getLong(0);
            final long aligned = (raw + STAGING_ALIGNMENT - 1) & -STAGING_ALIGNMENT;
            final ByteBuffer buffer = new Pointer(aligned).getByteBuffer(0, lengthBytes);
            synchronized (stagingBuffers)
            {
                stagingBuffers.put(buffer, raw);
            }
            return buffer;
        }
        finally
        {
            runtime.exit(previous);
        }
    }

    void freeStaging(final ByteBuffer buffer)
    {
        final Long raw;
        synchronized (stagingBuffers)
        {
            raw = stagingBuffers.remove(buffer);
        }
        if (null == raw)
        {
            throw new IllegalArgumentException(
                "buffer is not staging memory of " + runtime.name() + " or was freed before: free each once");
        }
        final long previous = runtime.enter();
        try
        {
            runtime.check("aclrtFreeHost", AclCalls.aclrtFreeHost(raw));
        }
        finally
        {
            runtime.exit(previous);
        }
    }

    boolean pin(final long address, final long lengthBytes)
    {
        if (!runtime.library().has(AclFeature.HOST_PINNING))
        {
            LOGGER.warn("{} cannot pin memory that is there: {} lacks aclrtHostRegisterV2",
                runtime.name(), runtime.library().path());
            return false;
        }
        final long previous = runtime.enterOpen();
        try
        {
            final int code = runtime.library().call(AclFeature.HOST_PINNING,
                new Pointer(address), lengthBytes, AclAbi.HOST_REGISTER_PINNED);
            if (AclError.SUCCESS != code)
            {
                LOGGER.warn("{} did not pin {} bytes: {}", runtime.name(), lengthBytes,
                    runtime.error("aclrtHostRegisterV2", code).getMessage());
                return false;
            }
            try
            {
                pinned.add(address, lengthBytes);
            }
            catch (final IllegalArgumentException ex)
            {
                runtime.library().call("aclrtHostUnregister", new Pointer(address));
                throw ex;
            }
            return true;
        }
        finally
        {
            runtime.exit(previous);
        }
    }

    void unpin(final long address)
    {
        final long previous = runtime.enter();
        try
        {
            final long lengthBytes = device.retire(pinned, address);
            final int code = runtime.library().call("aclrtHostUnregister", new Pointer(address));
            if (AclError.SUCCESS != code)
            {
                pinned.add(address, lengthBytes);
                throw runtime.error("aclrtHostUnregister", code);
            }
        }
        finally
        {
            runtime.exit(previous);
        }
    }
}
