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

import com.fasterxml.jackson.databind.node.ObjectNode;

import java.util.concurrent.TimeUnit;

/**
 * Sends messages by a schedule that waits for nothing, and measures from the scheduled time to the echo: a message that
 * is late because those before it were slow counts as slow.
 */
final class RoundTrips
{
    private static final long DRAIN_NS = TimeUnit.SECONDS.toNanos(3);
    private static final double NANOS_PER_SECOND = 1e9;
    private static final int STEPS_PER_LOOK = 16;

    private final Node node;
    private final Order order;
    private final Latencies latencies = new Latencies();
    private final Node.Handler handler = this::onFragment;
    private long sent;
    private long received;
    private long scheduledNs;
    private final double intervalNs;
    private long startNs;
    private long base;
    private long end;

    /**
     * Prepare.
     *
     * @param node  connected.
     * @param order of the measurement.
     */
    RoundTrips(final Node node, final Order order)
    {
        this.node = node;
        this.order = order;
        intervalNs = NANOS_PER_SECOND / order.ratePerSecond();
    }

    /**
     * Warm up, measure.
     *
     * @return event {@code result}.
     */
    ObjectNode run()
    {
        inTurn();
        warmUp();
        latencies.reset();
        begin(TimeUnit.MILLISECONDS.toNanos(order.durationMs()) * order.ratePerSecond() / (long)NANOS_PER_SECOND);
        drain(startNs + 2 * TimeUnit.MILLISECONDS.toNanos(order.durationMs()) + DRAIN_NS);
        return latencies.result();
    }

    // One message after the other, so that compilation has seen enough of them.
    private void inTurn()
    {
        final long endNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(order.warmupMs());
        long nowNs = System.nanoTime();
        while (nowNs - endNs < 0 || received < sent)
        {
            if (received == sent && node.offer(nowNs, sent))
            {
                sent++;
            }
            if (nowNs - endNs - DRAIN_NS > 0)
            {
                throw new IllegalStateException("an echo did not come back within 3 s");
            }
            cycle();
            nowNs = System.nanoTime();
        }
    }

    // As it is measured: the compiler has learned other ways from messages without pause, and unlearns them here.
    private void warmUp()
    {
        final Warmup warmup = new Warmup(order, System.nanoTime());
        begin(Long.MAX_VALUE);
        while (!warmup.isOver(System.nanoTime()))
        {
            steps();
        }
        end = sent;
        drain(System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(order.durationMs()) + DRAIN_NS);
    }

    private void begin(final long count)
    {
        startNs = System.nanoTime() + (long)intervalNs;
        base = sent;
        end = Long.MAX_VALUE == count ? count : base + count;
    }

    // A transport that is slower than the schedule falls behind it, but not without end.
    private void drain(final long deadlineNs)
    {
        while (received < end)
        {
            steps();
            if (System.nanoTime() - deadlineNs > 0)
            {
                throw new IllegalStateException(received - base + " of " + (end - base) + " echoes at " +
                    order.ratePerSecond() + " messages/s within " +
                    TimeUnit.NANOSECONDS.toMillis(deadlineNs - startNs) + " ms");
            }
        }
    }

    private void steps()
    {
        for (int i = 0; i < STEPS_PER_LOOK; i++)
        {
            final long nowNs = System.nanoTime();
            if (sent < end)
            {
                final long dueNs = startNs + (long)((sent - base) * intervalNs);
                if (nowNs - dueNs >= 0 && node.offer(dueNs, sent))
                {
                    sent++;
                }
            }
            cycle();
        }
    }

    private void cycle()
    {
        node.work();
        node.poll(handler);
    }

    private void onFragment(
        final long first, final long second, final int length, final boolean begins, final boolean ends)
    {
        if (begins)
        {
            if (second != received)
            {
                throw new IllegalStateException("echo " + second + " came where " + received + " was due");
            }
            scheduledNs = first;
        }
        if (ends)
        {
            received++;
            latencies.record(System.nanoTime() - scheduledNs);
        }
    }
}
