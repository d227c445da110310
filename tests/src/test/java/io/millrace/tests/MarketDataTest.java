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
import java.nio.file.Files;
import java.nio.file.Path;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * {@code ./millrace sample market-data}.
 */
class MarketDataTest
{
    @TempDir
    private Path directory;

    @Test
    void replaysGiveTheSameOrdersWhateverTheConsumerWasTooSlowFor() throws IOException
    {
        // As fast as it goes into a consumer that takes 200 us a message: it cannot keep up.
        final Tool tool = Tool.run(directory, "sample", "market-data", "--protocol", "shm", "--rate", "max",
            "--messages", "20000", "--slow", "200", "--json");
        assertThat(tool.process().exitValue()).as(tool::toString).isZero();
        final JsonNode result = tool.json().at("/results/0");
        assertThat(result.get("transport").asText()).contains("Millrace, shm");
        assertThat(result.get("hops").findValuesAsText("hop"))
            .containsExactly("normaliser", "strategy-0", "strategy-1", "gateway");
        assertThat(result.get("hops").findValues("gaps")).allSatisfy((gaps) -> assertThat(gaps.asLong()).isZero());
        assertThat(result.get("fabricFrames").asLong()).as("shm carries the stream: " + result)
            .isGreaterThan(result.get("udpFrames").asLong());
        assertThat(result.at("/hops/0/messages").asLong()).isEqualTo(20_000);
        for (int i = 0; i < 2; i++)
        {
            assertThat(result.at("/hops/" + (i + 1) + "/messages").asLong() + result.at("/conflated/" + i).asLong())
                .as("every update is sent or merged into a later one: " + result).isEqualTo(20_000);
            assertThat(result.at("/strategies/" + i + "/orders").asLong()).isPositive();
        }
        assertThat(result.at("/conflated/1").asLong()).as("the slow one").isPositive();
        assertThat(result.get("replays").findValuesAsText("speed")).containsExactly("1x", "10x", "full");
        assertThat(result.get("replays").findValues("identical"))
            .allSatisfy((identical) -> assertThat(identical.asBoolean()).isTrue());
    }

    @Test
    void comparesWithAeronsOwnDriver() throws IOException
    {
        final Path report = directory.resolve("report.html");
        final Tool tool = Tool.run(directory, "sample", "market-data", "--protocol", "shm", "--compare", "udp",
            "--rate", "2000", "--messages", "500", "--report", report.toString());
        assertThat(tool.process().exitValue()).as(tool::toString).isZero();
        assertThat(tool.out()).contains("Millrace, shm", "Aeron's driver, UDP", "HOP", "on the fabric", "replay full")
            .doesNotContain("DIFFER");
        assertThat(Files.readString(report)).contains("<svg", "Side by side", "Aeron's driver, UDP", "</html>")
            .doesNotContain("DIFFER");
    }

    @Test
    void refusesWhatCannotBe() throws IOException
    {
        assertThat(failure("--rate", "fast")).contains("--rate is fast", "or max");
        assertThat(failure("--messages", "0")).contains("--messages is 0", "from 1");
        assertThat(failure("--compare", "tcp")).contains("--compare is tcp", "must be udp");
        assertThat(failure("--protocol", "pigeon")).contains("--protocol pigeon: ");
    }

    private String failure(final String... options) throws IOException
    {
        final Tool tool = Tool.run(directory, "sample", "market-data", options[0], options[1]);
        assertThat(tool.process().exitValue()).isEqualTo(2);
        return tool.err();
    }
}
