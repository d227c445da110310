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
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.device.KvDevice;
import io.millrace.samples.demo.BlockContent;

import java.util.Arrays;

/**
 * Stands for the model: what a block holds follows from its hash alone, so that whoever gets it can check every byte.
 * For one thread.
 */
final class BlockWork
{
    private static final long SEED = 1;

    private final KvDevice device;
    private final KvLayout layout;
    private final byte[] expected;
    private final byte[] found;

    BlockWork(final KvDevice device, final KvLayout layout)
    {
        this.device = device;
        this.layout = layout;
        expected = new byte[layout.partBytes()];
        found = new byte[layout.partBytes()];
    }

    /**
     * Compute a layer of some blocks in device memory.
     */
    void compute(final KvBlocks blocks, final long[] hashes, final int layer)
    {
        for (int block = 0; block < hashes.length; block++)
        {
            for (int part = 0; part < layout.parts(); part++)
            {
                BlockContent.fill(SEED, hashes[block], layer, part, 0, expected, expected.length);
                device.put(blocks.address(layer, part, block), expected, 0, expected.length);
            }
        }
    }

    /**
     * Compare a block in device memory with what it must be.
     */
    boolean isRight(final KvBlocks blocks, final int block, final long hash)
    {
        for (int layer = 0; layer < layout.layers(); layer++)
        {
            for (int part = 0; part < layout.parts(); part++)
            {
                BlockContent.fill(SEED, hash, layer, part, 0, expected, expected.length);
                device.get(blocks.address(layer, part, block), found, 0, found.length);
                if (!Arrays.equals(expected, found))
                {
                    return false;
                }
            }
        }
        return true;
    }
}
