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

import io.millrace.samples.bench.BenchOptions;
import io.millrace.samples.bench.BenchReport;
import io.millrace.samples.bench.BenchRun;
import io.millrace.samples.bench.BenchTable;
import io.millrace.samples.bench.CaseKind;
import io.millrace.samples.bench.HtmlReport;
import io.millrace.samples.bench.Threading;
import io.millrace.samples.bench.Transport;
import io.millrace.samples.demo.Interruption;
import io.millrace.samples.failure.CommandFailure;
import io.millrace.samples.report.HtmlPage;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/**
 * {@code ./millrace bench}.
 */
@Command(
    name = "bench",
    subcommands = { BenchGrowthCommand.class, BenchPartsCommand.class },
    sortOptions = false,
    description = "Measures Millrace, stock Aeron and raw libfabric in turn, side by side.",
    footer = {
        "",
        "Each round of a case runs on each transport in turn, in two processes that",
        "are each bound to cores of their own. docs/benchmarks.md says what a case is.",
        "",
        "  ./millrace bench rtt --seconds 0.5",
        "  ./millrace bench rtt throughput --report report.html",
        "",
        "Exit status: 0 every round succeeded, 1 some did not,",
        "2 wrong option or value." })
public final class BenchCommand implements Callable<Integer>
{
    private static final int MAX_ROUNDS = 1000;
    private static final double MIN_SECONDS = 0.05;
    private static final double MAX_SECONDS = 3600;
    private static final int MAX_RATE = 10_000_000;
    private static final double MILLIS = 1e3;

    @Parameters(paramLabel = "CASE", arity = "0..*", completionCandidates = Candidates.Cases.class,
        description = "rtt, throughput, kv, kvTrace, kvBlock, archive, archiveIndex.")
    private List<String> names = List.of();

    @Option(names = "--cases", paramLabel = "CASE", split = ",",
        completionCandidates = Candidates.Cases.class, description = "The same, separated by commas.")
    private List<String> moreNames = List.of();

    @Option(names = "--sizes", paramLabel = "N", split = ",",
        description = "Bytes of messages or of pieces of KV blocks. Default: rtt 32,288,1344,8192; throughput " +
            "32,288,1344,8192,65536,1048576; kv 4096,65536,262144,1048576; kvTrace 32768, always; " +
            "kvBlock 4096,65536; archive 65536.")
    private List<String> sizes = List.of();

    @Option(names = "--mtu", paramLabel = "N", split = ",",
        description = "Bytes of packets. Default: rtt 8192; throughput 1408,8192,65504; the others 65504, on " +
            "tcp 65408.")
    private List<String> mtus = List.of();

    @Option(names = "--protocol", paramLabel = "P", completionCandidates = Candidates.Protocols.class,
        description = "auto, efa, tcp, shm or udp. Default: MILLRACE_PROTOCOL, else auto.")
    private String protocol;

    @Option(names = "--on", paramLabel = "T", split = ",", defaultValue = "millrace,aeronUdp,aeronIpc,raw",
        completionCandidates = Candidates.Transports.class,
        description = "Transports. Default: ${DEFAULT-VALUE}.")
    private List<String> transports;

    @Option(names = "--rounds", paramLabel = "N", defaultValue = "5",
        description = "Rounds of each case. Default: ${DEFAULT-VALUE}.")
    private String rounds;

    @Option(names = "--seconds", paramLabel = "S", defaultValue = "1",
        description = "That count of a round, such as 0.5. Default: ${DEFAULT-VALUE}.")
    private String seconds;

    @Option(names = "--warmup", paramLabel = "S", defaultValue = "0.5",
        description = "Seconds before those; until the compiler rests, at most five times as many or 5 s more. " +
            "Default: ${DEFAULT-VALUE}.")
    private String warmup;

    @Option(names = "--rate", paramLabel = "N", defaultValue = "10000",
        description = "Messages a second of rtt. Default: ${DEFAULT-VALUE}.")
    private String rate;

    @Option(names = "--threading", paramLabel = "M", defaultValue = "invoker",
        completionCandidates = Candidates.Threadings.class,
        description = "invoker (one thread a process), shared (two) or dedicated (three). Default: ${DEFAULT-VALUE}.")
    private String threading;

    @Option(names = "--dir", paramLabel = "DIR", description = "For the drivers' files. Default: /dev/shm.")
    private Path directory;

    @Option(names = "--archive-dir", paramLabel = "DIR",
        description = "On the disk that archive is to measure. Default: the directory of temporary files.")
    private Path archiveDirectory;

    @Option(names = "--trace", paramLabel = "FILE",
        description = "JSON lines of requests for kvTrace, as in ./millrace demo. Default: generated.")
    private Path trace;

    @Option(names = "--java-opts", paramLabel = "O", split = " +",
        description = "More options for the JVMs that measure, such as -XX:StartFlightRecording.")
    private List<String> javaOptions = List.of();

    @Option(names = "--report", paramLabel = "FILE", description = "Write an HTML page with charts as well.")
    private Path report;

    @Option(names = "--json", description = "Print one JSON object instead of the tables.")
    private boolean json;

    @Mixin
    private Common common;

    @Spec
    private CommandSpec spec;

    /**
     * {@inheritDoc}
     */
    public Integer call()
    {
        Interruption.watch();
        final List<CaseKind> kinds = Stream.concat(names.stream(), moreNames.stream())
            .map(this::kind)
            .flatMap((kind) -> CaseKind.ARCHIVE == kind ? Stream.of(kind, CaseKind.ARCHIVE_INDEX) : Stream.of(kind))
            .distinct().toList();
        if (kinds.isEmpty())
        {
            throw CommandFailure.usage("bench needs a case: one or more of " +
                String.join(", ", Arrays.stream(CaseKind.values()).map(CaseKind::key).toList()) + commands() +
                "; such as ./millrace bench rtt");
        }
        if (null != report)
        {
            HtmlPage.check(report);
        }
        final BenchReport found = BenchRun.run(new BenchOptions(
            kinds,
            transports.stream().map(Transport::of).distinct().toList(),
            sizes.stream().map((text) -> (int)number("--sizes", text, 1, Integer.MAX_VALUE)).distinct().toList(),
            mtus.stream().map((text) -> (int)number("--mtu", text, 1, Integer.MAX_VALUE)).distinct().toList(),
            protocol,
            Threading.of(threading),
            (int)number("--rounds", rounds, 1, MAX_ROUNDS),
            millis("--seconds", seconds, MIN_SECONDS),
            millis("--warmup", warmup, 0),
            (int)number("--rate", rate, 1, MAX_RATE),
            directory,
            archiveDirectory,
            trace,
            javaOptions,
            common.verbose()));
        if (json)
        {
            Json.print(found.json());
        }
        else
        {
            Output.print(BenchTable.of(found));
        }
        if (null != report)
        {
            HtmlReport.write(found, report);
            Messages.say("report written to " + report.toAbsolutePath());
        }
        return 0 == found.failures() ? 0 : CommandFailure.FAILED;
    }

    private CaseKind kind(final String text)
    {
        try
        {
            return CaseKind.of(text);
        }
        catch (final CommandFailure ex)
        {
            throw CommandFailure.usage(ex.getMessage() + commands());
        }
    }

    /**
     * Check that a command of this one was named alone.
     *
     * @param command that was.
     * @throws CommandFailure if cases were named with it.
     */
    void checkAlone(final String command)
    {
        if (!names.isEmpty() || !moreNames.isEmpty())
        {
            throw CommandFailure.usage("bench " + String.join(" ", names) + String.join(",", moreNames) + " " +
                command + ": " + command + " goes with no case; run them one after the other");
        }
    }

    // What takes other options, and goes with no case.
    private String commands()
    {
        return "; or, alone, " + String.join(" or ", spec.subcommands().keySet());
    }

    private static long number(final String option, final String text, final long min, final long max)
    {
        try
        {
            final long value = Long.parseLong(text.trim());
            if (value >= min && value <= max)
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

    private static long millis(final String option, final String text, final double min)
    {
        try
        {
            final double value = Double.parseDouble(text);
            if (value >= min && value <= MAX_SECONDS)
            {
                return Math.round(value * MILLIS);
            }
        }
        catch (final NumberFormatException ignore)
        {
            // Answered below, as a number out of range is.
        }
        throw CommandFailure.usage(option + " is " + text + ": it must be a number of seconds from " + min + " to " +
            MAX_SECONDS + "; give such a number or leave it out");
    }
}
