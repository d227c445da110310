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

import static io.millrace.efa.libfabric.FabricLayout.CQ_ENTRY_BUFFER;
import static io.millrace.efa.libfabric.FabricLayout.CQ_ENTRY_CONTEXT;
import static io.millrace.efa.libfabric.FabricLayout.CQ_ENTRY_DATA;
import static io.millrace.efa.libfabric.FabricLayout.CQ_ENTRY_FLAGS;
import static io.millrace.efa.libfabric.FabricLayout.CQ_ENTRY_LENGTH;
import static io.millrace.efa.libfabric.FabricLayout.CQ_ENTRY_SIZE;

/**
 * Room for completions, an array of {@code struct fi_cq_data_entry} outside the heap.
 */
public final class CompletionBatch implements AutoCloseable
{
    private final NativeMemory memory;
    private final long base;
    private final int capacity;

    /**
     * Allocate room.
     *
     * @param capacity entries, 16 to 64 is a good number.
     */
    public CompletionBatch(final int capacity)
    {
        if (capacity <= 0)
        {
            throw new IllegalArgumentException("capacity " + capacity + " is not positive");
        }
        this.capacity = capacity;
        memory = NativeMemory.allocate((long)capacity * CQ_ENTRY_SIZE);
        base = memory.address();
    }

    /**
     * Entries that fit.
     *
     * @return entries.
     */
    public int capacity()
    {
        return capacity;
    }

    /**
     * First entry, for libfabric to write to.
     *
     * @return address.
     */
    public long address()
    {
        return base;
    }

    private long entry(final int index)
    {
        if (Integer.compareUnsigned(index, capacity) >= 0)
        {
            throw new IndexOutOfBoundsException("completion " + index + " of " + capacity);
        }
        return base + (long)index * CQ_ENTRY_SIZE;
    }

    /**
     * Context of the operation.
     *
     * @param index of the entry.
     * @return context, for a peer's write with immediate 0 or of no meaning.
     */
    public long context(final int index)
    {
        return RawMemory.getLong(entry(index) + CQ_ENTRY_CONTEXT);
    }

    /**
     * Flags of {@link FabricFlags}.
     *
     * @param index of the entry.
     * @return flags.
     */
    public long flags(final int index)
    {
        return RawMemory.getLong(entry(index) + CQ_ENTRY_FLAGS);
    }

    /**
     * Bytes received or written by the peer; 0 for writes of net and tcp;ofi_rxm.
     *
     * @param index of the entry.
     * @return bytes.
     */
    public long length(final int index)
    {
        return RawMemory.getLong(entry(index) + CQ_ENTRY_LENGTH);
    }

    /**
     * Immediate, valid if {@link #hasData(int)}.
     *
     * @param index of the entry.
     * @return immediate.
     */
    public long data(final int index)
    {
        return RawMemory.getLong(entry(index) + CQ_ENTRY_DATA);
    }

    /**
     * Whether an immediate came.
     *
     * @param index of the entry.
     * @return true if {@link #data(int)} is valid.
     */
    public boolean hasData(final int index)
    {
        return 0 != (flags(index) & FabricFlags.REMOTE_CQ_DATA);
    }

    /**
     * Whether an own send is done.
     *
     * @param index of the entry.
     * @return true for sends.
     */
    public boolean isSend(final int index)
    {
        return 0 != (flags(index) & FabricFlags.SEND);
    }

    /**
     * Whether a message came to a posted receive.
     *
     * @param index of the entry.
     * @return true for receives.
     */
    public boolean isReceive(final int index)
    {
        return FabricFlags.RECV == (flags(index) & (FabricFlags.RECV | FabricFlags.REMOTE_WRITE));
    }

    /**
     * Whether an own write is done.
     *
     * @param index of the entry.
     * @return true for writes.
     */
    public boolean isWrite(final int index)
    {
        return FabricFlags.WRITE == (flags(index) & (FabricFlags.WRITE | FabricFlags.REMOTE_WRITE));
    }

    /**
     * Whether a peer's write with immediate has arrived.
     *
     * @param index of the entry.
     * @return true for writes of peers.
     */
    public boolean isRemoteWrite(final int index)
    {
        return 0 != (flags(index) & FabricFlags.REMOTE_WRITE);
    }

    /**
     * Fill an entry, for what stands between a provider and its user.
     *
     * @param index   of the entry.
     * @param context of the operation.
     * @param flags   of {@link FabricFlags}.
     * @param length  bytes.
     * @param data    immediate.
     */
    public void set(final int index, final long context, final long flags, final long length, final long data)
    {
        final long entry = entry(index);
        RawMemory.putLong(entry + CQ_ENTRY_CONTEXT, context);
        RawMemory.putLong(entry + CQ_ENTRY_FLAGS, flags);
        RawMemory.putLong(entry + CQ_ENTRY_LENGTH, length);
        RawMemory.putLong(entry + CQ_ENTRY_BUFFER, 0);
        RawMemory.putLong(entry + CQ_ENTRY_DATA, data);
    }

    @Override
    public void close()
    {
        memory.close();
    }
}
