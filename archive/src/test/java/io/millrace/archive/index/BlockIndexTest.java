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
package io.millrace.archive.index;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

import org.agrona.concurrent.CachedEpochClock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class BlockIndexTest
{
    private static final long SCOPE = StoredTransfer.scopeOf("model");
    private static final int BLOCKS = 32;

    @TempDir
    private Path directory;

    @Test
    void holdsAMillionBlocksInFewBytesEachAndFindsThemAfterAReopen()
    {
        final int transfers = 1_000_000 / BLOCKS;
        try (BlockIndex index = open())
        {
            for (int i = 0; i < transfers; i++)
            {
                index.add(transfer(0, i), hashes(i));
            }
        }

        try (BlockIndex index = open())
        {
            assertThat(index.freshReason()).isNull();
            assertThat(index.stats().blocks()).isEqualTo(1_000_000);
            assertThat(index.stats().memoryBytes()).isLessThan(1_000_000 * 64L);
            for (int i = 0; i < transfers; i += 1000)
            {
                assertThat(index.find(SCOPE, hashes(i)[3])).isEqualTo(new BlockLocation(transfer(0, i), 3));
            }
            assertThat(index.find(SCOPE + 1, hashes(0)[3])).isNull();
            assertThat(index.find(SCOPE, -1)).isNull();
        }
    }

    @Test
    void showsTheOlderCopyOfABlockWhenTheNewerIsDropped()
    {
        try (BlockIndex index = open())
        {
            index.add(transfer(1, 0), hashes(0));
            index.add(transfer(2, 0), hashes(0));
            assertThat(index.find(SCOPE, 0).transfer().recordingId()).isEqualTo(2);

            assertThat(index.drop(2, Long.MIN_VALUE, Long.MAX_VALUE)).isEqualTo(1);
            assertThat(index.find(SCOPE, 0).transfer().recordingId()).isEqualTo(1);
            assertThat(index.drop(1, 0, 1)).isEqualTo(1);
            assertThat(index.find(SCOPE, 0)).isNull();
            assertThat(index.drop(1, 0, 1)).isZero();
        }
    }

    @Test
    void knowsWhatWasUsedLast()
    {
        final CachedEpochClock clock = new CachedEpochClock();
        try (BlockIndex index = new BlockIndex(directory.resolve("i"), BlockIndex.COMPACTION_BYTES_MIN, clock))
        {
            index.add(transfer(0, 0), hashes(0));
            index.add(transfer(0, 1), hashes(1));
            clock.update(5_000);
            assertThat(index.lastUsedMs(0, 0, 200)).isEqualTo(1_000);
            index.find(SCOPE, hashes(1)[0]);
            assertThat(index.lastUsedMs(0, 0, 100)).isEqualTo(1_000);
            assertThat(index.lastUsedMs(0, 0, 200)).isEqualTo(5_000);
            assertThat(index.lastUsedMs(0, 1_000, 2_000)).isZero();

            index.compact();
            assertThat(index.lastUsedMs(0, 0, 200)).isEqualTo(5_000);
        }
    }

    @Test
    void compactsItselfWhenMoreThanHalfIsDead() throws IOException
    {
        final int transfers = 8_000;
        try (BlockIndex index = open())
        {
            for (int i = 0; i < transfers; i++)
            {
                index.add(transfer(0, i), hashes(i));
            }
            final long full = index.stats().fileBytes();
            index.progress(0, transfers * 100L, 9);
            index.drop(0, 0, (transfers - 1_000) * 100L);

            assertThat(index.stats().fileBytes()).isLessThan(full / 4)
                .isEqualTo(Files.size(directory.resolve("index")));
            assertThat(index.stats().transfers()).isEqualTo(1_000);
            assertThat(index.find(SCOPE, hashes(0)[0])).isNull();
            assertThat(index.find(SCOPE, hashes(transfers - 1)[0])).isNotNull();
            assertThat(index.progress(0)).isEqualTo(transfers * 100L);
        }
    }

    @Test
    void beginsEmptyWhereTheFileIsNone() throws IOException
    {
        try (BlockIndex index = open())
        {
            index.add(transfer(0, 0), hashes(0));
        }
        final byte[] header = Files.readAllBytes(directory.resolve("index"));
        header[20] ^= 1;
        Files.write(directory.resolve("index"), header);
        try (BlockIndex index = open())
        {
            assertThat(index.freshReason()).isEqualTo("its header is damaged");
            assertThat(index.stats().blocks()).isZero();
        }
        Files.write(directory.resolve("index"), Arrays.copyOf(header, 6));
        try (BlockIndex index = open())
        {
            assertThat(index.freshReason()).isEqualTo("it has only 6 bytes");
            assertThat(index.stats().discardedBytes()).isEqualTo(6);
        }
        Files.write(directory.resolve("index"), new byte[100]);
        try (BlockIndex index = open())
        {
            assertThat(index.stats().discardedBytes()).isEqualTo(100);
        }
    }

    @Test
    void leavesAnotherFileAsItIs() throws IOException
    {
        for (final String text : new String[]{ "vm\n", "x".repeat(200) })
        {
            Files.writeString(directory.resolve("index"), text);
            assertThatThrownBy(this::open).isInstanceOf(IndexException.class)
                .hasMessageContaining("is another file").hasMessageContaining("name another file, or remove");
            assertThat(directory.resolve("index")).hasContent(text);
        }
    }

    @Test
    void saysWhatIsWrong()
    {
        try (BlockIndex index = open())
        {
            assertThatThrownBy(this::open).isInstanceOf(IndexException.class)
                .hasMessageContaining("is in use: close what has it open");
            assertThatThrownBy(() -> index.add(transfer(0, 0), new long[3]))
                .hasMessageStartingWith("3 hashes for a transfer of 32 blocks");
        }
        assertThatThrownBy(() -> BlockIndex.open(directory)).isInstanceOf(IndexException.class)
            .hasMessageContaining("cannot be opened (Is a directory): name a file");
    }

    @Test
    void forgetsARecording()
    {
        try (BlockIndex index = open())
        {
            index.add(transfer(3, 0), hashes(0));
            index.progress(3, 100, 8);
            index.progress(4, 100, 9);
            assertThat(index.recordingIds()).containsExactly(3, 4);
            assertThat(index.forget(3)).isEqualTo(1);
            assertThat(index.recordingIds()).containsExactly(4);
            assertThat(index.identity(3)).isEqualTo(BlockIndex.NO_PROGRESS);
            assertThat(index.identity(4)).isEqualTo(9);
        }
    }

    private BlockIndex open()
    {
        return BlockIndex.open(directory.resolve("index"));
    }

    private static StoredTransfer transfer(final long recordingId, final int i)
    {
        return new StoredTransfer(recordingId, i * 100L, 100, i + 1, SCOPE, 1_000, 4, 64, BLOCKS, i);
    }

    private static long[] hashes(final int i)
    {
        final long[] hashes = new long[BLOCKS];
        for (int j = 0; j < BLOCKS; j++)
        {
            hashes[j] = (long)i * BLOCKS + j;
        }
        return hashes;
    }
}
