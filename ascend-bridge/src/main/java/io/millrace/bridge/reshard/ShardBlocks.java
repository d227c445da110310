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

import io.millrace.bridge.KvBlocks;

/**
 * The part of a rank's blocks that a {@link ShardCopy} is about, as the units that both ends see: runs of tokens and
 * heads that are one range of bytes at either end. Units come by group of heads, then by run of tokens, so that the end
 * with the longer blocks copies several units at once.
 */
final class ShardBlocks implements KvBlocks
{
    private final KvBlocks blocks;
    private final boolean isTokenMajor;
    private final int tokensPerBlock;
    private final int heads;
    private final int rowBytes;
    private final int firstHead;
    private final int firstToken;
    private final int unitTokens;
    private final int unitHeads;
    private final int runs;
    private final int count;

    /**
     * View blocks.
     *
     * @param blocks     of the rank.
     * @param shape      of the whole cache.
     * @param sharding   of the rank's side.
     * @param headOffset of the copy's first head among those of the rank.
     * @param headCount  of the copy.
     * @param firstToken that is copied, counted from the first of the blocks, a multiple of the unit's tokens.
     * @param tokenCount that are copied.
     * @param unitTokens tokens of a unit.
     * @param unitHeads  heads of a unit.
     */
    ShardBlocks(
        final KvBlocks blocks,
        final CacheShape shape,
        final Sharding sharding,
        final int headOffset,
        final int headCount,
        final int firstToken,
        final int tokenCount,
        final int unitTokens,
        final int unitHeads)
    {
        this.blocks = blocks;
        this.isTokenMajor = HeadOrder.TOKEN_MAJOR == sharding.order();
        this.tokensPerBlock = sharding.tokensPerBlock();
        this.heads = sharding.headsPerRank(shape);
        this.rowBytes = shape.rowBytes();
        this.firstHead = headOffset;
        this.firstToken = firstToken;
        this.unitTokens = unitTokens;
        this.unitHeads = unitHeads;
        this.runs = (tokenCount + unitTokens - 1) / unitTokens;
        this.count = Math.multiplyExact(runs, headCount / unitHeads);
    }

    public int blockCount()
    {
        return count;
    }

    public long address(final int layer, final int part, final int unit)
    {
        final int token = firstToken + unit % runs * unitTokens;
        final int head = firstHead + unit / runs * unitHeads;
        final int tokenInBlock = token % tokensPerBlock;
        final long row = isTokenMajor ?
            (long)tokenInBlock * heads + head : (long)head * tokensPerBlock + tokenInBlock;

        return blocks.address(layer, part, token / tokensPerBlock) + row * rowBytes;
    }
}
