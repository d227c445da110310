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

import org.agrona.BufferUtil;
import org.agrona.LangUtil;
import org.agrona.concurrent.UnsafeBuffer;

import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/**
 * What the cores that are measured on do without any of the code that is measured: how far they are from each other,
 * and for how long they stand still under a thread that only reads the clock.
 */
final class CoreMeter
{
    /**
     * Times that a core stood still.
     *
     * @param core      numbered from 0.
     * @param share     of the time, in gaps of over 50 µs between two reads of the clock.
     * @param longestNs gap.
     */
    record Stalls(int core, double share, long longestNs)
    {
        /**
         * {@inheritDoc}
         */
        public String toString()
        {
            return String.format(Locale.ROOT, "core %d %.2f %%, longest %,d µs", core, 100 * share,
                TimeUnit.NANOSECONDS.toMicros(longestNs));
        }
    }

    private static final int ROUND_TRIPS = 20_000;
    private static final int TRIES = 3;
    private static final int PING_OFFSET = 128;
    private static final int PONG_OFFSET = 384;
    private static final int BUFFER_LENGTH = 512;
    private static final int CACHE_LINE = 64;
    private static final long LATE = -1;
    private static final long STALL_NS = TimeUnit.MICROSECONDS.toNanos(50);
    private static final long DEADLINE_NS = TimeUnit.SECONDS.toNanos(10);

    private CoreMeter()
    {
    }

    /**
     * Pass a cache line back and forth between two cores.
     *
     * @param one   numbered from 0.
     * @param other numbered from 0.
     * @return nanoseconds of a round trip, the least of three tries, or NaN if each took longer than 10 s.
     */
    static double roundTripNs(final int one, final int other)
    {
        double least = Double.NaN;
        for (int i = 0; i < TRIES; i++)
        {
            final UnsafeBuffer lines = new UnsafeBuffer(BufferUtil.allocateDirectAligned(BUFFER_LENGTH, CACHE_LINE));
            final FutureTask<Long> answers = start(other, () -> exchange(lines, PING_OFFSET, PONG_OFFSET, false));
            final long ns = join(start(one, () -> exchange(lines, PONG_OFFSET, PING_OFFSET, true)));
            if (join(answers) != LATE && ns != LATE && !(ns / (double)ROUND_TRIPS >= least))
            {
                least = ns / (double)ROUND_TRIPS;
            }
        }
        return least;
    }

    private static long exchange(
        final UnsafeBuffer lines, final int readOffset, final int writeOffset, final boolean isFirst)
    {
        final long startNs = System.nanoTime();
        for (int i = 1; i <= ROUND_TRIPS; i++)
        {
            if (isFirst)
            {
                lines.putIntRelease(writeOffset, i);
            }
            while (i != lines.getIntVolatile(readOffset))
            {
                Thread.onSpinWait();
                if (System.nanoTime() - startNs > DEADLINE_NS)
                {
                    return LATE;
                }
            }
            if (!isFirst)
            {
                lines.putIntRelease(writeOffset, i);
            }
        }
        return System.nanoTime() - startNs;
    }

    /**
     * Read the clock on several cores at once, and look for times without a read.
     *
     * @param cores      numbered from 0.
     * @param durationNs of it.
     * @return what each core lost.
     */
    static List<Stalls> stalls(final List<Integer> cores, final long durationNs)
    {
        return cores.stream().map((core) -> start(core, () -> stalls(core, durationNs))).toList()
            .stream().map(CoreMeter::join).toList();
    }

    private static Stalls stalls(final int core, final long durationNs)
    {
        final long startNs = System.nanoTime();
        long lastNs = startNs;
        long lostNs = 0;
        long longestNs = 0;
        while (lastNs - startNs < durationNs)
        {
            final long nowNs = System.nanoTime();
            final long gapNs = nowNs - lastNs;
            lastNs = nowNs;
            if (gapNs > STALL_NS)
            {
                lostNs += gapNs;
                longestNs = Math.max(longestNs, gapNs);
            }
        }
        return new Stalls(core, lostNs / (double)(lastNs - startNs), longestNs);
    }

    private static <T> FutureTask<T> start(final int core, final Callable<T> task)
    {
        final FutureTask<T> future = new FutureTask<>(task);
        Placement.threads("core-meter", core).newThread(future).start();
        return future;
    }

    private static <T> T join(final FutureTask<T> task)
    {
        try
        {
            return task.get();
        }
        catch (final InterruptedException ex)
        {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", ex);
        }
        catch (final ExecutionException ex)
        {
            LangUtil.rethrowUnchecked(ex.getCause());
            throw new IllegalStateException(ex);
        }
    }
}
