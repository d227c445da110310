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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/**
 * The demonstration, small, over every protocol that needs no special hardware, and what is left when it is killed.
 */
class DemoTest
{
    private static final int KILLED = 9;
    private static final int A_HANDFUL_OF_FRAMES = 16;
    private static final String[] KEYS = {
        "protocol", "provider", "rails", "requests", "tokens", "bytes", "seconds", "gigabytesPerSecond",
        "transferLatencyMicros", "fabricFrames", "udpDataFrames", "retransmits", "fallbacks", "checksumErrors",
        "verified" };

    @TempDir
    private Path output;
    private Path shared;

    @BeforeEach
    void createDirectory() throws IOException
    {
        shared = Files.createTempDirectory(Path.of("/dev/shm"), "millrace-test-");
    }

    @Test
    void childrenThatAreStillStartingEndToo() throws Exception
    {
        try (Tool tool = startLongRun())
        {
            final List<ProcessHandle> children =
                List.of(tool.awaitChild("DecodeChild"), tool.awaitChild("PrefillChild"));
            tool.signal("KILL");
            tool.awaitStatus();
            assertGone(children);
        }
    }

    @AfterEach
    void leavesNothingBehind() throws IOException
    {
        assertThat(shared).isEmptyDirectory();
        Files.delete(shared);
    }

    @ParameterizedTest
    @CsvSource({ "auto, 1", "shm, 1", "shm, 2", "tcp, 1", "tcp, 2" })
    void isVerifiedOverLibfabric(final String protocol, final int rails) throws IOException
    {
        final JsonNode report = demo("--protocol", protocol, "--rails", Integer.toString(rails));
        assertThat(report.get("protocol").asText()).isEqualTo("auto".equals(protocol) ? "shm" : protocol);
        assertThat(report.get("rails").asInt()).isEqualTo(rails);
        assertThat(report.get("fabricFrames").asLong()).isPositive();
        assertThat(report.get("udpDataFrames").asLong()).isLessThan(A_HANDFUL_OF_FRAMES);
        assertThat(report.get("fallbacks").asLong()).isZero();
    }

    @Test
    void isVerifiedOverUdp() throws IOException
    {
        final JsonNode report = demo("--protocol", "udp");
        assertThat(report.get("protocol").asText()).isEqualTo("udp");
        assertThat(report.get("provider").asText()).isEqualTo("udp");
        assertThat(report.get("fabricFrames").asLong()).isZero();
        assertThat(report.get("udpDataFrames").asLong()).isPositive();
    }

    @Test
    void recordsAndReplaysWhatWasStreamed() throws IOException
    {
        final Path archives = Files.createDirectory(output.resolve("archives"));
        final Tool tool = Tool.run(output, "demo", "--json", "--requests", "3", "--model", "2x1x16",
            "--dir", shared.toString(), "--archive", "--archive-dir", archives.toString());
        assertThat(tool.process().exitValue()).as(tool::toString).isZero();
        final JsonNode report = tool.json();
        final JsonNode archive = report.get("archive");
        assertThat(archive.fieldNames()).toIterable().containsExactly("recordedBytes", "replayedBytes", "verified");
        assertThat(archive.get("verified").booleanValue()).isTrue();
        assertThat(archive.get("recordedBytes").asLong())
            .isGreaterThan(report.get("bytes").asLong())
            .isEqualTo(archive.get("replayedBytes").asLong());
        assertThat(report.get("fabricFrames").asLong()).isPositive();
        assertThat(archives).isEmptyDirectory();
    }

    @Test
    void takesRelativeDirectories() throws IOException
    {
        final Path archives = Files.createDirectory(output.resolve("archives"));
        final Path here = Path.of("").toRealPath();
        final Tool tool = Tool.run(output, "demo", "--json", "--requests", "1", "--model", "2x1x16",
            "--dir", here.relativize(shared).toString(),
            "--archive", "--archive-dir", here.relativize(archives.toRealPath()).toString());
        assertThat(tool.process().exitValue()).as(tool::toString).isZero();
        assertThat(tool.json().get("archive").get("verified").booleanValue()).isTrue();
        assertThat(archives).isEmptyDirectory();
    }

    @Test
    void showsATable() throws IOException
    {
        final Tool tool = Tool.run(output, "demo", "--requests", "1", "--model", "2x1x16", "--dir", shared.toString());
        assertThat(tool.process().exitValue()).as(tool::toString).isZero();
        assertThat(tool.out()).contains("protocol ", "why ", "GB/s ", "p99 ", "fallbacks ", "verified ");
    }

    @ParameterizedTest
    @ValueSource(ints = { 30, 80 })
    void drawsProgressThatFitsTheTerminal(final int columns) throws IOException
    {
        assumeTrue(Files.isExecutable(Path.of("/usr/bin/script")), "no terminal without script");
        final Tool tool = Tool.startProcess(output, Map.of("MILLRACE_NO_BUILD", "1"), List.of("/usr/bin/script",
            "--quiet", "--return", "--command", "stty cols " + columns + "; " + Tool.ROOT.resolve("millrace") +
            " demo --requests 1 --model 2x1x16 --dir " + shared, "/dev/null"));
        assertThat(tool.awaitStatus()).as(tool::toString).isZero();
        final List<String> bars = Stream.of(tool.out().split("[\\r\\n]+"))
            .filter((line) -> line.startsWith("KV blocks"))
            .toList();
        assertThat(bars).isNotEmpty().allSatisfy((bar) -> assertThat(bar).hasSizeLessThan(columns));
        assertThat(Stream.of(tool.out().split("\n")).filter((line) -> line.contains("KV blocks"))).hasSize(1);
    }

    @Test
    void runsATraceWithFewerRequestsThanAskedFor() throws IOException
    {
        final Path trace = Files.writeString(output.resolve("trace.jsonl"),
            "{\"timestamp\": 0, \"input_length\": 100, \"output_length\": 1, \"hash_ids\": [0]}\n" +
            "{\"timestamp\": 9, \"input_length\": 129, \"output_length\": 1, \"hash_ids\": [0, 1]}\n");
        final Tool tool = Tool.run(output, "demo", "--json", "--trace", trace.toString(), "--requests", "5",
            "--model", "3x2x5", "--tokens-per-block", "3", "--dir", shared.toString());
        assertThat(tool.process().exitValue()).as(tool::toString).isZero();
        assertThat(tool.err()).contains("only 2 requests");
        final JsonNode report = tool.json();
        assertThat(report.get("requests").asInt()).isEqualTo(2);
        assertThat(report.get("tokens").asInt()).isEqualTo(229);
        // 34 and 43 blocks of 3 tokens, 3 layers, keys and values, 2 heads of 5 elements of 2 bytes.
        assertThat(report.get("bytes").asInt()).isEqualTo((34 + 43) * 3 * 3 * 2 * 2 * 5 * 2);
        assertThat(report.get("verified").asBoolean()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({ "DecodeChild, 9", "PrefillChild, 9", "DecodeChild, 15", "PrefillChild, 15" })
    void endsWithAnErrorWhenAChildDiesInMidTransfer(final String mainClass, final int signal) throws Exception
    {
        try (Tool tool = startLongRun())
        {
            final List<ProcessHandle> children = awaitTransfer(tool);
            final ProcessHandle victim = tool.awaitChild(mainClass);
            assertThat(signal == KILLED ? victim.destroyForcibly() : victim.destroy()).isTrue();

            assertThat(tool.awaitStatus()).as(tool::toString).isEqualTo(1);
            assertThat(tool.out()).isEmpty();
            assertThat(tool.err())
                .contains("while transferring request")
                .contains((mainClass.startsWith("Decode") ? "decode" : "prefill") + " process (pid " + victim.pid())
                .contains("(signal " + signal + ")")
                .doesNotContain(" process failed");
            assertGone(children);
        }
    }

    @ParameterizedTest
    @CsvSource({ "INT, 130", "TERM, 143" })
    void cleansUpWhenInterrupted(final String signal, final int status) throws Exception
    {
        try (Tool tool = startLongRun())
        {
            final List<ProcessHandle> children = awaitTransfer(tool);
            tool.signal(signal);
            assertThat(tool.awaitStatus()).as(tool::toString).isEqualTo(status);
            assertThat(tool.out()).isEmpty();
            assertThat(tool.err().lines().filter((line) -> line.startsWith("millrace: ")))
                .containsExactly("millrace: interrupted");
            assertGone(children);
        }
    }

    @Test
    void childrenEndAndCleanUpWhenTheirParentIsKilled() throws Exception
    {
        try (Tool tool = startLongRun())
        {
            final List<ProcessHandle> children = awaitTransfer(tool);
            tool.signal("KILL");
            tool.awaitStatus();
            assertGone(children);
        }
    }

    @Test
    void aRecordingGoesWhenItsParentIsKilled() throws Exception
    {
        final Path archives = Files.createDirectory(output.resolve("archives"));
        try (Tool tool = Tool.start(output, Map.of(), "demo", "--verbose", "--requests", "100",
            "--model", "2x1x16", "--dir", shared.toString(), "--archive", "--archive-dir", archives.toString()))
        {
            final List<ProcessHandle> children = awaitTransfer(tool);
            tool.signal("KILL");
            tool.awaitStatus();
            assertGone(children);
            assertThat(archives).isEmptyDirectory();
        }
    }

    private JsonNode demo(final String... arguments) throws IOException
    {
        final List<String> all = new ArrayList<>(
            List.of("demo", "--json", "--requests", "3", "--model", "2x1x16", "--dir", shared.toString()));
        all.addAll(List.of(arguments));
        final Tool tool = Tool.run(output, all.toArray(String[]::new));
        assertThat(tool.process().exitValue()).as(tool::toString).isZero();
        final JsonNode report = tool.json();
        assertThat(report.fieldNames()).toIterable().containsExactly(KEYS);
        assertThat(report.get("transferLatencyMicros").fieldNames()).toIterable()
            .containsExactly("p50", "p90", "p99", "max");
        assertThat(report.get("verified").isBoolean()).isTrue();
        assertThat(report.get("verified").booleanValue()).isTrue();
        assertThat(report.get("requests").asInt()).isEqualTo(3);
        // 2 layers x keys and values x 16 elements x 2 bytes: 128 bytes a token, blocks of 128 tokens.
        assertThat(report.get("bytes").asLong()).isGreaterThanOrEqualTo(report.get("tokens").asLong() * 128);
        assertThat(report.get("checksumErrors").asLong()).isZero();
        return report;
    }

    private Tool startLongRun() throws IOException
    {
        return Tool.start(
            output, Map.of(), "demo", "--json", "--verbose", "--requests", "1000", "--dir", shared.toString());
    }

    private List<ProcessHandle> awaitTransfer(final Tool tool)
    {
        // One request is done, and many are to come.
        tool.awaitTrue("transfer", () -> tool.hasErr("request 0: "));
        return tool.process().descendants().toList();
    }

    private void assertGone(final List<ProcessHandle> children) throws Exception
    {
        assertThat(children).hasSizeGreaterThanOrEqualTo(2);
        for (final ProcessHandle child : children)
        {
            child.onExit().get(Tool.DEADLINE_MS, TimeUnit.MILLISECONDS);
        }
        for (final ProcessHandle child : children)
        {
            assertThat(Tool.providerFiles(child.pid())).isEmpty();
        }
        assertThat(shared).isEmptyDirectory();
    }
}
