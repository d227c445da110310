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
package io.millrace.samples.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.archive.index.BlockIndex;
import io.millrace.archive.index.StoredTransfer;
import io.millrace.samples.demo.ParentLink;
import io.millrace.samples.demo.WorkDirectory;

import java.nio.file.Path;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/**
 * Look-ups in an index of many blocks.
 */
final class IndexCase
{
    private static final int BLOCKS_PER_TRANSFER = 24;
    private static final int LOOKUPS_PER_LOOK = 1024;
    private static final int TRANSFER_BYTES = 1 << 20;

    private IndexCase()
    {
    }

    /**
     * Fill an index, and find random blocks of it in each round.
     */
    static void run(final BenchOptions options, final int blocks, final Series series)
    {
        final Path parent = null == options.archiveDirectory() ?
            Path.of(System.getProperty("java.io.tmpdir")) : options.archiveDirectory();
        try (WorkDirectory directory = WorkDirectory.create(WorkDirectory.Owner.BENCH, parent);
            BlockIndex index = BlockIndex.open(directory.path().resolve("index")))
        {
            final long scope = StoredTransfer.scopeOf("bench");
            for (int from = 0; from < blocks; from += BLOCKS_PER_TRANSFER)
            {
                final long[] hashes = new long[Math.min(BLOCKS_PER_TRANSFER, blocks - from)];
                for (int i = 0; i < hashes.length; i++)
                {
                    hashes[i] = hash(from + i);
                }
                index.add(new StoredTransfer(1, (long)from * TRANSFER_BYTES, TRANSFER_BYTES, from, scope, 1, 1, 64,
                    hashes.length, 0), hashes);
            }
            for (int round = 0; round < options.rounds(); round++)
            {
                series.add(round(options, index, scope, blocks, round));
            }
        }
    }

    private static ObjectNode round(
        final BenchOptions options, final BlockIndex index, final long scope, final int blocks, final int round)
    {
        final SplittableRandom random = new SplittableRandom(round);
        final long startNs = System.nanoTime();
        long count = 0;
        long nowNs = startNs;
        while (nowNs - startNs < TimeUnit.MILLISECONDS.toNanos(options.durationMs()))
        {
            for (int i = 0; i < LOOKUPS_PER_LOOK; i++)
            {
                if (null == index.find(scope, hash(random.nextInt(blocks))))
                {
                    throw new IllegalStateException("a block that was added is not found");
                }
            }
            count += LOOKUPS_PER_LOOK;
            nowNs = System.nanoTime();
        }
        return ParentLink.event("result")
            .put("lookupsPerSecond", count * 1e9 / (nowNs - startNs))
            .put("bytesPerBlock", index.stats().memoryBytes() / (double)index.stats().blocks());
    }

    // Spread as a real hash is.
    private static long hash(final int number)
    {
        return (number + 1) * 0x9E3779B97F4A7C15L;
    }
}
