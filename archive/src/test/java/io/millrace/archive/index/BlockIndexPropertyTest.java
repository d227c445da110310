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
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Random;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.constraints.IntRange;
import org.agrona.concurrent.SystemEpochClock;

import static org.assertj.core.api.Assertions.assertThat;

class BlockIndexPropertyTest
{
    private static final long[] SCOPES = {1, -5};
    private static final int HASHES = 40;
    private static final int RECORDINGS = 4;

    private IndexModel model;
    private long[] endOfRecording;
    private Random random;
    private Path path;
    private BlockIndex index;

    @Property(tries = 250, shrinking = ShrinkingMode.OFF)
    void isWhatAPlainMapIsThroughDropsCompactionsAndCrashes(
        @ForAll final long seed, @ForAll @IntRange(min = 1, max = 120) final int steps) throws IOException
    {
        model = new IndexModel();
        endOfRecording = new long[RECORDINGS];
        random = new Random(seed);
        path = Files.createTempFile("millrace", ".index");
        open();
        try
        {
            for (int i = 0; i < steps; i++)
            {
                step(random.nextInt(100));
            }
            model.assertSame(index, SCOPES, HASHES);
        }
        finally
        {
            index.close();
            Files.delete(path);
        }
    }

    private void step(final int choice) throws IOException
    {
        final int recordingId = random.nextInt(RECORDINGS);
        if (choice < 60)
        {
            add(recordingId);
        }
        else if (choice < 75)
        {
            drop(recordingId);
        }
        else if (choice < 85)
        {
            final long position = random.nextInt(10) == 0 ? BlockIndex.NO_PROGRESS : endOfRecording[recordingId];
            index.progress(recordingId, position, BlockIndex.NO_PROGRESS == position ? BlockIndex.NO_PROGRESS : 5);
            model.progressed(index, recordingId, position);
        }
        else if (choice < 88)
        {
            index.compact();
            model.compacted();
        }
        else if (choice < 92)
        {
            index.close();
            open();
            assertThat(index.stats().discardedBytes()).isZero();
            model.assertSame(index, SCOPES, HASHES);
        }
        else
        {
            crash();
            model.assertSame(index, SCOPES, HASHES);
        }
    }

    private void add(final int recordingId)
    {
        final long[] hashes = random.longs(1 + random.nextInt(6), 0, HASHES).toArray();
        final long position = endOfRecording[recordingId] + 32L * random.nextInt(3);
        final StoredTransfer transfer = new StoredTransfer(recordingId, position, 32 * (1 + random.nextInt(5)),
            random.nextLong(), SCOPES[random.nextInt(2)], 1000, 4, 64, hashes.length, random.nextInt());
        // Transfers may interleave: the next one may begin before this one ends.
        endOfRecording[recordingId] = position + 32;
        assertThat(index.add(transfer, hashes)).isTrue();
        model.added(index, transfer, hashes);
        assertThat(index.add(transfer, hashes)).isFalse();
    }

    private void drop(final int recordingId)
    {
        final long some = 32L * random.nextInt((int)(endOfRecording[recordingId] / 32) + 2);
        final int kind = random.nextInt(3);
        final long from = 0 == kind ? Long.MIN_VALUE : some;
        final long to = 0 == kind ? some : 1 == kind ? Long.MAX_VALUE : some + 64;
        index.drop(recordingId, from, to);
        model.dropped(index, recordingId, from, to);
    }

    /**
     * Cut the file off, or flip a bit of it, anywhere.
     */
    private void crash() throws IOException
    {
        index.close();
        final long size = Files.size(path);
        final long at = random.nextInt((int)size);
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE))
        {
            if (random.nextBoolean())
            {
                channel.truncate(at);
            }
            else
            {
                final ByteBuffer one = ByteBuffer.allocate(1);
                channel.read(one, at);
                one.put(0, (byte)(one.get(0) ^ 1 << random.nextInt(8))).flip();
                channel.write(one, at);
            }
        }
        open();
        model.cutAt(at);
    }

    private void open()
    {
        index = new BlockIndex(path, Long.MAX_VALUE, SystemEpochClock.INSTANCE);
    }
}
