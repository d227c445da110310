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

import com.sun.jna.Memory;
import com.sun.jna.Pointer;

/**
 * Device memory that processes share by keys.
 */
final class AclSharedMemory
{
    private final AclDevice device;
    private final AclRuntime runtime;

    AclSharedMemory(final AclDevice device)
    {
        this.device = device;
        runtime = device.runtime();
    }

    String export(final long address, final long lengthBytes)
    {
        runtime.checkFeature(AclFeature.IPC_MEMORY);
        device.checkRange(address, lengthBytes);
        final long previous = runtime.enterOpen();
        try (Memory key = new Memory(AclAbi.IPC_KEY_LENGTH))
        {
            key.clear();
            runtime.check("aclrtIpcMemGetExportKey", runtime.library().call("aclrtIpcMemGetExportKey",
                new Pointer(address), lengthBytes, key, (long)AclAbi.IPC_KEY_LENGTH, 0L));
            return key.getString(0);
        }
        finally
        {
            runtime.exit(previous);
        }
    }

    long importKey(final String key, final long lengthBytes)
    {
        runtime.checkFeature(AclFeature.IPC_MEMORY);
        final long previous = runtime.enterOpen();
        try
        {
            final Memory out = AclLibrary.scratch();
            runtime.check("aclrtIpcMemImportByKey", runtime.library().call("aclrtIpcMemImportByKey", out, key, 0L));
            final long address = out.getLong(0);
            try
            {
                device.registry().add(address, lengthBytes);
            }
            catch (final IllegalArgumentException ex)
            {
                runtime.library().call("aclrtIpcMemClose", key);
                throw ex;
            }
            return address;
        }
        finally
        {
            runtime.exit(previous);
        }
    }

    void close(final String key, final long address)
    {
        final long lengthBytes = device.retire(device.registry(), address);
        final long previous = runtime.enter();
        try
        {
            final int code = runtime.library().call("aclrtIpcMemClose", key);
            if (AclError.SUCCESS != code)
            {
                device.registry().add(address, lengthBytes);
                throw runtime.error("aclrtIpcMemClose", code);
            }
        }
        finally
        {
            runtime.exit(previous);
        }
    }
}
