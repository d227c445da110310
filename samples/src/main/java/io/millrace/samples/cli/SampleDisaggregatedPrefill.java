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

import io.millrace.samples.demo.Interruption;
import io.millrace.samples.disaggregated.Change;
import io.millrace.samples.disaggregated.DisaggregatedOptions;
import io.millrace.samples.disaggregated.DisaggregatedPrefill;
import io.millrace.samples.disaggregated.ResultPage;
import io.millrace.samples.disaggregated.ResultTable;
import io.millrace.samples.disaggregated.RunResult;
import io.millrace.samples.failure.CommandFailure;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/**
 * {@code ./millrace sample disaggregated-prefill}.
 */
@Command(
    name = "disaggregated-prefill",
    sortOptions = false,
    description = {
        "Prefill and decode processes, an archive, and a router that replays a trace.",
        "Blocks of a prompt come from decode memory, then from the archive, and the",
        "rest is computed (simulated) and streamed. Every block that arrives is",
        "checked, and the time to first token is split into queue, prefill, transfer.",
        "" },
    footer = {
        "",
        "  ./millrace sample disaggregated-prefill --change 8s:+decode",
        "  ./millrace sample disaggregated-prefill --trace FILE --speed 10",
        "  ./millrace sample disaggregated-prefill --speed max --requests 20",
        "",
        "Exit status: 0 done and every block right; 1 failed, or a block was wrong;",
        "2 wrong option or value." })
public final class SampleDisaggregatedPrefill implements Callable<Integer>
{
    private static final String MAX = "max";
    private static final double MAX_SPEED = 1000;
    private static final int MAX_INSTANCES = 16;
    private static final int MAX_REQUESTS = 1_000_000;
    private static final int MAX_BLOCKS = 1_000_000;
    // The longest prompts of the traces then take a minute.
    private static final int MIN_TOKENS_PER_SECOND = 2000;
    private static final int MAX_TOKENS_PER_SECOND = 100_000_000;

    @Option(names = "--prefill", paramLabel = "N", defaultValue = "2", description = "Prefill instances. Default: 2.")
    private long prefill;

    @Option(names = "--decode", paramLabel = "N", defaultValue = "2", description = "Decode instances. Default: 2.")
    private long decode;

    @Option(names = "--change", paramLabel = "TIME:CHANGE",
        description = "What joins or leaves, and when, such as 8s:+decode or 16s:-prefill. Repeat it for more.")
    private List<String> changes = List.of();

    @Option(names = "--requests", paramLabel = "N", defaultValue = "100",
        description = "To replay at most. Default: 100.")
    private long requests;

    @Option(names = "--trace", paramLabel = "FILE",
        description = "JSON lines of requests, as in ./millrace demo. Default: conversations that are made up.")
    private Path trace;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1", description = "Of those. Default: 1.")
    private long seed;

    @Option(names = "--speed", paramLabel = "X", defaultValue = "1",
        description = "Times as fast as the trace, or max: all at once, and prefill takes no time. Default: 1.")
    private String speed;

    @Option(names = "--model", paramLabel = "M", defaultValue = "2x1x64",
        completionCandidates = Candidates.Models.class,
        description = "qwen2.5-0.5b, llama-3-8b or LAYERSxHEADSxDIM, 512 tokens a block. Default: 2x1x64.")
    private String model;

    @Option(names = "--prefill-rate", paramLabel = "N", defaultValue = "20000",
        description = "Tokens a second that a prefill instance computes. Default: 20000.")
    private long tokensPerSecond;

    @Option(names = "--cache-blocks", paramLabel = "N", defaultValue = "250",
        description = "That a decode instance has memory for. Default: 250.")
    private long cacheBlocks;

    @Option(names = "--no-archive", description = "Without an archive.")
    private boolean noArchive;

    @Option(names = "--protocol", paramLabel = "P", completionCandidates = Candidates.Protocols.class,
        description = "auto, efa, tcp, shm or udp. Default: MILLRACE_PROTOCOL, else auto.")
    private String protocol;

    @Option(names = "--dir", paramLabel = "DIR", description = "For the drivers' files. Default: /dev/shm.")
    private Path directory;

    @Option(names = "--archive-dir", paramLabel = "DIR",
        description = "For the recordings. Default: the directory of temporary files.")
    private Path archiveDirectory;

    @Mixin
    private RunOptions output;

    @Mixin
    private Common common;

    /**
     * {@inheritDoc}
     */
    public Integer call()
    {
        if (noArchive && null != archiveDirectory)
        {
            throw CommandFailure.usage(
                "--archive-dir " + archiveDirectory + " does not go with --no-archive: leave one of them out");
        }
        final DisaggregatedOptions options = new DisaggregatedOptions(
            (int)RunOptions.within("--prefill", prefill, 1, MAX_INSTANCES),
            (int)RunOptions.within("--decode", decode, 1, MAX_INSTANCES),
            (int)RunOptions.within("--requests", requests, 1, MAX_REQUESTS),
            trace,
            speed(),
            model,
            (int)RunOptions.within("--cache-blocks", cacheBlocks, 1, MAX_BLOCKS),
            (int)RunOptions.within("--prefill-rate", tokensPerSecond, MIN_TOKENS_PER_SECOND, MAX_TOKENS_PER_SECOND),
            changes.stream().map(Change::parse).toList(),
            !noArchive,
            protocol,
            directory,
            archiveDirectory,
            seed,
            common.verbose());
        Interruption.watch();
        final Map<String, String> environment = output.environment(protocol);
        final RunResult result = DisaggregatedPrefill.run(options);
        output.show(result, () -> ResultTable.of(result), environment,
            (machine, file) -> ResultPage.write(result, machine, file));
        return result.isSound() ? 0 : CommandFailure.FAILED;
    }

    private double speed()
    {
        if (MAX.equalsIgnoreCase(speed))
        {
            return 0;
        }
        try
        {
            final double value = Double.parseDouble(speed);
            if (value >= 1 && value <= MAX_SPEED)
            {
                return value;
            }
        }
        catch (final NumberFormatException ignore)
        {
            // Answered below, as a number out of range is.
        }
        throw CommandFailure.usage("--speed is " + speed + ": it must be a number from 1 to " + MAX_SPEED + ", or max");
    }
}
