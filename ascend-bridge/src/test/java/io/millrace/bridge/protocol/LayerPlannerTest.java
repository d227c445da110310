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
import java.util.Random;

import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvDtype;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.device.CopyDirection;
import io.millrace.bridge.device.KvCopyBatch;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class LayerPlannerTest
{
    private static final int HOST = 10_000_000;

    @Property(tries = 500)
    void planEqualsACopyByteByByte(
        @ForAll @IntRange(min = 1, max = 3) final int layers,
        @ForAll @IntRange(min = 1, max = 5) final int tokens,
        @ForAll @IntRange(min = 1, max = 9) final int headDim,
        @ForAll @IntRange(min = 1, max = 30) final int blockCount,
        @ForAll final long seed)
    {
        final Random random = new Random(seed);
        final KvLayout layout = new KvLayout(layers, 1, headDim, KvDtype.INT8, tokens);
        final int[] ids = random.ints(0, 64).distinct().limit(blockCount).toArray();
        if (random.nextBoolean())
        {
            Arrays.sort(ids);
        }
        final int part = layout.partBytes();
        final KvBlocks blocks = KvBlocks.strided(1000, 128L * part, 64L * part, part, ids);
        final int layer = random.nextInt(layers);
        final int layerBytes = (int)layout.layerBytes(blockCount);
        final int start = random.nextInt(layerBytes);
        final int length = 1 + random.nextInt(layerBytes - start);
        final KvCopyBatch batch = new KvCopyBatch();

        LayerPlanner.plan(batch, CopyDirection.DEVICE_TO_HOST, layout, blocks, blockCount, layer, start, length, HOST);

        final long[] planned = new long[length];
        for (int i = 0; i < batch.count(); i++)
        {
            for (int j = 0; j < batch.length(i); j++)
            {
                planned[(int)(batch.destination(i) - HOST) + j] = batch.source(i) + j;
            }
        }
        for (int i = 0; i < length; i++)
        {
            final int at = start + i;
            final int inPart = at % (blockCount * part);
            final long expected =
                blocks.address(layer, at / (blockCount * part), inPart / part) + inPart % part;
            assertThat(planned[i]).isEqualTo(expected);
        }
        assertThat(batch.totalBytes()).isEqualTo(length);
    }

    @Test
    void contiguousBlocksBecomeOneCopyEachWay()
    {
        final KvLayout layout = new KvLayout(2, 1, 8, KvDtype.BF16, 16);
        final KvBlocks blocks = KvBlocks.contiguous(layout, 4096, 100);
        final KvCopyBatch batch = new KvCopyBatch();
        final int length = (int)layout.layerBytes(100);

        LayerPlanner.plan(batch, CopyDirection.HOST_TO_DEVICE, layout, blocks, 100, 1, 0, length, HOST);

        assertThat(batch.count()).isEqualTo(1);
        assertThat(batch.destination(0)).isEqualTo(4096 + length);
        assertThat(batch.source(0)).isEqualTo(HOST);
    }

    @Test
    void longestRangeFitsABatchWhenNoBlocksFollowOn()
    {
        final KvLayout layout = new KvLayout(1, 1, 1, KvDtype.INT8, 2);
        final int[] ids = new int[5000];
        for (int i = 0; i < ids.length; i++)
        {
            ids[i] = 2 * i;
        }
        final KvBlocks blocks = KvBlocks.strided(0, 0, 100_000, 2, ids);
        final KvCopyBatch batch = new KvCopyBatch();

        LayerPlanner.plan(batch, CopyDirection.DEVICE_TO_HOST, layout, blocks, 5000, 0, 1,
            LayerPlanner.maxRangeBytes(layout, 1 << 20), HOST);

        assertThat(batch.count()).isBetween(4000, KvCopyBatch.MAX_COPIES);
    }
}
