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
package io.millrace.samples.plainaeron;

import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.Publication;
import io.aeron.Subscription;
import io.aeron.logbuffer.FragmentHandler;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.IdleStrategy;
import org.agrona.concurrent.ShutdownSignalBarrier;
import org.agrona.concurrent.UnsafeBuffer;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Publishes numbers and counts those that arrive. Nothing here says what carries them: that is the driver's business.
 */
public final class PlainAeron
{
    private static final int STREAM_ID = 5001;
    private static final int FRAGMENT_LIMIT = 16;
    private static final long SILENCE_NS = TimeUnit.SECONDS.toNanos(30);

    private PlainAeron()
    {
    }

    /**
     * Publish.
     *
     * @param directory of the driver.
     * @param channel   to publish on.
     * @param messages  to publish: the numbers from 0.
     * @param rate      messages a second, 0 for as many as it takes.
     * @return how many were published: fewer when the process is told to end.
     * @throws IllegalStateException when nothing moves for 30 s.
     */
    public static long publish(final String directory, final String channel, final long messages, final long rate)
    {
        final AtomicBoolean isRunning = new AtomicBoolean(true);
        final UnsafeBuffer buffer = new UnsafeBuffer(new byte[Long.BYTES]);
        final IdleStrategy idle = new BackoffIdleStrategy();
        // First, so that a signal's end of the process waits until the client is closed.
        try (ShutdownSignalBarrier ignore = new ShutdownSignalBarrier(() -> isRunning.set(false));
            Aeron aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(directory));
            ExclusivePublication publication = aeron.addExclusivePublication(channel, STREAM_ID))
        {
            final double intervalNs = 0 == rate ? 0 : TimeUnit.SECONDS.toNanos(1) / (double)rate;
            long lastNs = System.nanoTime();
            long startNs = lastNs;
            long number = 0;
            while (number < messages && isRunning.get())
            {
                if (System.nanoTime() - startNs < (long)(number * intervalNs))
                {
                    idle.idle();
                    continue;
                }
                buffer.putLong(0, number);
                final long result = publication.offer(buffer);
                if (result > 0)
                {
                    lastNs = System.nanoTime();
                    startNs = 0 == number++ ? lastNs : startNs;
                    idle.reset();
                }
                else
                {
                    check(lastNs, "publishing", Publication.errorString(result));
                    idle.idle();
                }
            }
            // Closing ends the stream: a subscriber that has all of it leaves first.
            while (publication.isConnected() && isRunning.get())
            {
                check(lastNs, "publishing", "the subscriber does not leave");
                idle.idle();
            }
            return number;
        }
    }

    /**
     * Subscribe.
     *
     * @param directory of the driver.
     * @param channel   to subscribe to.
     * @param messages  to wait for.
     * @return seconds from the first to the last, or -1 when the process is told to end before.
     * @throws IllegalStateException when a number is missing, or nothing moves for 30 s.
     */
    public static double subscribe(final String directory, final String channel, final long messages)
    {
        final AtomicBoolean isRunning = new AtomicBoolean(true);
        final long[] next = { 0, 0 };
        final FragmentHandler handler = (buffer, offset, length, header) ->
        {
            next[1] = 0 == next[0] ? System.nanoTime() : next[1];
            if (buffer.getLong(offset) != next[0]++)
            {
                throw new IllegalStateException("number " + buffer.getLong(offset) + " came as number " + next[0]);
            }
        };
        final IdleStrategy idle = new BackoffIdleStrategy();
        try (ShutdownSignalBarrier ignore = new ShutdownSignalBarrier(() -> isRunning.set(false));
            Aeron aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(directory)
                .subscriberErrorHandler((ex) ->
                {
                    throw new IllegalStateException(ex);
                }));
            Subscription subscription = aeron.addSubscription(channel, STREAM_ID))
        {
            long lastNs = System.nanoTime();
            while (next[0] < messages)
            {
                if (!isRunning.get())
                {
                    return -1;
                }
                final int fragments = subscription.poll(handler, FRAGMENT_LIMIT);
                idle.idle(fragments);
                if (fragments > 0)
                {
                    lastNs = System.nanoTime();
                }
                check(lastNs, "receiving", next[0] + " of " + messages + " have arrived");
            }
        }
        return (System.nanoTime() - next[1]) / (double)TimeUnit.SECONDS.toNanos(1);
    }

    private static void check(final long lastNs, final String what, final String why)
    {
        if (System.nanoTime() - lastNs > SILENCE_NS)
        {
            throw new IllegalStateException("nothing moved for 30 s while " + what + ": " + why);
        }
    }
}
