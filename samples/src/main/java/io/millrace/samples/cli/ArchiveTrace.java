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

import io.millrace.samples.bench.TracePass;
import io.millrace.samples.bench.TracePassOptions;
import io.millrace.samples.bench.TracePassReport;
import io.millrace.samples.demo.Interruption;
import io.millrace.samples.failure.CommandFailure;
import org.agrona.SystemUtil;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.nio.file.Path;
import java.util.concurrent.Callable;

/**
 * {@code ./millrace archive trace}.
 */
@Command(
    name = "trace",
    sortOptions = false,
    description = {
        "Serves the requests of a trace from an archive, within a capacity.",
        "Blocks that are stored are fetched, the others computed, sent and recorded,",
        "and every block is checked. Both nodes and the archive run in this process.",
        "" },
    footer = {
        "",
        "Exit status: 0 every block was right, 1 not, 2 wrong option or value." })
public final class ArchiveTrace implements Callable<Integer>
{
    // Of the streams that it records, which segments hold whole.
    private static final int TERM_LENGTH = 1 << 20;

    @Option(names = "--trace", required = true, paramLabel = "FILE",
        description = "JSON lines with timestamp, input_length, output_length and hash_ids.")
    private Path trace;

    @Option(names = "--share", paramLabel = "S", defaultValue = "1",
        description = "Of the requests, over 0 to 1. Default: ${DEFAULT-VALUE}.")
    private double share;

    @Option(names = "--model", paramLabel = "M", defaultValue = "1x1x16",
        completionCandidates = Candidates.Models.class,
        description = "LAYERSxHEADSxDIM or a name, as in ./millrace demo. Default: ${DEFAULT-VALUE}.")
    private String model;

    @Option(names = "--tokens-per-block", paramLabel = "N", defaultValue = "512",
        description = "That one of the trace's hash_ids stands for. Default: ${DEFAULT-VALUE}.")
    private int tokensPerBlock;

    @Option(names = "--stock", description = "Use Aeron's own drivers, over UDP.")
    private boolean isStock;

    @Option(names = "--protocol", paramLabel = "P", completionCandidates = Candidates.Protocols.class,
        description = "auto, efa, tcp, shm or udp. Default: MILLRACE_PROTOCOL, else auto.")
    private String protocol;

    @Option(names = "--capacity", paramLabel = "SIZE", defaultValue = "3g",
        description = "Bytes that recordings may take. Default: ${DEFAULT-VALUE}.")
    private String capacity;

    @Option(names = "--segment-length", paramLabel = "SIZE", defaultValue = "16m",
        description = "Bytes of a segment file, the unit of eviction. Default: ${DEFAULT-VALUE}.")
    private String segmentLength;

    @Option(names = "--recording-length", paramLabel = "SIZE", defaultValue = "128m",
        description = "Bytes after which another recording is begun. Default: ${DEFAULT-VALUE}.")
    private String recordingLength;

    @Option(names = "--blocks-per-transfer", paramLabel = "N", defaultValue = "16",
        description = "At most: a fetch reads whole transfers. Default: ${DEFAULT-VALUE}.")
    private int blocksPerTransfer;

    @Option(names = "--dir", paramLabel = "DIR", description = "For the drivers' files. Default: /dev/shm.")
    private Path directory;

    @Option(names = "--archive-dir", required = true, paramLabel = "DIR",
        description = "For what is recorded; a directory of its own is made there and removed.")
    private Path archiveDirectory;

    @Option(names = "--json", description = "Print one JSON object instead of the table.")
    private boolean json;

    @Mixin
    private Common common;

    /**
     * {@inheritDoc}
     */
    public Integer call()
    {
        Interruption.watch();
        if (!(share > 0 && share <= 1) || tokensPerBlock < 1 || blocksPerTransfer < 1)
        {
            throw CommandFailure.usage("--share " + share + " must be over 0 to 1, --tokens-per-block " +
                tokensPerBlock + " and --blocks-per-transfer " + blocksPerTransfer + " 1 or more: give such values");
        }
        final TracePassReport report = TracePass.run(new TracePassOptions(trace, share, model, tokensPerBlock,
            isStock, protocol, size("--capacity", capacity), ArchiveServe.segmentLength(segmentLength, TERM_LENGTH),
            size("--recording-length", recordingLength), blocksPerTransfer, directory, archiveDirectory));
        if (json)
        {
            Json.print(report);
        }
        else
        {
            Output.print(report.table());
        }
        return report.isVerified() ? 0 : CommandFailure.FAILED;
    }

    private static long size(final String option, final String text)
    {
        try
        {
            final long size = SystemUtil.parseSize(option, text);
            if (size > 0 && size <= 1L << 50)
            {
                return size;
            }
        }
        catch (final NumberFormatException ignore)
        {
            // Answered below.
        }
        throw CommandFailure.usage(option + " " + text + ": it must be a size, such as 16m or 3g");
    }
}
