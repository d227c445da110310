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

import io.aeron.ExclusivePublication;
import io.aeron.Subscription;
import io.aeron.driver.status.SystemCounterDescriptor;
import io.aeron.logbuffer.FragmentHandler;
import io.aeron.FragmentAssembler;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.Arrays;

import static io.millrace.efa.TwoDrivers.await;
import static io.millrace.efa.TwoDrivers.counters;
import static io.millrace.efa.TwoDrivers.driverContext;
import static io.millrace.efa.TwoDrivers.efaContext;
import static io.millrace.efa.TwoDrivers.sum;
import static io.millrace.efa.TwoDrivers.system;
import static org.assertj.core.api.Assertions.assertThat;

@Timeout(150)
class MessagesOnRailsTest
{
    private static final int STREAM_ID = 1001;

    @ParameterizedTest
    @CsvSource({
        "shm, 1, 1408, 64", "shm, 1, 8192, 8000", "shm, 2, 65504, 60000", "shm, 1, 1408, 100000",
        "tcp, 1, 1408, 64", "tcp, 2, 8192, 8000", "tcp, 1, 65504, 60000", "auto, 0, 8192, 300" })
    void shouldCarryEveryMessageInOrderOnRails(
        final String protocol, final int rails, final int mtu, final int messageLength)
    {
        final int messages = 64 == messageLength ? 20_000 : 2_000;
        final String channel = TwoDrivers.endpoint() + "|mtu=" + mtu;
        final UnsafeBuffer message = new UnsafeBuffer(new byte[messageLength]);
        final long[] received = new long[2];
        final FragmentHandler handler = new FragmentAssembler(
            (buffer, offset, length, header) ->
            {
                assertThat(length).isEqualTo(messageLength);
                assertThat(buffer.getLong(offset)).isEqualTo(received[0]);
                assertThat(buffer.getLong(offset + length - 8)).isEqualTo(~received[0]);
                received[0]++;
            });

        try (TwoDrivers drivers = TwoDrivers.onRails(protocol, rails);
            Subscription subscription = drivers.subscriber.addSubscription(channel, STREAM_ID);
            ExclusivePublication publication = drivers.publisher.addExclusivePublication(channel, STREAM_ID))
        {
            await("links up", () -> 1 == sum(drivers.publisher, EfaCounters.LINKS_TYPE_ID) &&
                1 == sum(drivers.subscriber, EfaCounters.LINKS_TYPE_ID) && publication.isConnected(),
                () -> counters(drivers.publisher) + counters(drivers.subscriber));

            for (long sent = 0; sent < messages; sent++)
            {
                message.putLong(0, sent);
                message.putLong(messageLength - 8, ~sent);
                await("offer", () ->
                {
                    subscription.poll(handler, 10);
                    return publication.offer(message) > 0;
                }, () -> counters(drivers.publisher) + counters(drivers.subscriber));
            }
            await("all received", () ->
            {
                subscription.poll(handler, 10);
                return messages == received[0];
            }, () -> received[0] + counters(drivers.publisher) + counters(drivers.subscriber));

            assertThat(sum(drivers.publisher, EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID))
                .isGreaterThanOrEqualTo(messages);
            assertThat(sum(drivers.publisher, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID)).isZero();
            assertThat(sum(drivers.publisher, EfaCounters.FALLBACKS_TYPE_ID)).isZero();
            assertThat(sum(drivers.subscriber, EfaCounters.FRAMES_REJECTED_TYPE_ID)).isZero();
            assertThat(system(drivers.publisher, SystemCounterDescriptor.ERRORS)).isZero();
            assertThat(system(drivers.subscriber, SystemCounterDescriptor.ERRORS)).isZero();
            assertThat(system(drivers.subscriber, SystemCounterDescriptor.BYTES_RECEIVED))
                .isGreaterThanOrEqualTo((long)messages * messageLength);
        }
    }

    /**
     * Packets are cut, and the few slots of a rail push back in the middle of them, each time for another stream.
     */
    @ParameterizedTest
    @CsvSource({ "8192", "65504" })
    void shouldCarryManyStreamsWhosePacketsAreSentInParts(final int mtu)
    {
        final int messages = 500;
        final String channel = TwoDrivers.endpoint() + "|mtu=" + mtu;
        final UnsafeBuffer message = new UnsafeBuffer(new byte[288]);
        final ExclusivePublication[] publications = new ExclusivePublication[32];
        final long[] sent = new long[publications.length];
        final long[] received = new long[publications.length];
        final long[] total = new long[1];
        final FragmentHandler handler = (buffer, offset, length, header) ->
        {
            assertThat(buffer.getLong(offset)).isEqualTo(received[header.streamId()]++);
            total[0]++;
        };

        try (TwoDrivers drivers = new TwoDrivers(launch(), launch()))
        {
            final Subscription[] subscriptions = new Subscription[publications.length];
            for (int i = 0; i < publications.length; i++)
            {
                subscriptions[i] = drivers.subscriber.addSubscription(channel, i);
                publications[i] = drivers.publisher.addExclusivePublication(channel, i);
            }
            await("links up", () -> 1 == sum(drivers.publisher, EfaCounters.LINKS_TYPE_ID) &&
                Arrays.stream(publications).allMatch(ExclusivePublication::isConnected),
                () -> counters(drivers.publisher) + counters(drivers.subscriber));
            await("all received", () ->
            {
                for (int i = 0; i < publications.length; i++)
                {
                    for (int burst = 0; burst < 100 && sent[i] < messages; burst++)
                    {
                        message.putLong(0, sent[i]);
                        if (publications[i].offer(message) <= 0)
                        {
                            break;
                        }
                        sent[i]++;
                    }
                    subscriptions[i].poll(handler, 100);
                }
                return total[0] == (long)messages * publications.length;
            }, () -> total[0] + counters(drivers.publisher) + counters(drivers.subscriber));
            assertThat(received).containsOnly(messages);
        }
    }

    private static EfaMediaDriver launch()
    {
        return EfaMediaDriver.launchEmbedded(
            driverContext(), efaContext("shm", 1).railSlots(EfaConfiguration.RAIL_SLOTS_MIN));
    }
}
