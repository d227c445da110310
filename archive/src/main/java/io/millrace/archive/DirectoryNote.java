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
package io.millrace.archive;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

import io.aeron.archive.Archive;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the clients of an archive's own driver where its files lie: a file in the driver's directory, which lives as
 * long as that. Clients of other drivers are told by {@link KvArchive.Context#archiveDirectory(Path)}.
 */
final class DirectoryNote implements AutoCloseable
{
    private static final Logger LOGGER = LoggerFactory.getLogger(DirectoryNote.class);

    private final Path file;

    DirectoryNote(final Archive.Context ctx)
    {
        file = file(ctx.aeronDirectoryName(), ctx.archiveId());
        try
        {
            Files.writeString(file, ctx.archiveDir().getAbsolutePath());
        }
        catch (final IOException ex)
        {
            LOGGER.warn("{} cannot be written, clients do not look at frames before they are replayed", file, ex);
        }
    }

    /**
     * Find the directory of an archive.
     *
     * @return the directory, or null when it is not told or is not on this machine.
     */
    static Path find(final String aeronDirectoryName, final long archiveId)
    {
        try
        {
            final Path directory = Path.of(Files.readString(file(aeronDirectoryName, archiveId)));
            return Files.isDirectory(directory) ? directory : null;
        }
        catch (final IOException ex)
        {
            LOGGER.debug("archive {} has no note of its directory", archiveId, ex);
            return null;
        }
    }

    static Path file(final String aeronDirectoryName, final long archiveId)
    {
        return Path.of(aeronDirectoryName, "archive-" + archiveId + ".dir");
    }

    public void close()
    {
        try
        {
            Files.deleteIfExists(file);
        }
        catch (final IOException ex)
        {
            LOGGER.debug("note of a directory", ex);
        }
    }
}
