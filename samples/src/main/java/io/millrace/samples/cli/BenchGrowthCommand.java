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

import io.millrace.efa.EfaContext;
import io.millrace.efa.ProtocolChoice;
import io.millrace.samples.demo.Interruption;
import io.millrace.samples.demo.WorkDirectory;
import io.millrace.samples.failure.CommandFailure;
import io.millrace.samples.growth.GrowthOptions;
import io.millrace.samples.growth.GrowthReport;
import io.millrace.samples.growth.GrowthRun;
import org.agrona.SystemUtil;
import org.agrona.concurrent.ShutdownSignalBarrier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * {@code ./millrace bench growth}.
 */
@Command(
    name = "growth",
    sortOptions = false,
    description = {
        "Measures what streams, peers, rails and terms cost as they grow.",
        "The cost of a message, a stream and a peer, on Millrace and on Aeron over UDP.",
        "" },
    footer = {
        "",
        "All drivers run on one thread, whose processor time counts: one core will do." })
public final class BenchGrowthCommand implements Callable<Integer>
{
    // Held, since a logger that nobody holds loses its level.
    private static final Logger DRIVER_LOGGER = Logger.getLogger("io.millrace");
    private static final int MAX_COUNT = 1000;
    private static final long MAX_TERM = 1L << 30;
    private static final long MIN_TERM = 1 << 20;

    @Option(names = "--protocol", paramLabel = "P", defaultValue = "shm",
        completionCandidates = Candidates.Fabrics.class,
        description = "efa, tcp or shm. Default: ${DEFAULT-VALUE}.")
    private String protocol;

    @Option(names = "--streams", paramLabel = "N", split = ",", defaultValue = "1,16,256",
        description = "Default: ${DEFAULT-VALUE}.")
    private List<Integer> streams;

    @Option(names = "--peers", paramLabel = "N", split = ",", defaultValue = "1,8,64",
        description = "Default: ${DEFAULT-VALUE}.")
    private List<Integer> peers;

    @Option(names = "--rails", paramLabel = "N", split = ",", defaultValue = "1,2,4",
        description = "Default: ${DEFAULT-VALUE}.")
    private List<Integer> rails;

    @Option(names = "--terms", paramLabel = "LEN", split = ",", defaultValue = "16m,128m,1g",
        description = "Lengths, such as 16m. Default: ${DEFAULT-VALUE}.")
    private List<String> terms;

    @Option(names = "--rounds", paramLabel = "N", defaultValue = "3",
        description = "Of each measurement; the least counts. Default: ${DEFAULT-VALUE}.")
    private int rounds;

    @Option(names = "--seconds", paramLabel = "S", defaultValue = "0.3",
        description = "Of each measurement. Default: ${DEFAULT-VALUE}.")
    private double seconds;

    @Option(names = "--dir", paramLabel = "DIR", description = "For the drivers' files. Default: /dev/shm.")
    private Path directory;

    @Option(names = "--json", description = "Print one JSON object instead of the table.")
    private boolean json;

    @Mixin
    private Common common;

    @ParentCommand
    private BenchCommand bench;

    /**
     * {@inheritDoc}
     */
    public Integer call()
    {
        bench.checkAlone("growth");
        Interruption.watch();
        streams.forEach((count) -> check("--streams", count, 1, MAX_COUNT));
        peers.forEach((count) -> check("--peers", count, 1, MAX_COUNT));
        rails.forEach((count) -> check("--rails", count, 1, Long.SIZE));
        check("--rounds", rounds, 1, MAX_COUNT);
        check("--seconds", Math.round(seconds * 1e3), 1, 1 << 20);
        final ProtocolChoice choice = ProtocolChoice.select(new EfaContext().protocol(protocol));
        if (!choice.isFabric())
        {
            throw CommandFailure.usage("--protocol " + protocol + ": growth needs rails, it must be efa, tcp or shm");
        }
        final List<Integer> lengths = terms.stream().map(BenchGrowthCommand::termLength).toList();
        if (!common.verbose())
        {
            // Each driver of hundreds tells what it runs on, which the head of the table does.
            DRIVER_LOGGER.setLevel(Level.WARNING);
        }
        // First, so that a signal's end of the process waits until the drivers are closed.
        try (ShutdownSignalBarrier ignore = new ShutdownSignalBarrier(() -> {});
            WorkDirectory work = WorkDirectory.create(WorkDirectory.Owner.BENCH, directory))
        {
            work.handOver();
            final GrowthReport report = GrowthRun.run(new GrowthOptions(
                choice, protocol, streams, peers, rails, lengths, Math.round(seconds * 1e3), rounds, work.path()));
            if (json)
            {
                Json.print(report.json());
            }
            else
            {
                Output.print(report.table());
            }
        }
        return 0;
    }

    private static int termLength(final String text)
    {
        long length = 0;
        try
        {
            length = SystemUtil.parseSize("--terms", text);
        }
        catch (final IllegalArgumentException ignore)
        {
            // 0 is refused too
        }
        if (length < MIN_TERM || length > MAX_TERM || 1 != Long.bitCount(length))
        {
            throw CommandFailure.usage("--terms has '" + text +
                "': a term's length is a power of two from 1m to 1g, in bytes or with k, m or g; give such a one");
        }
        return (int)length;
    }

    private static void check(final String option, final long value, final long min, final long max)
    {
        if (value < min || value > max)
        {
            throw CommandFailure.usage(option + " has " + value + ": it must be from " + min + " to " + max +
                "; give such a number or leave it out");
        }
    }
}
