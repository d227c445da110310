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
package io.millrace.samples.demo;

import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.device.HostDevice;

import java.util.Arrays;

/**
 * Checks the blocks of a request in device memory against the content that they must have.
 */
final class BlockCheck
{
    private final HostDevice device;
    private final KvLayout layout;
    private final long seed;
    private final byte[] expected;
    private final byte[] landed;
    private long mismatches;
    private long digest;

    /**
     * For blocks of one shape on one device.
     *
     * @param device that holds the blocks.
     * @param layout of the cache.
     * @param seed   of the content.
     */
    BlockCheck(final HostDevice device, final KvLayout layout, final long seed)
    {
        this.device = device;
        this.layout = layout;
        this.seed = seed;
        expected = new byte[layout.partBytes()];
        landed = new byte[layout.partBytes()];
    }

    /**
     * Check a request.
     *
     * @param request    index.
     * @param blocks     of the request.
     * @param afterLayer run after each layer.
     */
    void run(final long request, final KvBlocks blocks, final Runnable afterLayer)
    {
        mismatches = 0;
        digest = 0;
        for (int layer = 0; layer < layout.layers(); layer++)
        {
            for (int part = 0; part < KvLayout.PARTS; part++)
            {
                for (int block = 0; block < blocks.blockCount(); block++)
                {
                    checkPart(request, blocks, layer, part, block);
                }
            }
            afterLayer.run();
        }
    }

    /**
     * Block parts that were not what they must be.
     *
     * @return number of the last run.
     */
    long mismatches()
    {
        return mismatches;
    }

    /**
     * Digest over all that landed.
     *
     * @return digest of the last run.
     */
    long digest()
    {
        return digest;
    }

    private void checkPart(
        final long request, final KvBlocks blocks, final int layer, final int part, final int block)
    {
        // So that nothing of the block before can pass for this one.
        Arrays.fill(landed, (byte)0);
        device.get(blocks.address(layer, part, block), landed, 0, landed.length);
        final long landedDigest = BlockDigest.of(landed, landed.length);
        BlockContent.fill(seed, request, layer, part, block, expected, expected.length);
        if (landedDigest != BlockDigest.of(expected, expected.length))
        {
            mismatches++;
        }
        digest = BlockDigest.combine(digest, landedDigest);
    }
}
