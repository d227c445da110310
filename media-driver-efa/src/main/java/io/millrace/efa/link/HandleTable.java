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
package io.millrace.efa.link;

import org.agrona.collections.IntArrayList;

/**
 * Channel handles of one agent: the 32 bits in the immediate of a message that say which link it belongs to. The low
 * 16 bits are a slot, the 15 bits above it its generation, so that a message for a link that is gone finds nothing.
 * Handles are given out by the fabric conductor, looked up by the agent.
 */
final class HandleTable
{
    static final int CAPACITY = 1 << 15;
    private static final int SLOT_BITS = 16;
    private static final int SLOT_MASK = (1 << SLOT_BITS) - 1;

    private final Link[] links = new Link[CAPACITY];
    private final short[] generations = new short[CAPACITY];
    private final IntArrayList freeSlots = new IntArrayList();
    private int nextSlot;

    /**
     * A handle that is in use by nobody. Fabric conductor only.
     *
     * @return the handle, positive.
     */
    int allocate()
    {
        final int slot;
        if (nextSlot < CAPACITY)
        {
            slot = nextSlot++;
        }
        else if (freeSlots.size() > 0)
        {
            slot = freeSlots.removeAt(0);
        }
        else
        {
            throw new IllegalStateException(
                CAPACITY + " links of one agent are the limit: use fewer peers, or several media drivers");
        }

        generations[slot] = (short)(Short.MAX_VALUE == generations[slot] ? 1 : generations[slot] + 1);

        return generations[slot] << SLOT_BITS | slot;
    }

    /**
     * Give a handle back, after its link is unregistered. Fabric conductor only. Slots are used again as late as
     * possible.
     *
     * @param handle from {@link #allocate()}.
     */
    void free(final int handle)
    {
        freeSlots.addInt(handle & SLOT_MASK);
    }

    /**
     * Let messages with the link's handle find it. Agent only.
     *
     * @param link to register.
     */
    void register(final Link link)
    {
        links[link.handle() & SLOT_MASK] = link;
    }

    /**
     * Let messages with the link's handle find nothing. Agent only.
     *
     * @param link to unregister.
     */
    void unregister(final Link link)
    {
        final int slot = link.handle() & SLOT_MASK;
        if (links[slot] == link)
        {
            links[slot] = null;
        }
    }

    /**
     * The link of a handle. Agent only.
     *
     * @param handle as it arrived, any 32 bits.
     * @return the link, or null when the handle is unknown or stale.
     */
    Link lookup(final long handle)
    {
        final int slot = (int)handle & SLOT_MASK;
        if (slot >= CAPACITY)
        {
            return null;
        }

        final Link link = links[slot];
        return null != link && link.handle() == (int)handle ? link : null;
    }
}
