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
package io.millrace.efa;

import com.sun.management.ThreadMXBean;
import io.aeron.ExclusivePublication;
import io.aeron.Subscription;
import io.aeron.logbuffer.FragmentHandler;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static io.millrace.efa.TwoDrivers.await;
import static io.millrace.efa.TwoDrivers.sum;
import static org.assertj.core.api.Assertions.assertThat;

@Timeout(90)
class AgentAllocationTest
{
    private static final int STREAM_ID = 5;
    private static final ThreadMXBean THREADS = (ThreadMXBean)ManagementFactory.getThreadMXBean();

    /**
     * Keepalive Hellos of half a second and datagrams are allowed some objects: what must not be is a cost of messages,
     * of which a window has tens of thousands.
     */
    private static final long BYTES_PER_WINDOW_LIMIT = 4096;

    /**
     * Method handles allocate until they are compiled, which a busy machine puts off, and never after.
     */
    private static final long COMPILED_DEADLINE_NS = TimeUnit.SECONDS.toNanos(40);

    @ParameterizedTest
    @CsvSource({
        "shm, 64, 200000, 8192",
        "shm, 8000, 40000, 8192",
        "shm, 60000, 5000, 65504",
        "tcp, 64, 100000, 8192",
        "tcp, 8000, 20000, 8192",
        "tcp, 60000, 5000, 65504" })
    void shouldAllocateNothingForAMessage(
        final String protocol, final int messageLength, final int messages, final int mtuLength)
    {
        final String channel = TwoDrivers.endpoint() + "|mtu=" + mtuLength;
        final UnsafeBuffer message = new UnsafeBuffer(new byte[messageLength]);
        final long[] received = new long[1];
        final FragmentHandler handler = (buffer, offset, length, header) -> received[0]++;

        try (TwoDrivers drivers = TwoDrivers.onRails(protocol);
            Subscription subscription = drivers.subscriber.addSubscription(channel, STREAM_ID);
            ExclusivePublication publication = drivers.publisher.addExclusivePublication(channel, STREAM_ID))
        {
            await("links up", () -> 1 == sum(drivers.publisher, EfaCounters.LINKS_TYPE_ID) &&
                1 == sum(drivers.subscriber, EfaCounters.LINKS_TYPE_ID) && publication.isConnected());

            exchange(publication, subscription, message, handler, received, messages / 4);
            final List<Thread> agents = Thread.getAllStackTraces().keySet().stream()
                .filter((thread) -> thread.getName().startsWith("[sender,receiver,driver-conductor]") ||
                    thread.getName().contains("sender"))
                .toList();
            assertThat(agents).hasSize(2);

            long least = Long.MAX_VALUE;
            final long deadlineNs = System.nanoTime() + COMPILED_DEADLINE_NS;
            while (least > BYTES_PER_WINDOW_LIMIT && System.nanoTime() - deadlineNs < 0)
            {
                final long before = allocated(agents);
                exchange(publication, subscription, message, handler, received, messages);
                least = Math.min(least, allocated(agents) - before);
            }

            assertThat(least).isLessThanOrEqualTo(BYTES_PER_WINDOW_LIMIT);
            assertThat(sum(drivers.publisher, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID)).isZero();
        }
    }

    private static void exchange(
        final ExclusivePublication publication,
        final Subscription subscription,
        final UnsafeBuffer message,
        final FragmentHandler handler,
        final long[] received,
        final int messages)
    {
        final long target = received[0] + messages;
        int sent = 0;
        while (sent < messages)
        {
            if (publication.offer(message) > 0)
            {
                sent++;
            }
            subscription.poll(handler, 20);
        }

        await("received", () ->
        {
            subscription.poll(handler, 20);
            return received[0] >= target;
        });
    }

    private static long allocated(final List<Thread> threads)
    {
        return threads.stream().mapToLong((thread) -> THREADS.getThreadAllocatedBytes(thread.threadId())).sum();
    }
}
