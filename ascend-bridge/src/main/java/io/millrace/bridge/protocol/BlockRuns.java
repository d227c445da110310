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
package io.millrace.bridge.protocol;

import java.util.Arrays;

import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvGrant;

/**
 * The blocks of a request that are sent, as runs of indexes.
 */
final class BlockRuns
{
    /**
     * Runs that fit an Allocate of the shortest frame. Blocks between runs beyond that are sent though they are there.
     */
    static final int MAX_RUNS = 64;

    private int[] first = new int[1];
    private int[] count = new int[1];
    private int size;
    private int blocks;

    /**
     * All blocks of a request.
     */
    static BlockRuns all(final int blockCount)
    {
        final BlockRuns runs = new BlockRuns();
        runs.add(0, blockCount);
        return runs;
    }

    /**
     * The blocks that a grant does not have yet.
     */
    static BlockRuns missing(final KvGrant grant, final int blockCount)
    {
        final BlockRuns runs = new BlockRuns();
        int block = 0;
        while (block < blockCount)
        {
            if (grant.isPresent(block))
            {
                block++;
                continue;
            }
            int end = block + 1;
            while (end < blockCount && !grant.isPresent(end))
            {
                end++;
            }
            if (MAX_RUNS == runs.size)
            {
                final int last = MAX_RUNS - 1;
                runs.blocks += end - runs.first[last] - runs.count[last];
                runs.count[last] = end - runs.first[last];
            }
            else
            {
                runs.add(block, end - block);
            }
            block = end;
        }
        return runs;
    }

    /**
     * Add a run behind the others.
     *
     * @return false when it does not follow on, or ends behind the limit.
     */
    boolean add(final long firstBlock, final long blockCount, final int limit)
    {
        final int end = 0 == size ? 0 : first[size - 1] + count[size - 1];
        if (firstBlock < end || blockCount < 1 || firstBlock + blockCount > limit || MAX_RUNS == size)
        {
            return false;
        }
        add((int)firstBlock, (int)blockCount);
        return true;
    }

    private void add(final int firstBlock, final int blockCount)
    {
        if (size == first.length)
        {
            first = Arrays.copyOf(first, MAX_RUNS);
            count = Arrays.copyOf(count, MAX_RUNS);
        }
        first[size] = firstBlock;
        count[size++] = blockCount;
        blocks += blockCount;
    }

    int size()
    {
        return size;
    }

    int first(final int run)
    {
        return first[run];
    }

    int count(final int run)
    {
        return count[run];
    }

    /**
     * Blocks in all runs.
     */
    int blocks()
    {
        return blocks;
    }

    /**
     * Where the blocks of the runs lie.
     *
     * @param all blocks of the request.
     */
    KvBlocks select(final KvBlocks all)
    {
        if (1 == size && 0 == first[0] && blocks == all.blockCount())
        {
            return all;
        }

        final int[] indexes = new int[blocks];
        int next = 0;
        for (int run = 0; run < size; run++)
        {
            for (int i = 0; i < count[run]; i++)
            {
                indexes[next++] = first[run] + i;
            }
        }
        return new KvBlocks()
        {
            public int blockCount()
            {
                return indexes.length;
            }

            public long address(final int layer, final int part, final int block)
            {
                return all.address(layer, part, indexes[block]);
            }
        };
    }
}
