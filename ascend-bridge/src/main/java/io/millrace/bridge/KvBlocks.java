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

/**
 * Where the blocks of one request lie in device memory. Called for every block on a duty cycle: no allocation, no lock.
 */
public interface KvBlocks
{
    /**
     * Number of blocks.
     *
     * @return 1 and up.
     */
    int blockCount();

    /**
     * Address of one part of a block, {@link KvLayout#partBytes()} long.
     *
     * @param layer from 0.
     * @param part  0 for K, 1 for V.
     * @param block from 0 to {@link #blockCount()} - 1, in order of the request's tokens.
     * @return device address.
     */
    long address(int layer, int part, int block);

    /**
     * Blocks that follow each other in {@code [layer][part][block]} order.
     *
     * @param layout      of the cache.
     * @param baseAddress of the first byte.
     * @param blockCount  1 and up.
     * @return the blocks.
     */
    static KvBlocks contiguous(final KvLayout layout, final long baseAddress, final int blockCount)
    {
        final long partBytes = layout.partBytes();
        final long partStride = partBytes * blockCount;
        final long layerStride = partStride * layout.parts();

        return new KvBlocks()
        {
            public int blockCount()
            {
                return blockCount;
            }

            public long address(final int layer, final int part, final int block)
            {
                return baseAddress + layer * layerStride + part * partStride + block * partBytes;
            }
        };
    }

    /**
     * Blocks of a paged cache that are found by strides.
     *
     * @param baseAddress of the first byte of the cache.
     * @param layerStride bytes from a layer to the next.
     * @param partStride  bytes from K to V of the same layer and block.
     * @param blockStride bytes from a block id to the next.
     * @param blockIds    of the request in order of its tokens; not copied.
     * @return the blocks.
     */
    static KvBlocks strided(
        final long baseAddress,
        final long layerStride,
        final long partStride,
        final long blockStride,
        final int[] blockIds)
    {
        return new StridedBlocks(baseAddress, layerStride, partStride, blockStride, blockIds);
    }

    /**
     * Blocks at any addresses, K then V within each block.
     *
     * @param layout    of the cache.
     * @param addresses of the blocks as {@code [layer][block]}; not copied.
     * @return the blocks.
     */
    static KvBlocks ofAddresses(final KvLayout layout, final long[][] addresses)
    {
        if (addresses.length != layout.layers())
        {
            throw new IllegalArgumentException("addresses of " + addresses.length + " layers for a layout of " +
                layout.layers() + " layers: give one array per layer");
        }

        final long partBytes = layout.partBytes();
        final int blockCount = addresses[0].length;
        for (int layer = 1; layer < addresses.length; layer++)
        {
            if (addresses[layer].length != blockCount)
            {
                throw new IllegalArgumentException("layer " + layer + " has " + addresses[layer].length +
                    " blocks, layer 0 has " + blockCount + ": give every layer the same blocks");
            }
        }

        return new KvBlocks()
        {
            public int blockCount()
            {
                return blockCount;
            }

            public long address(final int layer, final int part, final int block)
            {
                return addresses[layer][block] + part * partBytes;
            }
        };
    }
}
