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

import io.millrace.bridge.device.KvDevice;
import io.millrace.bridge.device.KvDeviceMeter;

/**
 * Slabs from the device's library: {@code aclrtMallocHost}, or off-heap memory of a host device.
 */
public final class DeviceSlabs implements SlabSource
{
    private final KvDevice device;

    /**
     * Of a device.
     *
     * @param device whose copies use the slabs.
     */
    public DeviceSlabs(final KvDevice device)
    {
        this.device = device;
    }

    /**
     * {@inheritDoc}
     */
    public ByteBuffer allocate(final int lengthBytes, final KvDeviceMeter meter)
    {
        return device.allocateStaging(lengthBytes);
    }

    /**
     * {@inheritDoc}
     */
    public void free(final ByteBuffer slab)
    {
        device.freeStaging(slab);
    }
}
