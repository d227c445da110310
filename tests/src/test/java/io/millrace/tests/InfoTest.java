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

import static org.assertj.core.api.Assertions.assertThat;

/**
 * {@code ./millrace info} and the help texts.
 */
class InfoTest
{
    @TempDir
    private Path directory;

    @Test
    void showsLibfabricProvidersAndTheChoice() throws IOException
    {
        final Tool tool = Tool.run(directory, "info", "--json");
        assertThat(tool.process().exitValue()).as(tool::toString).isZero();
        final JsonNode info = tool.json();
        assertThat(info.at("/libfabric/available").asBoolean()).isTrue();
        assertThat(info.at("/libfabric/version").asText()).matches("\\d+\\.\\d+");
        assertThat(info.at("/libfabric/path").asText()).contains("libfabric.so");
        assertThat(info.get("providers").findValuesAsText("protocol")).containsExactly("efa", "shm", "tcp");
        assertThat(info.at("/providers/1/nics/0/provider").asText()).isEqualTo("shm");
        assertThat(info.at("/providers/1/nics/0/limits/maxSendBytes").asLong()).isPositive();
        assertThat(info.at("/providers/1/nics/0/limits/cqDepth").asLong()).isPositive();
        assertThat(info.at("/providers/1/nics/0/limits/memoryModes").isArray()).isTrue();
        assertThat(info.at("/machine/pageSize").asInt()).isPositive();
        assertThat(info.at("/auto/reason").asText()).contains("auto");

        final Tool table = Tool.run(directory, "info");
        assertThat(table.process().exitValue()).as(table::toString).isZero();
        assertThat(table.out()).contains("libfabric  ", "auto  ", "machine  ", "PROVIDER", "MEMORY MODES");
    }

    @Test
    void worksWithoutLibfabricAndSaysWhatIsMissing() throws IOException
    {
        final Tool tool = Tool.start(directory,
            Map.of("MILLRACE_JAVA_OPTS", "-Dmillrace.libfabric.path=/absent/libfabric.so.1"), "info", "--json");
        assertThat(tool.awaitStatus()).as(tool::toString).isZero();
        assertThat(tool.json().at("/libfabric/available").asBoolean()).isFalse();
        assertThat(tool.json().at("/libfabric/cause").asText()).contains("/absent/libfabric.so.1");
        assertThat(tool.json().at("/driver/error").asText()).as("a library that was named is not done without")
            .contains("/absent/libfabric.so.1", "use protocol udp");
    }

    @Test
    void showsWhatADriverWouldDoWithTheProtocolThatIsSet() throws IOException
    {
        final Tool wrong = Tool.start(directory, Map.of("MILLRACE_PROTOCOL", "pigeon"), "info", "--json");
        assertThat(wrong.awaitStatus()).as(wrong::toString).isZero();
        assertThat(wrong.json().at("/driver/error").asText()).contains("unknown protocol 'pigeon'");

        final Tool named = Tool.start(directory, Map.of("MILLRACE_PROTOCOL", "udp"), "info");
        assertThat(named.awaitStatus()).as(named::toString).isZero();
        assertThat(named.out()).contains("driver     udp (provider udp, rails 0): asked for by name");
    }

    @Test
    void helpNeedsNoBuildAndGoesToStandardOutput() throws IOException
    {
        final Tool tool = Tool.run(directory, "--help");
        assertThat(tool.process().exitValue()).isZero();
        assertThat(tool.out()).contains("Usage: ./millrace", "demo", "driver", "info", "stat", "test", "Exit status");
        for (final String command : new String[]{ "demo", "driver", "info", "stat" })
        {
            final Tool help = Tool.run(directory, command, "--help");
            assertThat(help.process().exitValue()).as(help::toString).isZero();
            assertThat(help.out()).contains("Usage: ./millrace " + command, "Exit status");
        }
    }

    @Test
    void worksFromAnyDirectoryAndThroughALink() throws IOException
    {
        final Path link = Files.createSymbolicLink(
            directory.resolve("link"), Tool.ROOT.resolve("millrace"));
        final Tool tool = Tool.startProcess(directory, Map.of(),
            List.of("bash", "-c", "cd / && " + link + " info --json"));
        assertThat(tool.awaitStatus()).as(tool::toString).isZero();
        assertThat(tool.json().has("auto")).isTrue();
    }
}
