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

import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.nio.file.Path;
import java.util.concurrent.Callable;

/**
 * {@code ./millrace archive rebuild}.
 */
@Command(name = "rebuild", sortOptions = false, description = "Makes the index of blocks anew from the recordings.")
public final class ArchiveRebuild implements Callable<Integer>
{
    @Option(names = "--index", required = true, paramLabel = "FILE",
        description = "Of the index. One process uses it at a time.")
    private Path index;

    @Mixin
    private ArchiveDirectory archiveDirectory;

    @Mixin
    private ArchiveClient client;

    @Mixin
    private Common common;

    /**
     * {@inheritDoc}
     */
    public Integer call()
    {
        return client.runWithStore(index, store ->
        {
            archiveDirectory.tell(store);
            try (ArchiveProgress progress = new ArchiveProgress())
            {
                store.rebuild(progress);
            }
            if (client.json())
            {
                Json.print(store.index().stats());
            }
            else
            {
                Output.print(store.index().stats().transfers() + " transfers, " + store.index().stats().blocks() +
                    " blocks, " + store.index().stats().fileBytes() + " bytes\n");
            }
            return 0;
        });
    }
}
