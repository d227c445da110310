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

import org.junit.jupiter.api.Test;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

import static org.assertj.core.api.Assertions.assertThat;

class WarmupTest
{
    private static final long WARMUP_MS = 500;
    private static final long START_NS = Long.MAX_VALUE - 1_000;

    private final AtomicLong compilationMs = new AtomicLong(40);
    private final Warmup warmup = new Warmup(WARMUP_MS, START_NS, compilationMs::get);

    @Test
    void lastsItsTimeWhenTheCompilerRests()
    {
        assertThat(endMs(0)).isEqualTo(WARMUP_MS);
    }

    @Test
    void lastsUntilTheCompilerRests()
    {
        assertThat(endMs(1_700)).isBetween(1_700L, 2_300L);
    }

    @Test
    void endsThoughTheCompilerNeverRests()
    {
        assertThat(endMs(Long.MAX_VALUE)).isBetween(2_500L, 2_750L);
    }

    // The compiler takes half of the time until then.
    private long endMs(final long restsAfterMs)
    {
        long ms = 0;
        while (!warmup.isOver(START_NS + TimeUnit.MILLISECONDS.toNanos(ms)))
        {
            assertThat(ms).isLessThan(10_000);
            ms += 10;
            compilationMs.addAndGet(ms < restsAfterMs ? 5 : 0);
        }
        return ms;
    }
}
