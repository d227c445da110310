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
package io.millrace.bridge;

import java.util.BitSet;

import io.millrace.bridge.device.KvDevice;

/**
 * A paged KV cache in device memory as {@code [layer][part][block]} with a free list of blocks. Serves as the allocator
 * of a {@link KvReceiver} and as the source of a {@link KvSender}. Thread-safe.
 */
public final class PagedKvCache implements AutoCloseable, KvBlockAllocator
{
    private final KvDevice device;
    private final KvLayout layout;
    private final int blockCapacity;
    private final long baseAddress;
    private final int[] freeIds;
    private final BitSet used;
    private int freeCount;
    private boolean isClosed;

    private PagedKvCache(final KvDevice device, final KvLayout layout, final int blockCapacity)
    {
        if (blockCapacity < 1)
        {
            throw new IllegalArgumentException("blockCapacity=" + blockCapacity + " must be 1 or more");
        }

        this.device = device;
        this.layout = layout;
        this.blockCapacity = blockCapacity;
        this.baseAddress = device.allocate(layout.totalBytes(blockCapacity));
        this.freeIds = new int[blockCapacity];
        this.used = new BitSet(blockCapacity);
        for (int i = 0; i < blockCapacity; i++)
        {
            freeIds[i] = blockCapacity - 1 - i;
        }
        freeCount = blockCapacity;
    }

    /**
     * Allocate the cache on a device.
     *
     * @param device        that holds it.
     * @param layout        of it.
     * @param blockCapacity blocks, 1 and up.
     * @return the cache, to be closed after its last transfer.
     */
    public static PagedKvCache allocate(final KvDevice device, final KvLayout layout, final int blockCapacity)
    {
        return new PagedKvCache(device, layout, blockCapacity);
    }

    /**
     * Take blocks. Their ids are as scattered as earlier frees left the list.
     *
     * @param blockCount 1 and up.
     * @return the blocks, or null when there are too few.
     */
    public synchronized KvBlocks allocate(final int blockCount)
    {
        if (blockCount < 1)
        {
            throw new IllegalArgumentException("blockCount=" + blockCount + " must be 1 or more");
        }
        if (isClosed || blockCount > freeCount)
        {
            return null;
        }

        final int[] ids = new int[blockCount];
        for (int i = 0; i < blockCount; i++)
        {
            ids[i] = freeIds[--freeCount];
            used.set(ids[i]);
        }

        final long partBytes = layout.partBytes();
        final long partStride = partBytes * blockCapacity;
        return new StridedBlocks(baseAddress, partStride * layout.parts(), partStride, partBytes, ids);
    }

    /**
     * Give blocks back.
     *
     * @param blocks that {@link #allocate(int)} of this cache returned.
     * @throws IllegalArgumentException when they are not of this cache or were freed before.
     */
    public synchronized void free(final KvBlocks blocks)
    {
        if (!(blocks instanceof StridedBlocks) || ((StridedBlocks)blocks).baseAddress() != baseAddress)
        {
            throw new IllegalArgumentException("blocks are not of this cache: free them where they were allocated");
        }

        for (final int id : ((StridedBlocks)blocks).blockIds())
        {
            if (!used.get(id))
            {
                throw new IllegalArgumentException("block " + id + " is free already: free blocks once");
            }
            used.clear(id);
            freeIds[freeCount++] = id;
        }
    }

    /**
     * {@inheritDoc}
     */
    public KvBlocks allocate(final KvTransferInfo info)
    {
        if (!layout.equals(info.layout()))
        {
            throw new KvException(KvError.BAD_LAYOUT, "transfer has " + info.layout() + ", this cache has " + layout);
        }
        if (info.blockCount() > blockCapacity)
        {
            throw new KvException(KvError.NO_BLOCKS, "transfer has " + info.blockCount() +
                " blocks, this cache has " + blockCapacity + " in all");
        }

        return allocate(info.blockCount());
    }

    /**
     * {@inheritDoc}
     */
    public void release(final KvTransferInfo info, final KvBlocks blocks)
    {
        free(blocks);
    }

    /**
     * Blocks that can be allocated now.
     *
     * @return 0 to {@link #blockCapacity()}.
     */
    public synchronized int freeBlocks()
    {
        return freeCount;
    }

    /**
     * Blocks in all.
     *
     * @return 1 and up.
     */
    public int blockCapacity()
    {
        return blockCapacity;
    }

    /**
     * Layout of the cache.
     *
     * @return the layout.
     */
    public KvLayout layout()
    {
        return layout;
    }

    /**
     * Address of the first byte.
     *
     * @return device address.
     */
    public long baseAddress()
    {
        return baseAddress;
    }

    /**
     * Free the device memory. No transfer may use it any more.
     */
    public synchronized void close()
    {
        if (!isClosed)
        {
            isClosed = true;
            device.free(baseAddress);
        }
    }
}
