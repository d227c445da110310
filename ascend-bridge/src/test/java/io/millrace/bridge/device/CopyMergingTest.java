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
package io.millrace.bridge.device;

import java.util.ArrayList;
import java.util.List;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Merged copies move the same bytes as those that were added, and no two of them could be merged further.
 */
class CopyMergingTest
{
    private static final int BLOCK = 64;

    @Property(tries = 300)
    void mergedCopiesMoveTheSameBytes(
        @ForAll @Size(min = 1, max = 60) final List<@IntRange(max = 9) Integer> sourceBlocks,
        @ForAll @IntRange(max = 3) final int gapEvery)
    {
        final KvCopyBatch batch = new KvCopyBatch().reset(CopyDirection.DEVICE_TO_HOST);
        final List<String> expected = new ArrayList<>();
        long destination = 1_000_000;
        for (int i = 0; i < sourceBlocks.size(); i++)
        {
            destination += gapEvery > 0 && 0 == i % (gapEvery + 1) ? BLOCK : 0;
            final long source = 4096L + (long)sourceBlocks.get(i) * BLOCK;
            assertThat(batch.add(destination, source, BLOCK)).isTrue();
            expected.add(source + ">" + destination);
            destination += BLOCK;
        }

        final List<String> actual = new ArrayList<>();
        for (int i = 0; i < batch.count(); i++)
        {
            for (long offset = 0; offset < batch.length(i); offset += BLOCK)
            {
                actual.add(batch.source(i) + offset + ">" + (batch.destination(i) + offset));
            }
            assertThat(i > 0 && batch.source(i) == batch.source(i - 1) + batch.length(i - 1) &&
                batch.destination(i) == batch.destination(i - 1) + batch.length(i - 1)).isFalse();
        }
        assertThat(actual).isEqualTo(expected);
        assertThat(batch.count() + batch.mergedCount()).isEqualTo(sourceBlocks.size());
        assertThat(batch.totalBytes()).isEqualTo((long)BLOCK * sourceBlocks.size());
    }
}
