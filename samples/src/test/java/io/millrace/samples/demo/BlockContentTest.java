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

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.HashSet;
import java.util.Set;

import static org.assertj.core.api.Assertions.assertThat;

class BlockContentTest
{
    private static final int LENGTH = 1000;

    @Test
    void differsWithEveryCoordinate()
    {
        final Set<Long> digests = new HashSet<>();
        int count = 0;
        for (int seed = 0; seed < 3; seed++)
        {
            for (int request = 0; request < 3; request++)
            {
                for (int layer = 0; layer < 3; layer++)
                {
                    for (int part = 0; part < 2; part++)
                    {
                        for (int block = 0; block < 50; block++)
                        {
                            digests.add(BlockDigest.of(content(seed, request, layer, part, block), LENGTH));
                            count++;
                        }
                    }
                }
            }
        }
        assertThat(digests).hasSize(count);
    }

    @Test
    void isTheSameWhenComputedAgain()
    {
        assertThat(content(1, 2, 3, 1, 5)).isEqualTo(content(1, 2, 3, 1, 5));
    }

    @ParameterizedTest
    @ValueSource(ints = { 1, 7, 8, 31, 32, 33, 64, 67 })
    void digestFindsEveryFlippedBit(final int length)
    {
        final byte[] bytes = content(1, 2, 3, 0, 5);
        final long digest = BlockDigest.of(bytes, length);
        for (int bit = 0; bit < length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << bit % 8);
            assertThat(BlockDigest.of(bytes, length)).as("bit " + bit).isNotEqualTo(digest);
            bytes[bit / 8] ^= (byte)(1 << bit % 8);
        }
        assertThat(BlockDigest.of(bytes, length)).isEqualTo(digest);
    }

    @Test
    void digestFindsMovedWords()
    {
        final byte[] bytes = content(1, 2, 3, 0, 5);
        final long digest = BlockDigest.of(bytes, LENGTH);
        for (int from = 0; from + 64 <= LENGTH; from += 8)
        {
            final byte[] moved = bytes.clone();
            System.arraycopy(bytes, from + 32, moved, from, 8);
            System.arraycopy(bytes, from, moved, from + 32, 8);
            assertThat(BlockDigest.of(moved, LENGTH)).isNotEqualTo(digest);
        }
    }

    @Test
    void digestOfASequenceDependsOnItsOrder()
    {
        assertThat(BlockDigest.combine(BlockDigest.combine(0, 1), 2))
            .isNotEqualTo(BlockDigest.combine(BlockDigest.combine(0, 2), 1));
    }

    private static byte[] content(
        final long seed, final long request, final int layer, final int part, final int block)
    {
        final byte[] bytes = new byte[LENGTH];
        BlockContent.fill(seed, request, layer, part, block, bytes, LENGTH);
        return bytes;
    }
}
