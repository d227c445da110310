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

import io.aeron.AeronCounters;
import io.aeron.Image;
import io.aeron.Publication;
import io.aeron.Subscription;
import io.aeron.driver.DefaultMulticastFlowControlSupplier;
import io.aeron.driver.FlowControlSupplier;
import io.aeron.driver.PreferredMulticastFlowControlSupplier;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static io.millrace.efa.TwoDrivers.await;
import static io.millrace.efa.TwoDrivers.counters;
import static io.millrace.efa.TwoDrivers.driverContext;
import static io.millrace.efa.TwoDrivers.efaContext;
import static io.millrace.efa.TwoDrivers.sum;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Aeron's flow control strategies over destinations on rails, one of which takes nothing: they differ in whether it
 * holds up the other.
 */
@Timeout(150)
class FlowControlTest
{
    private static final int STREAM_ID = 31;
    private static final int MESSAGE_LENGTH = 1_000;
    private static final int WINDOW_LENGTH = 32 * 1024;
    private static final int MTU_LENGTH = 1408;
    private static final int MESSAGES = 200;
    private static final FlowControlSupplier DEFAULT = new DefaultMulticastFlowControlSupplier();
    private static final FlowControlSupplier PREFERRED = new PreferredMulticastFlowControlSupplier();

    @ParameterizedTest
    @ValueSource(strings = { "shm", "tcp", "shm strict", "tcp strict" })
    void shouldHoldUpPublicationForThoseThatTheStrategyNames(final String protocol)
    {
        try (TwoDrivers drivers = new TwoDrivers(
            EfaMediaDriver.launchEmbedded(
                driverContext().multicastFlowControlSupplier((channel, streamId, registrationId) ->
                    (null == channel.channelUri().get("fc") ? PREFERRED : DEFAULT)
                    .newInstance(channel, streamId, registrationId)),
                efaContext(protocol, 1)),
            EfaMediaDriver.launchEmbedded(driverContext(), efaContext(protocol, 1))))
        {
            exchange(drivers, "|fc=min,g:/2", "", true);
            exchange(drivers, "|fc=max", "", false);
            exchange(drivers, "|fc=tagged,g:101/1", "|gtag=101", false);
            exchange(drivers, "", "|gtag=-1", false);
            assertThat(sum(drivers.publisher, EfaCounters.FALLBACKS_TYPE_ID)).isZero();
        }
    }

    /**
     * The window here is the one that the channel asks for, far below term and publication window. A receiver tells of
     * what was taken in steps of a quarter of it.
     */
    @ParameterizedTest
    @ValueSource(strings = { "shm", "tcp", "shm strict", "tcp strict" })
    void shouldHoldUpUnicastPublicationAtItsReceiversWindow(final String protocol)
    {
        final String channel = TwoDrivers.endpoint();
        try (TwoDrivers drivers = TwoDrivers.onRails(protocol);
            Publication publication = drivers.publisher.addPublication(channel + "|term-length=1m", STREAM_ID);
            Subscription subscription =
                drivers.subscriber.addSubscription(channel + "|rcv-wnd=" + WINDOW_LENGTH, STREAM_ID))
        {
            RailTraffic.awaitLink(drivers, publication, subscription);
            final long byUdp = sum(drivers.publisher, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID);
            final UnsafeBuffer message = new UnsafeBuffer(new byte[MESSAGE_LENGTH]);
            final Image image = subscription.imageAtIndex(0);
            for (int window = 0; window < 3; window++)
            {
                final long limit = image.position() + WINDOW_LENGTH;
                await("offered", () ->
                    publication.offer(message) < 0 || publication.position() > limit + WINDOW_LENGTH);
                await("held up", () ->
                {
                    final long position = sum(drivers.publisher, AeronCounters.DRIVER_SENDER_POSITION_TYPE_ID);
                    assertThat(position).isLessThanOrEqualTo(limit);
                    final long told = sum(drivers.publisher, AeronCounters.DRIVER_SENDER_LIMIT_TYPE_ID);
                    return told >= limit - WINDOW_LENGTH / 4 && position > told - MTU_LENGTH;
                }, () -> limit + counters(drivers.publisher));

                final long sent = sum(drivers.publisher, AeronCounters.DRIVER_SENDER_POSITION_TYPE_ID);
                await("taken", () ->
                {
                    image.boundedPoll((buffer, offset, length, header) -> {}, sent, 10);
                    return image.position() == sent;
                }, () -> sent + counters(drivers.subscriber));
            }
            assertThat(sum(drivers.publisher, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID)).isEqualTo(byUdp);
        }
    }

    private static void exchange(
        final TwoDrivers drivers, final String strategy, final String tag, final boolean isHeldUp)
    {
        final String[] endpoints = { TwoDrivers.endpoint(), TwoDrivers.endpoint() };
        try (Publication publication = drivers.publisher.addPublication(
            "aeron:udp?control-mode=manual|term-length=64k" + strategy, STREAM_ID);
            Subscription taking = drivers.subscriber.addSubscription(
                endpoints[0] + "|rcv-wnd=" + WINDOW_LENGTH + tag, STREAM_ID);
            Subscription idle = drivers.subscriber.addSubscription(
                endpoints[1] + "|rcv-wnd=" + WINDOW_LENGTH, STREAM_ID))
        {
            for (final String endpoint : endpoints)
            {
                publication.addDestination(endpoint);
                await("on rails", () -> RailTraffic.isOnRails(drivers.publisher, endpoint.replaceAll(".*=", "")),
                    () -> counters(drivers.publisher));
            }
            await("connected", () -> publication.isConnected() && taking.isConnected() && idle.isConnected());

            final long byUdp = sum(drivers.publisher, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID);
            final UnsafeBuffer message = new UnsafeBuffer(new byte[MESSAGE_LENGTH]);
            final int[] received = new int[2];
            if (isHeldUp)
            {
                // the sender has its window to send, and the client another before it is held up
                await("held up", () ->
                {
                    poll(taking, received, 0);
                    return publication.offer(message) < 0 && publication.position() > 2 * WINDOW_LENGTH - MTU_LENGTH;
                });
                assertThat(received[0]).isLessThanOrEqualTo((WINDOW_LENGTH + MTU_LENGTH) / MESSAGE_LENGTH);
            }

            await(strategy + " lets messages pass", () ->
            {
                publication.offer(message);
                poll(taking, received, 0);
                if (isHeldUp)
                {
                    poll(idle, received, 1);
                }
                return received[0] >= MESSAGES && (!isHeldUp || received[1] >= MESSAGES);
            }, () -> received[0] + " " + received[1] + counters(drivers.publisher));
            assertThat(sum(drivers.publisher, EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID)).isEqualTo(byUdp);
        }
    }

    private static void poll(final Subscription subscription, final int[] received, final int index)
    {
        subscription.poll((buffer, offset, length, header) -> received[index]++, 10);
    }
}
