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

import java.util.ArrayList;

/**
 * Regions that a batch in flight holds, so that they are not freed under its copies. Reused.
 */
public final class HeldRegions
{
    private final ArrayList<MemoryRegion> regions = new ArrayList<>();

    /**
     * Holding none.
     */
    public HeldRegions()
    {
    }

    /**
     * Hold all regions that the device side of a batch names.
     *
     * @param batch    to hold for.
     * @param registry of the device.
     * @return index of the first copy that is not within registered regions, and then none is held; -1 when all are.
     */
    public int hold(final KvCopyBatch batch, final MemoryRegistry registry)
    {
        MemoryRegion region = null;
        for (int i = 0; i < batch.count(); i++)
        {
            long address = batch.deviceAddress(i);
            long left = batch.length(i);
            while (left > 0)
            {
                if (null == region || address < region.address() || address >= region.end())
                {
                    region = registry.find(address);
                    if (null == region || !region.hold())
                    {
                        release();
                        return i;
                    }
                    regions.add(region);
                }
                // Merged copies may go on into the next region.
                final long step = Math.min(left, region.end() - address);
                address += step;
                left -= step;
            }
        }
        return -1;
    }

    /**
     * Hold all regions that both sides of a batch name. Host memory need not be of a region.
     *
     * @param batch    to hold for.
     * @param registry of the device.
     * @param host     memory that its owner may take back.
     * @return as {@link #hold(KvCopyBatch, MemoryRegistry)}, the first copy as well that names host memory which its
     * owner wants back.
     */
    public int hold(final KvCopyBatch batch, final MemoryRegistry registry, final MemoryRegistry host)
    {
        final int outside = hold(batch, registry);
        if (outside >= 0 || 0 == host.size())
        {
            return outside;
        }
        MemoryRegion region = null;
        for (int i = 0; i < batch.count(); i++)
        {
            final long address = batch.hostAddress(i);
            if (null == region || address < region.address() || address >= region.end())
            {
                region = host.find(address);
                if (null != region)
                {
                    if (!region.hold())
                    {
                        release();
                        return i;
                    }
                    regions.add(region);
                }
            }
        }
        return -1;
    }

    /**
     * Let go of all.
     */
    public void release()
    {
        for (int i = 0; i < regions.size(); i++)
        {
            regions.get(i).release();
        }
        regions.clear();
    }
}
