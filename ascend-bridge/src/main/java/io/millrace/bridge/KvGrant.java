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

/**
 * Destination blocks of a transfer, and what of it is in them already and need not be sent. What is said to be there
 * is taken as it is: no checksum covers it.
 */
public final class KvGrant
{
    private final KvBlocks blocks;
    private final BitSet present;
    private final int layersPresent;

    private KvGrant(final KvBlocks blocks, final BitSet present, final int layersPresent)
    {
        if (null == blocks)
        {
            throw new IllegalArgumentException("blocks are null: grant blocks, or null for none now");
        }
        if (present.length() > blocks.blockCount() || layersPresent < 0)
        {
            throw new IllegalArgumentException("present are blocks up to " + present.length() + " of " +
                blocks.blockCount() + " and " + layersPresent + " layers: name blocks that are granted, layers from 0");
        }
        this.blocks = blocks;
        this.present = present;
        this.layersPresent = layersPresent;
    }

    /**
     * All blocks have to be sent.
     *
     * @param blocks of the destination.
     * @return the grant.
     */
    public static KvGrant of(final KvBlocks blocks)
    {
        return new KvGrant(blocks, new BitSet(), 0);
    }

    /**
     * The first blocks are there, as a prefix cache finds them.
     *
     * @param count of blocks, in all layers, from the request's first.
     * @return the grant with them.
     */
    public KvGrant prefixPresent(final int count)
    {
        final BitSet prefix = new BitSet();
        prefix.set(0, count);
        return new KvGrant(blocks, prefix, layersPresent);
    }

    /**
     * Some blocks are there.
     *
     * @param indexes of blocks in the request, in all layers.
     * @return the grant with them.
     */
    public KvGrant blocksPresent(final BitSet indexes)
    {
        return new KvGrant(blocks, (BitSet)indexes.clone(), layersPresent);
    }

    /**
     * The first layers are there in all blocks, as after a receiver's process was lost whose memory was not.
     *
     * @param count of layers.
     * @return the grant with them.
     */
    public KvGrant layersPresent(final int count)
    {
        return new KvGrant(blocks, present, count);
    }

    /**
     * Where the transfer lands.
     *
     * @return the blocks.
     */
    public KvBlocks blocks()
    {
        return blocks;
    }

    /**
     * Is a block there already.
     *
     * @param block index in the request.
     * @return true when it need not be sent.
     */
    public boolean isPresent(final int block)
    {
        return present.get(block);
    }

    /**
     * Blocks that are there already.
     *
     * @return 0 and up.
     */
    public int presentCount()
    {
        return present.cardinality();
    }

    /**
     * Layers that are there already.
     *
     * @return 0 and up.
     */
    public int layersPresent()
    {
        return layersPresent;
    }
}
