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
    private static final int MESSAGES = 10_000;

    @TempDir
    private Path directory;

    @Test
    void replaysAndLateJoinsGiveTheSameOrdersOnMillraceAndOnAeronsOwnDriver() throws IOException
    {
        // As fast as it goes into a consumer that takes 200 us a message: it cannot keep up. The last 2 000 messages
        // wait for those that join late.
        final Path report = directory.resolve("report.html");
        final Tool tool = Tool.run(directory, "sample", "market-data", "--protocol", "shm", "--compare", "udp",
            "--rate", "max", "--messages", Integer.toString(MESSAGES), "--slow", "200", "--late-join", "0.1",
            "--report", report.toString(), "--json");
        assertThat(tool.process().exitValue()).as(tool::toString).isZero();
        final JsonNode results = tool.json().get("results");
        assertThat(results.findValuesAsText("transport")).hasSize(2);
        final JsonNode millrace = results.get(0);
        assertThat(millrace.get("transport").asText()).contains("Millrace, shm");
        assertThat(millrace.get("fabricFrames").asLong()).as("shm carries the stream: " + millrace)
            .isPositive();
        assertThat(results.get(1).get("transport").asText()).isEqualTo("Aeron's driver, UDP");
        results.forEach(MarketDataTest::assertSound);
        assertThat(Files.readString(report)).contains(
            "<svg", "Side by side", "Late join", "Aeron's driver, UDP", "</html>")
            .doesNotContain("DIFFER");
    }

    private static void assertSound(final JsonNode result)
    {
        assertThat(result.get("hops").findValuesAsText("hop"))
            .containsExactly("normaliser", "strategy-0", "strategy-1", "gateway");
        assertThat(result.get("hops").findValues("gaps")).allSatisfy((gaps) -> assertThat(gaps.asLong()).isZero());
        assertThat(result.at("/hops/0/messages").asLong()).isEqualTo(MESSAGES);
        for (int i = 0; i < 2; i++)
        {
            assertThat(result.at("/hops/" + (i + 1) + "/messages").asLong() + result.at("/conflated/" + i).asLong())
                .as("every update is sent or merged into a later one: " + result).isEqualTo(MESSAGES);
            assertThat(result.at("/strategies/" + i + "/orders").asLong()).isPositive();
        }
        assertThat(result.at("/conflated/1").asLong()).as("the slow one").isPositive();
        assertLateJoins(result);
        assertThat(result.get("replays").findValuesAsText("speed")).containsExactly("1x", "10x", "full");
        assertThat(result.get("replays").findValues("identical"))
            .allSatisfy((identical) -> assertThat(identical.asBoolean()).isTrue());
    }

    private static void assertLateJoins(final JsonNode result)
    {
        final JsonNode lateJoins = result.get("lateJoins");
        assertThat(lateJoins.findValuesAsText("strategy")).containsExactly("strategy-0", "strategy-1");
        for (int i = 0; i < 2; i++)
        {
            final JsonNode late = lateJoins.get(i);
            assertThat(late.get("history").asLong()).as("from the archive: " + result).isPositive();
            assertThat(late.get("live").asLong()).as("from the live feed: " + result).isPositive();
            assertThat(late.get("history").asLong() + late.get("live").asLong()).as("each message once: " + result)
                .isEqualTo(result.at("/hops/" + (i + 1) + "/messages").asLong());
            assertThat(late.get("gaps").asLong()).as(result::toString).isZero();
            assertThat(late.get("identical").asBoolean()).as(result::toString).isTrue();
        }
    }

    @Test
    void refusesAProtocolThatIsNone() throws IOException
    {
        final Tool tool = Tool.run(directory, "sample", "market-data", "--protocol", "pigeon");
        assertThat(tool.process().exitValue()).isEqualTo(2);
        assertThat(tool.err()).contains("--protocol pigeon: ");
    }
}
