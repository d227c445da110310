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

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

import java.util.concurrent.Callable;

/**
 * {@code ./millrace archive}.
 */
@Command(
    name = "archive",
    sortOptions = false,
    description = "Records KV streams on disk and finds their blocks again.",
    subcommands = {
        ArchiveServe.class, ArchiveLs.class, ArchiveRecord.class, ArchiveReplay.class, ArchiveFetch.class,
        ArchiveVerify.class, ArchiveRebuild.class, ArchivePurge.class, ArchiveReplicate.class, ArchiveTrace.class },
    footer = {
        "",
        "  ./millrace archive serve --dir /dev/shm/aeron-a --archive-dir /data/archive",
        "  ./millrace archive ls --dir /dev/shm/aeron-a",
        "",
        "Exit status: 0 done; 1 failed, or verify found damage, or blocks are not",
        "stored or did not land; 2 wrong option or value." })
public final class ArchiveCommand implements Callable<Integer>
{
    @Mixin
    private Common common;

    @Spec
    private CommandSpec spec;

    /**
     * {@inheritDoc}
     */
    public Integer call()
    {
        throw new CommandLine.ParameterException(spec.commandLine(),
            "archive needs a command: one of " + String.join(", ", spec.subcommands().keySet()));
    }
}
