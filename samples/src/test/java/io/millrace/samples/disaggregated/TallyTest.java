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

import io.millrace.samples.disaggregated.RunResult.Blocks;
import io.millrace.samples.disaggregated.RunResult.Served;
import io.millrace.samples.disaggregated.RunResult.Times;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class TallyTest
{
    private final Tally tally = new Tally();

    @Test
    void hasNothingToShowAtFirst()
    {
        assertThat(tally.blocks()).isEqualTo(new Blocks(0, 0, 0, 0));
        assertThat(tally.transferShare()).isZero();
        assertThat(tally.timeToFirstToken().total()).isEqualTo(new Times(0, 0, 0, 0));
    }

    @Test
    void addsUpBlocksAndTimes()
    {
        // 1 to 100 ms in the queue, and as much for the transfer of every second.
        for (int i = 1; i <= 100; i++)
        {
            final int transfer = 0 == i % 2 ? i : 0;
            tally.add(new Served(i, i, 10, transfer, i + 10 + transfer, 3, 2, 5), 0 == i % 50 ? 1 : 0);
        }
        tally.retry();

        assertThat(tally.blocks()).isEqualTo(new Blocks(300, 200, 500, 0.5));
        assertThat(tally.wrongBlocks()).isEqualTo(2);
        assertThat(tally.retries()).isEqualTo(1);
        assertThat(tally.served()).hasSize(100);
        final Times queue = tally.timeToFirstToken().queue();
        assertThat(queue.meanMs()).isCloseTo(50.5, within(0.1));
        assertThat(queue.p50Ms()).isCloseTo(50, within(0.1));
        assertThat(queue.p99Ms()).isCloseTo(99, within(0.1));
        assertThat(queue.maxMs()).isCloseTo(100, within(0.1));
        assertThat(tally.timeToFirstToken().prefill().maxMs()).isCloseTo(10, within(0.1));
        assertThat(tally.transferShare()).isCloseTo(2550.0 / (5050 + 1000 + 2550), within(1e-9));
    }
}
