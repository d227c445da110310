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
package io.millrace.samples.disaggregated;

import io.millrace.bridge.session.KvRole;
import io.millrace.samples.demo.ChildProcess;
import io.millrace.samples.failure.CommandFailure;

import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.TimeUnit;

/**
 * Lets prompts arrive and instances come and go at their times.
 */
final class Replay
{
    private static final long START_DEADLINE_NS = TimeUnit.SECONDS.toNanos(120);
    private static final long TURN_NS = TimeUnit.MILLISECONDS.toNanos(100);

    private final DisaggregatedOptions options;
    private final Cluster cluster;
    private final LiveView view;
    private final Fleet fleet;
    private final Router router;
    private final Queue<Prompt> prompts;
    private final Queue<Change> changes;
    private final int total;

    Replay(
        final DisaggregatedOptions options, final List<Prompt> prompts, final Cluster cluster, final LiveView view)
    {
        this.options = options;
        this.cluster = cluster;
        this.view = view;
        this.prompts = new ArrayDeque<>(prompts);
        changes = new ArrayDeque<>(
            options.changes().stream().sorted(Comparator.comparingDouble(Change::seconds)).toList());
        total = prompts.size();
        fleet = new Fleet(cluster);
        router = new Router(fleet, Router.silenceNs(
            prompts, options.tokensPerSecond() * options.speed(), Cluster.DECODE_RATE * options.speed()));
    }

    RunResult run()
    {
        start();
        final long startNs = System.nanoTime();
        final long firstMs = prompts.peek().arrivalMs();
        router.start(startNs);
        while (!prompts.isEmpty() || !router.isIdle() || !fleet.isSettled())
        {
            final long nowNs = System.nanoTime();
            long nextNs = nowNs + TURN_NS;
            while (!prompts.isEmpty() && dueNs(startNs, firstMs) - nowNs <= 0)
            {
                router.arrive(prompts.peek(), dueNs(startNs, firstMs));
                prompts.remove();
            }
            while (!changes.isEmpty() && dueNs(startNs, changes.peek()) - nowNs <= 0)
            {
                apply(changes.remove());
            }
            if (!prompts.isEmpty())
            {
                nextNs = Math.min(nextNs, dueNs(startNs, firstMs));
            }
            router.dispatch();
            fleet.tend();
            view.show(fleet, router, startNs, total, total - prompts.size());
            take(nextNs);
        }
        final double seconds = (System.nanoTime() - startNs) / (double)TimeUnit.SECONDS.toNanos(1);
        fleet.endAll();
        final long[] frames = cluster.frames();
        final Tally tally = router.tally();
        return new RunResult(cluster.transport(), options.speed(), total, seconds, tally.blocks(),
            tally.timeToFirstToken(), tally.transferShare(), tally.wrongBlocks(), tally.retries(), frames[0],
            frames[1], changes.stream().map(Change::toString).toList(), fleet.results(startNs), tally.served());
    }

    private void start()
    {
        view.say("starting two drivers");
        cluster.startDrivers();
        view.say("starting " + (options.prefill() + options.decode()) + " instances");
        if (options.archive())
        {
            // First, since prefill instances have it record what they send.
            fleet.add(KvRole.BOTH);
            awaitSettled();
        }
        for (int i = 0; i < Math.max(options.prefill(), options.decode()); i++)
        {
            if (i < options.prefill())
            {
                fleet.add(KvRole.PREFILL);
            }
            if (i < options.decode())
            {
                fleet.add(KvRole.DECODE);
            }
        }
        awaitSettled();
    }

    private void awaitSettled()
    {
        final long deadlineNs = System.nanoTime() + START_DEADLINE_NS;
        while (!fleet.isSettled())
        {
            if (System.nanoTime() - deadlineNs > 0)
            {
                throw CommandFailure.failed(
                    "the instances were not all up within 120 s: --verbose shows what they say");
            }
            take(deadlineNs);
        }
    }

    private void take(final long deadlineNs)
    {
        ChildProcess.Event event = cluster.next(deadlineNs);
        while (null != event)
        {
            if (!fleet.onEvent(event))
            {
                router.onEvent(event);
            }
            event = cluster.next(0);
        }
    }

    private void apply(final Change change)
    {
        if (change.isAdded())
        {
            fleet.add(change.role());
        }
        else
        {
            fleet.remove(change.role());
        }
    }

    private long dueNs(final long startNs, final long firstMs)
    {
        return 0 == options.speed() ? startNs :
            startNs + (long)(TimeUnit.MILLISECONDS.toNanos(prompts.peek().arrivalMs() - firstMs) / options.speed());
    }

    private static long dueNs(final long startNs, final Change change)
    {
        return startNs + (long)(change.seconds() * TimeUnit.SECONDS.toNanos(1));
    }
}
