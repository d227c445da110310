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
package io.millrace.efa.libfabric;

/**
 * Slots of 64 bytes for {@code struct fi_context2}, of which every operation in flight needs one of its own: EFA writes
 * into it and reads it back.
 */
public final class FabricContexts implements AutoCloseable
{
    /** Size of a slot in bytes. */
    public static final int SLOT_LENGTH = 64;

    private static final int SLOT_SHIFT = 6;

    private final NativeMemory memory;
    private final long base;
    private final int capacity;

    /**
     * Allocate slots.
     *
     * @param capacity number of slots.
     */
    public FabricContexts(final int capacity)
    {
        if (capacity <= 0)
        {
            throw new IllegalArgumentException("capacity " + capacity + " is not positive");
        }
        this.capacity = capacity;
        memory = NativeMemory.allocate((long)capacity << SLOT_SHIFT);
        base = memory.address();
    }

    /**
     * Number of slots.
     *
     * @return slots.
     */
    public int capacity()
    {
        return capacity;
    }

    /**
     * Address of a slot, the context of an operation.
     *
     * @param index 0 to capacity - 1.
     * @return address.
     */
    public long address(final int index)
    {
        if (Integer.compareUnsigned(index, capacity) >= 0)
        {
            throw new IndexOutOfBoundsException("slot " + index + " of " + capacity);
        }
        return base + ((long)index << SLOT_SHIFT);
    }

    /**
     * Slot of a context.
     *
     * @param contextAddress out of a completion.
     * @return index, or -1 if the context is not one of these slots, such as 0 of a write with immediate.
     */
    public int index(final long contextAddress)
    {
        final long index = contextAddress - base >> SLOT_SHIFT;
        return index >= 0 && index < capacity ? (int)index : -1;
    }

    @Override
    public void close()
    {
        memory.close();
    }
}
