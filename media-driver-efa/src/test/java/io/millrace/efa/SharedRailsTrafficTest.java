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

import io.aeron.Aeron;
import io.aeron.Publication;
import io.aeron.Subscription;
import io.aeron.driver.status.SystemCounterDescriptor;
import io.aeron.logbuffer.FragmentHandler;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;

import static io.millrace.efa.TwoDrivers.await;
import static io.millrace.efa.TwoDrivers.counters;
import static io.millrace.efa.TwoDrivers.sum;
import static io.millrace.efa.TwoDrivers.system;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Streams both ways at once between drivers whose Senders and Receivers share one rail, as on {@code tcp}.
 */
@Timeout(120)
class SharedRailsTrafficTest
{
    private static final int STREAM_ID = 83;
    private static final long BYTES = 64 << 20;
    private static final int FRAGMENT_LIMIT = 16;

    /**
     * Messages in frames that are copied, and in frames that are written into the image.
     */
    @ParameterizedTest
    @ValueSource(ints = { 3_000, 60_000 })
    void shouldCarryBothDirectionsAndLoseNoStatusMessage(final int length)
    {
        final String there = TwoDrivers.endpoint() + "|mtu=65408|fabric=required";
        final String back = TwoDrivers.endpoint() + "|mtu=65408|fabric=required";
        try (TwoDrivers drivers = TwoDrivers.onRails("tcp"))
        {
            final List<Direction> directions = List.of(
                new Direction(drivers.publisher, drivers.subscriber, there, length),
                new Direction(drivers.subscriber, drivers.publisher, back, length));
            await("all of both directions",
                () -> directions.stream().filter(Direction::advance).count() == directions.size(),
                () -> counters(drivers.publisher) + counters(drivers.subscriber));

            assertThat(counters(drivers.publisher)).contains("efa-rail snd-rcv-0 ").doesNotContain("efa-rail rcv-0 ");
            for (final Aeron aeron : List.of(drivers.publisher, drivers.subscriber))
            {
                assertThat(sum(aeron, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID)).isZero();
                assertThat(system(aeron, SystemCounterDescriptor.NAK_MESSAGES_SENT)).isZero();
            }
            await("every status message of both", () ->
                statusMessages(drivers.publisher, true) == statusMessages(drivers.subscriber, false) &&
                statusMessages(drivers.subscriber, true) == statusMessages(drivers.publisher, false),
                () -> counters(drivers.publisher) + counters(drivers.subscriber));
        }
    }

    private static long statusMessages(final Aeron aeron, final boolean areSent)
    {
        return system(aeron, areSent ? SystemCounterDescriptor.STATUS_MESSAGES_SENT :
            SystemCounterDescriptor.STATUS_MESSAGES_RECEIVED);
    }

    private static final class Direction
    {
        final Publication publication;
        final Subscription subscription;
        private final FragmentHandler handler;
        private final UnsafeBuffer message;
        private final long messages;
        private long sent;
        private long received;

        Direction(final Aeron publisher, final Aeron subscriber, final String channel, final int length)
        {
            subscription = subscriber.addSubscription(channel.replace("|fabric=required", ""), STREAM_ID);
            publication = publisher.addPublication(channel, STREAM_ID);
            message = new UnsafeBuffer(new byte[length]);
            messages = BYTES / length;
            handler = (buffer, offset, fragmentLength, header) ->
            {
                assertThat(fragmentLength).isEqualTo(length);
                assertThat(buffer.getLong(offset)).isEqualTo(received);
                assertThat(buffer.getLong(offset + length - Long.BYTES)).isEqualTo(~received);
                received++;
            };
        }

        /**
         * Send what can be sent and receive what has come.
         *
         * @return true when all has arrived.
         */
        boolean advance()
        {
            while (sent < messages && publication.offer(stamped()) > 0)
            {
                sent++;
            }
            subscription.poll(handler, FRAGMENT_LIMIT);
            return messages == received;
        }

        private UnsafeBuffer stamped()
        {
            message.putLong(0, sent);
            message.putLong(message.capacity() - Long.BYTES, ~sent);
            return message;
        }
    }
}
