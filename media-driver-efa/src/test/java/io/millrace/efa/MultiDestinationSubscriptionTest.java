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

import io.aeron.Publication;
import io.aeron.Subscription;
import io.aeron.status.ChannelEndpointStatus;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.concurrent.TimeUnit;

import static io.millrace.efa.TwoDrivers.await;
import static io.millrace.efa.TwoDrivers.counters;
import static io.millrace.efa.TwoDrivers.driverContext;
import static io.millrace.efa.TwoDrivers.efaContext;
import static io.millrace.efa.TwoDrivers.sum;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * A subscription with many destinations stays on UDP and says so: the sender does not have to wait for an answer that
 * never comes.
 */
@Timeout(150)
class MultiDestinationSubscriptionTest
{
    private static final int STREAM_ID = 21;
    private static final int MESSAGES = 100;

    @ParameterizedTest
    @ValueSource(strings = { "shm", "tcp" })
    void shouldBeRefusedAtOnceWithItsReason(final String protocol)
    {
        final String unicast = TwoDrivers.endpoint();
        final String required = TwoDrivers.endpoint();
        final String many = TwoDrivers.endpoint();
        final EfaContext patient = efaContext(protocol, 1).handshakeTimeoutNs(TimeUnit.MINUTES.toNanos(10));
        try (TwoDrivers drivers = new TwoDrivers(
            EfaMediaDriver.launchEmbedded(driverContext(), patient),
            EfaMediaDriver.launchEmbedded(driverContext(), efaContext(protocol, 1)));
            Subscription subscription =
                drivers.subscriber.addSubscription("aeron:udp?control-mode=manual", STREAM_ID);
            Publication publication = drivers.publisher.addPublication(unicast, STREAM_ID))
        {
            subscription.addDestination(unicast);
            subscription.addDestination(required);
            subscription.addDestination(many);
            awaitRefusals(drivers, 1);
            Traffic.exchange(publication, subscription, MESSAGES);

            try (Publication held =
                drivers.publisher.addPublication(required + "|fabric=required", STREAM_ID + 1);
                Publication spread = drivers.publisher.addPublication("aeron:udp?control-mode=manual", STREAM_ID + 2))
            {
                spread.addDestination(many);
                awaitRefusals(drivers, 3);
                await("channel in error", () -> ChannelEndpointStatus.ERRORED == held.channelStatus());
            }

            await("reason", () -> RailTraffic.errorText(drivers.publisher)
                .contains("stays on UDP: REFUSED: a multi-destination subscription has no rails"));
            assertThat(sum(drivers.publisher, EfaCounters.HANDSHAKES_TYPE_ID)).isZero();
            assertThat(sum(drivers.publisher, EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID)).isZero();
        }
    }

    /**
     * Its driver has no channel endpoint that polls rails, nor rails.
     */
    @Test
    void shouldBeRefusedAtOnceByPeerOnUdp()
    {
        final String channel = TwoDrivers.endpoint();
        try (TwoDrivers drivers = new TwoDrivers(
            EfaMediaDriver.launchEmbedded(
                driverContext(), efaContext("shm", 1).handshakeTimeoutNs(TimeUnit.HOURS.toNanos(1))),
            EfaMediaDriver.launchEmbedded(driverContext(), efaContext("udp", 1)));
            Subscription subscription =
                drivers.subscriber.addSubscription("aeron:udp?control-mode=manual", STREAM_ID);
            Publication publication = drivers.publisher.addPublication(channel, STREAM_ID))
        {
            subscription.addDestination(channel);
            awaitRefusals(drivers, 1);
            Traffic.exchange(publication, subscription, MESSAGES);
        }
    }

    private static void awaitRefusals(final TwoDrivers drivers, final int refusals)
    {
        await("told of " + refusals, () -> refusals == sum(drivers.publisher, EfaCounters.FALLBACKS_TYPE_ID),
            () -> counters(drivers.publisher) + RailTraffic.errorText(drivers.publisher));
    }
}
