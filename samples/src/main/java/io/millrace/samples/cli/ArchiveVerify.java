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

import io.millrace.archive.KvDamage;
import io.millrace.archive.KvVerifyReport;
import io.millrace.samples.failure.CommandFailure;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.nio.file.Path;
import java.util.concurrent.Callable;

/**
 * {@code ./millrace archive verify}.
 */
@Command(
    name = "verify",
    sortOptions = false,
    description = "Reads every recording, compares the index with it, and mends the index.")
public final class ArchiveVerify implements Callable<Integer>
{
    @Option(names = "--index", required = true, paramLabel = "FILE",
        description = "Of the index, made when there is none. One process uses it at a time.")
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
            final KvVerifyReport report;
            try (ArchiveProgress progress = new ArchiveProgress())
            {
                report = store.verify(progress);
            }
            if (client.json())
            {
                Json.print(report);
            }
            else
            {
                final StringBuilder text = new StringBuilder(String.format(
                    "%d recordings, %d bytes, %d transfers; index: %d missing, %d stale%n", report.recordings(),
                    report.bytes(), report.transfers(), report.missing(), report.stale()));
                for (final KvDamage damage : report.damages())
                {
                    text.append(String.format("damaged: %s from position %d: %s%n",
                        damage.segmentFile(), damage.position(), damage.text()));
                }
                report.damagedTransfers().forEach(line -> text.append("damaged: ").append(line).append('\n'));
                Output.print(text.toString());
            }
            return report.damages().isEmpty() && report.damagedTransfers().isEmpty() ? 0 : CommandFailure.FAILED;
        });
    }
}
