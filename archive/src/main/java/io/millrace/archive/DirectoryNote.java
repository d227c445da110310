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

import io.aeron.Aeron;
import io.aeron.AeronCounters;
import io.aeron.archive.Archive;
import org.agrona.concurrent.status.CountersReader;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells clients that reach an archive over IPC where its files lie: a file in the driver's directory, named by what the
 * driver gives out once, the registration of a counter of that archive. Ids of archives are unique on a driver only, so
 * other clients are told by {@link KvArchive.Context#archiveDirectory(Path)}.
 */
final class DirectoryNote implements AutoCloseable
{
    private static final Logger LOGGER = LoggerFactory.getLogger(DirectoryNote.class);

    private final Path file;

    DirectoryNote(final Archive.Context ctx)
    {
        file = file(ctx.aeronDirectoryName(), ctx.controlSessionsCounter().registrationId());
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
     * @param aeron     client of the driver that the archive is on.
     * @param archiveId of the archive.
     * @return the directory, or null when it is not told.
     */
    static Path find(final Aeron aeron, final long archiveId)
    {
        final Path file = file(aeron, archiveId);
        try
        {
            return null == file ? null : Path.of(Files.readString(file));
        }
        catch (final IOException ex)
        {
            LOGGER.debug("archive {} has no note of its directory", archiveId, ex);
            return null;
        }
    }

    /**
     * @return the file that an archive that lives has or would have, or null when there is no such archive.
     */
    static Path file(final Aeron aeron, final long archiveId)
    {
        final CountersReader counters = aeron.countersReader();
        final int counterId = io.aeron.archive.ArchiveCounters.find(
            counters, AeronCounters.ARCHIVE_CONTROL_SESSIONS_TYPE_ID, archiveId);
        return CountersReader.NULL_COUNTER_ID == counterId ? null :
            file(aeron.context().aeronDirectoryName(), counters.getCounterRegistrationId(counterId));
    }

    private static Path file(final String aeronDirectoryName, final long registrationId)
    {
        return Path.of(aeronDirectoryName, "archive-" + registrationId + ".dir");
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
