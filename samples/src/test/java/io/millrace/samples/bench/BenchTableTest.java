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

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.junit.jupiter.api.Test;

import java.util.Arrays;
import java.util.List;
import java.util.Map;

import static org.assertj.core.api.Assertions.assertThat;

class BenchTableTest
{
    @Test
    void saysThatTheMachineIsLoaded()
    {
        final String sentence = "loaded machine: 3.10 on 2 cores, figures are noise\n";
        assertThat(table("3.10 2.00 1.00 1/2 3")).endsWith(sentence);
        assertThat(table("1.90 2.00 1.00 1/2 3")).doesNotContain("loaded machine");
        assertThat(table("unknown")).doesNotContain("loaded machine");
    }

    @Test
    void saysThatCoresStandStill()
    {
        final CoreMeter.Stalls few = new CoreMeter.Stalls(0, 0.004, 70_000);
        assertThat(stalled(few, few)).doesNotContain("stand still");
        assertThat(stalled(few, new CoreMeter.Stalls(1, 0.0123, 6_000_000))).endsWith("cores that stand still: core " +
            "1 for 1.23 % of the time in gaps of up to 6,000 µs, under a thread that only reads the clock: p99 and " +
            "more tell of the machine\n");
    }

    private static String stalled(final CoreMeter.Stalls... stalls)
    {
        return BenchTable.of(new BenchReport(Map.of(), List.of(), List.of(stalls)));
    }

    @Test
    void saysHowFarTheCoresAreFromEachOther()
    {
        final CaseResult result =
            new CaseResult(new BenchCase(CaseKind.RTT, 64, 1408, "shm"), null, List.of(Transport.RAW));
        assertThat(result.coreDistance()).isEmpty();
        result.coreRoundTripsNs().addAll(List.of(490.0, 110.0, Double.NaN, 120.0));
        assertThat(BenchTable.of(new BenchReport(Map.of(), List.of(result), List.of())))
            .contains("  cores 120 [110–490] ns from each other, there and back\n");
        assertThat(result.json().get("coreRoundTripsNs").toString()).isEqualTo("[490.0,110.0,null,120.0]");
    }

    private static String table(final String load)
    {
        return BenchTable.of(new BenchReport(Map.of("cores", "2", "loadAverage", load), List.of(), List.of()));
    }

    @Test
    void aRangeNeedsTwoValues()
    {
        assertThat(BenchTable.range(1, 2, 2)).isEmpty();
        assertThat(BenchTable.range(2, 1, 2)).isEqualTo("1.00–2.00");
        assertThat(BenchTable.range(2, -2, -1)).isEqualTo("-2.00 to -1.00");
    }

    @Test
    void eachRatioHasAMeaning()
    {
        for (final CaseKind kind : CaseKind.values())
        {
            final BenchCase benchCase = new BenchCase(kind, 64, 1408, "shm");
            final List<Transport> transports = Arrays.asList(Transport.values());
            final CaseResult longest = new CaseResult(benchCase, null, transports);
            final CaseResult result = new CaseResult(benchCase, longest, transports);
            final ObjectNode round = JsonNodeFactory.instance.objectNode();
            kind.metrics().forEach((metric) -> round.put(metric, 2));
            longest.series().values().forEach((series) -> series.add(round));
            result.series().values().forEach((series) -> series.add(round));
            assertThat(result.ratios().isEmpty()).isEqualTo(CaseKind.ARCHIVE_INDEX == kind);
            assertThat(Legend.of(List.of(result))).as(kind.key()).doesNotContainValue(null);
        }
    }
}
