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
package io.millrace.samples.cli;

import io.aeron.CommonContext;
import io.millrace.archive.KvArchive;
import io.millrace.archive.KvArchiveError;
import io.millrace.archive.KvArchiveException;
import io.millrace.archive.KvBlockStore;
import io.millrace.archive.index.IndexException;
import io.millrace.samples.failure.CommandFailure;
import picocli.CommandLine.Option;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.ToIntFunction;

/**
 * Options of the commands that use a running archive, and the connection to it.
 */
final class ArchiveClient
{
    @Option(names = "--dir", paramLabel = "DIR",
        description = "Directory of the archive's driver. Default: Aeron's, aeron.dir or /dev/shm/aeron-USER.")
    private String directory = CommonContext.getAeronDirectoryName();

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    boolean json()
    {
        return json;
    }

    int run(final ToIntFunction<KvArchive> command)
    {
        return run(directory, "--dir", command);
    }

    /**
     * Run a command within a time that connecting is part of.
     *
     * @param timeoutNs that an answer of the archive may take as well, if that is less than usual.
     */
    int run(final long timeoutNs, final ToIntFunction<KvArchive> command)
    {
        return run(directory, "--dir", timeoutNs, command);
    }

    /**
     * @param ex             of a wait.
     * @param timeoutSeconds that the user allowed.
     * @return the failure, to be thrown.
     */
    static RuntimeException ofTimeout(final KvArchiveException ex, final long timeoutSeconds)
    {
        return KvArchiveError.DEADLINE != ex.error() ? ex :
            CommandFailure.failed(ex.getMessage() + " (--timeout " + timeoutSeconds + ")", ex);
    }

    /**
     * @param option that names the directory, for errors.
     */
    static int run(final String directory, final String option, final ToIntFunction<KvArchive> command)
    {
        return run(directory, option, Long.MAX_VALUE, command);
    }

    private static int run(
        final String directory, final String option, final long timeoutNs, final ToIntFunction<KvArchive> command)
    {
        if (!Files.exists(Path.of(directory, "cnc.dat")))
        {
            throw CommandFailure.failed("no driver in " + option + " " + directory +
                ": start an archive there with ./millrace archive serve, or name its directory");
        }
        final KvArchive.Context context = new KvArchive.Context().aeronDirectoryName(directory);
        context.messageTimeoutNs(Math.min(context.archiveContext().messageTimeoutNs(), timeoutNs));
        try (KvArchive archive = KvArchive.connect(context))
        {
            return command.applyAsInt(archive);
        }
        catch (final KvArchiveException | IndexException ex)
        {
            throw CommandFailure.failed(ex.getMessage(), ex);
        }
    }

    int runWithStore(final Path index, final ToIntFunction<KvBlockStore> command)
    {
        return runWithStore(directory, "--dir", index, command);
    }

    static int runWithStore(
        final String directory, final String option, final Path index, final ToIntFunction<KvBlockStore> command)
    {
        return run(directory, option, archive ->
        {
            try (KvBlockStore store = KvBlockStore.open(
                archive, new KvBlockStore.Context().indexFile(index).updateIntervalNs(0)))
            {
                return command.applyAsInt(store);
            }
        });
    }
}
