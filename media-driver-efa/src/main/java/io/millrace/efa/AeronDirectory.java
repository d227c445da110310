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

import io.aeron.CncFileDescriptor;
import io.aeron.exceptions.ConfigurationException;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A media driver deletes its directory with all that is in it when it starts: it has to be Aeron's.
 */
public final class AeronDirectory
{
    private static final Set<String> DRIVER_FILES =
        Set.of(CncFileDescriptor.CNC_FILE, "loss-report.dat", "publications", "images");

    private AeronDirectory()
    {
    }

    /**
     * Refuse a directory with files that no media driver has made.
     *
     * @param name of the directory, as in {@code aeron.dir}.
     * @throws ConfigurationException for an empty name, what is no directory, and a directory of others.
     */
    public static void check(final String name)
    {
        if (null == name || name.isBlank())
        {
            throw new ConfigurationException("aeron.dir is empty: name a directory for the driver's files, " +
                "which is deleted when the driver starts");
        }

        final Path directory = Path.of(name);
        if (Files.exists(directory) && !Files.isDirectory(directory))
        {
            throw new ConfigurationException("aeron.dir=" + name + " is not a directory: name another");
        }

        if (Files.isDirectory(directory) && !Files.exists(directory.resolve(CncFileDescriptor.CNC_FILE)))
        {
            strangerIn(directory).ifPresent((stranger) ->
            {
                throw new ConfigurationException("aeron.dir=" + name + " has " + stranger.getFileName() +
                    " in it, which is no file of a media driver, and would be deleted when the driver starts: " +
                    "name an empty directory, or one that does not exist");
            });
        }
    }

    private static Optional<Path> strangerIn(final Path directory)
    {
        try (Stream<Path> entries = Files.list(directory))
        {
            return entries.filter((entry) -> !DRIVER_FILES.contains(entry.getFileName().toString())).findFirst();
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }
}
