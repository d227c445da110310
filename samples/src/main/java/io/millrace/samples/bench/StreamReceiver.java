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
import io.millrace.samples.demo.ParentLink;

import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Counts what arrives: the clock starts after the warm-up that the first message begins.
 */
final class StreamReceiver
{
    private static final long SILENCE_DEADLINE_NS = TimeUnit.SECONDS.toNanos(10);
    private static final int CYCLES_PER_LOOK = 16;
    private static final double NANOS_PER_SECOND = 1e9;

    private final Node node;
    private final Order order;
    private final Node.Handler handler = this::onFragment;
    private long messages;
    private long bytes;

    /**
     * Prepare.
     *
     * @param node  connected.
     * @param order of the measurement.
     */
    StreamReceiver(final Node node, final Order order)
    {
        this.node = node;
        this.order = order;
    }

    /**
     * Receive for the order's time.
     *
     * @return event {@code result}.
     */
    ObjectNode run()
    {
        awaitMoreThan(0);
        final Warmup warmup = new Warmup(order, System.nanoTime());
        while (!warmup.isOver(System.nanoTime()))
        {
            cycles();
        }
        final long startNs = System.nanoTime();
        final long startMessages = messages;
        final long startBytes = bytes;
        cyclesUntil(startNs + TimeUnit.MILLISECONDS.toNanos(order.durationMs()));
        // Where the time is over before anything came, as on a busy machine, the wait is measured with it.
        awaitMoreThan(startBytes);
        final double seconds = (System.nanoTime() - startNs) / NANOS_PER_SECOND;
        // By bytes, since the time ends in the middle of a long message.
        return ParentLink.event("result")
            .put("messagesPerSecond", (bytes - startBytes) / (double)order.size() / seconds)
            .put("gigabytesPerSecond", (bytes - startBytes) / seconds / 1e9);
    }

    /**
     * Go on receiving, so that the sender is not held up while it is told to end.
     *
     * @param isEnd true at the end.
     */
    void drain(final BooleanSupplier isEnd)
    {
        while (!isEnd.getAsBoolean())
        {
            cycles();
        }
    }

    private void awaitMoreThan(final long knownBytes)
    {
        final long deadlineNs = System.nanoTime() + SILENCE_DEADLINE_NS;
        while (bytes == knownBytes)
        {
            cycles();
            if (System.nanoTime() - deadlineNs > 0)
            {
                throw new IllegalStateException("no message arrived within 10 s");
            }
        }
    }

    private void cyclesUntil(final long endNs)
    {
        while (System.nanoTime() - endNs < 0)
        {
            cycles();
        }
    }

    private void cycles()
    {
        for (int i = 0; i < CYCLES_PER_LOOK; i++)
        {
            node.work();
            node.poll(handler);
        }
    }

    private void onFragment(
        final long first, final long second, final int length, final boolean begins, final boolean ends)
    {
        bytes += length;
        if (begins && second != messages)
        {
            throw new IllegalStateException("message " + second + " came where " + messages + " was due");
        }
        if (ends)
        {
            messages++;
        }
    }
}
