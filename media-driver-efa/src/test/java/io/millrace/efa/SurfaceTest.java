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
import io.aeron.DirectBufferVector;
import io.aeron.ExclusivePublication;
import io.aeron.FragmentAssembler;
import io.aeron.Image;
import io.aeron.Publication;
import io.aeron.Subscription;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.status.SystemCounterDescriptor;
import io.aeron.logbuffer.BufferClaim;
import io.aeron.protocol.DataHeaderFlyweight;
import org.agrona.CloseHelper;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.CountersReader;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import static io.millrace.efa.RailTraffic.awaitLink;
import static io.millrace.efa.RailTraffic.errorText;
import static io.millrace.efa.TwoDrivers.await;
import static io.millrace.efa.TwoDrivers.counters;
import static io.millrace.efa.TwoDrivers.driverContext;
import static io.millrace.efa.TwoDrivers.sum;
import static io.millrace.efa.TwoDrivers.system;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * What Aeron's clients can ask of a driver, asked of drivers on rails. The tests of a protocol share two drivers, over
 * the EFA contract where the protocol is {@code strict}.
 */
@Timeout(150)
class SurfaceTest
{
    private static final Map<String, TwoDrivers> DRIVERS = new HashMap<>();
    private static final int STREAM_ID = 77;
    private static final int MESSAGES = 100;

    @AfterAll
    static void closeDrivers()
    {
        CloseHelper.closeAll(DRIVERS.values());
        DRIVERS.clear();
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "shm; 127.0.0.1; ; ", "tcp; 127.0.0.1; ; ",
        "shm; [::1]; ; ", "tcp; [::1]; ; ",
        "shm; 127.0.0.1; ; reliable=false", "tcp; 127.0.0.1; ; nak-delay=1ms",
        "shm; 127.0.0.1; mtu=8192|term-length=64k; ", "tcp; 127.0.0.1; mtu=65504|term-length=2m; ",
        "shm; 127.0.0.1; so-sndbuf=256k|so-rcvbuf=256k|rcv-wnd=32k; so-sndbuf=256k|so-rcvbuf=256k|rcv-wnd=32k",
        "shm; 127.0.0.1; cc=cubic; cc=cubic", "tcp; 127.0.0.1; cc=cubic; cc=cubic",
        "shm; 127.0.0.1; session-id=1234; session-id=1234",
        "tcp; 127.0.0.1; init-term-id=9|term-id=12|term-offset=64; ",
        "shm; 127.0.0.1; pub-wnd=16k|linger=0|sparse=true; tether=false|rejoin=false",
        "shm strict; 127.0.0.1; cc=cubic; cc=cubic", "tcp strict; 127.0.0.1; mtu=65504|term-length=2m; " })
    void shouldCarryChannelWithParameters(
        final String protocol, final String host, final String publisherParams, final String subscriberParams)
    {
        final TwoDrivers drivers = drivers(protocol);
        final String channel = "aeron:udp?endpoint=" + host + TwoDrivers.endpoint().replaceAll(".*(:\\d+)$", "$1");
        try (Subscription subscription =
            drivers.subscriber.addSubscription(with(channel, subscriberParams), STREAM_ID);
            ExclusivePublication publication =
                drivers.publisher.addExclusivePublication(with(channel, publisherParams), STREAM_ID))
        {
            RailTraffic.exchange(drivers, publication, subscription, MESSAGES);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = { "shm", "tcp", "shm strict", "tcp strict" })
    void shouldCarryEveryKindOfOffer(final String protocol)
    {
        final TwoDrivers drivers = drivers(protocol);
        final String channel = TwoDrivers.endpoint();
        final List<Integer> lengths = new ArrayList<>();
        final FragmentAssembler assembler = new FragmentAssembler(
            (buffer, offset, length, header) -> lengths.add(length));
        try (Subscription subscription = drivers.subscriber.addSubscription(channel, STREAM_ID);
            ExclusivePublication publication = drivers.publisher.addExclusivePublication(channel, STREAM_ID))
        {
            awaitLink(drivers, publication, subscription);
            final UnsafeBuffer message = new UnsafeBuffer(new byte[publication.maxMessageLength()]);
            final DirectBufferVector[] vectors = {
                new DirectBufferVector(message, 0, 100), new DirectBufferVector(message, 100, 3_000) };
            final BufferClaim claim = new BufferClaim();
            await("offer", () -> publication.offer(message, 0, 10) > 0);
            await("vectored offer", () -> publication.offer(vectors, null) > 0);
            await("claim", () -> publication.tryClaim(200, claim) > 0);
            claim.commit();
            await("abandoned claim", () -> publication.tryClaim(300, claim) > 0);
            claim.abort();
            await("block", () -> publication.offerBlock(block(publication), 0, 96) > 0);
            await("longest message", () -> publication.offer(message) > 0);
            await("received", () ->
            {
                subscription.poll(assembler, 10);
                return 5 == lengths.size();
            }, () -> lengths + counters(drivers.publisher) + counters(drivers.subscriber));
            assertThat(lengths).containsExactly(10, 3_100, 200, 64, publication.maxMessageLength());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = { "shm", "tcp", "shm strict", "tcp strict" })
    void shouldCarryWildcardPortsSpiesAndTags(final String protocol)
    {
        final TwoDrivers drivers = drivers(protocol);
        try (Subscription subscription =
            drivers.subscriber.addSubscription("aeron:udp?endpoint=127.0.0.1:0", STREAM_ID))
        {
            await("port", () -> null != subscription.resolvedEndpoint());
            final String channel =
                "aeron:udp?ssc=true|tags=31,32|endpoint=" + subscription.resolvedEndpoint();
            try (Publication publication = drivers.publisher.addPublication(channel, STREAM_ID);
                Publication tagged = drivers.publisher.addPublication("aeron:udp?ssc=true|tags=31", STREAM_ID);
                Subscription spy = drivers.publisher.addSubscription("aeron-spy:aeron:udp?tags=31", STREAM_ID))
            {
                assertThat(tagged.sessionId()).isEqualTo(publication.sessionId());
                await("spy", spy::isConnected);
                RailTraffic.exchange(drivers, publication, subscription, MESSAGES);
                final long[] spied = new long[1];
                await("spied", () ->
                {
                    spy.poll((buffer, offset, length, header) -> spied[0]++, 10);
                    return MESSAGES == spied[0];
                });
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = { "shm", "tcp", "shm strict", "tcp strict" })
    void shouldMixStockAndUpgradedDestinations(final String protocol)
    {
        final TwoDrivers drivers = drivers(protocol);
        final String upgraded = TwoDrivers.endpoint();
        final String stock = TwoDrivers.endpoint();
        final String control = TwoDrivers.endpoint().replace("aeron:udp?endpoint=", "");
        try (MediaDriver stockDriver = MediaDriver.launch(driverContext());
            Aeron stockClient = Aeron.connect(
                new Aeron.Context().aeronDirectoryName(stockDriver.aeronDirectoryName())))
        {
            try (Publication publication = drivers.publisher.addPublication(
                "aeron:udp?control-mode=manual|fc=min,g:/2", STREAM_ID);
                Subscription one = drivers.subscriber.addSubscription(upgraded, STREAM_ID);
                Subscription other = stockClient.addSubscription(stock, STREAM_ID))
            {
                publication.addDestination(upgraded);
                publication.addDestination(stock);
                exchangeWithBoth(drivers, publication, one, other);
                publication.removeDestination(stock);
            }

            final String dynamic = "|control-mode=dynamic|control=" + control;
            try (Publication publication = drivers.publisher.addPublication(
                "aeron:udp?fc=min,g:/2" + dynamic, STREAM_ID);
                Subscription one = drivers.subscriber.addSubscription(
                    "aeron:udp?endpoint=127.0.0.1:0" + dynamic, STREAM_ID);
                Subscription other = stockClient.addSubscription(
                    "aeron:udp?endpoint=127.0.0.1:0" + dynamic, STREAM_ID))
            {
                exchangeWithBoth(drivers, publication, one, other);
            }
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', value = {
        "shm; multicast has no rails; aeron:udp?endpoint=224.20.30.41:%d|interface=localhost",
        "tcp; multicast has no rails; aeron:udp?endpoint=224.20.30.43:%d|interface=localhost",
        "shm strict; multicast has no rails; aeron:udp?endpoint=224.20.30.45:%d|interface=localhost",
        "shm; a multi-destination subscription has no rails; aeron:udp?endpoint=127.0.0.1:%d",
        "tcp; a multi-destination subscription has no rails; aeron:udp?endpoint=127.0.0.1:%d" })
    void shouldGoByUdpOnceToldWhereRailsCannot(final String protocol, final String reason, final String uri)
    {
        final TwoDrivers drivers = drivers(protocol);
        final String channel = String.format(uri,
            Integer.parseInt(TwoDrivers.endpoint().replaceAll(".*:(\\d+)$", "$1")));
        final boolean isMulticast = uri.contains("224.");
        final long fallbacks = sum(drivers.subscriber, EfaCounters.FALLBACKS_TYPE_ID);
        final long errors = system(drivers.subscriber, SystemCounterDescriptor.ERRORS);
        try (Subscription subscription = drivers.subscriber.addSubscription(
            isMulticast ? channel : "aeron:udp?control-mode=manual", STREAM_ID);
            Publication publication = drivers.publisher.addPublication(channel, STREAM_ID))
        {
            if (!isMulticast)
            {
                subscription.addDestination(channel);
            }
            Traffic.exchange(publication, subscription, MESSAGES);
            await("counted", () -> fallbacks + 1 == sum(drivers.subscriber, EfaCounters.FALLBACKS_TYPE_ID));
            await("reason", () -> errorText(drivers.subscriber).contains(reason));
            assertThat(system(drivers.subscriber, SystemCounterDescriptor.ERRORS)).isEqualTo(errors);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = { "shm", "tcp", "shm strict", "tcp strict" })
    void shouldTellEndsOfStreams(final String protocol)
    {
        final TwoDrivers drivers = drivers(protocol);
        final String channel = TwoDrivers.endpoint();
        try (Subscription subscription = drivers.subscriber.addSubscription(channel, STREAM_ID))
        {
            final Image ended = imageOf(drivers, channel, subscription, false);
            await("end of stream", ended::isEndOfStream);
            final Image revoked = imageOf(drivers, channel, subscription, true);
            await("revoked", revoked::isPublicationRevoked);

            try (Publication publication = drivers.publisher.addPublication(channel, STREAM_ID))
            {
                RailTraffic.exchange(drivers, publication, subscription, MESSAGES);
                final long errorFrames =
                    system(drivers.publisher, SystemCounterDescriptor.ERROR_FRAMES_RECEIVED);
                subscription.imageBySessionId(publication.sessionId()).reject("not wanted");
                await("rejected", () -> errorFrames <
                    system(drivers.publisher, SystemCounterDescriptor.ERROR_FRAMES_RECEIVED));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = { "shm", "tcp", "shm strict", "tcp strict" })
    void shouldAnswerOnResponseChannel(final String protocol)
    {
        final TwoDrivers drivers = drivers(protocol);
        final String requestChannel = TwoDrivers.endpoint();
        final String control = TwoDrivers.endpoint().replace("aeron:udp?endpoint=", "");
        final String response = "aeron:udp?control-mode=response|control=" + control;
        final Aeron client = drivers.publisher;
        final Aeron server = drivers.subscriber;
        try (Subscription requests = server.addSubscription(requestChannel, STREAM_ID);
            Subscription responses = client.addSubscription(response, STREAM_ID + 1);
            Publication request = client.addPublication(
                requestChannel + "|response-correlation-id=" + responses.registrationId(), STREAM_ID))
        {
            RailTraffic.exchange(drivers, request, requests, MESSAGES);
            try (Publication answer = server.addPublication(
                response + "|response-correlation-id=" + requests.imageAtIndex(0).correlationId(), STREAM_ID + 1))
            {
                await("answers on rails", () -> answer.isConnected() && RailTraffic.isOnRails(server, control),
                    () -> counters(server));
                final long byUdp = sum(server, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID);
                final long onRails = sum(server, EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID);
                Traffic.exchange(answer, responses, MESSAGES);
                assertThat(sum(server, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID)).isEqualTo(byUdp);
                assertThat(sum(server, EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID)).isGreaterThan(onRails);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = { "shm", "tcp", "shm strict", "tcp strict" })
    void shouldStampChannelTimes(final String protocol)
    {
        final TwoDrivers drivers = drivers(protocol);
        final String channel = TwoDrivers.endpoint();
        try (Subscription subscription = drivers.subscriber.addSubscription(
            channel + "|channel-rcv-ts-offset=8", STREAM_ID);
            Publication publication = drivers.publisher.addPublication(
                channel + "|channel-snd-ts-offset=0", STREAM_ID))
        {
            awaitLink(drivers, publication, subscription);
            final UnsafeBuffer message = new UnsafeBuffer(new byte[16]);
            message.setMemory(0, 16, (byte)-1);
            await("offer", () -> publication.offer(message) > 0);
            await("stamped", () -> 1 == subscription.poll(
                (buffer, offset, length, header) ->
                {
                    assertThat(buffer.getLong(offset)).isPositive();
                    assertThat(buffer.getLong(offset + 8)).isGreaterThanOrEqualTo(buffer.getLong(offset));
                },
                1));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = { "shm", "tcp" })
    @Timeout(600)
    void shouldCarryManyEndpointsAndStreams(final String protocol)
    {
        final int endpoints = Integer.getInteger("millrace.test.endpoints", 24);
        final int streams = Integer.getInteger("millrace.test.streams", 96);
        final List<Subscription> subscriptions = new ArrayList<>();
        final List<Publication> publications = new ArrayList<>();
        try (TwoDrivers drivers = TwoDrivers.onRails(protocol))
        {
            final String[] channels = new String[endpoints];
            final long startNs = System.nanoTime();
            for (int i = 0; i < streams; i++)
            {
                final int port = i % endpoints;
                if (null == channels[port])
                {
                    channels[port] = TwoDrivers.endpoint();
                }
                subscriptions.add(drivers.subscriber.addSubscription(channels[port], i));
                publications.add(drivers.publisher.addPublication(
                    channels[port] + "|term-length=64k", i));
            }

            final long addedNs = System.nanoTime();
            await("every channel on rails", () -> endpoints == sum(drivers.publisher, EfaCounters.LINKS_TYPE_ID));
            final long linkedNs = System.nanoTime();
            for (int i = 0; i < streams; i++)
            {
                final int stream = i;
                await("stream", () -> publications.get(stream).isConnected() && subscriptions.get(stream).isConnected(),
                    () -> stream + " of " + streams + ", publication " + publications.get(stream).isConnected() +
                    fabricCounters(drivers.publisher) + fabricCounters(drivers.subscriber));
                Traffic.exchange(publications.get(i), subscriptions.get(i), 3);
            }
            assertThat(sum(drivers.publisher, EfaCounters.FALLBACKS_TYPE_ID)).isZero();
            assertThat(sum(drivers.publisher, EfaCounters.LINKS_TYPE_ID)).isEqualTo(endpoints);
            System.gc();
            System.out.printf("%s: %d endpoints, %d streams: added in %d ms, linked %d ms later, 3 messages each " +
                "in %d ms, heap of both drivers and clients %d KiB, registered by one %d KiB%n",
                protocol, endpoints, streams, millis(addedNs - startNs), millis(linkedNs - addedNs),
                millis(System.nanoTime() - linkedNs),
                Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory() >> 10,
                sum(drivers.publisher, EfaCounters.REGISTERED_BYTES_TYPE_ID) >> 10);
        }
    }

    private static long millis(final long ns)
    {
        return TimeUnit.NANOSECONDS.toMillis(ns);
    }

    private static String fabricCounters(final Aeron aeron)
    {
        final StringBuilder text = new StringBuilder();
        final CountersReader counters = aeron.countersReader();
        counters.forEach((id, typeId, key, label) ->
        {
            final boolean isOfDriver = 0 == typeId || typeId >= EfaCounters.PROTOCOL_TYPE_ID;
            if (isOfDriver && 0 != counters.getCounterValue(id) && !label.contains("127.0.0.1"))
            {
                text.append("\n  ").append(counters.getCounterValue(id)).append(": ").append(label);
            }
        });
        return text.toString();
    }

    @ParameterizedTest
    @ValueSource(strings = "shm")
    void shouldCountDestinationsTowardsSelectorThreshold(final String protocol)
    {
        try (DriverProcess driver = new DriverProcess(protocol, "org.agrona.transport.iteration.threshold=2");
            Aeron aeron = driver.connect();
            Subscription subscription = aeron.addSubscription("aeron:udp?control-mode=manual", STREAM_ID))
        {
            subscription.addDestination(TwoDrivers.endpoint());
            subscription.addDestination(TwoDrivers.endpoint());
            await("told of MDS", () -> 1 == sum(aeron, EfaCounters.FALLBACKS_TYPE_ID));
            subscription.addDestination(TwoDrivers.endpoint());
            await("told of threshold", () -> 2 == sum(aeron, EfaCounters.FALLBACKS_TYPE_ID));
            // counted first, then logged
            await("reason", () -> errorText(aeron).contains("3 sockets of channels exceed"));
        }
    }

    private static TwoDrivers drivers(final String protocol)
    {
        return DRIVERS.computeIfAbsent(protocol, TwoDrivers::onRails);
    }

    private static String with(final String channel, final String params)
    {
        return null == params ? channel : channel + "|" + params;
    }

    private static void exchangeWithBoth(
        final TwoDrivers drivers, final Publication publication, final Subscription one, final Subscription other)
    {
        awaitLink(drivers, publication, one);
        await("both connected", other::isConnected);
        final long onRails = sum(drivers.publisher, EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID);
        final long byUdp = sum(drivers.publisher, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID);
        Traffic.exchange(publication, one, MESSAGES);
        final long[] received = new long[1];
        await("by UDP", () ->
        {
            other.poll((buffer, offset, length, header) -> received[0]++, 10);
            return MESSAGES == received[0];
        });
        assertThat(sum(drivers.publisher, EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID)).isGreaterThan(onRails);
        assertThat(sum(drivers.publisher, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID)).isGreaterThan(byUdp);
    }

    private static Image imageOf(
        final TwoDrivers drivers, final String channel, final Subscription subscription, final boolean revoke)
    {
        try (ExclusivePublication publication = drivers.publisher.addExclusivePublication(channel, STREAM_ID))
        {
            RailTraffic.exchange(drivers, publication, subscription, MESSAGES);
            final Image image = subscription.imageBySessionId(publication.sessionId());
            if (revoke)
            {
                publication.revoke();
            }
            return image;
        }
    }

    private static UnsafeBuffer block(final ExclusivePublication publication)
    {
        final UnsafeBuffer block = new UnsafeBuffer(new byte[96]);
        final DataHeaderFlyweight frame = new DataHeaderFlyweight(block);
        frame
            .termOffset(publication.termOffset())
            .sessionId(publication.sessionId())
            .streamId(publication.streamId())
            .termId(publication.termId())
            .version(DataHeaderFlyweight.CURRENT_VERSION)
            .flags((short)DataHeaderFlyweight.BEGIN_AND_END_FLAGS)
            .headerType(DataHeaderFlyweight.HDR_TYPE_DATA)
            .frameLength(block.capacity());
        return block;
    }
}
