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
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The sample disaggregated-prefill as a user runs it.
 */
class DisaggregatedPrefillTest
{
    @TempDir
    private Path directory;

    @Test
    void servesBlocksFromMemoryArchiveAndPrefillWhileInstancesComeAndGo() throws IOException
    {
        final Path report = directory.resolve("report.html");
        // Memory for little more than the longest prompt, so that blocks are given up and had from the archive.
        final JsonNode result = run("--protocol", "shm", "--requests", "20", "--speed", "5", "--decode", "1",
            "--cache-blocks", "72", "--change", "0.5s:+decode", "--change", "1s:-prefill", "--change", "900s:+prefill",
            "--report", report.toString());

        assertThat(result.at("/requests").asLong()).isEqualTo(20);
        assertThat(result.at("/wrongBlocks").asLong()).isZero();
        assertThat(result.at("/transport").asText()).startsWith("shm");
        // How many go by UDP before the links are up is a matter of time.
        assertThat(result.at("/fabricFrames").asLong()).isPositive();
        final JsonNode blocks = result.get("blocks");
        for (final String source : List.of("memory", "archive", "computed"))
        {
            assertThat(blocks.get(source).asLong()).as(source + " of " + blocks).isPositive();
        }
        assertThat(blocks.get("hitRate").asDouble()).isBetween(0.01, 0.99);

        final JsonNode times = result.get("timeToFirstToken");
        final double sum = times.at("/queue/meanMs").asDouble() + times.at("/prefill/meanMs").asDouble() +
            times.at("/transfer/meanMs").asDouble();
        assertThat(sum).as("its parts make up the time: " + times)
            .isBetween(0.98 * times.at("/total/meanMs").asDouble(), 1.02 * times.at("/total/meanMs").asDouble());
        assertThat(result.get("transferShare").asDouble()).isBetween(0.0, 1.0);
        assertThat(result.get("missedChanges")).hasToString("[\"900s:+prefill\"]");

        assertThat(result.get("instances").findValuesAsText("name")).containsExactly(
            "archive", "prefill-0", "decode-0", "prefill-1", "decode-1");
        assertThat(instance(result, "decode-1").get("joinedSeconds").asDouble()).isPositive();
        assertThat(instance(result, "prefill-0").get("leftSeconds").asDouble()).isPositive();
        assertThat(instance(result, "prefill-1").get("leftSeconds").isNull()).isTrue();
        assertThat(instance(result, "archive").get("blocks").asLong()).isEqualTo(blocks.get("archive").asLong());
        assertThat(Files.readString(report)).contains(
            "<svg", "Time to first token", "decode-1", "900s:+prefill", "</html>");
    }

    @Test
    void recomputesWhatIsNotInMemoryWithoutAnArchive() throws IOException
    {
        final Path trace = directory.resolve("trace.jsonl");
        final String line = "{\"timestamp\": %d, \"input_length\": 1600, \"output_length\": 1, \"hash_ids\": [%s]}%n";
        Files.writeString(trace, line.formatted(0, "1, 2, 3, 4") + line.formatted(2000, "1, 2, 3, 5") +
            line.formatted(4000, "6, 7, 8, 9") + line.formatted(6000, "1, 2, 3, 4"));
        // One instance with room for one prompt: what the third one pushes out has to be computed for the fourth.
        final JsonNode result = run("--protocol", "udp", "--trace", trace.toString(), "--requests", "4",
            "--prefill", "1", "--prefill-rate", "60000", "--decode", "1", "--cache-blocks", "4", "--no-archive",
            "--speed", "4");
        assertThat(result.at("/blocks/memory").asLong()).isEqualTo(3);
        assertThat(result.at("/blocks/archive").asLong()).isZero();
        assertThat(result.at("/blocks/computed").asLong()).isEqualTo(13);
        assertThat(result.at("/wrongBlocks").asLong()).isZero();
        assertThat(result.at("/fabricFrames").asLong()).isZero();
        assertThat(result.at("/udpFrames").asLong()).isPositive();
    }

    @Test
    void refusesMemoryForLessThanAPrompt() throws IOException
    {
        final Tool tool = Tool.run(directory, arguments("--cache-blocks", "3"));
        assertThat(tool.process().exitValue()).as(tool::toString).isEqualTo(2);
        assertThat(tool.out()).isEmpty();
        assertThat(tool.err()).contains("--cache-blocks is 3, and the longest prompt has");
    }

    @Test
    void anInterruptionLeavesNothingBehind() throws Exception
    {
        final Path drivers = Files.createDirectory(directory.resolve("drivers"));
        final Path recordings = Files.createDirectory(directory.resolve("recordings"));
        try (Tool tool = Tool.start(directory, Map.of(), "sample", "disaggregated-prefill", "--protocol", "shm",
            "--prefill", "1", "--decode", "1", "--dir", drivers.toString(), "--archive-dir", recordings.toString()))
        {
            final ProcessHandle decode = tool.awaitChild("disaggregated.DecodeNode");
            tool.signal("INT");
            assertThat(tool.awaitStatus()).isEqualTo(130);
            tool.awaitTrue("end of its instance", () -> !decode.isAlive());
            assertThat(tool.err()).contains("interrupted");
            assertThat(drivers).isEmptyDirectory();
            assertThat(recordings).isEmptyDirectory();
        }
    }

    private JsonNode run(final String... options) throws IOException
    {
        final Tool tool = Tool.run(directory, arguments(options));
        assertThat(tool.process().exitValue()).as(tool::toString).isZero();
        return tool.json();
    }

    private static String[] arguments(final String... options)
    {
        return Stream.concat(Stream.of("sample", "disaggregated-prefill", "--json"), Stream.of(options))
            .toArray(String[]::new);
    }

    private static JsonNode instance(final JsonNode result, final String name)
    {
        return StreamSupport.stream(result.get("instances").spliterator(), false)
            .filter((one) -> name.equals(one.get("name").asText())).findFirst().orElseThrow();
    }
}
