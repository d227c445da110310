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

import io.millrace.archive.KvBlockStore;
import io.millrace.samples.failure.CommandFailure;
import picocli.CommandLine.Option;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Directory of the recordings: option of the commands that read all of them and may look at their files first.
 */
final class ArchiveDirectory
{
    @Option(names = "--archive-dir", paramLabel = "DIR",
        description = "Of the recordings, if they are on this machine: frames of unknown types, at which an archive " +
            "hangs, are found before they are replayed.")
    private Path directory;

    /**
     * Make a directory of recordings unless there is one.
     *
     * @param option    that it was given with.
     * @param directory of the user.
     * @throws CommandFailure if it cannot be made or written.
     */
    static void make(final String option, final Path directory)
    {
        String why = null;
        try
        {
            Files.createDirectories(directory);
            why = Files.isWritable(directory) ? null : "this user may not write there";
        }
        catch (final IOException ex)
        {
            why = CommandFailure.reason(ex);
        }
        if (null != why)
        {
            throw CommandFailure.usage(option + " " + directory + " cannot be used (" + why + "): it must be a " +
                "directory that this user can write, or make; name another one");
        }
    }

    /**
     * Tell a store where the files are, if they are here.
     *
     * @throws CommandFailure if they are not.
     */
    void tell(final KvBlockStore store)
    {
        if (null != directory)
        {
            if (!Files.isDirectory(directory))
            {
                throw CommandFailure.usage("--archive-dir " + directory + " is no directory: it must be that of " +
                    "the archive's recordings on this machine; name it, or leave the option out");
            }
            store.archive().context().archiveDirectory(directory);
        }
    }
}
