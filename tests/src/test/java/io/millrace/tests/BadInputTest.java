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

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
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
import static org.junit.jupiter.params.provider.Arguments.arguments;

/**
 * What a user can get wrong: a message that names it on standard error, nothing on standard output, a status other
 * than 0, and nothing left behind.
 */
class BadInputTest
{
    private static final String GOOD =
        "{\"timestamp\": 0, \"input_length\": 100, \"output_length\": 1, \"hash_ids\": [0]}\n";

    @TempDir
    private Path directory;

    static Stream<Arguments> wrongArguments()
    {
        return Stream.of(
            arguments(2, "unknown command 'fly'", List.of("fly")),
            arguments(2, "--flie", List.of("demo", "--flie")),
            arguments(2, "--requests is 0: it must be a whole number from 1", List.of("demo", "--requests", "0")),
            arguments(2, "--requests is -3", List.of("demo", "--requests", "-3")),
            arguments(2, "--requests is 1000001: it must be", List.of("demo", "--requests", "1000001")),
            arguments(2, "--requests is " + Long.MAX_VALUE, List.of("demo", "--requests", "" + Long.MAX_VALUE)),
            arguments(2, "--requests is many: it must be a whole number", List.of("demo", "--requests", "many")),
            arguments(2, "--rails is 1.5: it must be a whole number from 1 to 64", List.of("demo", "--rails", "1.5")),
            arguments(2, "--seed is x: it must be a whole number", List.of("demo", "--seed", "x")),
            arguments(2, "--rails is 0", List.of("demo", "--rails", "0")),
            arguments(2, "--tokens-per-block is -1", List.of("demo", "--tokens-per-block", "-1")),
            arguments(2, "--timeout is 0", List.of("demo", "--timeout", "0")),
            arguments(2, "--protocol pigeon: ", List.of("demo", "--protocol", "pigeon")),
            arguments(2, "model 'gpt'", List.of("demo", "--model", "gpt")),
            arguments(2, "--model 0x1x16 with", List.of("demo", "--model", "0x1x16")),
            arguments(2, "/absent does not exist", List.of("demo", "--trace", "/absent")),
            arguments(1, "/proc cannot be written", List.of("demo", "--dir", "/proc", "--requests", "1")),
            arguments(1, "; use fewer --requests, or name another directory with --archive-dir",
                List.of("demo", "--requests", "1000000", "--archive")),
            arguments(1, "/proc cannot be written", List.of("demo", "--archive", "--archive-dir", "/proc")),
            arguments(2, "/absent does not exist", List.of("demo", "--archive", "--archive-dir", "/absent")),
            arguments(2, "--archive-dir /tmp goes with --archive only", List.of("demo", "--archive-dir", "/tmp")),
            arguments(2, "/tmp is not a regular file", List.of("demo", "--trace", "/tmp")),
            arguments(2, "/dev/fd/0 is not a regular file", List.of("demo", "--trace", "/dev/fd/0")),
            arguments(1, "MiB of memory available", List.of("demo", "--model", "1024x1024x64")),
            arguments(1, "no media driver in /absent: the directory does not exist; name the directory of one that",
                List.of("stat", "--dir", "/absent")),
            arguments(1, "there is no cnc.dat in it", List.of("stat", "--dir", "/")),
            arguments(1, "no media driver in /absent", List.of("sample", "plain-aeron", "--dir", "/absent")),
            arguments(2, "--report /absent/a.html cannot be written (/absent/a.html: it or its directory does not",
                List.of("bench", "rtt", "--report", "/absent/a.html")),
            arguments(2, "--watch is 0: it must be a number of seconds from 0.1 to 3600",
                List.of("stat", "--watch=0")),
            arguments(2, "--interval is soon", List.of("stat", "--interval", "soon")),
            arguments(2, "--json is one sample: it does not go with --watch", List.of("stat", "--json", "--watch")),
            arguments(2, "pigeon", List.of("driver", "-Dmillrace.efa.protocol=pigeon")),
            arguments(2, "given were -Daeron.threading.mode=FOO", List.of("driver", "-Daeron.threading.mode=FOO")),
            arguments(2, "/absent/libfabric.so.1, which millrace.libfabric.path",
                List.of("driver", "-Dmillrace.libfabric.path=/absent/libfabric.so.1")),
            arguments(2, "absent.properties", List.of("driver", "absent.properties")));
    }

    @ParameterizedTest
    @MethodSource("wrongArguments")
    void isNamedWithRuleAndRemedy(final int status, final String message, final List<String> arguments)
        throws IOException
    {
        final Tool tool = Tool.run(directory, arguments.toArray(String[]::new));
        assertRefused(tool, status, message);
    }

    @Test
    void aDirectoryOfOthersForTheDriversFiles() throws IOException
    {
        final Path file = Files.createFile(Files.createDirectory(directory.resolve("mine")).resolve("precious.txt"));
        final String name = file.getParent().toString();
        assertRefused(Tool.run(directory, "driver", "-Daeron.dir=" + name), 2, "has precious.txt in it");
        assertRefused(Tool.run(directory, "archive", "serve", "--dir", name, "--archive-dir",
            directory.resolve("archive").toString()), 2, "has precious.txt in it");
        assertThat(file).exists();
    }

    @Test
    void recordingsWithinTheDriversFiles() throws IOException
    {
        final Path driver = directory.resolve("driver");
        assertRefused(Tool.run(directory, "archive", "serve", "--dir", driver.toString(), "--archive-dir",
            driver.resolve("recordings").toString()), 2, "is inside of the driver's directory");
    }

    @Test
    void aProtocolThatIsNamedButAbsent() throws IOException
    {
        assumeTrue(!Files.isDirectory(Path.of("/sys/class/infiniband")), "this machine may have EFA");
        assertRefused(Tool.run(directory, "demo", "--protocol", "efa"), 2, "protocol 'efa' is named but");
    }

    @Test
    void anUnknownProtocolInTheEnvironment() throws IOException
    {
        final Tool tool = Tool.start(directory, Map.of("MILLRACE_PROTOCOL", "pigeon"), "demo");
        tool.awaitStatus();
        assertRefused(tool, 2, "protocol 'pigeon'");
    }

    @Test
    void aTraceWithABadLine() throws IOException
    {
        final Path broken = Files.writeString(directory.resolve("broken.jsonl"), GOOD + GOOD + "{oops\n");
        assertRefused(Tool.run(directory, "demo", "--trace", broken.toString()), 2, "broken.jsonl line 3: not JSON");

        final Path lacking = Files.writeString(
            directory.resolve("lacking.jsonl"), GOOD + GOOD.replace("\"output_length\": 1, ", ""));
        assertRefused(Tool.run(directory, "demo", "--trace", lacking.toString()), 2,
            "lacking.jsonl line 2: lacks \"output_length\"");
    }

    @ParameterizedTest
    @ValueSource(strings = { "info", "info --json", "demo --requests 1 --model 2x1x16 --json" })
    void outputThatIsLost(final String arguments) throws IOException
    {
        final Tool tool = Tool.startProcess(directory, Map.of(),
            List.of("bash", "-c", Tool.ROOT.resolve("millrace") + " " + arguments + " > /dev/full"));
        tool.awaitStatus();
        assertRefused(tool, 1, "standard output did not take the result");
    }

    @Test
    void aPropertyOfADriverOutOfRangeLeavesNoDirectory() throws IOException
    {
        final Path aeronDirectory = directory.resolve("driver");
        final Tool tool = Tool.run(directory, "driver", "-Daeron.mtu.length=1", "-Daeron.dir=" + aeronDirectory);
        assertRefused(tool, 2, "given were -Daeron.mtu.length=1 -Daeron.dir=" + aeronDirectory);
        assertThat(aeronDirectory).doesNotExist();
    }

    @Test
    void aFileSystemThatIsTooSmall() throws Exception
    {
        final Path mount = Files.createDirectory(directory.resolve("small"));
        assumeTrue(execute("mount", "-t", "tmpfs", "-o", "size=8m", "none", mount.toString()), "may not mount");
        try
        {
            final Tool tool = Tool.run(
                directory, "demo", "--dir", mount.toString(), "--requests", "1", "--model", "2x1x16");
            assertRefused(tool, 1, "MiB free: the demonstration needs");
            assertThat(mount).isEmptyDirectory();
        }
        finally
        {
            execute("umount", mount.toString());
        }
    }

    @ParameterizedTest
    @CsvSource({ "40, true", "38, true", "37, false" })
    void aFileSystemThatIsJustLargeEnough(final int sizeMib, final boolean isArchived) throws Exception
    {
        final Path mount = Files.createDirectory(directory.resolve("small"));
        assumeTrue(
            execute("mount", "-t", "tmpfs", "-o", "size=" + sizeMib + "m", "none", mount.toString()), "may not mount");
        try
        {
            final List<String> arguments = new ArrayList<>(List.of("demo", "--json", "--protocol", "udp",
                "--dir", mount.toString(), "--requests", "1", "--model", "2x1x16"));
            if (isArchived)
            {
                arguments.add("--archive");
            }
            final Tool tool = Tool.run(directory, arguments.toArray(String[]::new));
            final boolean isEnough = sizeMib >= (isArchived ? 40 : 36);
            if (isEnough)
            {
                assertThat(tool.json().get("verified").booleanValue()).as(tool::toString).isTrue();
            }
            else
            {
                assertRefused(tool, 1, sizeMib + " MiB free: the demonstration needs 40 MiB there");
            }
            assertThat(mount).isEmptyDirectory();
        }
        finally
        {
            execute("umount", mount.toString());
        }
    }

    @Test
    void anArchiveDirectoryThatFillsUpInMidRun() throws Exception
    {
        final Path mount = Files.createDirectory(directory.resolve("small"));
        assumeTrue(execute("mount", "-t", "tmpfs", "-o", "size=700m", "none", mount.toString()), "may not mount");
        final Path filler = mount.resolve("filler");
        try (Tool tool = Tool.start(directory, Map.of(), "demo", "--json", "--verbose", "--archive",
            "--archive-dir", mount.toString(), "--requests", "200", "--model", "2x1x16"))
        {
            tool.awaitTrue("transfer", () -> tool.hasErr("request 0: "));
            assertThat(execute("dd", "if=/dev/zero", "of=" + filler, "bs=1M")).isFalse();
            assertThat(tool.awaitStatus()).as(tool::toString).isEqualTo(1);
            assertThat(tool.out()).isEmpty();
            assertThat(tool.err())
                .contains(mount + " is full: make room, or name another directory with --archive-dir");
            assertThat(mount).isDirectoryNotContaining((path) -> !path.equals(filler));
        }
        finally
        {
            execute("umount", mount.toString());
        }
    }

    @Test
    void aFileSystemThatIsTooSmallForADriver() throws Exception
    {
        final Path mount = Files.createDirectory(directory.resolve("small"));
        assumeTrue(execute("mount", "-t", "tmpfs", "-o", "size=1m", "none", mount.toString()), "may not mount");
        try
        {
            final Path driver = mount.resolve("driver");
            final Tool tool = Tool.run(directory, "driver", "-Daeron.dir=" + driver);
            assertRefused(tool, 1, "no space for the driver's files: aeron.dir=" + driver);
            assertThat(mount).isEmptyDirectory();
        }
        finally
        {
            execute("umount", mount.toString());
        }
    }

    private static void assertRefused(final Tool tool, final int status, final String message) throws IOException
    {
        assertThat(tool.process().exitValue()).as(tool::toString).isEqualTo(status);
        assertThat(tool.out()).isEmpty();
        assertThat(tool.err()).contains("millrace: ").contains(message).doesNotContain("\tat ");
    }

    private static boolean execute(final String... command)
    {
        try
        {
            final Process process = new ProcessBuilder(command)
                .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
            return process.waitFor(Tool.DEADLINE_MS, TimeUnit.MILLISECONDS) && 0 == process.exitValue();
        }
        catch (final IOException | InterruptedException ex)
        {
            return false;
        }
    }
}
