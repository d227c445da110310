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
import java.util.ArrayList;
import java.util.List;

import io.millrace.bridge.device.KvCopyBatch;
import io.millrace.bridge.device.KvCopyQueue;
import io.millrace.bridge.device.KvDevice;

/**
 * Slots carved from a few slabs of a device's staging memory. Allocates nothing after construction: an empty pool is
 * back-pressure. Owned by one agent.
 */
public final class StagingPool implements AutoCloseable
{
    private static final int MAX_SLAB_BYTES = 1 << 30;

    private final KvDevice device;
    private final StagingConfig config;
    private final List<ByteBuffer> slabs = new ArrayList<>();
    private final StagingSlot[] free;
    private final StagingSlot[] quarantined;
    private int freeCount;
    private int quarantinedCount;

    /**
     * Allocate the slabs.
     *
     * @param device whose copies use the slots.
     * @param config size of the pool.
     */
    public StagingPool(final KvDevice device, final StagingConfig config)
    {
        this.device = device;
        this.config = config;
        free = new StagingSlot[config.slots()];
        quarantined = new StagingSlot[config.slots()];

        final int slotsPerSlab = MAX_SLAB_BYTES / config.slotBytes();
        for (int i = 0; i < config.slots(); i += slotsPerSlab)
        {
            final int slots = Math.min(slotsPerSlab, config.slots() - i);
            final ByteBuffer slab = device.allocateStaging(slots * config.slotBytes());
            slabs.add(slab);
            for (int j = 0; j < slots; j++)
            {
                final ByteBuffer window = slab.duplicate();
                window.limit((j + 1) * config.slotBytes()).position(j * config.slotBytes());
                free[freeCount++] = new StagingSlot(i + j, window.slice());
            }
        }
    }

    /**
     * Take a slot, which is then COPYING.
     *
     * @return null when none is free: try again after other slots came back.
     */
    public StagingSlot acquire()
    {
        if (0 == freeCount)
        {
            return null;
        }

        final StagingSlot slot = free[--freeCount];
        slot.transition(StagingSlot.State.COPYING);
        return slot;
    }

    /**
     * Give a slot back.
     *
     * @param slot no copy of which is in flight.
     */
    public void release(final StagingSlot slot)
    {
        if (KvCopyBatch.PENDING == slot.batch().status())
        {
            throw new IllegalStateException("staging slot has a copy in flight: quarantine it");
        }
        slot.transition(StagingSlot.State.FREE);
        slot.assign(null, 0, 0, 0, 0);
        free[freeCount++] = slot;
    }

    /**
     * Set a slot aside whose copy did not end in time.
     *
     * @param slot with a copy in flight.
     */
    public void quarantine(final StagingSlot slot)
    {
        slot.transition(StagingSlot.State.QUARANTINED);
        quarantined[quarantinedCount++] = slot;
    }

    /**
     * Find a quarantined slot whose copy has ended; the caller releases it.
     *
     * @param queue that the copies were submitted to.
     * @return null when there is none.
     */
    public StagingSlot pollQuarantine(final KvCopyQueue queue)
    {
        for (int i = 0; i < quarantinedCount; i++)
        {
            final StagingSlot slot = quarantined[i];
            if (KvCopyBatch.PENDING != queue.poll(slot.batch()))
            {
                quarantined[i] = quarantined[--quarantinedCount];
                quarantined[quarantinedCount] = null;
                return slot;
            }
        }
        return null;
    }

    /**
     * Slots that can be acquired.
     *
     * @return 0 to the number of slots.
     */
    public int freeCount()
    {
        return freeCount;
    }

    /**
     * Slots set aside.
     *
     * @return 0 to the number of slots.
     */
    public int quarantinedCount()
    {
        return quarantinedCount;
    }

    /**
     * Size of the pool.
     *
     * @return slots and bytes.
     */
    public StagingConfig config()
    {
        return config;
    }

    /**
     * Free the slabs. No copy may be in flight.
     */
    public void close()
    {
        for (final ByteBuffer slab : slabs)
        {
            device.freeStaging(slab);
        }
        slabs.clear();
        freeCount = 0;
    }
}
