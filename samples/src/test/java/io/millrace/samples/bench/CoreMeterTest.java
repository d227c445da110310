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

import java.util.List;
import java.util.concurrent.TimeUnit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

class CoreMeterTest
{
    private static final long DURATION_NS = TimeUnit.MILLISECONDS.toNanos(20);
    private final int[] cores = Placement.allowed();
    private final int one = cores[0];
    private final int other = cores[cores.length - 1];

    @Test
    void passesACacheLineBackAndForth()
    {
        assumeTrue(one != other, "needs two cores");
        assertThat(CoreMeter.roundTripNs(one, other)).isPositive();
    }

    @Test
    void looksAtEachCore()
    {
        final List<CoreMeter.Stalls> stalls = CoreMeter.stalls(List.of(one, other), DURATION_NS);
        assertThat(stalls).extracting(CoreMeter.Stalls::core).containsExactly(one, other);
        assertThat(stalls).allSatisfy((core) ->
        {
            assertThat(core.share()).isBetween(0.0, 1.0);
            assertThat(core.longestNs() > 0).isEqualTo(core.share() > 0);
        });
    }

    @Test
    void tellsInWords()
    {
        assertThat(new CoreMeter.Stalls(3, 0.0123, 4_567_890)).hasToString("core 3 1.23 %, longest 4,567 µs");
    }
}
