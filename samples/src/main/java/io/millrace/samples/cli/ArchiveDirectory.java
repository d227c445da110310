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
import picocli.CommandLine.Option;

import java.nio.file.Path;

/**
 * Option of the commands that read all recordings and may look at their files first.
 */
final class ArchiveDirectory
{
    @Option(names = "--archive-dir", paramLabel = "DIR",
        description = "Of the recordings, if they are on this machine: frames of unknown types, at which an archive " +
            "hangs, are found before they are replayed.")
    private Path directory;

    /**
     * Tell a store where the files are, if they are here.
     */
    void tell(final KvBlockStore store)
    {
        if (null != directory)
        {
            store.archive().context().archiveDirectory(directory);
        }
    }
}
