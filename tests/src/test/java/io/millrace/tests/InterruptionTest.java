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

import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Commands that are ended by a signal. Where their processes start meanwhile, those have made nothing yet, and must not
 * make it when all has been removed.
 */
class InterruptionTest
{
    @TempDir
    private Path directory;

    @ParameterizedTest
    @CsvSource({
        "demo, demo.DecodeChild, INT, 130",
        "sample market-data, marketdata.Stage, INT, 130",
        "bench rtt, bench.BenchChild, TERM, 143" })
    void leaveNothingBehind(final String command, final String child, final String signal, final int status)
        throws Exception
    {
        final Path work = Files.createDirectory(directory.resolve("work"));
        final List<String> arguments = new ArrayList<>(List.of(command.split(" ")));
        arguments.addAll(List.of("--dir", work.toString()));
        try (Tool tool = Tool.start(directory, Map.of(), arguments.toArray(String[]::new)))
        {
            tool.awaitChild("io.millrace.samples." + child);
            assertThat(names(work)).containsExactly(
                "millrace-" + command.replaceFirst("sample | rtt", ""));
            tool.signal(signal);
            assertThat(tool.awaitStatus()).as(tool::toString).isEqualTo(status);
            assertThat(tool.out()).isEmpty();
            assertThat(tool.err().lines().filter((line) -> line.startsWith("millrace: ")))
                .contains("millrace: interrupted").noneMatch((line) -> line.contains("failed"));
            assertThat(work).isEmptyDirectory();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "driver -Daeron.dir=home, INT",
        "driver -Daeron.dir=home, TERM",
        "archive serve --dir home --archive-dir recordings, INT",
        "archive serve --dir home --archive-dir recordings, TERM",
        "sample embedded-service --port 0 --dir home, INT" })
    void removeTheDriversDirectoryAtTheOrderlyEnd(final String command, final String signal) throws Exception
    {
        final Path home = Files.createDirectory(directory.resolve("home"));
        final String[] arguments = command.replace("=home", "=" + home).replace(" home", " " + home)
            .replace("recordings", directory.resolve("recordings").toString()).split(" ");
        try (Tool tool = Tool.start(directory, Map.of(), arguments))
        {
            assertThat(tool.awaitLine()).startsWith("ready");
            assertThat(home).isNotEmptyDirectory();
            tool.signal(signal);
            assertThat(tool.awaitStatus()).as(tool::toString).isZero();
            assertThat(home.toFile().list()).isNullOrEmpty();
        }
    }

    private static List<String> names(final Path directory) throws IOException
    {
        try (var files = Files.list(directory))
        {
            return files.map((file) -> file.getFileName().toString().replaceFirst("-\\d+$", "")).toList();
        }
    }
}
