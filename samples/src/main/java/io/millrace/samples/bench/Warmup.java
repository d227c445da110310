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

import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Time before anything counts: the order's, and then until the compiler of this process rests, since it takes the cores
 * from the threads that are measured.
 */
final class Warmup
{
    private static final long LOOK_INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(250);
    private static final long REST_MS = 10;
    private static final long LONGEST_EXTENSION_MS = 5_000;
    private static final long LONGEST_EXTENSION_TIMES = 4;

    private final LongSupplier compilationMs;
    private final long endNs;
    private final long latestEndNs;
    private long nextLookNs;
    private long lastCompilationMs;

    /**
     * Begin.
     *
     * @param order of the measurement.
     * @param nowNs time of {@link System#nanoTime()}.
     */
    Warmup(final Order order, final long nowNs)
    {
        this(order.warmupMs(), nowNs, compilation());
    }

    /**
     * Begin.
     *
     * @param warmupMs      at least.
     * @param nowNs         time of a monotonic clock.
     * @param compilationMs that the compiler has worked in all.
     */
    Warmup(final long warmupMs, final long nowNs, final LongSupplier compilationMs)
    {
        this.compilationMs = compilationMs;
        endNs = nowNs + TimeUnit.MILLISECONDS.toNanos(warmupMs);
        latestEndNs = endNs + TimeUnit.MILLISECONDS.toNanos(
            Math.min(LONGEST_EXTENSION_MS, LONGEST_EXTENSION_TIMES * warmupMs));
        nextLookNs = endNs - LOOK_INTERVAL_NS;
        lastCompilationMs = Long.MIN_VALUE;
    }

    private static LongSupplier compilation()
    {
        final CompilationMXBean compiler = ManagementFactory.getCompilationMXBean();
        return null == compiler || !compiler.isCompilationTimeMonitoringSupported() ?
            () -> 0 : compiler::getTotalCompilationTime;
    }

    /**
     * Is it over?
     *
     * @param nowNs time of the same clock.
     * @return true once it is, after its time and four times that, or 5 s, more at the latest.
     */
    boolean isOver(final long nowNs)
    {
        if (nowNs - nextLookNs < 0)
        {
            return false;
        }
        nextLookNs = nowNs + LOOK_INTERVAL_NS;
        final long ms = compilationMs.getAsLong();
        final boolean rests = ms - REST_MS <= lastCompilationMs;
        lastCompilationMs = ms;
        return nowNs - endNs >= 0 && (rests || nowNs - latestEndNs >= 0);
    }
}
