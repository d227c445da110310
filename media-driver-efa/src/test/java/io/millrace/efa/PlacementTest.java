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
import io.aeron.driver.MediaDriver;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static io.millrace.efa.TwoDrivers.await;
import static io.millrace.efa.TwoDrivers.counters;
import static io.millrace.efa.TwoDrivers.driverContext;
import static io.millrace.efa.TwoDrivers.efaContext;
import static io.millrace.efa.TwoDrivers.sum;
import static org.assertj.core.api.Assertions.assertThat;

@Timeout(120)
class PlacementTest
{
    private static final int STREAM_ID = 9;
    private static final int[] LENGTHS = {
        1, 31, 32, 33, 64, 1000, 4000, 4063, 4064, 4065, 8191, 8192, 10_000, 20_001, 32_768, 60_000, 65_471, 65_472 };
    private static final int[] LONG = { 8_000 };

    @ParameterizedTest
    @CsvSource({ "shm, 1", "tcp, 1", "shm, 2", "tcp, 2" })
    void shouldPlaceLongFramesAndSendTheRestAsMessages(final String protocol, final int rails)
    {
        final String channel = TwoDrivers.endpoint() + "|mtu=65504|term-length=1m";
        try (TwoDrivers drivers = TwoDrivers.onRails(protocol, rails))
        {
            try (Subscription subscription = drivers.subscriber.addSubscription(channel, STREAM_ID);
                ExclusivePublication publication = drivers.publisher.addExclusivePublication(channel, STREAM_ID))
            {
                awaitOffers(drivers, 1);
                new PatternedTraffic(LENGTHS, subscription).exchange(publication, 700);

                assertThat(sum(drivers.publisher, EfaCounters.PLACEMENT_WRITES_TYPE_ID)).isGreaterThan(300);
                assertThat(sum(drivers.subscriber, EfaCounters.PLACEMENT_COMMITS_TYPE_ID)).isGreaterThan(300);
                assertThat(rejected(drivers)).isZero();
            }

            LogLeaks.awaitNone(drivers.publisher, drivers.subscriber);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = { "shm", "tcp" })
    void shouldPlaceBothWaysThroughManyTermsToSeveralSubscribersAndStreams(final String protocol)
    {
        final String there = TwoDrivers.endpoint() + "|mtu=8192|term-length=64k";
        final String back = TwoDrivers.endpoint() + "|mtu=8192|term-length=64k";
        try (TwoDrivers drivers = TwoDrivers.onRails(protocol);
            Subscription first = drivers.subscriber.addSubscription(there, STREAM_ID);
            Subscription second = drivers.subscriber.addSubscription(there, STREAM_ID);
            Subscription other = drivers.subscriber.addSubscription(there, STREAM_ID + 1);
            Subscription third = drivers.publisher.addSubscription(back, STREAM_ID);
            ExclusivePublication one = drivers.publisher.addExclusivePublication(there, STREAM_ID);
            ExclusivePublication two = drivers.publisher.addExclusivePublication(there, STREAM_ID + 1);
            ExclusivePublication three = drivers.subscriber.addExclusivePublication(back, STREAM_ID))
        {
            awaitOffers(drivers, 2);
            await("offered back", () -> 1 == sum(drivers.publisher, EfaCounters.IMAGE_OFFERS_TYPE_ID));
            final PatternedTraffic toBoth = new PatternedTraffic(LONG, first, second);
            final PatternedTraffic toOther = new PatternedTraffic(new int[]{ 5_000, 100 }, other);
            final PatternedTraffic toThird = new PatternedTraffic(new int[]{ 6_000, 4_500 }, third);
            for (int i = 0; i < 400; i++)
            {
                toBoth.offer(one);
                toOther.offer(two);
                toThird.offer(three);
            }
            await("all received", () ->
            {
                toBoth.poll();
                toOther.poll();
                toThird.poll();
                return toBoth.isComplete() && toOther.isComplete() && toThird.isComplete();
            });

            assertThat(sum(drivers.subscriber, EfaCounters.PLACEMENT_COMMITS_TYPE_ID)).isGreaterThanOrEqualTo(500);
            assertThat(sum(drivers.publisher, EfaCounters.PLACEMENT_COMMITS_TYPE_ID)).isGreaterThanOrEqualTo(350);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = { "shm", "tcp" })
    void shouldPlaceForEachOfManyDestinations(final String protocol)
    {
        final String first = TwoDrivers.endpoint();
        final String second = TwoDrivers.endpoint();
        try (TwoDrivers drivers = TwoDrivers.onRails(protocol);
            Subscription one = drivers.subscriber.addSubscription(first, STREAM_ID);
            Subscription two = drivers.subscriber.addSubscription(second, STREAM_ID);
            ExclusivePublication publication = drivers.publisher.addExclusivePublication(
                "aeron:udp?control-mode=manual|fc=min|mtu=8192|term-length=256k", STREAM_ID))
        {
            publication.addDestination(first);
            publication.addDestination(second);
            awaitOffers(drivers, 2);
            new PatternedTraffic(LONG, one, two).exchange(publication, 500);

            assertThat(sum(drivers.subscriber, EfaCounters.PLACEMENT_COMMITS_TYPE_ID)).isGreaterThanOrEqualTo(900);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = { "shm", "tcp" })
    void shouldWithdrawImagesThatCloseWithWritesInFlight(final String protocol)
    {
        final String channel = TwoDrivers.endpoint() + "|mtu=65504|term-length=4m";
        final UnsafeBuffer message = new UnsafeBuffer(new byte[60_000]);
        final EfaContext impatient = efaContext(protocol, 1)
            .keepaliveIntervalNs(TimeUnit.MILLISECONDS.toNanos(50))
            .linkTimeoutNs(TimeUnit.SECONDS.toNanos(1));
        final MediaDriver.Context publisherContext = driverContext()
            .publicationLingerTimeoutNs(TimeUnit.MILLISECONDS.toNanos(10));
        try (TwoDrivers drivers = new TwoDrivers(
            EfaMediaDriver.launchEmbedded(publisherContext, impatient),
            EfaMediaDriver.launchEmbedded(driverContext(), impatient)))
        {
            try (ExclusivePublication publication = drivers.publisher.addExclusivePublication(channel, STREAM_ID))
            {
                for (int i = 0; i < 3; i++)
                {
                    final long before = sum(drivers.publisher, EfaCounters.PLACEMENT_WRITES_TYPE_ID);
                    try (Subscription subscription = drivers.subscriber.addSubscription(channel, STREAM_ID))
                    {
                        await("frames are written", () ->
                        {
                            publication.offer(message);
                            subscription.poll((buffer, offset, length, header) -> {}, 1);
                            return sum(drivers.publisher, EfaCounters.PLACEMENT_WRITES_TYPE_ID) > before + 50;
                        }, () -> counters(drivers.publisher) + counters(drivers.subscriber));

                        while (publication.offer(message) > 0)
                        {
                            Thread.onSpinWait();
                        }
                    }
                    await("withdrawn", () -> 0 == sum(drivers.subscriber, EfaCounters.MAPPED_LOGS_TYPE_ID),
                        () -> counters(drivers.subscriber) + counters(drivers.publisher));
                }
            }

            LogLeaks.awaitNone(drivers.publisher, drivers.subscriber);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = { "shm", "tcp" })
    void shouldPlaceForReceiverThatComesBack(final String protocol)
    {
        final String channel = TwoDrivers.endpoint() + "|mtu=65504|term-length=4m";
        final EfaContext impatient = efaContext(protocol, 1)
            .keepaliveIntervalNs(TimeUnit.MILLISECONDS.toNanos(50))
            .linkTimeoutNs(TimeUnit.SECONDS.toNanos(1));
        final EfaMediaDriver publisherDriver = EfaMediaDriver.launchEmbedded(driverContext(), impatient);
        try
        {
            EfaMediaDriver subscriberDriver = EfaMediaDriver.launchEmbedded(driverContext(), impatient);
            try (TwoDrivers publisher = new TwoDrivers(publisherDriver, null, false);
                ExclusivePublication publication =
                    publisher.publisher.addExclusivePublication(channel, STREAM_ID))
            {
                for (int i = 0; i < 3; i++)
                {
                    final EfaMediaDriver current = subscriberDriver;
                    try (TwoDrivers subscriber = new TwoDrivers(null, current, false);
                        Subscription subscription = subscriber.subscriber.addSubscription(channel, STREAM_ID))
                    {
                        final UnsafeBuffer message = new UnsafeBuffer(new byte[50_000]);
                        await("placed", () ->
                        {
                            publication.offer(message);
                            subscription.poll((buffer, offset, length, header) -> {}, 10);
                            return sum(subscriber.subscriber, EfaCounters.PLACEMENT_COMMITS_TYPE_ID) > 100;
                        }, () -> counters(subscriber.subscriber) + counters(publisher.publisher));
                    }
                    subscriberDriver.close();
                    subscriberDriver = EfaMediaDriver.launchEmbedded(driverContext(), impatient);
                }
            }
            finally
            {
                subscriberDriver.close();
            }
        }
        finally
        {
            publisherDriver.close();
        }
    }

    @Test
    void shouldCopyFramesOfLogsBeyondTheBudget()
    {
        final String channel = TwoDrivers.endpoint() + "|mtu=8192|term-length=64k";
        final EfaContext bounded = efaContext("shm", 1).logPagesPerNic(100);
        final List<String> errors = new ArrayList<>();
        try (TwoDrivers drivers = new TwoDrivers(
            EfaMediaDriver.launchEmbedded(
                driverContext().errorHandler((throwable) -> errors.add(throwable.getMessage())), bounded),
            EfaMediaDriver.launchEmbedded(driverContext(), bounded));
            Subscription first = drivers.subscriber.addSubscription(channel, STREAM_ID);
            Subscription second = drivers.subscriber.addSubscription(channel, STREAM_ID + 1);
            Subscription third = drivers.subscriber.addSubscription(channel, STREAM_ID + 2);
            ExclusivePublication one = drivers.publisher.addExclusivePublication(channel, STREAM_ID);
            ExclusivePublication two = drivers.publisher.addExclusivePublication(channel, STREAM_ID + 1);
            ExclusivePublication three = drivers.publisher.addExclusivePublication(channel, STREAM_ID + 2))
        {
            awaitOffers(drivers, 2);
            new PatternedTraffic(LONG, first).exchange(one, 50);
            new PatternedTraffic(LONG, second).exchange(two, 50);
            new PatternedTraffic(LONG, third).exchange(three, 50);

            assertThat(sum(drivers.publisher, EfaCounters.REFUSED_LOGS_TYPE_ID)).isEqualTo(1);
            assertThat(sum(drivers.subscriber, EfaCounters.REFUSED_LOGS_TYPE_ID)).isEqualTo(1);
            assertThat(sum(drivers.publisher, EfaCounters.MAPPED_LOGS_TYPE_ID)).isEqualTo(2);
            assertThat(errors).anyMatch((error) -> error.contains("48 pages, 96 of the 100 pages of shm are taken"));
        }
    }

    private static void awaitOffers(final TwoDrivers drivers, final int offers)
    {
        await("offered", () -> offers == sum(drivers.subscriber, EfaCounters.IMAGE_OFFERS_TYPE_ID),
            () -> counters(drivers.subscriber) + counters(drivers.publisher));
    }

    private static long rejected(final TwoDrivers drivers)
    {
        return sum(drivers.subscriber, EfaCounters.PLACEMENT_REJECTED_NUMBER_TYPE_ID) +
            sum(drivers.subscriber, EfaCounters.PLACEMENT_REJECTED_LENGTH_TYPE_ID) +
            sum(drivers.subscriber, EfaCounters.PLACEMENT_REJECTED_HEADER_TYPE_ID);
    }
}
