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

import org.junit.jupiter.api.Assumptions;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * The stand-in for libascendcl that the bridge's tests are built on, compiled once for this process.
 */
final class StandInLibrary
{
    private static final Path SOURCE = Path.of("..", "ascend-bridge/src/test/resources/standin/acl_standin.c");
    private static Path library;

    private StandInLibrary()
    {
    }

    /**
     * Compile it, or skip the test when there is no compiler.
     *
     * @return path of the library.
     */
    static synchronized String path() throws IOException, InterruptedException
    {
        if (null == library)
        {
            final Path directory = Files.createTempDirectory("millrace-standin");
            final Path path = directory.resolve("libascendcl.so");
            directory.toFile().deleteOnExit();
            path.toFile().deleteOnExit();
            final Process process = gcc(path);
            final String output = new String(process.getInputStream().readAllBytes());
            if (!process.waitFor(1, TimeUnit.MINUTES) || 0 != process.exitValue())
            {
                process.destroyForcibly();
                throw new AssertionError("stand-in does not compile:\n" + output);
            }
            library = path;
        }
        return library.toString();
    }

    private static Process gcc(final Path path)
    {
        try
        {
            return new ProcessBuilder("gcc", "-std=gnu11", "-O1", "-fPIC", "-shared", "-fvisibility=hidden",
                "-Wl,-Bsymbolic", "-pthread", "-DSTANDIN_NEW", SOURCE.toString(), "-o", path.toString())
                .redirectErrorStream(true).start();
        }
        catch (final IOException ex)
        {
            Assumptions.assumeTrue(false, "gcc is needed to build the stand-in libascendcl: " + ex.getMessage());
            throw new AssertionError(ex);
        }
    }
}
