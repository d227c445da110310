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
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * {@code ./millrace bench growth} and {@code bench parts}: structure and refusals. Figures are not asserted.
 */
class BenchGrowthTest
{
    private static final int TERMINATED = 143;

    @TempDir
    private Path directory;

    @Test
    void tellsTheCostOfEachCountOnBothDrivers() throws IOException
    {
        final Tool tool = Tool.run(directory, "bench", "growth", "--streams", "1,2", "--peers", "2", "--rails", "2",
            "--terms", "1m", "--rounds", "1", "--seconds", "0.01", "--protocol", "shm", "--json");
        assertThat(tool.process().exitValue()).as(tool::toString).isZero();
        final JsonNode rows = tool.json().get("growth");
        assertThat(rows).hasSize(9);
        for (final JsonNode row : rows)
        {
            assertThat(row.get("nanosPerMessage").asDouble()).as(row::toString).isPositive();
            assertThat(row.get("idleCycleNanos").asDouble()).as(row::toString).isPositive();
            assertThat(row.get("connectMillis").asDouble()).as(row::toString).isPositive();
        }
        assertThat(rows.get(0).get("registeredBytes").asLong()).isPositive();
        assertThat(tool.err()).doesNotContain("INFO");
    }

    @Test
    void leavesNothingBehindWhenItIsStopped() throws Exception
    {
        final Path work = Files.createDirectory(directory.resolve("work"));
        try (Tool tool = Tool.start(directory, Map.of(), "bench", "growth", "--dir", work.toString()))
        {
            tool.awaitTrue("files of the provider", () -> hasProviderFiles(tool));
            tool.signal("TERM");
            assertThat(tool.awaitStatus()).as(tool::toString).isEqualTo(TERMINATED);
            assertThat(tool.err()).contains("millrace: interrupted").doesNotContain("\tat ");
            assertThat(tool.out()).isEmpty();
            assertThat(work).isEmptyDirectory();
            assertThat(Tool.providerFiles(tool.process().pid())).isEmpty();
        }
    }

    private static boolean hasProviderFiles(final Tool tool)
    {
        try
        {
            return !Tool.providerFiles(tool.process().pid()).isEmpty();
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }

    @Test
    void tellsTheCostOfAPart() throws IOException
    {
        final Tool tool = Tool.run(directory, "bench", "parts", "--only", "PlacedCommit|postAndComplete",
            "--rounds", "1", "--seconds", "0.01", "--forks", "0", "--json");
        assertThat(tool.process().exitValue()).as(tool::toString).isZero();
        assertThat(tool.err()).doesNotContain("WARNING");
        final JsonNode parts = tool.json().get("parts");
        assertThat(parts).hasSize(4);
        parts.forEach((part) -> assertThat(part.get("nanosPerOperation").asDouble()).as(part::toString).isPositive());
    }

    @Test
    void refusesWhatCannotBe() throws IOException
    {
        refuses("--terms has '3m'", "bench", "growth", "--terms", "3m");
        refuses("--peers has 0", "bench", "growth", "--peers", "0");
        refuses("growth needs rails", "bench", "growth", "--protocol", "udp");
        refuses("--only none: it matches no part", "bench", "parts", "--only", "none");
        refuses("forks", "bench", "parts", "--forks", "-1");
    }

    private void refuses(final String text, final String... arguments) throws IOException
    {
        final Tool tool = Tool.run(directory, arguments);
        assertThat(tool.process().exitValue()).as(tool::toString).isEqualTo(2);
        assertThat(tool.toString()).contains(text);
    }
}
