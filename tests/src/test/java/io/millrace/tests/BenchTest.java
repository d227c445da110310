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
package io.millrace.tests;

import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

/**
 * {@code ./millrace bench}: structure, consistency and refusals. Figures are not asserted.
 */
class BenchTest
{
    @TempDir
    private Path directory;

    @Test
    void reportsEveryTransportWithRatiosOfItsOwnValues() throws IOException
    {
        final Tool tool = Tool.run(directory, "bench", "throughput", "--sizes", "288", "--mtu", "8192", "--rounds", "1",
            "--seconds", "0.1", "--warmup", "0.1", "--protocol", "shm", "--json");
        assertThat(tool.process().exitValue()).as(tool::toString).isZero();
        final JsonNode report = tool.json();
        assertThat(report.at("/environment/cpu").asText()).isNotEmpty();
        final JsonNode first = report.at("/cases/0");
        assertThat(first.get("case").asText()).isEqualTo("throughput");
        assertThat(first.get("size").asInt()).isEqualTo(288);
        final JsonNode results = first.get("results");
        for (final String transport : new String[]{ "millrace", "aeronUdp", "aeronIpc", "raw" })
        {
            assertThat(results.get(transport).get("messagesPerSecond").asDouble()).as(transport).isPositive();
        }
        final double expected = results.at("/millrace/gigabytesPerSecond").asDouble() /
            results.at("/aeronUdp/gigabytesPerSecond").asDouble();
        assertThat(first.at("/ratios/toUdp").asDouble()).isCloseTo(expected, within(1e-9));
    }

    @Test
    void listsCpuOfKvBlocksByStageAndComparesPieces() throws IOException
    {
        final Tool tool = Tool.run(directory, "bench", "kv", "--sizes", "16384,65536", "--mtu", "8192", "--on",
            "millrace", "--rounds", "1", "--seconds", "0.1", "--warmup", "0.1", "--protocol", "shm", "--json");
        assertThat(tool.process().exitValue()).as(tool::toString).isZero();
        final JsonNode small = tool.json().at("/cases/0");
        final JsonNode large = tool.json().at("/cases/1");
        for (final String stage : new String[]{ "d2h", "sendCrc", "claim", "sender", "send", "receive", "copyOut",
            "receiveCrc", "receiver", "h2d" })
        {
            assertThat(small.at("/results/millrace/cpuMillisPerGigabyte").has(stage)).as(stage).isTrue();
        }
        final double expected = small.at("/results/millrace/gigabytesPerSecond").asDouble() /
            large.at("/results/millrace/gigabytesPerSecond").asDouble();
        assertThat(small.at("/ratios/toLongest").asDouble()).isCloseTo(expected, within(1e-9));
        assertThat(large.at("/ratios").has("toLongest")).isFalse();
    }

    @Test
    void timesSingleKvBlocks() throws IOException
    {
        final Path page = directory.resolve("report.html");
        final Tool tool = Tool.run(directory, "bench", "kvBlock", "--sizes", "4096", "--on", "millrace,aeronUdp,raw",
            "--rounds", "1", "--seconds", "0.1", "--warmup", "0.1", "--protocol", "shm", "--json", "--report",
            page.toString());
        assertThat(tool.process().exitValue()).as(tool::toString).isZero();
        assertThat(tool.json().at("/environment/coreStalls").asText()).contains("core ", "longest");
        final JsonNode block = tool.json().at("/cases/0");
        assertThat(block.get("coreRoundTripsNs")).hasSize(1).allMatch((round) -> round.asDouble() > 0);
        assertThat(block.get("results").fieldNames()).toIterable().containsExactly("millrace", "aeronUdp");
        final double p50 = block.at("/results/millrace/p50Micros").asDouble();
        assertThat(p50).isPositive().isLessThanOrEqualTo(block.at("/results/millrace/maxMicros").asDouble());
        assertThat(block.at("/ratios/p50ToUdp").asDouble())
            .isCloseTo(p50 / block.at("/results/aeronUdp/p50Micros").asDouble(), within(1e-9));
        assertThat(page).content().contains("KV block of 4 KiB, µs by percentile");
    }

    @Test
    void refusesWhatCannotBe() throws IOException
    {
        refuses("a message has 32", "bench", "rtt", "--sizes", "1");
        refuses("multiple of 32", "bench", "rtt", "--mtu", "1400");
        refuses("multiple of 256 bytes", "bench", "kvBlock", "--sizes", "4224");
        refuses("--report", "bench", "rtt", "--report", directory.resolve("absent/report.html").toString());
        refuses("--protocol efa", "bench", "rtt", "--protocol", "efa");
    }

    private void refuses(final String text, final String... arguments) throws IOException
    {
        final Tool tool = Tool.run(directory, arguments);
        assertThat(tool.process().exitValue()).as(tool::toString).isEqualTo(2);
        assertThat(tool.toString()).contains(text);
    }
}
