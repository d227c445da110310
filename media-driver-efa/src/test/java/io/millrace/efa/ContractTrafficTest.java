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
import io.aeron.FragmentAssembler;
import io.aeron.Subscription;
import io.aeron.logbuffer.FragmentHandler;
import io.millrace.efa.contract.ContractMode;
import org.agrona.CloseHelper;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;

import static io.millrace.efa.TwoDrivers.await;
import static io.millrace.efa.TwoDrivers.counters;
import static io.millrace.efa.TwoDrivers.driverContext;
import static io.millrace.efa.TwoDrivers.efaContext;
import static io.millrace.efa.TwoDrivers.sum;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Drivers under the strict contract in each weather: streams stay complete, in order and byte-identical, and no rule of
 * EFA is broken.
 */
@Timeout(120)
class ContractTrafficTest
{
    private static final int STREAM_ID = 1001;

    @TempDir
    private Path directory;
    private final Queue<String> errors = new ConcurrentLinkedQueue<>();

    private EfaContext contract(final String protocol, final int rails, final String... weather) throws IOException
    {
        final Path file = Files.createTempFile(directory, "weather", ".properties");
        Files.writeString(file, String.join("\n", weather).replace(';', '\n'));
        return efaContext(protocol, rails)
            .contract(ContractMode.STRICT)
            .contractWeatherFile(file.toString())
            .contractSeed(42);
    }

    @ParameterizedTest
    @CsvSource({
        "shm, 1, 1408, 64, 20000, ''",
        "tcp, 1, 1408, 64, 20000, ''",
        "shm, 2, 8192, 60000, 500, ''",
        "shm, 1, 1408, 64, 20000, eagain.rate=0.05;eagain.burst=50;queue.short.rate=0.3",
        "tcp, 1, 8192, 3000, 2000, eagain.rate=0.05;eagain.burst=50;queue.short.rate=0.3",
        "shm, 2, 8192, 3000, 2000, completion.hold.rate=0.3;delivery.hold.rate=0.1;delivery.hold.polls=8",
        "tcp, 2, 1408, 300, 5000, completion.hold.rate=0.3;delivery.hold.rate=0.1;delivery.hold.polls=8",
        "shm, 1, 1408, 300, 5000, delivery.delay.min=20us;delivery.delay.max=200us" })
    void shouldCarryEveryMessageOnRails(
        final String protocol,
        final int rails,
        final int mtu,
        final int messageLength,
        final int messages,
        final String weather) throws Exception
    {
        try (TwoDrivers drivers = exchange(
            contract(protocol, rails, weather), contract(protocol, rails, weather), mtu, messageLength, messages))
        {
            assertThat(errors).allMatch((error) -> "tcp".equals(protocol) && error.contains("tells no length"));
            assertThat(sum(drivers.publisher, EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID))
                .isGreaterThanOrEqualTo(messages);
            assertThat(sum(drivers.publisher, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID)).isZero();
            assertThat(sum(drivers.publisher, EfaCounters.FALLBACKS_TYPE_ID)).isZero();
            assertThat(sum(drivers.publisher, EfaCounters.WEATHER_EAGAIN_TYPE_ID) > 0)
                .isEqualTo(weather.contains("eagain"));
            assertThat(sum(drivers.publisher, EfaCounters.WEATHER_HELD_TYPE_ID) > 0)
                .isEqualTo(weather.contains("hold") || weather.contains("delay"));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "1, ''",
        "2, eagain.rate=0.05;eagain.burst=50;queue.short.rate=0.3",
        "2, completion.hold.rate=0.3;delivery.hold.rate=0.1;delivery.hold.polls=8" })
    void shouldPlaceLongFrames(final int rails, final String weather) throws Exception
    {
        try (TwoDrivers drivers = exchange(
            placing("shm", rails, weather), placing("shm", rails, weather), 8128, 8000, 3_000))
        {
            assertThat(errors).isEmpty();
            assertThat(sum(drivers.publisher, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID)).isZero();
            assertThat(sum(drivers.publisher, EfaCounters.PLACEMENT_WRITES_TYPE_ID)).isGreaterThan(1_000);
            assertThat(sum(drivers.subscriber, EfaCounters.PLACEMENT_COMMITS_TYPE_ID)).isGreaterThan(1_000);
        }
    }

    @Test
    void shouldPlaceWhatIsCopied() throws Exception
    {
        try (TwoDrivers drivers = exchange(
            placing("shm", 1).logPagesPerRegion(1), placing("shm", 1), 8128, 8000, 500))
        {
            assertThat(errors).singleElement().asString().contains("its frames are copied");
            assertThat(sum(drivers.publisher, EfaCounters.PLACEMENT_WRITES_TYPE_ID)).isPositive();
        }
    }

    /**
     * What a device does not carry goes by UDP, or as messages where it does not write.
     */
    @ParameterizedTest
    @CsvSource({
        "shm, 8000, device.write.length=0, true",
        "shm, 3000, device.send.length=2k;device.inject.length=16;device.tx.depth=16;device.rx.depth=16, false",
        "tcp, 3000, device.send.length=2k;device.inject.length=16;device.tx.depth=16;device.rx.depth=16, false" })
    void shouldKeepToLimitsOfDevices(
        final String protocol, final int messageLength, final String device, final boolean isLongEnough)
        throws Exception
    {
        try (TwoDrivers drivers = exchange(
            placing(protocol, 1, device), placing(protocol, 1, device), 8128, messageLength, 500))
        {
            assertThat(sum(drivers.publisher, EfaCounters.PLACEMENT_WRITES_TYPE_ID)).isZero();
            assertThat(0 == sum(drivers.publisher, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID)).isEqualTo(isLongEnough);
            assertThat(sum(drivers.publisher, EfaCounters.LINKS_TYPE_ID)).isEqualTo(1);
        }
    }

    /**
     * The contract leaves 32 bits of the immediate, and tcp does not tell the length of a write.
     */
    @Test
    void shouldSendFromTermsWhereNothingTellsTheLengthOfWrites() throws Exception
    {
        try (TwoDrivers drivers = exchange(placing("tcp", 1), placing("tcp", 1), 8128, 8000, 1_000))
        {
            assertThat(sum(drivers.subscriber, EfaCounters.REFUSED_LOGS_TYPE_ID)).as("once").isEqualTo(1);
            assertThat(errors).singleElement().asString().contains(
                "its frames are copied", "tells no length of a write", "immediates of 32 bits");
            assertThat(sum(drivers.subscriber, EfaCounters.IMAGE_OFFERS_TYPE_ID)).isZero();
            assertThat(sum(drivers.publisher, EfaCounters.PLACEMENT_WRITES_TYPE_ID)).isZero();
            assertThat(sum(drivers.publisher, EfaCounters.ZERO_COPY_SENDS_TYPE_ID)).isPositive();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "1, 'error.rate=0.002;error.statuses=1,8,9,13,15', " + EfaCounters.WEATHER_ERRORS_TYPE_ID,
        "2, 'rail.death.operations=400;rail.deaths=1', " + EfaCounters.WEATHER_DEATHS_TYPE_ID })
    void shouldLoseNothingWhenWritesAndRailsFail(
        final int rails, final String weather, final int typeId) throws Exception
    {
        try (TwoDrivers drivers = exchange(
            placing("shm", rails, weather), placing("shm", rails), 8128, 8000, 3_000))
        {
            assertThat(sum(drivers.publisher, typeId)).isPositive();
            assertThat(sum(drivers.publisher, EfaCounters.PLACEMENT_WRITES_TYPE_ID)).isPositive();
        }
    }

    private EfaContext placing(final String protocol, final int rails, final String... weather) throws IOException
    {
        return contract(protocol, rails, weather).placement("on").zeroCopy("on");
    }

    @ParameterizedTest
    @CsvSource({
        "shm, 2, 'error.rate=0.002;error.statuses=1,8,9,13,15', " + EfaCounters.WEATHER_ERRORS_TYPE_ID + ", 0",
        "tcp, 1, 'error.rate=0.002;error.delivered.rate=1', " + EfaCounters.WEATHER_ERRORS_TYPE_ID + ", 0",
        "shm, 2, 'rail.death.operations=400;rail.deaths=1', " + EfaCounters.WEATHER_DEATHS_TYPE_ID + ", 1",
        "shm, 1, 'rail.death.operations=400;rail.deaths=1', " + EfaCounters.WEATHER_DEATHS_TYPE_ID + ", 1",
        "tcp, 2, 'rail.death.operations=400;rail.deaths=1', " + EfaCounters.WEATHER_DEATHS_TYPE_ID + ", 1" })
    void shouldLoseNothingWhenOperationsAndRailsFail(
        final String protocol, final int rails, final String weather, final int typeId, final int deaths)
        throws Exception
    {
        try (TwoDrivers drivers = exchange(
            contract(protocol, rails, weather), contract(protocol, rails), 1408, 1000, 5_000))
        {
            assertThat(sum(drivers.publisher, typeId)).isPositive();
            assertThat(sum(drivers.publisher, EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID)).isPositive();
            await("rails that died are told of", () ->
                deaths == sum(drivers.publisher, EfaCounters.RAILS_FAILED_TYPE_ID));
            if (1 == rails)
            {
                assertThat(sum(drivers.publisher, EfaCounters.FALLBACKS_TYPE_ID)).isPositive();
                assertThat(sum(drivers.publisher, EfaCounters.PATHS_LOST_TYPE_ID)).isZero();
            }
            else
            {
                assertThat(sum(drivers.publisher, EfaCounters.PATHS_LOST_TYPE_ID)).isPositive();
                if (deaths > 0)
                {
                    assertThat(sum(drivers.publisher, EfaCounters.FALLBACKS_TYPE_ID)).isZero();
                }
            }
        }
    }

    private void onError(final Throwable error)
    {
        errors.add(error.getMessage());
    }

    private TwoDrivers exchange(
        final EfaContext publisher,
        final EfaContext subscriber,
        final int mtu,
        final int messageLength,
        final int messages)
    {
        final String channel = TwoDrivers.endpoint() + "|mtu=" + mtu;
        final TwoDrivers drivers = new TwoDrivers(
            EfaMediaDriver.launchEmbedded(driverContext().errorHandler(this::onError), publisher),
            EfaMediaDriver.launchEmbedded(driverContext().errorHandler(this::onError), subscriber));
        final byte[] expected = new byte[messageLength];
        final byte[] actual = new byte[messageLength];
        final long[] received = new long[1];
        final FragmentHandler handler = new FragmentAssembler(
            (buffer, offset, length, header) ->
            {
                new Random(received[0]++).nextBytes(expected);
                assertThat(length).isEqualTo(messageLength);
                buffer.getBytes(offset, actual);
                assertThat(actual).isEqualTo(expected);
            });

        try (Subscription subscription = drivers.subscriber.addSubscription(channel, STREAM_ID);
            ExclusivePublication publication = drivers.publisher.addExclusivePublication(channel, STREAM_ID))
        {
            await("links up", () -> 1 == sum(drivers.publisher, EfaCounters.LINKS_TYPE_ID) &&
                1 == sum(drivers.subscriber, EfaCounters.LINKS_TYPE_ID) && publication.isConnected(),
                () -> counters(drivers.publisher) + counters(drivers.subscriber));

            final UnsafeBuffer message = new UnsafeBuffer(new byte[messageLength]);
            for (long sent = 0; sent < messages; sent++)
            {
                new Random(sent).nextBytes(message.byteArray());
                await("offer", () ->
                {
                    assertKept(drivers);
                    subscription.poll(handler, 10);
                    return publication.offer(message) > 0;
                }, () -> errors + counters(drivers.publisher) + counters(drivers.subscriber));
            }

            await("all received", () ->
            {
                assertKept(drivers);
                subscription.poll(handler, 10);
                return messages == received[0];
            }, () -> received[0] + " " + errors + counters(drivers.publisher) + counters(drivers.subscriber));
        }
        catch (final Throwable ex)
        {
            CloseHelper.quietClose(drivers);
            throw ex;
        }

        assertKept(drivers);
        return drivers;
    }

    private void assertKept(final TwoDrivers drivers)
    {
        if (0 != sum(drivers.publisher, EfaCounters.CONTRACT_VIOLATIONS_TYPE_ID) +
            sum(drivers.subscriber, EfaCounters.CONTRACT_VIOLATIONS_TYPE_ID))
        {
            throw new AssertionError("rules of EFA were broken: " + errors);
        }
    }
}
