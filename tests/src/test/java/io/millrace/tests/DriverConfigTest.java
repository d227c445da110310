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
 * What holds of a driver's configuration, and the shells' completion.
 */
class DriverConfigTest
{
    @TempDir
    private Path directory;

    @Test
    void filesOverrideOptionsOverrideVariablesOverrideDefaults() throws IOException
    {
        final Path file = Files.writeString(directory.resolve("driver.properties"),
            "millrace.efa.rails=2\naeron.mtu.length=8128\n");
        final Tool tool = Tool.start(directory, Map.of("MILLRACE_EFA_RAIL_SLOTS", "128", "MILLRACE_EFA_RAILS", "4",
            "MILLRACE_EFA_LINK_TIMEOUT", "9s", "MILLRACE_PROTOCOL", "udp"), "driver", "--print-config", "--json",
            "-Dmillrace.efa.rails=3", "-Dmillrace.efa.link.timeout=8s", file.toString());
        assertThat(tool.awaitStatus()).as(tool::toString).isZero();
        final JsonNode properties = tool.json().get("properties");
        assertThat(setting(properties, "millrace.efa.rails")).isEqualTo("2 of file " + file);
        assertThat(setting(properties, "aeron.mtu.length")).isEqualTo("8128 of file " + file);
        assertThat(setting(properties, "millrace.efa.link.timeout")).isEqualTo("8s of -D");
        assertThat(setting(properties, "millrace.efa.rail.slots")).isEqualTo("128 of MILLRACE_EFA_RAIL_SLOTS");
        assertThat(setting(properties, "millrace.efa.protocol")).isEqualTo("udp of MILLRACE_PROTOCOL");
        assertThat(setting(properties, "millrace.efa.keepalive.interval")).isEqualTo("500ms of default");
        assertThat(setting(properties, "millrace.efa.contract")).isEqualTo("off of default");
    }

    private static String setting(final JsonNode properties, final String name)
    {
        for (final JsonNode property : properties)
        {
            if (name.equals(property.get("name").asText()))
            {
                return property.get("value").asText() + " of " + property.get("source").asText();
            }
        }
        return null;
    }

    @Test
    void aWrongValueIsRefusedWithoutAStackTrace() throws IOException
    {
        final Tool tool = Tool.run(directory, "driver", "--print-config", "-Dmillrace.efa.rails=many");
        assertThat(tool.process().exitValue()).as(tool::toString).isEqualTo(2);
        assertThat(tool.err()).contains("millrace.efa.rails=many", "0 to 64").doesNotContain("\tat ");
    }

    @Test
    void aMisspeltNameIsPointedOut() throws IOException
    {
        final Tool tool = Tool.run(directory, "driver", "--print-config", "-Dmillrace.efa.protcol=tcp");
        assertThat(tool.process().exitValue()).as(tool::toString).isZero();
        assertThat(tool.err()).contains("millrace.efa.protcol is not known", "did you mean millrace.efa.protocol?");
        assertThat(tool.out()).doesNotContain("protcol");
    }

    @Test
    void bashCompletesCommandsOptionsAndValues() throws IOException
    {
        final Tool script = Tool.run(directory, "completion", "bash");
        assertThat(script.process().exitValue()).as(script::toString).isZero();
        final Path file = Files.writeString(directory.resolve("completion.sh"), script.out());
        assertThat(complete(file, "sam")).isEqualTo("sample");
        assertThat(complete(file, "sample", "market-data", "--ra")).isEqualTo("--rate");
        assertThat(complete(file, "bench", "--threading", "''")).isEqualTo("invoker shared dedicated");
        assertThat(complete(file, "demo", "--protocol", "''").split(" "))
            .containsExactlyInAnyOrder("auto", "efa", "shm", "tcp", "udp");
        assertThat(complete(file, "completion", "''")).isEqualTo("bash zsh");

        final Tool wrong = Tool.run(directory, "completion", "fish");
        assertThat(wrong.process().exitValue()).isEqualTo(2);
        assertThat(wrong.err()).contains("fish", "bash or zsh").doesNotContain("\tat ");
    }

    private String complete(final Path script, final String... words) throws IOException
    {
        final Tool bash = Tool.startProcess(directory, Map.of(), List.of("bash", "-c", "source " + script +
            "; COMP_WORDS=(millrace " + String.join(" ", words) + "); COMP_CWORD=" + words.length +
            "; COMP_LINE=\"${COMP_WORDS[*]}\"; COMP_POINT=${#COMP_LINE}; _complete_millrace 2>/dev/null; " +
            "echo \"${COMPREPLY[@]}\""));
        assertThat(bash.awaitStatus()).as(bash::toString).isZero();
        return bash.out().trim();
    }
}
