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
package io.millrace.samples.bench;

import io.aeron.exceptions.ConfigurationException;
import io.millrace.efa.EfaContext;
import io.millrace.efa.ProtocolChoice;
import io.millrace.samples.demo.Interruption;
import io.millrace.samples.demo.ProgressDisplay;
import io.millrace.samples.demo.WorkDirectory;
import io.millrace.samples.failure.CommandFailure;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * One invocation: every case, in every round on each transport in turn.
 */
public final class BenchRun implements AutoCloseable
{
    private static final long COLD_WARMUPS = 5;
    private static final long STALL_WATCH_NS = TimeUnit.SECONDS.toNanos(1);

    private final BenchOptions options;
    private final ProtocolChoice choice;
    private final WorkDirectory directory;
    private final Map<Transport, ChildPair> pairs = new EnumMap<>(Transport.class);
    private final Thread hook = new Thread(this::end, "end-children");

    private BenchRun(final BenchOptions options, final ProtocolChoice choice)
    {
        this.options = options;
        this.choice = choice;
        directory = WorkDirectory.create(WorkDirectory.Owner.BENCH, options.directory());
        options.transports().forEach((transport) ->
            pairs.put(transport, new ChildPair(transport.key(), directory.path(), options)));
        Runtime.getRuntime().addShutdownHook(hook);
        directory.handOver();
    }

    /**
     * Run.
     *
     * @param options of the user.
     * @return what was found.
     * @throws CommandFailure if an option cannot be used here.
     */
    public static BenchReport run(final BenchOptions options)
    {
        Cores.check(options.threading());
        final ProtocolChoice choice = choose(options);
        final List<BenchCase> cases = Plan.of(options, choice);
        try (BenchRun run = new BenchRun(options, choice))
        {
            return run.run(cases);
        }
    }

    private static ProtocolChoice choose(final BenchOptions options)
    {
        final EfaContext context = new EfaContext();
        if (null != options.protocol())
        {
            context.protocol(options.protocol());
        }
        try
        {
            return ProtocolChoice.select(context);
        }
        catch (final ConfigurationException ex)
        {
            final String message = CommandFailure.withoutCategory(ex);
            throw CommandFailure.usage(
                null == options.protocol() ? message : "--protocol " + options.protocol() + ": " + message);
        }
    }

    private BenchReport run(final List<BenchCase> cases)
    {
        final List<List<CaseResult>> groups = groups(cases);
        final Map<String, String> environment = Environment.of(options, choice);
        final int senderCore = Cores.ofSender(options.threading());
        final int receiverCore = Cores.ofReceiver(options.threading());
        final List<CoreMeter.Stalls> stalls = new ArrayList<>();
        if (cases.stream().anyMatch((benchCase) -> benchCase.kind().isLatency()))
        {
            stalls.addAll(CoreMeter.stalls(List.of(senderCore, receiverCore), STALL_WATCH_NS));
            environment.put("coreStalls", stalls.stream().map(Object::toString).collect(Collectors.joining("; ")));
        }
        final List<CaseResult> results = new ArrayList<>();
        final long total = cases.stream()
            .mapToLong((benchCase) -> (long)options.rounds() * transports(benchCase.kind()).size()).sum();
        long done = 0;
        try (ProgressDisplay progress = new ProgressDisplay("bench", total, "", 1))
        {
            for (final List<CaseResult> group : groups)
            {
                results.addAll(group);
                if (group.getFirst().benchCase().kind().isArchive())
                {
                    done += archive(group.getFirst());
                    progress.stepTo(done);
                    continue;
                }
                for (int round = 0; round < options.rounds(); round++)
                {
                    for (final CaseResult result : group)
                    {
                        result.coreRoundTripsNs().add(CoreMeter.roundTripNs(senderCore, receiverCore));
                        for (final Transport transport : result.series().keySet())
                        {
                            measure(result.benchCase(), transport, result.series().get(transport));
                            progress.stepTo(++done);
                        }
                    }
                }
            }
        }
        return new BenchReport(environment, results, stalls);
    }

    private long archive(final CaseResult result)
    {
        if (CaseKind.ARCHIVE_INDEX == result.benchCase().kind())
        {
            IndexCase.run(options, result.benchCase().size(), result.series().get(Transport.INDEX));
        }
        else
        {
            ArchiveCase.run(options, choice.protocol(), directory.path(), result);
        }
        return (long)options.rounds() * result.series().size();
    }

    // Sizes of KV pieces are compared with each other, so that their rounds take turns.
    private List<List<CaseResult>> groups(final List<BenchCase> cases)
    {
        final Map<Object, List<BenchCase>> byGroup = new LinkedHashMap<>();
        for (final BenchCase benchCase : cases)
        {
            final Object group = CaseKind.KV == benchCase.kind() ? benchCase.mtu() : benchCase;
            byGroup.computeIfAbsent(group, (key) -> new ArrayList<>()).add(benchCase);
        }
        return byGroup.values().stream().map((group) ->
        {
            final BenchCase longest = Collections.max(group, Comparator.comparingInt(BenchCase::size));
            final CaseResult longestResult = new CaseResult(longest, null, transports(longest.kind()));
            return group.stream().map((benchCase) -> longest == benchCase ? longestResult :
                new CaseResult(benchCase, longestResult, transports(benchCase.kind()))).toList();
        }).toList();
    }

    private List<Transport> transports(final CaseKind kind)
    {
        if (kind.isArchive())
        {
            return CaseKind.ARCHIVE_INDEX == kind ? List.of(Transport.INDEX) : ArchiveCase.PARTS;
        }
        final List<Transport> transports = new ArrayList<>(options.transports());
        if (!choice.isFabric() || CaseKind.KV_BLOCK == kind)
        {
            transports.remove(Transport.RAW);
        }
        if (kind.isKv() && !kind.isLatency() && transports.contains(Transport.MILLRACE))
        {
            transports.add(Transport.STREAM);
        }
        if (transports.isEmpty())
        {
            throw CommandFailure.usage("--on raw: raw has no " + kind.key() +
                (choice.isFabric() ? "" : " on protocol " + choice.protocol()) + "; give another transport");
        }
        return transports;
    }

    private void measure(final BenchCase benchCase, final Transport transport, final Series series)
    {
        if (Transport.STREAM == transport)
        {
            measure(benchCase.stream(), Transport.MILLRACE, series);
            return;
        }
        if (Transport.RAW == transport && benchCase.kind().isKv())
        {
            measure(benchCase.writes(), Transport.RAW, series);
            return;
        }
        final ChildPair pair = pairs.get(transport);
        final Channels channels = Channels.create(transport, benchCase);
        // The code of a process that is new is not compiled yet.
        final long warmupMs = options.warmupMs() * (pair.isCold() ? COLD_WARMUPS : 1);
        final String serverDriver = pair.driverDirectory("server").toString();
        try
        {
            series.add(pair.measure(
                order(benchCase, transport, channels, true, serverDriver, warmupMs),
                order(benchCase, transport, channels, false, Transport.AERON_IPC == transport ?
                serverDriver : pair.driverDirectory("client").toString(), warmupMs)));
        }
        catch (final RoundFailure ex)
        {
            if (Interruption.happened())
            {
                throw CommandFailure.failed("interrupted", ex);
            }
            series.fail(ex.getMessage());
            System.err.println("millrace: a round of " + benchCase + " on " + transport.label() + " failed: " +
                ex.getMessage());
        }
    }

    private Order order(
        final BenchCase benchCase,
        final Transport transport,
        final Channels channels,
        final boolean isServer,
        final String aeronDirectory,
        final long warmupMs)
    {
        return new Order(
            benchCase.kind(),
            transport,
            isServer,
            aeronDirectory,
            benchCase.protocol(),
            options.threading(),
            Cores.of(options.threading(), isServer),
            benchCase.size(),
            benchCase.mtu(),
            benchCase.termLength(),
            channels.toServer(),
            channels.toClient(),
            options.ratePerSecond(),
            null == options.trace() ? null : options.trace().toAbsolutePath().toString(),
            warmupMs,
            options.durationMs());
    }

    // By the main thread, or by the shutdown hook when the user interrupts: then the main thread is still at work.
    private synchronized void end()
    {
        pairs.values().forEach(ChildPair::close);
        directory.close();
    }

    /**
     * End all children and leave nothing behind.
     */
    public void close()
    {
        end();
        try
        {
            Runtime.getRuntime().removeShutdownHook(hook);
        }
        catch (final IllegalStateException ignore)
        {
            // The JVM is ending: the hook runs, or has run.
        }
    }
}
