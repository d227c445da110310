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

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

class MachineLimitsTest
{
    @TempDir
    private Path directory;

    @Test
    void shouldReadWhatTheShellReads() throws Exception
    {
        final MachineLimits limits = MachineLimits.read();
        final String kibibytes = output("ulimit -l");
        assertThat(limits.lockedMemoryBytes()).isEqualTo(
            "unlimited".equals(kibibytes) ? Long.MAX_VALUE : Long.parseLong(kibibytes) << 10);
        assertThat(limits.pageSize()).isEqualTo(Integer.parseInt(output("getconf PAGESIZE")));
        assertThat(limits.sharedMemoryBytes()).isPositive();
    }

    @Test
    void shouldTellWhetherTheLimitIsEnforced() throws Exception
    {
        final Path status = directory.resolve("status");
        Files.write(status, List.of("Name:\tjava", "CapEff:\t0000000000004000"));
        assertThat(MachineLimits.hasCapability(status)).isTrue();
        Files.write(status, List.of("Name:\tjava", "CapEff:\t000001ffffffbfff"));
        assertThat(MachineLimits.hasCapability(status)).isFalse();
        Files.write(status, List.of("Name:\tjava", "CapEff:\tnonsense"));
        assertThat(MachineLimits.hasCapability(status)).isFalse();
        assertThat(MachineLimits.hasCapability(directory.resolve("absent"))).isFalse();
    }

    @Test
    void shouldLookAtTheFileSystemThatADirectoryWillBeOn()
    {
        assertThat(MachineLimits.usableBytes(directory.resolve("not/yet/there")))
            .isPositive().isLessThan(Long.MAX_VALUE);
    }

    private static String output(final String command) throws Exception
    {
        final Process process = new ProcessBuilder("bash", "-c", command).redirectErrorStream(true).start();
        final String text = new String(process.getInputStream().readAllBytes(), US_ASCII).trim();
        assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
        return text;
    }
}
