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
import io.millrace.bridge.device.KvDeviceMeter;
import org.agrona.CloseHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Slots carved from a few slabs of a device's staging memory. Allocates nothing after construction: an empty pool is
 * back-pressure. Owned by one agent.
 */
public final class StagingPool implements AutoCloseable
{
    private static final Logger LOGGER = LoggerFactory.getLogger(StagingPool.class);
    private static final int MAX_SLAB_BYTES = 1 << 30;
    private static final int SLOT_GAP_BYTES = 4096;
    private static final int FULL_PERCENT = 100;
    private static final int STEP_PERCENT = 10;
    private static final int MIN_PERCENT = 50;

    private final KvDevice device;
    private final SlabSource source;
    private final StagingConfig config;
    private final KvDeviceMeter meter;
    private final List<ByteBuffer> slabs = new ArrayList<>();
    private final StagingSlot[] free;
    private final StagingSlot[] quarantined;
    private final int slotCount;
    private int freeCount;
    private int quarantinedCount;

    /**
     * Allocate the slabs, and count nothing.
     *
     * @param device whose copies use the slots.
     * @param wanted size of the pool.
     */
    public StagingPool(final KvDevice device, final StagingConfig wanted)
    {
        this(device, new DeviceSlabs(device), wanted, KvDeviceMeter.NONE);
    }

    /**
     * Allocate the slabs. Where memory is short, fewer slots are taken: 90 %, 80 %, ... of them, at least half.
     *
     * @param device whose copies use the slots.
     * @param source of the slabs, memory that the device's copies can use.
     * @param wanted size of the pool.
     * @param meter  told of slots in use and steps down.
     */
    public StagingPool(
        final KvDevice device, final SlabSource source, final StagingConfig wanted, final KvDeviceMeter meter)
    {
        this.device = device;
        this.source = source;
        this.meter = meter;
        free = new StagingSlot[wanted.slots()];
        quarantined = new StagingSlot[wanted.slots()];

        int percent = FULL_PERCENT;
        while (!allocate(wanted, Math.max(2, (int)((long)wanted.slots() * percent / FULL_PERCENT)), percent))
        {
            percent -= STEP_PERCENT;
            meter.onStagingSizeFallback();
        }
        slotCount = freeCount;
        config = new StagingConfig(slotCount, wanted.slotBytes());
    }

    /**
     * Allocate all slots or none.
     *
     * @return false when there is no memory for them and fewer may be tried.
     */
    private boolean allocate(final StagingConfig wanted, final int slots, final int percent)
    {
        // Older devices may write up to 32 bytes behind a copy: a page between slots keeps them apart and aligned.
        final int stride = wanted.slotBytes() + SLOT_GAP_BYTES;
        final int slotsPerSlab = Math.max(1, MAX_SLAB_BYTES / stride);
        try
        {
            for (int i = 0; i < slots; i += slotsPerSlab)
            {
                final int count = Math.min(slotsPerSlab, slots - i);
                final ByteBuffer slab = source.allocate(count * stride, meter);
                slabs.add(slab);
                for (int j = 0; j < count; j++)
                {
                    final ByteBuffer window = slab.duplicate();
                    window.limit(j * stride + wanted.slotBytes()).position(j * stride);
                    free[freeCount++] = new StagingSlot(i + j, window.slice());
                }
            }
            return true;
        }
        catch (final RuntimeException | OutOfMemoryError ex)
        {
            CloseHelper.close(ex::addSuppressed, this);
            if (percent - STEP_PERCENT < MIN_PERCENT || ex instanceof IllegalStateException)
            {
                throw ex;
            }
            LOGGER.warn("staging of {} gets no {} slots of {} bytes, {} % of what was asked for: {}",
                device.name(), slots, wanted.slotBytes(), percent, ex.getMessage());
            return false;
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
        meter.onSlotsInUse(slotCount - freeCount);
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
        meter.onSlotsInUse(slotCount - freeCount);
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
     * Size of the pool, as it was allocated.
     *
     * @return slots and bytes.
     */
    public StagingConfig config()
    {
        return config;
    }

    /**
     * Free the slabs, also those behind one that cannot be freed. No copy may be in flight.
     */
    public void close()
    {
        final List<AutoCloseable> all = new ArrayList<>();
        slabs.forEach(slab -> all.add(() -> source.free(slab)));
        slabs.clear();
        freeCount = 0;
        CloseHelper.closeAll(all);
    }
}
