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
import io.aeron.driver.status.SystemCounterDescriptor;
import io.millrace.efa.contract.ContractMode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static io.millrace.efa.TwoDrivers.await;
import static io.millrace.efa.TwoDrivers.counters;
import static io.millrace.efa.TwoDrivers.driverContext;
import static io.millrace.efa.TwoDrivers.efaContext;
import static io.millrace.efa.TwoDrivers.sum;
import static io.millrace.efa.TwoDrivers.system;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Frames that are written into images and do not arrive, and senders that fall silent: the stream stays complete, each
 * byte of it.
 */
@Timeout(120)
class PlacementLossTest
{
    private static final int STREAM_ID = 9;
    private static final int PATHS = 4;
    private static final int[] LONG = { 8_000, 7_000 };
    private static final int[] PACKETS = { 60_000, 40_000, 50_001 };

    @TempDir
    private Path directory;

    @ParameterizedTest
    @ValueSource(ints = { 1, 2 })
    void shouldSendAgainWhatWasLostOnItsWayIntoTheImage(final int rails) throws IOException
    {
        try (TwoDrivers drivers = inWeather(
            rails, "error.rate=0.003\nerror.delivered.rate=0\nerror.statuses=1,8,9,13,15"))
        {
            exchange(drivers, 3_000);

            assertThat(sum(drivers.publisher, EfaCounters.WEATHER_ERRORS_TYPE_ID)).isPositive();
            assertThat(sum(drivers.publisher, EfaCounters.PLACEMENT_WRITES_TYPE_ID))
                .as("written and lost").isGreaterThan(sum(drivers.subscriber, EfaCounters.PLACEMENT_COMMITS_TYPE_ID));
            assertThat(system(drivers.subscriber, SystemCounterDescriptor.NAK_MESSAGES_SENT)).isPositive();
            assertThat(system(drivers.publisher, SystemCounterDescriptor.RETRANSMITS_SENT)).isPositive();
        }
    }

    /**
     * The bytes are in the image, which nobody was told of.
     */
    @Test
    void shouldSendAgainWhatWasWrittenAndNeverCompleted() throws IOException
    {
        try (TwoDrivers drivers = inWeather(2, "error.rate=0.003\nerror.delivered.rate=1\nerror.statuses=1,8,9,13,15"))
        {
            exchange(drivers, 3_000);

            assertThat(sum(drivers.publisher, EfaCounters.PLACEMENT_WRITES_TYPE_ID))
                .as("written and not told")
                .isGreaterThan(sum(drivers.subscriber, EfaCounters.PLACEMENT_COMMITS_TYPE_ID));
            assertThat(system(drivers.subscriber, SystemCounterDescriptor.NAK_MESSAGES_SENT)).isPositive();
        }
    }

    @Test
    void shouldFenceTheImageOffFromARailThatDiedAndOfferItAnew() throws IOException
    {
        try (TwoDrivers drivers = inWeather(1, "rail.death.operations=400\nrail.deaths=1"))
        {
            exchange(drivers, 3_000);

            assertThat(sum(drivers.publisher, EfaCounters.WEATHER_DEATHS_TYPE_ID)).isEqualTo(1);
            assertThat(sum(drivers.subscriber, EfaCounters.FENCED_LOGS_TYPE_ID)).isEqualTo(1);
        }
    }

    /**
     * Its driver goes on writing where it left off, until it learns that the offer has ended.
     */
    @ParameterizedTest
    @CsvSource({ "shm, 1000", "tcp, 5000" })
    void shouldFenceTheImageOffFromASenderThatIsStopped(final String protocol, final long timeoutMs)
    {
        final String channel = TwoDrivers.endpoint() + "|mtu=65504|term-length=4m";
        final EfaContext efa = efaContext(protocol, 1)
            .keepaliveIntervalNs(TimeUnit.MILLISECONDS.toNanos(100))
            .linkTimeoutNs(TimeUnit.MILLISECONDS.toNanos(timeoutMs));
        try (DriverProcess peer = new DriverProcess(protocol);
            EfaMediaDriver driver = EfaMediaDriver.launchEmbedded(driverContext(), efa))
        {
            try (TwoDrivers drivers = new TwoDrivers(null, driver, false);
                Aeron aeron = peer.connect();
                Subscription subscription = drivers.subscriber.addSubscription(channel, STREAM_ID);
                ExclusivePublication publication = aeron.addExclusivePublication(channel, STREAM_ID))
            {
                awaitOffer(drivers.subscriber);
                final PatternedTraffic traffic = new PatternedTraffic(PACKETS, subscription);
                traffic.exchange(publication, 200);

                peer.signal("STOP");
                for (int i = 0; i < 20; i++)
                {
                    traffic.offer(publication);
                }
                await("fenced", () ->
                {
                    traffic.poll();
                    return 1 == sum(drivers.subscriber, EfaCounters.FENCED_LOGS_TYPE_ID);
                }, () -> counters(drivers.subscriber));
                assertThat(sum(drivers.subscriber, EfaCounters.LOG_REGISTERED_BYTES_TYPE_ID)).isZero();
                assertThat(sum(drivers.subscriber, EfaCounters.MAPPED_LOGS_TYPE_ID)).isZero();

                peer.signal("CONT");
                awaitOffer(drivers.subscriber);
                final long commits = sum(drivers.subscriber, EfaCounters.PLACEMENT_COMMITS_TYPE_ID);
                traffic.exchange(publication, 200);
                assertThat(sum(drivers.subscriber, EfaCounters.PLACEMENT_COMMITS_TYPE_ID)).isGreaterThan(commits);
                assertThat(subscription.imageCount()).isEqualTo(1);
            }
        }
    }

    /**
     * Streams with different rails as their home, so that each path is written to: where the receiver has more rails,
     * one of ours writes to two of its rails, and a rail that comes back has regions with other keys.
     */
    @ParameterizedTest
    @CsvSource({ "2, 4, 0", "4, 2, 0", "2, 2, 1" })
    void shouldPlaceOnEachPath(final int ofPublisher, final int ofSubscriber, final int deaths) throws IOException
    {
        final Path weather = Files.writeString(
            directory.resolve("death.properties"), "rail.death.operations=1500\nrail.deaths=" + deaths);
        final EfaContext subscriberContext = efaContext("shm", ofSubscriber)
            .contract(ContractMode.STRICT)
            .contractSeed(42)
            .contractWeatherFile(0 == deaths ? null : weather.toString());
        final String channel = TwoDrivers.endpoint() + "|mtu=8128|term-length=1m";
        final List<PatternedTraffic> traffics = new ArrayList<>();
        final List<ExclusivePublication> publications = new ArrayList<>();
        try (TwoDrivers drivers = new TwoDrivers(
            EfaMediaDriver.launchEmbedded(
                driverContext(), efaContext("shm", ofPublisher).contract(ContractMode.STRICT).contractSeed(42)),
            EfaMediaDriver.launchEmbedded(driverContext(), subscriberContext)))
        {
            for (int i = 0; i < PATHS; i++)
            {
                traffics.add(new PatternedTraffic(LONG, drivers.subscriber.addSubscription(channel, STREAM_ID + i)));
                publications.add(drivers.publisher.addExclusivePublication(
                    channel + "|session-id=" + i, STREAM_ID + i));
            }
            await("offered", () -> PATHS == sum(drivers.subscriber, EfaCounters.IMAGE_OFFERS_TYPE_ID));

            await("died and back", () ->
            {
                exchange(traffics, publications, 20);
                return deaths == sum(drivers.subscriber, EfaCounters.RAILS_REOPENED_TYPE_ID) &&
                    sum(drivers.publisher, EfaCounters.PATHS_LOST_TYPE_ID) ==
                    sum(drivers.publisher, EfaCounters.PATHS_ADDED_TYPE_ID);
            }, () -> counters(drivers.publisher) + counters(drivers.subscriber));
            await("all placed", () ->
            {
                final long commits = sum(drivers.subscriber, EfaCounters.PLACEMENT_COMMITS_TYPE_ID);
                exchange(traffics, publications, 10);
                return sum(drivers.subscriber, EfaCounters.PLACEMENT_COMMITS_TYPE_ID) == commits + 10 * PATHS;
            }, () -> counters(drivers.publisher) + counters(drivers.subscriber));

            final long lost = sum(drivers.publisher, EfaCounters.PATHS_LOST_TYPE_ID);
            exchange(traffics, publications, 200);
            assertThat(sum(drivers.publisher, EfaCounters.PATHS_LOST_TYPE_ID)).isEqualTo(lost);
            assertThat(lost > 0).isEqualTo(deaths > 0);
            assertThat(sum(drivers.subscriber, EfaCounters.FENCED_LOGS_TYPE_ID)).isZero();
        }
    }

    private static void exchange(
        final List<PatternedTraffic> traffics, final List<ExclusivePublication> publications, final int messages)
    {
        for (int i = 0; i < PATHS; i++)
        {
            traffics.get(i).exchange(publications.get(i), messages);
        }
    }

    private TwoDrivers inWeather(final int rails, final String weather) throws IOException
    {
        final Path file = Files.writeString(directory.resolve("weather.properties"), weather);
        final EfaContext publisher = efaContext("shm", rails)
            .contract(ContractMode.STRICT).contractSeed(42).contractWeatherFile(file.toString());
        final EfaContext subscriber = efaContext("shm", rails).contract(ContractMode.STRICT).contractSeed(42);
        return new TwoDrivers(
            EfaMediaDriver.launchEmbedded(driverContext(), publisher),
            EfaMediaDriver.launchEmbedded(driverContext(), subscriber));
    }

    private static void exchange(final TwoDrivers drivers, final int messages)
    {
        final String channel = TwoDrivers.endpoint() + "|mtu=8128|term-length=1m";
        try (Subscription subscription = drivers.subscriber.addSubscription(channel, STREAM_ID);
            ExclusivePublication publication = drivers.publisher.addExclusivePublication(channel, STREAM_ID))
        {
            awaitOffer(drivers.subscriber);
            final PatternedTraffic traffic = new PatternedTraffic(LONG, subscription);
            traffic.exchange(publication, messages);
            awaitOffer(drivers.subscriber);
            final long commits = sum(drivers.subscriber, EfaCounters.PLACEMENT_COMMITS_TYPE_ID);
            await("placed again", () ->
            {
                traffic.exchange(publication, 1);
                return sum(drivers.subscriber, EfaCounters.PLACEMENT_COMMITS_TYPE_ID) > commits;
            }, () -> counters(drivers.publisher) + counters(drivers.subscriber));
        }

        assertThat(sum(drivers.publisher, EfaCounters.CONTRACT_VIOLATIONS_TYPE_ID) +
            sum(drivers.subscriber, EfaCounters.CONTRACT_VIOLATIONS_TYPE_ID)).isZero();
    }

    private static void awaitOffer(final Aeron subscriber)
    {
        await("offered", () -> 1 == sum(subscriber, EfaCounters.IMAGE_OFFERS_TYPE_ID),
            () -> counters(subscriber));
    }
}
