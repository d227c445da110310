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
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.concurrent.TimeUnit;

import static io.millrace.efa.TwoDrivers.await;
import static io.millrace.efa.TwoDrivers.counters;
import static io.millrace.efa.TwoDrivers.driverContext;
import static io.millrace.efa.TwoDrivers.efaContext;

/**
 * An untethered subscription that takes nothing does not hold up one that is tethered: it loses its image and joins
 * again.
 */
@Timeout(150)
class TetherTest
{
    private static final int STREAM_ID = 41;
    private static final int MESSAGES = 300;
    private static final long TIMEOUT_NS = TimeUnit.MILLISECONDS.toNanos(200);

    @ParameterizedTest
    @ValueSource(strings = { "shm", "tcp", "shm strict", "tcp strict" })
    void shouldLeaveUntetheredSubscriptionBehindAndTakeItBack(final String protocol)
    {
        final String channel = TwoDrivers.endpoint();
        try (TwoDrivers drivers = new TwoDrivers(
            EfaMediaDriver.launchEmbedded(driverContext(), efaContext(protocol, 1)),
            EfaMediaDriver.launchEmbedded(
                driverContext()
                    .timerIntervalNs(TIMEOUT_NS / 4)
                    .untetheredWindowLimitTimeoutNs(TIMEOUT_NS)
                    .untetheredLingerTimeoutNs(TIMEOUT_NS)
                    .untetheredRestingTimeoutNs(TIMEOUT_NS),
                efaContext(protocol, 1)));
            Subscription tethered = drivers.subscriber.addSubscription(channel, STREAM_ID);
            Subscription untethered = drivers.subscriber.addSubscription(channel + "|tether=false", STREAM_ID);
            Publication publication =
                drivers.publisher.addPublication(channel + "|term-length=64k|fabric=required", STREAM_ID))
        {
            RailTraffic.awaitLink(drivers, publication, tethered);
            await("untethered joined", untethered::isConnected);

            final UnsafeBuffer message = new UnsafeBuffer(new byte[1_000]);
            final int[] received = new int[2];
            await("left behind", () ->
            {
                publication.offer(message);
                poll(tethered, received, 0);
                return received[0] > MESSAGES && !untethered.isConnected();
            }, () -> received[0] + counters(drivers.subscriber));

            await("taken back", () ->
            {
                publication.offer(message);
                poll(tethered, received, 0);
                poll(untethered, received, 1);
                return received[1] > MESSAGES;
            }, () -> received[1] + counters(drivers.subscriber));
        }
    }

    private static void poll(final Subscription subscription, final int[] received, final int index)
    {
        subscription.poll((buffer, offset, length, header) -> received[index]++, 10);
    }
}
