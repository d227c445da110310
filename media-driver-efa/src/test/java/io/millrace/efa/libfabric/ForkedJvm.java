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
package io.millrace.efa.libfabric;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Runs a main class of the tests in a JVM of its own.
 */
final class ForkedJvm
{
    private static final int DEADLINE_S = 60;

    record Result(int exitCode, String output)
    {
    }

    private ForkedJvm()
    {
    }

    static Process start(final Path output, final List<String> options, final Class<?> main, final String... arguments)
        throws IOException
    {
        return builder(options, main, arguments).redirectErrorStream(true).redirectOutput(output.toFile()).start();
    }

    /** Start one that is talked with through its streams. */
    static Process start(final Class<?> main, final String... arguments) throws IOException
    {
        return builder(List.of(), main, arguments).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    }

    private static ProcessBuilder builder(
        final List<String> options, final Class<?> main, final String... arguments)
    {
        final List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.add("--add-opens=java.base/jdk.internal.misc=ALL-UNNAMED");
        command.add("-Xmx256m");
        final String library = System.getProperty(LibFabric.PATH_PROP_NAME);
        if (null != library && options.stream().noneMatch((o) -> o.contains(LibFabric.PATH_PROP_NAME)))
        {
            command.add("-D" + LibFabric.PATH_PROP_NAME + "=" + library);
        }
        command.addAll(options);
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(main.getName());
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command);
    }

    static Result run(final List<String> options, final Class<?> main, final String... arguments)
        throws IOException, InterruptedException
    {
        final Path output = Files.createTempFile("forked-jvm", ".out");
        try
        {
            return await(start(output, options, main, arguments), output);
        }
        finally
        {
            Files.deleteIfExists(output);
        }
    }

    static Result await(final Process process, final Path output) throws IOException, InterruptedException
    {
        try
        {
            if (!process.waitFor(DEADLINE_S, TimeUnit.SECONDS))
            {
                throw new AssertionError("process has not ended: " + Files.readString(output));
            }
            return new Result(process.exitValue(), Files.readString(output, StandardCharsets.UTF_8));
        }
        finally
        {
            process.destroyForcibly();
        }
    }
}
