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
package io.millrace.bridge.registry;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

import io.millrace.bridge.device.HostDevice;
import io.millrace.bridge.device.HostMemory;
import io.millrace.bridge.device.KvDevice;
import io.millrace.bridge.device.acl.AclDevice;

/**
 * Maps clients' buffers so that copies of a device can use them.
 */
final class BufferMapper
{
    private final KvDevice device;

    BufferMapper(final KvDevice device)
    {
        this.device = device;
    }

    /**
     * Map a buffer.
     *
     * @return its address.
     * @throws RuntimeException that says why it cannot be mapped.
     */
    long map(final BufferKind kind, final String source, final long offset, final long length)
    {
        if (length < 1 || offset < 0 || offset % HostMemory.BASE_PAGE != 0 || length > Long.MAX_VALUE - offset)
        {
            throw new IllegalArgumentException("offset=" + offset + " must be a multiple of " + HostMemory.BASE_PAGE +
                " and length=" + length + " over 0");
        }
        return BufferKind.HOST_FILE == kind ? mapFile(Path.of(source), offset, length) :
            aclDevice().importMemory(source, length);
    }

    private long mapFile(final Path path, final long offset, final long length)
    {
        try
        {
            final long size = Files.size(path);
            if (!Files.isRegularFile(path) || offset + length > size)
            {
                throw new IllegalArgumentException("bytes " + offset + " + " + length + " are not within " + path +
                    " of " + size + " bytes: make the file that long before it is registered");
            }
        }
        catch (final IOException ex)
        {
            throw new IllegalArgumentException("file " + path + " cannot be used: " + ex);
        }

        final long address = HostMemory.map(path, offset, length);
        try
        {
            if (device instanceof HostDevice)
            {
                device.register(address, length);
            }
            else if (!device.pinHost(address, wholePages(length)))
            {
                throw new IllegalStateException(device.name() + " cannot pin host memory that is there: use device " +
                    "memory, or a library with aclrtHostRegisterV2");
            }
            return address;
        }
        catch (final RuntimeException ex)
        {
            HostMemory.free(address, length);
            throw ex;
        }
    }

    /**
     * Unmap a buffer.
     *
     * @throws IllegalStateException when copies still use it: it stays mapped.
     */
    void unmap(final MappedBuffer buffer)
    {
        if (BufferKind.DEVICE_KEY == buffer.kind())
        {
            aclDevice().closeMemory(buffer.source(), buffer.address());
            return;
        }
        if (device instanceof HostDevice)
        {
            device.unregister(buffer.address());
        }
        else
        {
            device.unpinHost(buffer.address());
        }
        HostMemory.free(buffer.address(), buffer.lengthBytes());
    }

    private AclDevice aclDevice()
    {
        if (!(device instanceof AclDevice))
        {
            throw new IllegalArgumentException(
                device.name() + " cannot import device memory by key: that takes an Ascend device");
        }
        return (AclDevice)device;
    }

    private static long wholePages(final long length)
    {
        return (length + HostMemory.BASE_PAGE - 1) & -HostMemory.BASE_PAGE;
    }
}
