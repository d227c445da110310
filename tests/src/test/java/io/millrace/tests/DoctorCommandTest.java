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

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * {@code ./millrace doctor}.
 */
class DoctorCommandTest
{
    @TempDir
    private Path directory;

    @Test
    void tellsByItsStatusWhetherTheProtocolCanBeUsed() throws IOException
    {
        final Tool shm = Tool.run(directory, "doctor", "--protocol", "shm", "--json");
        assertThat(shm.process().exitValue()).as(shm::toString).isZero();
        assertThat(shm.json().get("usable").asBoolean()).isTrue();
        assertThat(shm.json().at("/checks").findValuesAsText("check")).contains(
            "libfabric", "one libfabric", "NICs", "locked memory", "/dev/shm", "clock source", "ptrace scope");

        final Tool told = Tool.run(directory, "doctor", "--json");
        final boolean isUsable = told.json().get("usable").asBoolean();
        assertThat(told.process().exitValue()).as(told::toString).isEqualTo(isUsable ? 0 : 1);
        final Tool efa = Tool.run(directory, "doctor");
        assertThat(efa.process().exitValue()).as(efa::toString).isEqualTo(isUsable ? 0 : 1);
        assertThat(efa.out()).contains("security group", "→").doesNotContain("\033");
    }

    @Test
    void saysWhatIsMissing() throws IOException
    {
        final Tool tool = Tool.start(directory,
            Map.of("MILLRACE_JAVA_OPTS", "-Dmillrace.libfabric.path=/absent/libfabric.so.1"), "doctor", "--json");
        assertThat(tool.awaitStatus()).as(tool::toString).isEqualTo(1);
        assertThat(tool.json().at("/checks/0/level").asText()).isEqualTo("fail");
        assertThat(tool.json().at("/checks/0/found").asText()).contains("/absent/libfabric.so.1");

        final Tool wrong = Tool.run(directory, "doctor", "--protocol", "pigeon");
        assertThat(wrong.process().exitValue()).isEqualTo(2);
        assertThat(wrong.err()).contains("--protocol is pigeon", "efa, shm or tcp");
    }
}
