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

import java.nio.file.Path;

import org.agrona.concurrent.EpochClock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

class SteadyEpochClockTest
{
    private static final long MIDNIGHT_MS = 1_700_000_000_000L;

    @TempDir
    private Path directory;

    @Test
    void doesNotFollowStepsOfTheSystemsClock()
    {
        final long[] nowMs = { MIDNIGHT_MS };
        final long[] nowNs = { 77 };
        final SteadyEpochClock clock = new SteadyEpochClock(() -> nowMs[0], () -> nowNs[0]);
        nowMs[0] -= 3_600_000;
        nowNs[0] += 5_000_000;
        assertThat(clock.time()).isEqualTo(MIDNIGHT_MS + 5);
        nowMs[0] += 7_200_000;
        assertThat(clock.time()).isEqualTo(MIDNIGHT_MS + 5);
    }

    @Test
    void whatWasStoredBeforeTheClockWasPutBackGrowsOldLikeTheRest()
    {
        final long[] nowMs = { MIDNIGHT_MS };
        final EpochClock clock = () -> nowMs[0];
        final Path file = directory.resolve("index");
        try (BlockIndex index = new BlockIndex(file, BlockIndex.COMPACTION_BYTES_MIN, clock))
        {
            index.add(new StoredTransfer(1, 0, 100, 1, 5, MIDNIGHT_MS, 1, 64, 1, 0), new long[]{ 1 });
        }
        nowMs[0] -= 3_600_000;
        try (BlockIndex index = new BlockIndex(file, BlockIndex.COMPACTION_BYTES_MIN, clock))
        {
            nowMs[0] += 10;
            index.add(new StoredTransfer(2, 0, 100, 2, 5, nowMs[0], 1, 64, 1, 0), new long[]{ 2 });
            assertThat(index.lastUsedMs(1, 0, 100)).isLessThan(index.lastUsedMs(2, 0, 100));
            nowMs[0] += 10;
            index.find(5, 1);
            assertThat(index.lastUsedMs(1, 0, 100)).isGreaterThan(index.lastUsedMs(2, 0, 100));
        }
    }
}
