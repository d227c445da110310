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

import io.millrace.bridge.KvLayout;
import io.millrace.bridge.PagedKvCache;
import io.millrace.bridge.device.HostDevice;
import io.millrace.samples.disaggregated.BlockMemory.Block;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class BlockMemoryTest
{
    private final HostDevice device = new HostDevice();
    private final PagedKvCache cache = PagedKvCache.allocate(device, KvLayout.parse("1x1x16"), 4);
    private final BlockMemory memory = new BlockMemory(cache);

    @AfterEach
    void close()
    {
        cache.close();
        device.close();
    }

    @Test
    void keepsThePrefixOfWhatIsReleasedLongest()
    {
        use(1, 2, 3);
        use(9, 8);
        assertThat(memory.takeEvicted()).containsExactly(3L);
        assertThat(memory.prefixLength(new long[]{ 1, 2, 3 })).isEqualTo(2);
        assertThat(memory.takeStored()).containsExactly(1L, 2L, 3L, 9L, 8L);
        // The prefix is used again, and so the others are older.
        use(1, 2, 4);
        assertThat(memory.takeEvicted()).containsExactly(8L);
    }

    @Test
    void givesAllPlacesOrNone()
    {
        final Block[] held = memory.acquire(new long[]{ 1, 2, 3 });
        memory.share(held);
        assertThat(memory.acquire(new long[]{ 7, 8 })).isNull();
        assertThat(cache.freeBlocks()).isEqualTo(1);
        assertThat(memory.acquire(new long[]{ 1, 2, 3, 4 })).as("a prefix that is in use can be shared").hasSize(4);
    }

    @Test
    void keepsOneOfTwoThatAreTheSame()
    {
        final Block[] first = memory.acquire(new long[]{ 1, 2 });
        final Block[] second = memory.acquire(new long[]{ 1, 2 });
        memory.share(first);
        memory.share(second);
        assertThat(memory.takeStored()).containsExactly(1L, 2L);
        memory.release(first);
        memory.release(second);
        assertThat(cache.freeBlocks()).isEqualTo(2);
        assertThat(memory.prefixLength(new long[]{ 1, 2 })).isEqualTo(2);
    }

    private void use(final long... hashes)
    {
        final Block[] blocks = memory.acquire(hashes);
        memory.share(blocks);
        memory.release(blocks);
    }
}
