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
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.aeron.driver.status.SystemCounterDescriptor;
import io.aeron.exceptions.AeronException;
import io.aeron.exceptions.RegistrationException;
import io.aeron.exceptions.TimeoutException;
import io.aeron.status.ChannelEndpointStatus;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;

import static io.millrace.efa.TwoDrivers.await;
import static io.millrace.efa.TwoDrivers.counters;
import static io.millrace.efa.TwoDrivers.driverContext;
import static io.millrace.efa.TwoDrivers.efaContext;
import static io.millrace.efa.TwoDrivers.sum;
import static io.millrace.efa.TwoDrivers.system;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

@Timeout(150)
class PeersTest
{
    private static final int STREAM_ID = 7;
    private static final int MESSAGES = 500;

    @Test
    void shouldTalkToStockSubscriberByUdpAndCountIt()
    {
        final EfaContext context = efaContext("shm", 1).handshakeTimeoutNs(TimeUnit.MILLISECONDS.toNanos(300));
        try (TwoDrivers drivers = new TwoDrivers(
            EfaMediaDriver.launchEmbedded(driverContext(), context), MediaDriver.launch(driverContext())))
        {
            exchange(drivers, TwoDrivers.endpoint());
            await("fallback counted", () -> 1 == sum(drivers.publisher, EfaCounters.FALLBACKS_TYPE_ID));
            assertThat(sum(drivers.publisher, EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID)).isZero();
            assertThat(sum(drivers.publisher, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID))
                .isGreaterThanOrEqualTo(MESSAGES);
            assertThat(system(drivers.subscriber, SystemCounterDescriptor.INVALID_PACKETS)).isZero();
            assertThat(system(drivers.subscriber, SystemCounterDescriptor.ERRORS)).isZero();
        }
    }

    @Test
    void shouldTalkToStockPublisherByUdp()
    {
        try (TwoDrivers drivers = new TwoDrivers(
            MediaDriver.launch(driverContext()), EfaMediaDriver.launchEmbedded(driverContext(), efaContext("shm", 1))))
        {
            exchange(drivers, TwoDrivers.endpoint());
            assertThat(sum(drivers.subscriber, EfaCounters.LINKS_TYPE_ID)).isZero();
            assertThat(system(drivers.subscriber, SystemCounterDescriptor.ERRORS)).isZero();
        }
    }

    @Test
    void shouldStayOnUdpWithPeerOfOtherProvider()
    {
        try (TwoDrivers drivers = new TwoDrivers(
            EfaMediaDriver.launchEmbedded(driverContext(), efaContext("shm", 1)),
            EfaMediaDriver.launchEmbedded(driverContext(), efaContext("tcp", 1))))
        {
            exchange(drivers, TwoDrivers.endpoint());
            await("fallback counted", () -> 1 == sum(drivers.publisher, EfaCounters.FALLBACKS_TYPE_ID));
            assertThat(sum(drivers.publisher, EfaCounters.LINKS_TYPE_ID)).isZero();
        }
    }

    /**
     * It answers the first Hello, long before an answer is overdue.
     */
    @Test
    void shouldBeRefusedAtOnceByPeerOnUdp()
    {
        try (TwoDrivers drivers = new TwoDrivers(
            EfaMediaDriver.launchEmbedded(driverContext(), efaContext("shm", 1).handshakeTimeoutNs(
                TimeUnit.HOURS.toNanos(1))),
            EfaMediaDriver.launchEmbedded(driverContext(), efaContext("udp", 1))))
        {
            exchange(drivers, TwoDrivers.endpoint());
            await("fallback counted", () -> 1 == sum(drivers.publisher, EfaCounters.FALLBACKS_TYPE_ID));
            await("reason", () -> RailTraffic.errorText(drivers.publisher)
                .contains("REFUSED: the receiver's driver has protocol udp: asked for by name"));
            assertThat(sum(drivers.publisher, EfaCounters.LINKS_TYPE_ID)).isZero();
            assertThat(system(drivers.subscriber, SystemCounterDescriptor.ERRORS)).isZero();
        }
    }

    /**
     * Each says Hello to the other before it has answered: two links, one for each direction, over the same rails.
     */
    @ParameterizedTest
    @ValueSource(strings = { "shm", "tcp" })
    void shouldOpenBothWaysAtOnce(final String protocol) throws InterruptedException
    {
        final String there = TwoDrivers.endpoint();
        final String back = TwoDrivers.endpoint();
        try (TwoDrivers drivers = TwoDrivers.onRails(protocol))
        {
            final CyclicBarrier barrier = new CyclicBarrier(2);
            final List<Throwable> failures = new CopyOnWriteArrayList<>();
            final Thread[] sides = {
                new Thread(() -> sendAndReceive(drivers.publisher, there, back, barrier, failures)),
                new Thread(() -> sendAndReceive(drivers.subscriber, back, there, barrier, failures)) };
            for (final Thread side : sides)
            {
                side.start();
            }
            for (final Thread side : sides)
            {
                side.join();
            }

            assertThat(failures).isEmpty();
            for (final Aeron aeron : List.of(drivers.publisher, drivers.subscriber))
            {
                await("links", () -> 2 == sum(aeron, EfaCounters.LINKS_TYPE_ID));
                assertThat(sum(aeron, EfaCounters.FALLBACKS_TYPE_ID)).isZero();
                assertThat(sum(aeron, EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID)).isPositive();
            }
        }
    }

    private static void sendAndReceive(
        final Aeron aeron,
        final String sendChannel,
        final String receiveChannel,
        final CyclicBarrier barrier,
        final List<Throwable> failures)
    {
        try
        {
            barrier.await();
            final Subscription subscription = aeron.addSubscription(receiveChannel, STREAM_ID);
            final Publication publication = aeron.addPublication(sendChannel, STREAM_ID);
            final UnsafeBuffer message = new UnsafeBuffer(new byte[1000]);
            await("both links", () -> 2 == sum(aeron, EfaCounters.LINKS_TYPE_ID), () -> counters(aeron));
            final int[] counts = new int[2];
            await("messages both ways", () ->
            {
                counts[0] += counts[0] < MESSAGES && publication.offer(message) > 0 ? 1 : 0;
                counts[1] += subscription.poll((buffer, offset, length, header) -> {}, 10);
                return MESSAGES == counts[0] && MESSAGES == counts[1];
            });
            barrier.await();
        }
        catch (final Throwable t)
        {
            failures.add(t);
        }
    }

    @Test
    void shouldCarryNothingOnRailsWhenProtocolIsUdp()
    {
        try (TwoDrivers drivers = TwoDrivers.onRails("udp"))
        {
            exchange(drivers, TwoDrivers.endpoint());
            assertThat(sum(drivers.publisher, EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID)).isZero();
            assertThat(sum(drivers.publisher, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID))
                .isGreaterThanOrEqualTo(MESSAGES);
            assertThat(sum(drivers.publisher, EfaCounters.FALLBACKS_TYPE_ID)).isZero();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = { "shm", "tcp" })
    void shouldLinkAgainWithPeerThatRestartedOnTheSamePort(final String protocol)
    {
        final String channel = TwoDrivers.endpoint();
        try (EfaMediaDriver publisherDriver = EfaMediaDriver.launchEmbedded(driverContext(), efaContext(protocol, 1)))
        {
            for (int incarnation = 1; incarnation <= 3; incarnation++)
            {
                try (EfaMediaDriver subscriberDriver =
                    EfaMediaDriver.launchEmbedded(driverContext(), efaContext(protocol, 1));
                    TwoDrivers drivers = new TwoDrivers(publisherDriver, subscriberDriver, false);
                    Subscription subscription = drivers.subscriber.addSubscription(channel, STREAM_ID);
                    Publication publication = drivers.publisher.addPublication(channel, STREAM_ID))
                {
                    await("linked", () -> 1 == sum(drivers.publisher, EfaCounters.LINKS_TYPE_ID),
                        () -> counters(drivers.publisher));
                    final long framesBefore = sum(drivers.publisher, EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID);
                    Traffic.exchange(publication, subscription, MESSAGES);
                    assertThat(sum(drivers.publisher, EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID) - framesBefore)
                        .isGreaterThanOrEqualTo(MESSAGES / 20);
                    // A link that the former publication's endpoint still has is made anew, and that is counted.
                    assertThat(sum(drivers.publisher, EfaCounters.FALLBACKS_TYPE_ID)).isLessThan(incarnation);
                }
            }
        }
    }

    @Test
    void shouldGoBackToUdpWhenPeerStopsAnswering()
    {
        final String channel = TwoDrivers.endpoint();
        final EfaContext impatient = efaContext("shm", 1)
            .keepaliveIntervalNs(TimeUnit.MILLISECONDS.toNanos(50))
            .linkTimeoutNs(TimeUnit.MILLISECONDS.toNanos(400));
        final MediaDriver.Context invoked = driverContext().threadingMode(ThreadingMode.INVOKER);
        try (EfaMediaDriver publisherDriver = EfaMediaDriver.launchEmbedded(driverContext(), impatient);
            EfaMediaDriver subscriberDriver = EfaMediaDriver.launchEmbedded(invoked, efaContext("shm", 1));
            Aeron subscriber = Aeron.connect(new Aeron.Context()
                .aeronDirectoryName(subscriberDriver.aeronDirectoryName())
                .useConductorAgentInvoker(true)
                .driverAgentInvoker(subscriberDriver.mediaDriver().sharedAgentInvoker()));
            TwoDrivers drivers = new TwoDrivers(publisherDriver, null, false);
            Subscription subscription = subscriber.addSubscription(channel, STREAM_ID);
            Publication publication = drivers.publisher.addPublication(channel, STREAM_ID))
        {
            await("linked", () ->
            {
                subscriberDriver.mediaDriver().sharedAgentInvoker().invoke();
                subscriber.conductorAgentInvoker().invoke();
                return subscription.isConnected() && 1 == sum(drivers.publisher, EfaCounters.LINKS_TYPE_ID);
            });

            await("fallback", () -> 1 == sum(drivers.publisher, EfaCounters.FALLBACKS_TYPE_ID));
            await("fallback of the peer", () -> 1 == sum(drivers.publisher, EfaCounters.PEER_FALLBACKS_TYPE_ID) &&
                0 == sum(drivers.publisher, EfaCounters.PEER_TRANSPORT_TYPE_ID));
            await("link down", () -> 0 == sum(drivers.publisher, EfaCounters.LINKS_TYPE_ID));

            await("linked again", () ->
            {
                subscriberDriver.mediaDriver().sharedAgentInvoker().invoke();
                subscriber.conductorAgentInvoker().invoke();
                return 1 == sum(drivers.publisher, EfaCounters.LINKS_TYPE_ID) && publication.isConnected();
            });
            assertThat(sum(drivers.publisher, EfaCounters.PEER_TRANSPORT_TYPE_ID)).isEqualTo(1);
            assertThat(sum(drivers.publisher, EfaCounters.PEER_HANDSHAKES_TYPE_ID)).isEqualTo(2);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = { "shm", "tcp" })
    void shouldBeWarmBeforeTheFirstMessage(final String protocol)
    {
        final String channel = TwoDrivers.endpoint();
        try (TwoDrivers drivers = TwoDrivers.onRails(protocol, 2);
            Subscription subscription = drivers.subscriber.addSubscription(channel, STREAM_ID);
            Publication publication = drivers.publisher.addPublication(channel, STREAM_ID))
        {
            final EfaMediaDriver driver = (EfaMediaDriver)drivers.publisherDriver;
            driver.warmUp(channel);
            driver.warmUp(channel.substring(channel.indexOf('=') + 1));
            await("both sides up", () -> publication.isConnected() &&
                1 == sum(drivers.subscriber, EfaCounters.LINKS_TYPE_ID));
            assertThat(sum(drivers.publisher, EfaCounters.HANDSHAKES_TYPE_ID)).isEqualTo(1);

            final long pushedBack = sum(drivers.publisher, EfaCounters.RAIL_EAGAIN_TYPE_ID) +
                sum(drivers.subscriber, EfaCounters.RAIL_EAGAIN_TYPE_ID);
            Traffic.exchange(publication, subscription, 10);
            assertThat(sum(drivers.publisher, EfaCounters.RAIL_EAGAIN_TYPE_ID) +
                sum(drivers.subscriber, EfaCounters.RAIL_EAGAIN_TYPE_ID)).isEqualTo(pushedBack);
            assertThat(sum(drivers.publisher, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID)).isZero();
            assertThat(sum(drivers.publisher, EfaCounters.RAILS_UNPROVEN_TYPE_ID)).isZero();
        }
    }

    @Test
    void shouldSayWhyAPeerIsNotWarm()
    {
        final String channel = TwoDrivers.endpoint();
        try (TwoDrivers drivers = new TwoDrivers(
            EfaMediaDriver.launchEmbedded(driverContext(), efaContext("shm", 1)),
            EfaMediaDriver.launchEmbedded(driverContext(), efaContext("tcp", 1))))
        {
            final EfaMediaDriver driver = (EfaMediaDriver)drivers.publisherDriver;
            assertThatThrownBy(() -> driver.warmUp(channel, 1_000_000)).isInstanceOf(TimeoutException.class)
                .hasMessageContaining("is there a publication to it here");
            try (Publication ignore = drivers.publisher.addPublication(channel, STREAM_ID))
            {
                assertThatThrownBy(() -> driver.warmUp(channel, 1_000_000)).isInstanceOf(TimeoutException.class)
                    .hasMessageContaining("within 1 ms").hasMessageContaining("a subscription of a Millrace driver");
                try (Subscription ignored = drivers.subscriber.addSubscription(channel, STREAM_ID))
                {
                    assertThatThrownBy(() -> driver.warmUp(channel)).isInstanceOf(AeronException.class)
                        .hasMessageContaining("PROVIDER_MISMATCH").hasMessageContaining("shm");
                }
            }
        }
    }

    @Test
    void shouldBeginTheHandshakeWithThePublication()
    {
        final String channel = TwoDrivers.endpoint();
        try (TwoDrivers drivers = TwoDrivers.onRails("shm");
            Subscription ignore = drivers.subscriber.addSubscription(channel, STREAM_ID);
            Publication publication = drivers.publisher.addPublication(channel, STREAM_ID))
        {
            await("linked", () -> 1 == sum(drivers.publisher, EfaCounters.LINKS_TYPE_ID) &&
                1 == sum(drivers.subscriber, EfaCounters.LINKS_TYPE_ID));
            assertThat(publication.position()).isZero();
        }
    }

    @Test
    void shouldLinkInBothDirectionsAtOnce()
    {
        final String there = TwoDrivers.endpoint();
        final String back = TwoDrivers.endpoint();
        try (TwoDrivers drivers = TwoDrivers.onRails("tcp");
            Subscription thereSubscription = drivers.subscriber.addSubscription(there, STREAM_ID);
            Subscription backSubscription = drivers.publisher.addSubscription(back, STREAM_ID);
            Publication therePublication = drivers.publisher.addPublication(there, STREAM_ID);
            Publication backPublication = drivers.subscriber.addPublication(back, STREAM_ID))
        {
            await("linked", () -> 2 == sum(drivers.publisher, EfaCounters.LINKS_TYPE_ID) &&
                2 == sum(drivers.subscriber, EfaCounters.LINKS_TYPE_ID));
            Traffic.exchange(therePublication, thereSubscription, MESSAGES);
            Traffic.exchange(backPublication, backSubscription, MESSAGES);
            assertThat(sum(drivers.publisher, EfaCounters.FALLBACKS_TYPE_ID)).isZero();
            assertThat(sum(drivers.subscriber, EfaCounters.FALLBACKS_TYPE_ID)).isZero();
        }
    }

    @Test
    void shouldFollowAPeerToRailsAndBackToUdp()
    {
        final String channel = TwoDrivers.endpoint();
        final EfaContext impatient = efaContext("shm", 1)
            .keepaliveIntervalNs(TimeUnit.MILLISECONDS.toNanos(50))
            .linkTimeoutNs(TimeUnit.MILLISECONDS.toNanos(500));
        try (EfaMediaDriver driver = EfaMediaDriver.launchEmbedded(driverContext(), impatient);
            Aeron aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(driver.aeronDirectoryName()));
            Publication publication = aeron.addPublication(channel, STREAM_ID))
        {
            for (final boolean isOnRails : new boolean[] { false, true, false })
            {
                try (AutoCloseable peer = isOnRails ?
                    EfaMediaDriver.launchEmbedded(driverContext(), efaContext("shm", 1)) :
                    MediaDriver.launch(driverContext());
                    TwoDrivers drivers = new TwoDrivers(driver, peer, false);
                    Subscription subscription = drivers.subscriber.addSubscription(channel, STREAM_ID))
                {
                    await("transport", () -> (isOnRails ? 1 : 0) == sum(aeron, EfaCounters.LINKS_TYPE_ID));
                    Traffic.exchange(publication, subscription, MESSAGES);
                    await("the same after traffic",
                        () -> (isOnRails ? 1 : 0) == sum(aeron, EfaCounters.LINKS_TYPE_ID));
                }
                catch (final RuntimeException ex)
                {
                    throw ex;
                }
                catch (final Exception ex)
                {
                    throw new IllegalStateException(ex);
                }
            }
        }
    }

    @Test
    void shouldRefusePeersWithoutTheKeyAndLinkThoseThatHaveIt(@TempDir final Path directory) throws IOException
    {
        final String keyFile = keyFile(directory.resolve("key"), "k".repeat(32));
        final String next = keyFile(directory.resolve("next"), "k".repeat(32) + "\n" + "n".repeat(32) + "\n");
        final String channel = TwoDrivers.endpoint();
        try (TwoDrivers drivers = new TwoDrivers(
            EfaMediaDriver.launchEmbedded(driverContext(), efaContext("shm", 1).authKeyFile(keyFile)
                .handshakeTimeoutNs(TimeUnit.MILLISECONDS.toNanos(300))),
            EfaMediaDriver.launchEmbedded(driverContext(), efaContext("shm", 1)));
            Publication required = drivers.publisher.addPublication(channel + "|fabric=required", STREAM_ID + 1))
        {
            exchange(drivers, channel);
            await("fallback", () -> 1 <= sum(drivers.publisher, EfaCounters.FALLBACKS_TYPE_ID) &&
                1 <= sum(drivers.subscriber, EfaCounters.HANDSHAKES_UNAUTHENTICATED_TYPE_ID) &&
                1 <= sum(drivers.publisher, EfaCounters.HANDSHAKES_UNAUTHENTICATED_TYPE_ID));
            await("channel in error", () -> ChannelEndpointStatus.ERRORED == required.channelStatus());
            assertThat(sum(drivers.publisher, EfaCounters.LINKS_TYPE_ID)).isZero();
            assertThat(sum(drivers.subscriber, EfaCounters.ADDRESS_ENTRIES_TYPE_ID)).isZero();
        }

        // the second key is known and not yet used
        try (TwoDrivers drivers = new TwoDrivers(
            EfaMediaDriver.launchEmbedded(driverContext(), efaContext("shm", 1).authKeyFile(keyFile)),
            EfaMediaDriver.launchEmbedded(driverContext(), efaContext("shm", 1).authKeyFile(next))))
        {
            exchange(drivers, channel + "|fabric=required");
            assertThat(sum(drivers.publisher, EfaCounters.HANDSHAKES_UNAUTHENTICATED_TYPE_ID)).isZero();
        }
    }

    private static String keyFile(final Path file, final String text) throws IOException
    {
        Files.writeString(file, text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        return file.toString();
    }

    @Test
    void shouldRefuseRequiredFabricOnDriverWithoutRails()
    {
        try (TwoDrivers drivers = TwoDrivers.onRails("udp"))
        {
            assertThatThrownBy(
                () -> drivers.publisher.addPublication(TwoDrivers.endpoint() + "|fabric=required", STREAM_ID))
                .isInstanceOf(RegistrationException.class)
                .hasMessageContaining("fabric=required")
                .hasMessageContaining("protocol udp: asked for by name");
            assertThatThrownBy(
                () -> drivers.publisher.addPublication(TwoDrivers.endpoint() + "|fabric=maybe", STREAM_ID))
                .isInstanceOf(RegistrationException.class)
                .hasMessageContaining("fabric=maybe")
                .hasMessageContaining("the only value is required");
        }
    }

    @Test
    void shouldSendNothingByUdpWhenFabricIsRequired()
    {
        try (TwoDrivers drivers = TwoDrivers.onRails("shm"))
        {
            exchange(drivers, TwoDrivers.endpoint() + "|fabric=required");
            assertThat(sum(drivers.publisher, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID)).isZero();
            assertThat(sum(drivers.publisher, EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID)).isPositive();
        }
    }

    @Test
    void shouldKeepRequirementForEachPublicationOfAChannel()
    {
        final String channel = TwoDrivers.endpoint();
        final EfaContext context = efaContext("shm", 1).handshakeTimeoutNs(TimeUnit.MILLISECONDS.toNanos(300));
        try (TwoDrivers drivers = new TwoDrivers(
            EfaMediaDriver.launchEmbedded(driverContext(), context), MediaDriver.launch(driverContext()));
            Subscription subscription = drivers.subscriber.addSubscription(channel, STREAM_ID);
            Subscription ignore = drivers.subscriber.addSubscription(channel, STREAM_ID + 1);
            Publication plain = drivers.publisher.addPublication(channel, STREAM_ID);
            Publication required = drivers.publisher.addPublication(channel + "|fabric=required", STREAM_ID + 1))
        {
            Traffic.exchange(plain, subscription, MESSAGES);
            await("channel in error", () -> ChannelEndpointStatus.ERRORED == required.channelStatus());
            assertThat(required.isConnected()).isFalse();
        }
    }

    @Test
    void shouldTakeErrorBackWhenPeerIsLinkedAfterAll()
    {
        final String channel = TwoDrivers.endpoint() + "|fabric=required";
        final EfaContext context = efaContext("shm", 1).handshakeTimeoutNs(TimeUnit.MILLISECONDS.toNanos(300));
        try (TwoDrivers drivers = new TwoDrivers(
            EfaMediaDriver.launchEmbedded(driverContext(), context),
            EfaMediaDriver.launchEmbedded(driverContext(), efaContext("shm", 1)));
            Publication publication = drivers.publisher.addPublication(channel, STREAM_ID))
        {
            await("channel in error", () -> ChannelEndpointStatus.ERRORED == publication.channelStatus());
            try (Subscription subscription = drivers.subscriber.addSubscription(channel, STREAM_ID))
            {
                Traffic.exchange(publication, subscription, MESSAGES);
                assertThat(publication.channelStatus()).isEqualTo(ChannelEndpointStatus.ACTIVE);
            }
        }
    }

    @Test
    void shouldUpgradeDestinationsOfAPublicationOneByOne()
    {
        final String onRails = TwoDrivers.endpoint();
        final String byUdp = TwoDrivers.endpoint();
        try (TwoDrivers drivers = new TwoDrivers(
            EfaMediaDriver.launchEmbedded(driverContext(), efaContext("shm", 1)),
            EfaMediaDriver.launchEmbedded(driverContext(), efaContext("shm", 1)));
            MediaDriver stock = MediaDriver.launch(driverContext());
            Aeron stockClient = Aeron.connect(new Aeron.Context().aeronDirectoryName(stock.aeronDirectoryName()));
            Subscription railSubscription = drivers.subscriber.addSubscription(onRails, STREAM_ID);
            Subscription stockSubscription = stockClient.addSubscription(byUdp, STREAM_ID);
            Publication publication = drivers.publisher.addPublication(
                "aeron:udp?control-mode=manual|fc=min,g:/2|term-length=64k", STREAM_ID))
        {
            publication.addDestination(onRails);
            publication.addDestination(byUdp);
            await("one link", () -> 1 == sum(drivers.publisher, EfaCounters.LINKS_TYPE_ID));
            await("both connected", () -> railSubscription.isConnected() && stockSubscription.isConnected());

            final int[] received = new int[2];
            final UnsafeBuffer message = new UnsafeBuffer(new byte[100]);
            int sent = 0;
            while (sent < MESSAGES)
            {
                if (publication.offer(message) > 0)
                {
                    sent++;
                }
                railSubscription.poll((buffer, offset, length, header) -> received[0]++, 10);
                stockSubscription.poll((buffer, offset, length, header) -> received[1]++, 10);
            }

            await("all received by both", () ->
            {
                railSubscription.poll((buffer, offset, length, header) -> received[0]++, 10);
                stockSubscription.poll((buffer, offset, length, header) -> received[1]++, 10);
                return MESSAGES == received[0] && MESSAGES == received[1];
            }, () -> received[0] + " " + received[1]);
            assertThat(sum(drivers.publisher, EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID)).isPositive();
            assertThat(sum(drivers.publisher, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID)).isPositive();
        }
    }

    @Test
    void shouldRefuseToServeTwoDrivers()
    {
        final MediaDriver.Context context = EfaMediaDriver.install(driverContext(), efaContext("shm", 1));
        final MediaDriver.Context copy = context.clone().aeronDirectoryName(driverContext().aeronDirectoryName());
        try (TwoDrivers drivers = new TwoDrivers(MediaDriver.launch(context), MediaDriver.launch(copy)))
        {
            final String channel = TwoDrivers.endpoint();
            drivers.publisher.addPublication(channel, STREAM_ID);
            assertThatThrownBy(() -> drivers.subscriber.addSubscription(channel, STREAM_ID))
                .isInstanceOf(RegistrationException.class)
                .hasMessageContaining("call EfaMediaDriver.install for each context");
        }
    }

    @Test
    void shouldSetChannelInErrorWhenRequiredFabricIsNotMet()
    {
        final String channel = TwoDrivers.endpoint();
        final EfaContext context = efaContext("shm", 1).handshakeTimeoutNs(TimeUnit.MILLISECONDS.toNanos(300));
        try (TwoDrivers drivers = new TwoDrivers(
            EfaMediaDriver.launchEmbedded(driverContext(), context), MediaDriver.launch(driverContext()));
            Subscription ignore = drivers.subscriber.addSubscription(channel, STREAM_ID);
            Publication publication = drivers.publisher.addPublication(channel + "|fabric=required", STREAM_ID))
        {
            await("channel in error", () -> ChannelEndpointStatus.ERRORED == publication.channelStatus());
            assertThat(publication.isConnected()).isFalse();
            assertThat(sum(drivers.publisher, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID)).isZero();
        }
    }

    private static void exchange(final TwoDrivers drivers, final String channel)
    {
        try (Subscription subscription = drivers.subscriber.addSubscription(channel, STREAM_ID);
            Publication publication = drivers.publisher.addPublication(channel, STREAM_ID))
        {
            Traffic.exchange(publication, subscription, MESSAGES);
        }
    }
}
