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
package io.millrace.efa;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What a person who starts the driver without {@code ./millrace} is told.
 */
class UsageTest
{
    @Test
    void namesPropertiesThatExist()
    {
        assertThat(Usage.TEXT.lines().flatMap((line) -> Stream.of(line.strip().split(" ")[0]))
            .filter((word) -> word.startsWith("-Dmillrace.")).map((word) -> word.substring(2, word.indexOf('='))))
            .isNotEmpty().isSubsetOf(PropertyNames.known());
    }

    @Test
    void helpStartsNoDriver() throws Exception
    {
        final Process help = main("driver.properties", "--help");
        assertThat(text(help)).isEqualTo(Usage.TEXT);
        assertThat(help.exitValue()).isZero();
    }

    @Test
    void anOptionIsNoFile() throws Exception
    {
        final Process wrong = main("-Daeron.dir=/dev/shm/aeron-1");
        assertThat(text(wrong)).contains("-Daeron.dir=/dev/shm/aeron-1 is no file of properties", "before -jar");
        assertThat(wrong.exitValue()).isEqualTo(2);
    }

    private static Process main(final String... args) throws IOException
    {
        final List<String> command = new ArrayList<>(List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:TieredStopAtLevel=1",
            "-cp", System.getProperty("java.class.path"), EfaMediaDriver.class.getName()));
        command.addAll(List.of(args));
        return new ProcessBuilder(command).redirectErrorStream(true).start();
    }

    private static String text(final Process process) throws IOException, InterruptedException
    {
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
}
