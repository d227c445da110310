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
import io.aeron.AeronCounters;
import io.aeron.ExclusivePublication;
import io.aeron.Subscription;
import io.millrace.efa.contract.ContractMode;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.concurrent.TimeUnit;

import static io.millrace.efa.TwoDrivers.await;
import static io.millrace.efa.TwoDrivers.counters;
import static io.millrace.efa.TwoDrivers.driverContext;
import static io.millrace.efa.TwoDrivers.efaContext;
import static io.millrace.efa.TwoDrivers.sum;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * A publication that ends while a peer that is stopped has not taken what was sent from its log.
 */
@Timeout(120)
class LogInFlightTest
{
    private static final int STREAM_ID = 8;

    @Test
    void shouldCloseALogWhenItsOperationsHaveEnded()
    {
        final String channel = TwoDrivers.endpoint() + "|mtu=8128|term-length=1m";
        final EfaContext efa = efaContext("shm", 1).placement("off").zeroCopy("on").contract(ContractMode.STRICT)
            .linkTimeoutNs(TimeUnit.SECONDS.toNanos(60));
        try (DriverProcess peer = new DriverProcess("shm");
            EfaMediaDriver driver = EfaMediaDriver.launchEmbedded(driverContext()
                .publicationConnectionTimeoutNs(TimeUnit.MILLISECONDS.toNanos(500))
                .publicationLingerTimeoutNs(TimeUnit.MILLISECONDS.toNanos(100)), efa);
            Aeron aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(driver.aeronDirectoryName()));
            Aeron peerAeron = peer.connect();
            Subscription subscription = peerAeron.addSubscription(channel, STREAM_ID))
        {
            final UnsafeBuffer message = new UnsafeBuffer(new byte[7_000]);
            try (ExclusivePublication publication = aeron.addExclusivePublication(channel, STREAM_ID))
            {
                await("sent from the log", () ->
                {
                    publication.offer(message);
                    subscription.poll((buffer, offset, length, header) -> {}, 10);
                    return sum(aeron, EfaCounters.ZERO_COPY_SENDS_TYPE_ID) > 10;
                }, () -> counters(aeron));
                await("received", () ->
                {
                    subscription.poll((buffer, offset, length, header) -> {}, 10);
                    return 1 == subscription.imageCount() &&
                        subscription.imageAtIndex(0).position() == publication.position();
                }, () -> counters(aeron));

                peer.signal("STOP");
                await("in flight", () ->
                {
                    publication.offer(message);
                    return sum(aeron, EfaCounters.RAIL_OUTSTANDING_BYTES_TYPE_ID) > message.capacity();
                }, () -> counters(aeron));
            }
            await("publication is gone", () -> 0 == publications(aeron), () -> counters(aeron));
            assertThat(sum(aeron, EfaCounters.RAIL_OUTSTANDING_BYTES_TYPE_ID)).isPositive();
            assertThat(sum(aeron, EfaCounters.MAPPED_LOGS_TYPE_ID)).isEqualTo(1);

            peer.signal("CONT");
            await("log is closed", () -> 0 == sum(aeron, EfaCounters.MAPPED_LOGS_TYPE_ID), () -> counters(aeron));
            assertThat(sum(aeron, EfaCounters.CONTRACT_VIOLATIONS_TYPE_ID)).isZero();
        }
    }

    private static long publications(final Aeron aeron)
    {
        final long[] count = new long[1];
        aeron.countersReader().forEach((id, typeId, key, label) ->
            count[0] += AeronCounters.DRIVER_SENDER_POSITION_TYPE_ID == typeId ? 1 : 0);
        return count[0];
    }
}
