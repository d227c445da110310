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
import io.aeron.ExclusivePublication;
import io.aeron.Subscription;
import io.aeron.driver.MediaDriver;
import org.agrona.CloseHelper;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.concurrent.TimeUnit;

import static io.millrace.efa.TwoDrivers.await;
import static io.millrace.efa.TwoDrivers.counters;
import static io.millrace.efa.TwoDrivers.driverContext;
import static io.millrace.efa.TwoDrivers.efaContext;
import static io.millrace.efa.TwoDrivers.sum;

/**
 * A receiver's driver that is killed with messages in flight, again and again, while its sender goes on.
 */
@Timeout(120)
class KilledPeerTest
{
    private static final int STREAM_ID = 3;
    private static final int MESSAGE_LENGTH = 60_000;
    private static final int KILLS = 2;
    private static final int MESSAGES = 200;

    @ParameterizedTest
    @ValueSource(strings = { "shm", "tcp" })
    void shouldGoOnOnRailsWithEachSuccessor(final String protocol)
    {
        final String channel = TwoDrivers.endpoint() + "|mtu=65504|term-length=8m";
        final UnsafeBuffer message = new UnsafeBuffer(new byte[MESSAGE_LENGTH]);
        final EfaContext impatient = efaContext(protocol, 1)
            .keepaliveIntervalNs(TimeUnit.MILLISECONDS.toNanos(100))
            .linkTimeoutNs(TimeUnit.SECONDS.toNanos(1));
        final MediaDriver.Context context = driverContext()
            .publicationLingerTimeoutNs(TimeUnit.MILLISECONDS.toNanos(10));
        try (EfaMediaDriver driver = EfaMediaDriver.launchEmbedded(context, impatient);
            Aeron aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(driver.aeronDirectoryName()));
            ExclusivePublication publication = aeron.addExclusivePublication(channel, STREAM_ID))
        {
            for (int kill = 0; kill < KILLS; kill++)
            {
                Aeron peerAeron = null;
                try (DriverProcess peer = new DriverProcess(protocol))
                {
                    peerAeron = peer.connect();
                    final Subscription subscription = peerAeron.addSubscription(channel, STREAM_ID);
                    await("connected", publication::isConnected, () -> counters(aeron));
                    await("linked", () -> 1 == sum(aeron, EfaCounters.LINKS_TYPE_ID), () -> counters(aeron));
                    deliver(aeron, publication, subscription, message);

                    // the window is full when the peer ends, so that operations are in flight to it
                    while (publication.offer(message) > 0)
                    {
                        Thread.onSpinWait();
                    }
                }
                finally
                {
                    CloseHelper.quietClose(peerAeron);
                }
            }

            publication.close();
            await("nothing registered", () -> 0 == sum(aeron, EfaCounters.MAPPED_LOGS_TYPE_ID) &&
                0 == sum(aeron, EfaCounters.LOG_REGISTERED_BYTES_TYPE_ID), () -> counters(aeron));
        }
    }

    private static void deliver(
        final Aeron aeron,
        final ExclusivePublication publication,
        final Subscription subscription,
        final UnsafeBuffer message)
    {
        final long[] received = new long[1];
        final long framesBefore = sum(aeron, EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID);
        final long writesBefore = sum(aeron, EfaCounters.PLACEMENT_WRITES_TYPE_ID);
        await("messages on rails", () ->
        {
            publication.offer(message);
            subscription.poll((buffer, offset, length, header) -> received[0]++, 10);
            return received[0] > MESSAGES &&
                sum(aeron, EfaCounters.PLACEMENT_WRITES_TYPE_ID) > writesBefore + MESSAGES &&
                sum(aeron, EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID) > framesBefore + MESSAGES;
        }, () -> received[0] + " received" + counters(aeron));
    }
}
