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
import io.millrace.efa.link.HandshakeFilter;
import io.millrace.efa.link.Link;
import io.millrace.efa.link.RailChannel;
import io.millrace.efa.term.SendLog;
import org.agrona.collections.Object2ObjectHashMap;
import org.agrona.concurrent.UnsafeBuffer;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
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
    private final RepeatedReports destinations = new RepeatedReports();
    private final RepeatedReports alive = new RepeatedReports();
    private final SocketPace socketPace = new SocketPace(System.nanoTime());
    private final RailChannel channel;
    private final FabricEvents events;
    private final long stallTimeoutNs;
    private InetSocketAddress lastAddress;
    private Link lastLink;

    LinkRouter(final RailChannel channel, final FabricEvents events, final long stallTimeoutNs)
    {
        this.stallTimeoutNs = stallTimeoutNs;
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
        return send(packet, target, null);
    }

    /**
     * Send a packet on a rail if its target has a link that is up.
     *
     * @param log of the publication, to send from without a copy, or null.
     * @return bytes taken, 0 for back-pressure, or {@link PacketRouter#BY_SOCKET}.
     */
    int send(final ByteBuffer packet, final InetSocketAddress target, final SendLog log)
    {
        final Link link = link(target);
        if (null == link || !link.isUp())
        {
            return PacketRouter.BY_SOCKET;
        }

        final int sent = link.send(packet, log);
        if (0 == sent && !link.isGivenUp() && link.busyNs(System.nanoTime()) > stallTimeoutNs &&
            events.onPeerStalled(channel, target))
        {
            link.giveUp();
        }

        return sent;
    }

    /**
     * For how long have the rails to a target pushed back?
     *
     * @return nanoseconds, 0 without a link or back-pressure.
     */
    long busyNs(final InetSocketAddress target)
    {
        final Link link = link(target);
        return null == link ? 0 : link.busyNs(System.nanoTime());
    }

    /**
     * Is there a link that is up?
     */
    boolean isUp(final InetSocketAddress target)
    {
        final Link link = link(target);
        return null != link && link.isUp();
    }

    /**
     * Ask for a link, and from time to time again, as a sign that the target is still wanted.
     */
    void request(final InetSocketAddress target)
    {
        final long nowNs = System.nanoTime();
        if (destinations.isDue(target, nowNs) && !target.isUnresolved() &&
            !target.getAddress().isMulticastAddress() && events.onDestination(channel, target))
        {
            destinations.onReported(target, nowNs);
        }
    }

    /**
     * A peer was heard over UDP: without a link it may be a stock driver, with one it should not be for long.
     */
    void onHeardOverUdp(final InetSocketAddress source)
    {
        final long nowNs = System.nanoTime();
        final Link link = link(source);
        if (null != link)
        {
            if (link.isUp() && !link.isGivenUp() && link.onHeardByUdp(nowNs, DEAF_TIMEOUT_NS) &&
                events.onPeerDeaf(channel, source))
            {
                link.giveUp();
            }
        }
        else if (destinations.isKnown(source) && alive.isDue(source, nowNs) && events.onPeerAlive(channel, source))
        {
            alive.onReported(source, nowNs);
        }
    }

    /**
     * Is the socket to be looked at in this duty cycle? Always without a link.
     */
    boolean isSocketDue(final long nowNs)
    {
        return linkByAddress.isEmpty() || socketPace.isDue(nowNs);
    }

    void onDatagram(final long nowNs)
    {
        socketPace.onDatagram(nowNs);
    }

    /**
     * Take note of a frame that came by the socket, and forward it if it is a handshake.
     */
    void onSocketFrame(
        final UnsafeBuffer buffer, final int length, final InetSocketAddress source, final long nowNs)
    {
        if (!HandshakeFilter.forward(events, channel, buffer, length, source, isUp(source)))
        {
            socketPace.onUdpPeer(nowNs);
        }
    }

    void attach(final Link link)
    {
        linkByAddress.put(link.peerAddress(), link);
        lastAddress = null;
        lastLink = null;
    }

    void detach(final Link link)
    {
        linkByAddress.remove(link.peerAddress(), link);
        alive.forget(link.peerAddress());
        lastAddress = null;
        lastLink = null;
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
