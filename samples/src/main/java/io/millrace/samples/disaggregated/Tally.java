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
import io.millrace.samples.disaggregated.RunResult.TimeToFirstToken;
import io.millrace.samples.disaggregated.RunResult.Times;
import org.HdrHistogram.Histogram;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * Adds up what was answered.
 */
final class Tally
{
    private static final double MICROS = 1e3;

    private final List<Served> served = new ArrayList<>();
    private long memory;
    private long archive;
    private long computed;
    private long wrongBlocks;
    private long retries;

    void add(final Served one, final long wrong)
    {
        served.add(one);
        memory += one.memory();
        archive += one.archive();
        computed += one.computed();
        wrongBlocks += wrong;
    }

    void retry()
    {
        retries++;
    }

    List<Served> served()
    {
        return served;
    }

    long wrongBlocks()
    {
        return wrongBlocks;
    }

    long retries()
    {
        return retries;
    }

    Blocks blocks()
    {
        return Blocks.of(memory, archive, computed);
    }

    TimeToFirstToken timeToFirstToken()
    {
        return new TimeToFirstToken(
            times(Served::totalMs), times(Served::queueMs), times(Served::prefillMs), times(Served::transferMs));
    }

    double transferShare()
    {
        final double total = served.stream().mapToDouble(Served::totalMs).sum();
        return 0 == total ? 0 : served.stream().mapToDouble(Served::transferMs).sum() / total;
    }

    private Times times(final ToDoubleFunction<Served> part)
    {
        final Histogram micros = new Histogram(3);
        served.forEach((one) -> micros.recordValue(Math.round(part.applyAsDouble(one) * MICROS)));
        return 0 == micros.getTotalCount() ? new Times(0, 0, 0, 0) : new Times(micros.getMean() / MICROS,
            micros.getValueAtPercentile(50) / MICROS, micros.getValueAtPercentile(99) / MICROS,
            micros.getMaxValue() / MICROS);
    }
}
