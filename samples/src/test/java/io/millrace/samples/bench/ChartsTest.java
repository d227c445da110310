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

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.knowm.xchart.internal.chartpart.Chart;

import java.util.List;

import static org.assertj.core.api.Assertions.assertThat;

class ChartsTest
{
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        THROUGHPUT | size of a message | throughput, GB/s
        KV         | size of a piece   | throughput, GB/s
        RTT        | percentile        | time, µs
        """)
    void saysWhatItsAxesAre(final CaseKind kind, final String xAxis, final String yAxis)
    {
        final CaseResult result =
            new CaseResult(new BenchCase(kind, 4096, 8192, "shm"), null, List.of(Transport.MILLRACE));
        final Chart<?, ?> chart =
            kind.isLatency() ? Charts.percentiles(result) : Charts.bars(kind, 8192, List.of(result));
        assertThat(chart.getXAxisTitle()).isEqualTo(xAxis);
        assertThat(chart.getYAxisTitle()).isEqualTo(yAxis);
    }
}
