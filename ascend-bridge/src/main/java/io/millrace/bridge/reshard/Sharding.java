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
package io.millrace.bridge.reshard;

import io.millrace.bridge.KvLayout;

/**
 * How one side divides a cache over tensor-parallel ranks and blocks. Heads are divided evenly and in order; where
 * there are more ranks than heads, neighbouring ranks hold the same head.
 *
 * @param tpSize         ranks, 1 to 65534.
 * @param tokensPerBlock tokens of a block, 1 to 65534.
 * @param order          of the elements within a block.
 */
public record Sharding(int tpSize, int tokensPerBlock, HeadOrder order)
{
    private static final int MAX = 65534;

    /**
     * Check the ranges.
     */
    public Sharding
    {
        if (tpSize < 1 || tpSize > MAX || tokensPerBlock < 1 || tokensPerBlock > MAX || null == order)
        {
            throw new IllegalArgumentException("tpSize=" + tpSize + " and tokensPerBlock=" + tokensPerBlock +
                " must be 1 to " + MAX + ", and order=" + order + " must be set");
        }
    }

    /**
     * Refuse a cache that does not divide evenly.
     *
     * @param shape of the whole cache.
     * @throws IllegalArgumentException with the numbers.
     */
    public void check(final CacheShape shape)
    {
        if (0 != shape.kvHeads() % tpSize && 0 != tpSize % shape.kvHeads())
        {
            throw new IllegalArgumentException("kvHeads=" + shape.kvHeads() + " do not divide evenly over tpSize=" +
                tpSize + ": use a divisor or a multiple");
        }
    }

    /**
     * Heads that each rank holds.
     *
     * @param shape of the whole cache.
     * @return 1 and up.
     */
    public int headsPerRank(final CacheShape shape)
    {
        return Math.max(1, shape.kvHeads() / tpSize);
    }

    /**
     * Ranks that hold the same heads.
     *
     * @param shape of the whole cache.
     * @return 1 and up.
     */
    public int replicas(final CacheShape shape)
    {
        return Math.max(1, tpSize / shape.kvHeads());
    }

    /**
     * First head that a rank holds.
     *
     * @param shape of the whole cache.
     * @param rank  0 to {@link #tpSize()} - 1.
     * @return from 0.
     */
    public int firstHead(final CacheShape shape, final int rank)
    {
        return rank / replicas(shape) * headsPerRank(shape);
    }

    /**
     * Cache of one rank.
     *
     * @param shape of the whole cache.
     * @return the layout.
     */
    public KvLayout layout(final CacheShape shape)
    {
        return new KvLayout(
            shape.layers(), headsPerRank(shape), shape.headDim(), shape.dtype(), tokensPerBlock, shape.parts());
    }

    /**
     * Is a run of tokens and heads one range of bytes in the blocks of a rank.
     *
     * @param shape  of the whole cache.
     * @param tokens of the run, which does not cross a block.
     * @param heads  of the run.
     * @return true when it is.
     */
    boolean isContiguous(final CacheShape shape, final int tokens, final int heads)
    {
        return 0 == tokensPerBlock % tokens && (HeadOrder.TOKEN_MAJOR == order ?
            1 == tokens || headsPerRank(shape) == heads : 1 == heads || tokensPerBlock == tokens);
    }
}
