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
package io.millrace.efa.media;

import io.millrace.efa.link.FabricEvents;
import io.millrace.efa.link.Link;
import io.millrace.efa.link.RailChannel;
import org.agrona.collections.Object2ObjectHashMap;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Links of one channel endpoint by the address of their peers. Owned by the endpoint's agent.
 */
final class LinkRouter
{
    /**
     * A receiver repeats its status messages several times in this time.
     */
    private static final long DEAF_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(2);

    private final Object2ObjectHashMap<InetSocketAddress, Link> linkByAddress = new Object2ObjectHashMap<>();
    private final Set<InetSocketAddress> destinations = new HashSet<>();
    private final Set<InetSocketAddress> aliveReported = new HashSet<>();
    private final RailChannel channel;
    private final FabricEvents events;
    private InetSocketAddress lastAddress;
    private Link lastLink;

    LinkRouter(final RailChannel channel, final FabricEvents events)
    {
        this.channel = channel;
        this.events = events;
    }

    /**
     * Send a packet on a rail if its target has a link that is up.
     *
     * @return bytes taken, 0 for back-pressure, or {@link PacketRouter#BY_SOCKET}.
     */
    int send(final ByteBuffer packet, final InetSocketAddress target)
    {
        final Link link = link(target);
        return null != link && link.isUp() ? link.send(packet) : PacketRouter.BY_SOCKET;
    }

    /**
     * Ask for a link, once for each target.
     */
    void request(final InetSocketAddress target)
    {
        if (!destinations.contains(target) && !target.isUnresolved() && !target.getAddress().isMulticastAddress() &&
            events.onDestination(channel, target))
        {
            destinations.add(target);
        }
    }

    /**
     * A peer was heard over UDP: without a link it may be a stock driver, with one it should not be for long.
     */
    void onHeardOverUdp(final InetSocketAddress source)
    {
        final Link link = link(source);
        if (null != link)
        {
            if (link.isUp() && link.onHeardByUdp(System.nanoTime(), DEAF_TIMEOUT_NS))
            {
                events.onPeerDeaf(channel, source);
            }
        }
        else if (!aliveReported.contains(source) && events.onPeerAlive(channel, source))
        {
            aliveReported.add(source);
        }
    }

    void attach(final Link link)
    {
        linkByAddress.put(link.peerAddress(), link);
        aliveReported.remove(link.peerAddress());
        lastAddress = null;
        lastLink = null;
    }

    void detach(final Link link)
    {
        linkByAddress.remove(link.peerAddress(), link);
        lastAddress = null;
        lastLink = null;
    }

    Iterable<Link> links()
    {
        return linkByAddress.values();
    }

    private Link link(final InetSocketAddress target)
    {
        if (lastAddress != target)
        {
            lastLink = linkByAddress.get(target);
            lastAddress = target;
        }

        return lastLink;
    }
}
