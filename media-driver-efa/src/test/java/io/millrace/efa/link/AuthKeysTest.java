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
package io.millrace.efa.link;

import io.aeron.exceptions.ConfigurationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class AuthKeysTest
{
    private static final String KEY = "0123456789abcdef0123456789abcdef";

    @TempDir
    private Path directory;

    @Test
    void shouldReadAKeyALineWithoutLineEnds() throws IOException
    {
        assertThat(AuthKeys.read("")).isEmpty();
        assertThat(read(KEY)).containsExactly(KEY.getBytes());
        assertThat(read(KEY + "\n")).containsExactly(KEY.getBytes());
        assertThat(read(KEY + "\r\n\n" + KEY + "x\n")).containsExactly(KEY.getBytes(), (KEY + "x").getBytes());
        assertThat(read("k".repeat(1024))).hasSize(1);
    }

    @Test
    void shouldRefuseWithRuleAndRemedyAndWithoutTheKey() throws IOException
    {
        refused(KEY.substring(1), "line 1 has 31 bytes: a key has 32 to 1024");
        refused(KEY + "\n" + "k".repeat(1025), "line 2 has 1025 bytes");
        refused("", "has 0 keys");
        refused((KEY + "\n").repeat(5), "has 5 keys: 1 to 4");
        refused(KEY + " ", "a blank");
        refused(KEY + "\u00e4", "no printable ASCII");
        refused("k".repeat(5000), "has 5000 bytes");
        assertThatThrownBy(() -> AuthKeys.read(directory.resolve("absent").toString()))
            .isInstanceOf(ConfigurationException.class).hasMessageContaining("is no file");
    }

    @Test
    void shouldRefuseAFileThatIsOpenToAll() throws IOException
    {
        final Path file = write(KEY);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
        assertThatThrownBy(() -> AuthKeys.read(file.toString()))
            .isInstanceOf(ConfigurationException.class)
            .hasMessageContaining("millrace.efa.auth.key.file=" + file)
            .hasMessageContaining("chmod o-rwx");
    }

    private void refused(final String text, final String rule) throws IOException
    {
        final Path file = write(text);
        assertThatThrownBy(() -> AuthKeys.read(file.toString()))
            .isInstanceOf(ConfigurationException.class)
            .hasMessageContaining(rule)
            .hasMessageNotContaining(KEY.substring(1));
    }

    private List<byte[]> read(final String text) throws IOException
    {
        return AuthKeys.read(write(text).toString());
    }

    private Path write(final String text) throws IOException
    {
        final Path file = directory.resolve("key");
        Files.writeString(file, text, StandardCharsets.ISO_8859_1);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        return file;
    }
}
