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
 * Blocks of a paged cache that are found by strides.
 */
final class StridedBlocks implements KvBlocks
{
    private final long baseAddress;
    private final long layerStride;
    private final long partStride;
    private final long blockStride;
    private final int[] blockIds;

    StridedBlocks(
        final long baseAddress,
        final long layerStride,
        final long partStride,
        final long blockStride,
        final int[] blockIds)
    {
        this.baseAddress = baseAddress;
        this.layerStride = layerStride;
        this.partStride = partStride;
        this.blockStride = blockStride;
        this.blockIds = blockIds;
    }

    long baseAddress()
    {
        return baseAddress;
    }

    int[] blockIds()
    {
        return blockIds;
    }

    public int blockCount()
    {
        return blockIds.length;
    }

    public long address(final int layer, final int part, final int block)
    {
        return baseAddress + layer * layerStride + part * partStride + blockIds[block] * blockStride;
    }
}
