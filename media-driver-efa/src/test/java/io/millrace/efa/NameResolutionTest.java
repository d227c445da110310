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
import io.aeron.driver.DefaultNameResolver;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

import static io.millrace.efa.TwoDrivers.await;
import static io.millrace.efa.TwoDrivers.counters;
import static io.millrace.efa.TwoDrivers.driverContext;
import static io.millrace.efa.TwoDrivers.efaContext;

/**
 * Peers that are known by name and move to another host and port, where they are found by Aeron's re-resolution.
 */
@Timeout(150)
class NameResolutionTest
{
    private static final int STREAM_ID = 51;
    private static final int MESSAGES = 100;

    /**
     * Aeron looks for a peer that is silent for 5 s, so the drivers of both protocols are waited for together.
     */
    @Test
    void shouldFollowPeersToTheirNewAddressOnRails()
    {
        final List<MovingPeers> all = new ArrayList<>();
        try
        {
            all.add(new MovingPeers("shm"));
            all.add(new MovingPeers("tcp"));
            all.forEach(MovingPeers::exchange);
            all.forEach(MovingPeers::move);
            all.forEach(MovingPeers::exchange);
        }
        finally
        {
            all.forEach(MovingPeers::close);
        }
    }

    private static final class MovingPeers extends DefaultNameResolver implements AutoCloseable
    {
        private final Map<String, String> addressByName = new ConcurrentHashMap<>();
        private final TwoDrivers drivers;
        private final Publication unicast;
        private final Publication spread;
        private Subscription unicastSubscription;
        private Subscription spreadSubscription;

        MovingPeers(final String protocol)
        {
            drivers = new TwoDrivers(
                EfaMediaDriver.launchEmbedded(
                    driverContext()
                        .nameResolver(this)
                        .reResolutionCheckIntervalNs(TimeUnit.MILLISECONDS.toNanos(100)),
                    efaContext(protocol, 1)),
                EfaMediaDriver.launchEmbedded(driverContext(), efaContext(protocol, 1)));
            subscribe("127.0.0.1");
            unicast = drivers.publisher.addPublication("aeron:udp?endpoint=mill-one", STREAM_ID);
            spread = drivers.publisher.addPublication("aeron:udp?control-mode=manual|fc=min", STREAM_ID + 1);
            spread.addDestination("aeron:udp?endpoint=mill-two");
        }

        void move()
        {
            unicastSubscription.close();
            spreadSubscription.close();
            subscribe("127.0.0.2");
        }

        void exchange()
        {
            exchange("mill-one", unicast, unicastSubscription);
            exchange("mill-two", spread, spreadSubscription);
        }

        @Override
        public String lookup(final String name, final String uriParamName, final boolean isReLookup)
        {
            return addressByName.getOrDefault(name, name);
        }

        @Override
        public void close()
        {
            drivers.close();
        }

        private void subscribe(final String host)
        {
            unicastSubscription = subscribe("mill-one", host, STREAM_ID);
            spreadSubscription = subscribe("mill-two", host, STREAM_ID + 1);
        }

        private Subscription subscribe(final String name, final String host, final int streamId)
        {
            final String channel = TwoDrivers.endpoint().replace("127.0.0.1", host);
            addressByName.put(name, channel.replaceAll(".*=", ""));
            return drivers.subscriber.addSubscription(channel, streamId);
        }

        private void exchange(final String name, final Publication publication, final Subscription subscription)
        {
            final String address = addressByName.get(name);
            await("on rails to " + address, () -> RailTraffic.isOnRails(drivers.publisher, address),
                () -> counters(drivers.publisher) + RailTraffic.errorText(drivers.publisher));
            RailTraffic.exchange(drivers, publication, subscription, MESSAGES);
        }
    }
}
