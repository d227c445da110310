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

import java.util.BitSet;
import java.util.Random;

import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvGrant;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class BlockRunsTest
{
    /**
     * Blocks whose address is their index.
     */
    private static KvBlocks numbered(final int count)
    {
        return new KvBlocks()
        {
            public int blockCount()
            {
                return count;
            }

            public long address(final int layer, final int part, final int block)
            {
                return block;
            }
        };
    }

    @Test
    void selectsEveryMissingBlockInOrderWithinABoundedNumberOfRuns()
    {
        final Random random = new Random(3);
        for (int round = 0; round < 500; round++)
        {
            final int count = 1 + random.nextInt(400);
            final BitSet present = new BitSet();
            for (int i = 0; i < count; i++)
            {
                present.set(i, random.nextInt(1 + round % 5) > 0);
            }
            final KvBlocks all = numbered(count);
            final BlockRuns runs = BlockRuns.missing(KvGrant.of(all).blocksPresent(present), count);

            final KvBlocks selected = runs.select(all);
            final BitSet sent = new BitSet();
            long last = -1;
            for (int i = 0; i < runs.blocks(); i++)
            {
                assertThat(selected.address(0, 0, i)).isGreaterThan(last);
                last = selected.address(0, 0, i);
                sent.set((int)last);
            }
            final BitSet left = new BitSet();
            left.set(0, count);
            left.andNot(present);
            left.andNot(sent);
            assertThat(left.isEmpty()).as("%s missing of %s", left, present).isTrue();
            assertThat(runs.size()).isLessThanOrEqualTo(BlockRuns.MAX_RUNS);

            final BlockRuns told = new BlockRuns();
            for (int i = 0; i < runs.size(); i++)
            {
                assertThat(told.add(runs.first(i), runs.count(i), count)).isTrue();
            }
            assertThat(told.blocks()).isEqualTo(runs.blocks());
        }
    }

    @Test
    void refusesRunsThatDoNotFollowOn()
    {
        final BlockRuns runs = new BlockRuns();
        assertThat(runs.add(2, 3, 10)).isTrue();
        assertThat(runs.add(4, 1, 10)).isFalse();
        assertThat(runs.add(5, 0, 10)).isFalse();
        assertThat(runs.add(5, 6, 10)).isFalse();
        assertThat(runs.add(0xFFFF_FFFFL, 0xFFFF_FFFFL, 10)).isFalse();
        assertThat(runs.add(5, 5, 10)).isTrue();
        assertThat(runs.blocks()).isEqualTo(8);
    }

    @Test
    void everyPriorityIsFirstInSomeRound()
    {
        final int[] first = new int[Turns.count()];
        for (int round = Integer.MAX_VALUE - 7; round != Integer.MIN_VALUE + 8; round++)
        {
            int seen = 0;
            for (int place = 0; place < Turns.count(); place++)
            {
                seen |= 1 << Turns.at(round, place).ordinal();
            }
            assertThat(seen).isEqualTo((1 << Turns.count()) - 1);
            first[Turns.at(round, 0).ordinal()]++;
        }
        assertThat(first).containsExactly(12, 2, 2);
    }
}
