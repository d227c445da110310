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
import io.millrace.efa.EfaConfiguration;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Reads the pre-shared keys of the handshake: one a line, the first to seal with, all of them to check with.
 */
final class AuthKeys
{
    static final int MIN_LENGTH = 32;
    static final int MAX_LENGTH = 1024;
    static final int MAX_KEYS = 4;

    private static final Set<PosixFilePermission> OTHERS = Set.of(
        PosixFilePermission.OTHERS_READ, PosixFilePermission.OTHERS_WRITE, PosixFilePermission.OTHERS_EXECUTE);

    private AuthKeys()
    {
    }

    /**
     * Read a key file.
     *
     * @param file path of the file, empty for none.
     * @return the keys, none without a file.
     * @throws ConfigurationException naming file, line, rule and remedy, and never a key.
     */
    static List<byte[]> read(final String file)
    {
        if (file.isEmpty())
        {
            return List.of();
        }

        final Path path = Path.of(file);
        final List<byte[]> keys = new ArrayList<>();
        try
        {
            if (!Files.isRegularFile(path))
            {
                throw error(file, "is no file: name one, or leave the property out for handshakes without a key");
            }

            if (Files.getPosixFilePermissions(path).stream().anyMatch(OTHERS::contains))
            {
                throw error(file, "is open to all users of this machine: chmod o-rwx it, and replace the key");
            }

            if (Files.size(path) > MAX_KEYS * (MAX_LENGTH + 2))
            {
                throw error(file, "has " + Files.size(path) + " bytes: at most " + MAX_KEYS + " lines of " +
                    MAX_LENGTH + " bytes are needed");
            }

            int line = 0;
            for (final String text : Files.readString(path, StandardCharsets.ISO_8859_1).split("\r?\n"))
            {
                ++line;
                if (!text.isEmpty())
                {
                    keys.add(check(file, line, text));
                }
            }
        }
        catch (final IOException ex)
        {
            throw error(file, "cannot be read: " + ex);
        }

        if (keys.isEmpty() || keys.size() > MAX_KEYS)
        {
            throw error(file, "has " + keys.size() + " keys: 1 to " + MAX_KEYS +
                " are possible, one a line, as of openssl rand -hex 32");
        }

        return keys;
    }

    private static byte[] check(final String file, final int line, final String text)
    {
        if (text.length() < MIN_LENGTH || text.length() > MAX_LENGTH)
        {
            throw error(file, "line " + line + " has " + text.length() + " bytes: a key has " + MIN_LENGTH + " to " +
                MAX_LENGTH + ", as of openssl rand -hex 32");
        }

        if (!text.chars().allMatch((c) -> c > ' ' && c <= '~'))
        {
            throw error(file, "line " + line + " has a byte that is no printable ASCII character, or a blank: use " +
                "text, as of openssl rand -hex 32");
        }

        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static ConfigurationException error(final String file, final String rule)
    {
        return new ConfigurationException(EfaConfiguration.AUTH_KEY_FILE_PROP_NAME + "=" + file + " " + rule);
    }
}
