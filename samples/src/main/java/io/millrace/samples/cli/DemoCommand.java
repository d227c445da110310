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

import io.millrace.samples.demo.Demo;
import io.millrace.samples.demo.DemoOptions;
import io.millrace.samples.demo.DemoReport;
import io.millrace.samples.demo.Interruption;
import io.millrace.samples.demo.ReportTable;
import io.millrace.samples.failure.CommandFailure;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/**
 * {@code ./millrace demo}.
 */
@Command(
    name = "demo",
    sortOptions = false,
    description = "Streams KV blocks from one process to another and checks every byte.",
    footer = {
        "",
        "Without --requests as many requests are run as move 2 GiB.",
        "",
        "  ./millrace demo --requests 5 --model 2x1x16",
        "  ./millrace demo --protocol tcp --rails 2 --json",
        "",
        "Exit status: 0 verified, 1 failed or not verified, 2 wrong option or value." })
public final class DemoCommand implements Callable<Integer>
{
    private static final int MAX_RAILS = 64;
    // All requests are looked at before the first one runs.
    private static final long MAX_REQUESTS = 1_000_000;

    @Option(names = "--requests", paramLabel = "N", description = "Requests to transfer, at most 1000000.")
    private String requests;

    @Option(names = "--trace", paramLabel = "FILE",
        description = "JSON lines with timestamp, input_length, output_length and hash_ids. Default: generated.")
    private Path trace;

    @Option(names = "--model", paramLabel = "M", defaultValue = "qwen2.5-0.5b",
        completionCandidates = Candidates.Models.class,
        description = "qwen2.5-0.5b (12 KiB a token), llama-3-8b (128 KiB) or LAYERSxHEADSxDIM. " +
        "Default: ${DEFAULT-VALUE}.")
    private String model;

    @Option(names = "--protocol", paramLabel = "P", completionCandidates = Candidates.Protocols.class,
        description = "auto, efa, tcp, shm or udp. Default: MILLRACE_PROTOCOL, else auto.")
    private String protocol;

    @Option(names = "--rails", paramLabel = "N", description = "Rails of each driver. Default: the driver's.")
    private String rails;

    @Option(names = "--tokens-per-block", paramLabel = "N", defaultValue = "128",
        description = "Tokens in a KV block. Default: ${DEFAULT-VALUE}.")
    private String tokensPerBlock;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1",
        description = "Decides content and generated lengths. Default: ${DEFAULT-VALUE}.")
    private String seed;

    @Option(names = "--timeout", paramLabel = "SECONDS", defaultValue = "30",
        description = "Longest time without progress. Default: ${DEFAULT-VALUE}.")
    private String timeout;

    @Option(names = "--dir", paramLabel = "DIR", description = "For the drivers' files. Default: /dev/shm.")
    private Path directory;

    @Option(names = "--archive", description = "Record the stream, replay it, and check every byte again.")
    private boolean archive;

    @Option(names = "--archive-dir", paramLabel = "DIR",
        description = "For what is recorded. Default: the directory of temporary files.")
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
        if (null != archiveDirectory && !archive)
        {
            throw CommandFailure.usage("--archive-dir " + archiveDirectory +
                " goes with --archive only; add --archive, or leave it out");
        }
        Interruption.watch();
        final DemoReport report = Demo.run(new DemoOptions(
            number("--requests", requests, 1, MAX_REQUESTS),
            trace,
            model,
            (int)number("--tokens-per-block", tokensPerBlock, 1, Short.MAX_VALUE),
            protocol,
            (int)number("--rails", rails, 1, MAX_RAILS),
            number("--seed", seed, Long.MIN_VALUE, Long.MAX_VALUE),
            directory,
            archive,
            archiveDirectory,
            TimeUnit.SECONDS.toMillis(number("--timeout", timeout, 1, TimeUnit.DAYS.toSeconds(1))),
            common.verbose()));
        if (json)
        {
            Json.print(report);
        }
        else
        {
            Output.print(ReportTable.of(report));
        }
        return report.allVerified() ? 0 : CommandFailure.FAILED;
    }

    // Texts until here: picocli's own complaint names neither range nor remedy. Absent is 0.
    private static long number(final String option, final String text, final long min, final long max)
    {
        try
        {
            final long value = null == text ? 0 : Long.parseLong(text);
            if (null == text || value >= min && value <= max)
            {
                return value;
            }
        }
        catch (final NumberFormatException ignore)
        {
            // Answered below, as a number out of range is.
        }
        throw CommandFailure.usage(option + " is " + text + ": it must be a whole number from " + min + " to " + max +
            "; give such a number or leave it out");
    }
}
