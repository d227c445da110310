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
package io.millrace.archive.index;

/**
 * Open-addressing table, outside of the heap, from a block's scope and hash to its newest stored copy; each copy links
 * to the one that was stored before it. A slot is 16 bytes: the hash, and the reference of the copy (transfer number
 * plus 1 in the upper half, ordinal in the lower), 0 in a free slot. At most three quarters of the slots are taken.
 */
final class HashTable implements AutoCloseable
{
    static final long NONE = 0;
    private static final int SLOT_LONGS = 2;
    private static final long INITIAL_SLOTS = 1 << 16;
    private static final long MULTIPLIER = 0x9E3779B97F4A7C15L;

    private final TransferTable transfers;
    private final OffHeapLongs links = new OffHeapLongs();
    private OffHeapLongs slots = new OffHeapLongs();
    private long mask = INITIAL_SLOTS - 1;
    private long size;

    HashTable(final TransferTable transfers)
    {
        this.transfers = transfers;
        slots.ensureLength(SLOT_LONGS * INITIAL_SLOTS);
    }

    static long reference(final int transfer, final int ordinal)
    {
        return transfer + 1L << Integer.SIZE | ordinal;
    }

    static int transferOf(final long reference)
    {
        return (int)(reference >>> Integer.SIZE) - 1;
    }

    static int ordinalOf(final long reference)
    {
        return (int)reference;
    }

    long get(final long scope, final long hash)
    {
        return referenceAt(slotOf(scope, hash));
    }

    /**
     * Store a copy of a transfer that is in the table of transfers.
     */
    void put(final long scope, final long hash, final int transfer, final int ordinal)
    {
        if (4 * (size + 1) > 3 * (mask + 1))
        {
            grow();
        }

        final long slot = slotOf(scope, hash);
        final long older = referenceAt(slot);
        size += NONE == older ? 1 : 0;
        set(slot, hash, reference(transfer, ordinal));
        final long link = transfers.firstReference(transfer) + ordinal;
        links.ensureLength(link + 1);
        links.set(link, older);
    }

    /**
     * Forget a copy of a transfer that is not live any more: an older live copy takes its place.
     *
     * @param scope of the removed transfer.
     */
    void remove(final long scope, final long hash, final int transfer, final int ordinal)
    {
        final long slot = slotOfReference(scope, hash, reference(transfer, ordinal));
        if (slot < 0)
        {
            return;
        }

        final long older = older(reference(transfer, ordinal));
        if (NONE == older)
        {
            free(slot);
            size--;
        }
        else
        {
            set(slot, hash, older);
        }
    }

    /**
     * @return the live copy that was stored before another one, or NONE.
     */
    long older(final long reference)
    {
        long older = link(reference);
        while (NONE != older && !transfers.isLive(transferOf(older)))
        {
            older = link(older);
        }
        return older;
    }

    long size()
    {
        return size;
    }

    long bytes()
    {
        return slots.bytes() + links.bytes();
    }

    private long slotOf(final long scope, final long hash)
    {
        long slot = home(scope, hash);
        while (true)
        {
            final long reference = referenceAt(slot);
            if (NONE == reference || hashAt(slot) == hash && scope == transfers.scope(transferOf(reference)))
            {
                return slot;
            }
            slot = slot + 1 & mask;
        }
    }

    private long slotOfReference(final long scope, final long hash, final long wanted)
    {
        long slot = home(scope, hash);
        while (true)
        {
            final long reference = referenceAt(slot);
            if (NONE == reference)
            {
                return -1;
            }
            if (reference == wanted)
            {
                return slot;
            }
            slot = slot + 1 & mask;
        }
    }

    /**
     * Move later slots of the run up, so that no look-up meets a gap.
     */
    private void free(final long freed)
    {
        long gap = freed;
        long slot = gap + 1 & mask;
        while (NONE != referenceAt(slot))
        {
            final long home = home(transfers.scope(transferOf(referenceAt(slot))), hashAt(slot));
            if ((slot - home & mask) >= (slot - gap & mask))
            {
                set(gap, hashAt(slot), referenceAt(slot));
                gap = slot;
            }
            slot = slot + 1 & mask;
        }
        set(gap, 0, NONE);
    }

    private void grow()
    {
        final OffHeapLongs old = slots;
        final long oldMask = mask;
        slots = new OffHeapLongs();
        mask = 2 * mask + 1;
        slots.ensureLength(SLOT_LONGS * (mask + 1));
        for (long i = 0; i <= oldMask; i++)
        {
            final long reference = old.get(SLOT_LONGS * i + 1);
            if (NONE != reference)
            {
                final long hash = old.get(SLOT_LONGS * i);
                long slot = home(transfers.scope(transferOf(reference)), hash);
                while (NONE != referenceAt(slot))
                {
                    slot = slot + 1 & mask;
                }
                set(slot, hash, reference);
            }
        }
        old.close();
    }

    private long home(final long scope, final long hash)
    {
        final long mixed = (hash ^ Long.rotateLeft(scope, Integer.SIZE)) * MULTIPLIER;
        return (mixed ^ mixed >>> Integer.SIZE) & mask;
    }

    private long link(final long reference)
    {
        return links.get(transfers.firstReference(transferOf(reference)) + ordinalOf(reference));
    }

    private long hashAt(final long slot)
    {
        return slots.get(SLOT_LONGS * slot);
    }

    private long referenceAt(final long slot)
    {
        return slots.get(SLOT_LONGS * slot + 1);
    }

    private void set(final long slot, final long hash, final long reference)
    {
        slots.set(SLOT_LONGS * slot, hash);
        slots.set(SLOT_LONGS * slot + 1, reference);
    }

    public void close()
    {
        slots.close();
        links.close();
    }
}
