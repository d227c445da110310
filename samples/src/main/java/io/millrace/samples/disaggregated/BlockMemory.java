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
package io.millrace.samples.disaggregated;

import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.PagedKvCache;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The decode instance's memory: blocks by their hash, of which those that no request uses are given up when others need
 * the place, the least recently used first. For one thread.
 */
final class BlockMemory
{
    /**
     * A place in the cache.
     */
    static final class Block
    {
        private final KvBlocks place;
        private final long hash;
        private int users = 1;

        private Block(final KvBlocks place, final long hash)
        {
            this.place = place;
            this.hash = hash;
        }
    }

    private final PagedKvCache cache;
    private final Map<Long, Block> byHash = new HashMap<>();
    private final LinkedHashMap<Long, Block> unused = new LinkedHashMap<>();
    private final List<Long> stored = new ArrayList<>();
    private final List<Long> evicted = new ArrayList<>();

    BlockMemory(final PagedKvCache cache)
    {
        this.cache = cache;
    }

    /**
     * Blocks from the first on that are here.
     */
    int prefixLength(final long[] hashes)
    {
        int length = 0;
        while (length < hashes.length && byHash.containsKey(hashes[length]))
        {
            length++;
        }
        return length;
    }

    /**
     * Take a request's blocks: those of the prefix that are here, and places for the others.
     *
     * @return a block for each hash, or null while other requests use the places.
     */
    Block[] acquire(final long[] hashes)
    {
        final int prefix = prefixLength(hashes);
        int unusedOfPrefix = 0;
        for (int i = 0; i < prefix; i++)
        {
            unusedOfPrefix += unused.containsKey(hashes[i]) ? 1 : 0;
        }
        // All or nothing: requests that hold some places and wait for more could wait for each other.
        if (hashes.length - prefix > cache.freeBlocks() + unused.size() - unusedOfPrefix)
        {
            return null;
        }
        final Block[] blocks = new Block[hashes.length];
        for (int i = 0; i < prefix; i++)
        {
            blocks[i] = byHash.get(hashes[i]);
            blocks[i].users++;
            unused.remove(hashes[i]);
        }
        for (int i = prefix; i < hashes.length; i++)
        {
            if (0 == cache.freeBlocks())
            {
                evict();
            }
            blocks[i] = new Block(cache.allocate(1), hashes[i]);
        }
        return blocks;
    }

    private void evict()
    {
        final Iterator<Block> oldest = unused.values().iterator();
        final Block block = oldest.next();
        oldest.remove();
        byHash.remove(block.hash);
        cache.free(block.place);
        evicted.add(block.hash);
    }

    /**
     * Let other requests find blocks that have landed. Where two requests got the same block, the first is kept.
     */
    void share(final Block[] blocks)
    {
        for (final Block block : blocks)
        {
            if (null == byHash.putIfAbsent(block.hash, block))
            {
                stored.add(block.hash);
            }
        }
    }

    /**
     * A request is done with its blocks. From the last to the first, since a prefix is of use without what follows it.
     */
    void release(final Block[] blocks)
    {
        for (int i = blocks.length - 1; i >= 0; i--)
        {
            final Block block = blocks[i];
            block.users--;
            if (byHash.get(block.hash) != block)
            {
                cache.free(block.place);
            }
            else if (0 == block.users)
            {
                unused.put(block.hash, block);
            }
        }
    }

    /**
     * Hashes that can be found since the last call.
     */
    List<Long> takeStored()
    {
        return take(stored);
    }

    /**
     * Hashes that cannot be found any more since the last call.
     */
    List<Long> takeEvicted()
    {
        return take(evicted);
    }

    private static List<Long> take(final List<Long> list)
    {
        final List<Long> taken = List.copyOf(list);
        list.clear();
        return taken;
    }

    /**
     * A range of a request's blocks as one, for a transfer to land in.
     */
    static KvBlocks view(final Block[] blocks, final int from, final int count)
    {
        return new KvBlocks()
        {
            public int blockCount()
            {
                return count;
            }

            public long address(final int layer, final int part, final int block)
            {
                return blocks[from + block].place.address(layer, part, 0);
            }
        };
    }
}
