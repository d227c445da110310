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
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The script itself, in a checkout of its own, with a Maven that does nothing.
 */
class ScriptTest
{
    @TempDir
    private Path directory;

    @Test
    void marksOnlyAWholeBuildAsBuilt() throws IOException
    {
        final Path checkout = Files.createDirectory(directory.resolve("checkout"));
        Files.copy(Tool.ROOT.resolve("millrace"), checkout.resolve("millrace"));
        final Path tools = Files.createDirectory(directory.resolve("tools"));
        final Path maven = Files.writeString(tools.resolve("mvn"), "#!/bin/sh\nexit 0\n");
        Files.setPosixFilePermissions(maven, PosixFilePermissions.fromString("rwxr-xr-x"));
        final Path stamp = checkout.resolve(".millrace").resolve("built");

        run(checkout, tools, "test", "-pl", "codecs");
        assertThat(stamp).doesNotExist();
        run(checkout, tools, "test");
        assertThat(stamp).exists();
    }

    private void run(final Path checkout, final Path tools, final String... arguments) throws IOException
    {
        final List<String> command = new ArrayList<>(List.of("bash", checkout.resolve("millrace").toString()));
        command.addAll(List.of(arguments));
        final Map<String, String> environment = Map.of(
            "JAVA25_HOME", System.getProperty("java.home"), "PATH", tools + ":" + System.getenv("PATH"));
        try (Tool tool = Tool.startProcess(directory, environment, command))
        {
            assertThat(tool.awaitStatus()).as(tool::toString).isZero();
        }
    }
}
