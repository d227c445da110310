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

import io.aeron.exceptions.ConfigurationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

import static io.millrace.efa.TwoDrivers.driverContext;
import static io.millrace.efa.TwoDrivers.efaContext;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class AeronDirectoryTest
{
    @TempDir
    private Path directory;

    @ParameterizedTest
    @ValueSource(strings = { "", " ", "." })
    void shouldRefuseWhatNobodyMeant(final String name)
    {
        assertThatThrownBy(() -> AeronDirectory.check(name)).isInstanceOf(ConfigurationException.class)
            .hasMessageContaining("aeron.dir").hasMessageContaining("name a");
    }

    @Test
    void shouldNotDeleteFilesOfOthers() throws IOException
    {
        final Path file = Files.createFile(directory.resolve("precious.txt"));
        assertThatThrownBy(() -> EfaMediaDriver.launch(
            driverContext().aeronDirectoryName(directory.toString()), efaContext("udp", 1)))
            .isInstanceOf(ConfigurationException.class).hasMessageContaining("precious.txt");
        assertThat(file).exists();
        assertThatThrownBy(() -> AeronDirectory.check(file.toString()))
            .isInstanceOf(ConfigurationException.class).hasMessageContaining("is not a directory");
    }

    @Test
    void shouldTakeItsOwn() throws IOException
    {
        assertThatCode(() -> AeronDirectory.check(directory.toString())).doesNotThrowAnyException();
        assertThatCode(() -> AeronDirectory.check(directory.resolve("new").toString())).doesNotThrowAnyException();
        Files.createFile(directory.resolve("loss-report.dat"));
        assertThatCode(() -> AeronDirectory.check(directory.toString())).doesNotThrowAnyException();
        Files.createFile(directory.resolve("cnc.dat"));
        Files.createFile(directory.resolve("core.123"));
        assertThatCode(() -> AeronDirectory.check(directory.toString())).doesNotThrowAnyException();
    }
}
