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
package io.millrace.samples.growth;

import io.millrace.efa.ProtocolChoice;
import io.millrace.samples.bench.Environment;
import io.millrace.samples.demo.ProgressDisplay;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.IdleStrategy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Measures one mesh after the other.
 */
public final class GrowthRun
{
    private static final int TERM_LENGTH = 256 * 1024;
    private static final long IDLE_MS = 500;
    private static final long MAX_TOUCH_NS = TimeUnit.SECONDS.toNanos(2);
    private static final double MILLI = 1e6;
    private static final double PERCENT = 100;
    private static final double KIBI = 1024;
    private static final String MEMORY = "/proc/self/smaps_rollup";
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private final GrowthOptions options;

    private GrowthRun(final GrowthOptions options)
    {
        this.options = options;
    }

    /** Something that is done again and again. */
    @FunctionalInterface
    private interface Step
    {
        void run();
    }

    /**
     * Run.
     *
     * @param options of the user.
     * @return what was found.
     */
    public static GrowthReport run(final GrowthOptions options)
    {
        final ProtocolChoice choice = options.choice();
        final Map<String, String> environment = Environment.ofMachine(choice);
        environment.put("method", "all drivers and applications on one thread, whose processor time counts, " +
            "without that of the fabric conductors, which is in the idle CPU only; " +
            "288 B messages, MTU 8192, terms of 256 KiB where those do not grow");
        environment.put("rounds", Integer.toString(options.rounds()));
        environment.put("secondsPerMeasurement", Double.toString(options.durationMs() / 1e3));
        return new GrowthReport(environment, new GrowthRun(options).rows());
    }

    private List<GrowthRow> rows()
    {
        final List<Plan> plans = new ArrayList<>();
        for (final boolean onRails : List.of(true, false))
        {
            options.streams().forEach((count) ->
                plans.add(new Plan("streams", count, new Mesh.Shape(onRails, 1, count, 1, TERM_LENGTH))));
            options.peers().forEach((count) ->
                plans.add(new Plan("peers", count, new Mesh.Shape(onRails, count, 1, 1, TERM_LENGTH))));
            options.terms().forEach((length) ->
                plans.add(new Plan("terms", length, new Mesh.Shape(onRails, 1, 1, 1, length))));
        }
        options.rails().forEach((count) ->
            plans.add(new Plan("rails", count, new Mesh.Shape(true, 1, 1, count, TERM_LENGTH))));

        final List<GrowthRow> rows = new ArrayList<>();
        try (ProgressDisplay progress = new ProgressDisplay("growth", plans.size() + 1, "", 1))
        {
            // compiles the code, which counts for none
            measure(new Plan("streams", 1, new Mesh.Shape(true, 1, 1, 1, TERM_LENGTH)));
            for (final Plan plan : plans)
            {
                progress.stepTo(rows.size() + 1);
                rows.add(measure(plan));
            }
        }
        return rows;
    }

    private record Plan(String of, int count, Mesh.Shape shape)
    {
    }

    private GrowthRow measure(final Plan plan)
    {
        final long memoryBefore = memory();
        try (Mesh mesh = new Mesh(options, plan.shape()))
        {
            final long base = memory();
            final double connectMillis = mesh.connect() / MILLI;
            mesh.touch(MAX_TOUCH_NS);
            final long after = memory();
            double busy = Double.MAX_VALUE;
            double lone = Double.MAX_VALUE;
            double idle = Double.MAX_VALUE;
            // the least: what disturbs only adds
            for (int round = 0; round < options.rounds(); round++)
            {
                busy = Math.min(busy, nanosPerMessage(mesh, mesh::burst));
                lone = Math.min(lone, nanosPerMessage(mesh, mesh::lone));
                idle = Math.min(idle, processorNanos(mesh::work)[0]);
            }
            return new GrowthRow(
                plan.of(),
                plan.count(),
                plan.shape().onRails() ? "millrace" : "aeronUdp",
                busy,
                lone,
                idle,
                connectMillis,
                (after - ("peers".equals(plan.of()) ? memoryBefore : base)) /
                (double)("terms".equals(plan.of()) ? 1 : plan.count()),
                mesh.registeredBytes(),
                idlePercent(mesh));
        }
    }

    private double nanosPerMessage(final Mesh mesh, final Step step)
    {
        final long before = mesh.received();
        final double nanos = processorNanos(step)[1];
        return nanos / Math.max(1, mesh.received() - before);
    }

    /**
     * @return processor time of a step, and of all steps.
     */
    private double[] processorNanos(final Step step)
    {
        final long endNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(options.durationMs());
        final long startNs = THREADS.getCurrentThreadCpuTime();
        long steps = 0;
        do
        {
            for (int i = 0; i < Mesh.BURST; i++)
            {
                step.run();
            }
            steps += Mesh.BURST;
        }
        while (System.nanoTime() - endNs < 0);
        final double nanos = THREADS.getCurrentThreadCpuTime() - startNs;
        return new double[]{ nanos / steps, nanos };
    }

    private static double idlePercent(final Mesh mesh)
    {
        final IdleStrategy idleStrategy = new BackoffIdleStrategy();
        final long startNs = System.nanoTime();
        final long endNs = startNs + TimeUnit.MILLISECONDS.toNanos(IDLE_MS);
        final long processorStartNs = processNanos();
        while (System.nanoTime() - endNs < 0)
        {
            idleStrategy.idle(mesh.work());
        }
        return PERCENT * (processNanos() - processorStartNs) / (System.nanoTime() - startNs);
    }

    private static long processNanos()
    {
        return ((com.sun.management.OperatingSystemMXBean)ManagementFactory.getOperatingSystemMXBean())
            .getProcessCpuTime();
    }

    /**
     * Memory of this process, pages that are mapped twice counted once.
     */
    private static long memory()
    {
        try
        {
            for (final String line : Files.readAllLines(Path.of(MEMORY)))
            {
                if (line.startsWith("Pss:"))
                {
                    return (long)(Long.parseLong(line.replaceAll("\\D", "")) * KIBI);
                }
            }
            throw new IllegalStateException(MEMORY + " has no line Pss");
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }
}
