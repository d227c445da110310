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
package io.millrace.efa.link;

import io.millrace.codecs.handshake.AckStatus;
import io.millrace.codecs.handshake.ByeCause;
import io.millrace.efa.libfabric.FabricException;
import io.millrace.efa.rail.Rail;
import io.millrace.efa.rail.RailPeer;
import org.agrona.concurrent.NanoClock;

import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * The side that sends data: says Hello to each destination, with back-off until it is linked and as keepalive after.
 */
final class SenderHandshake
{
    private static final int MAX_PEERINGS = 8192;
    private static final long HELLO_INTERVAL_MIN_NS = TimeUnit.MILLISECONDS.toNanos(25);
    private static final long HELLO_INTERVAL_MAX_NS = TimeUnit.SECONDS.toNanos(1);
    private static final long SHORT_LIVED_NS = TimeUnit.SECONDS.toNanos(30);
    private static final long RETRY_INTERVAL_NS = TimeUnit.SECONDS.toNanos(1);
    private static final int MAX_SHIFT = 7;

    /**
     * A destination that nothing was sent to for so long is gone. {@link RailChannel}s repeat those that are not.
     */
    private static final long FORGET_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(30);


    private final Map<Peering.Key, Peering> peerings = new HashMap<>();
    private final Linking linking;
    private final NanoClock nanoClock;

    SenderHandshake(final Linking linking, final NanoClock nanoClock)
    {
        this.linking = linking;
        this.nanoClock = nanoClock;
    }

    void onDestination(final Peering.Key key)
    {
        final long nowNs = nanoClock.nanoTime();
        final Peering known = peerings.get(key);
        if (null != known)
        {
            known.lastWantedNs = nowNs;
        }
        else if (!key.channel().isClosed())
        {
            if (peerings.size() >= MAX_PEERINGS)
            {
                linking.onFallback("destination " + key.address() + " of " + key.channel().description() +
                    " stays on UDP: " + MAX_PEERINGS + " destinations of a driver are the limit");
                return;
            }

            final Peering peering = linking.newPeering(key, true);
            restart(peering, nowNs);
            peerings.put(key, peering);
        }
    }

    void onPeerAlive(final Peering.Key key)
    {
        final Peering peering = peerings.get(key);
        if (null != peering && !peering.isAliveOverUdp)
        {
            peering.isAliveOverUdp = true;
            peering.aliveSinceNs = nanoClock.nanoTime();
        }
    }

    void onPeerDeaf(final Peering.Key key)
    {
        final Peering peering = peerings.get(key);
        if (null != peering && peering.isLinked)
        {
            fallBack(peering, "the peer answers by UDP to what was sent on rails, which do not reach it");
            restartAfterFailure(peering, nanoClock.nanoTime());
        }
    }

    void onPeerStalled(final Peering.Key key)
    {
        final Peering peering = peerings.get(key);
        if (null != peering && peering.isLinked)
        {
            fallBack(peering, "rails pushed back on all that was sent for " + TimeUnit.NANOSECONDS.toMillis(
                linking.settings().context().linkTimeoutNs()) + " ms");
            restartAfterFailure(peering, nanoClock.nanoTime());
        }
    }

    int doWork(final long nowNs)
    {
        int workCount = 0;
        final Iterator<Peering> iterator = peerings.values().iterator();
        while (iterator.hasNext())
        {
            final Peering peering = iterator.next();
            if (peering.key.channel().isClosed() ||
                !peering.isLinked && nowNs - peering.lastWantedNs > FORGET_TIMEOUT_NS)
            {
                linking.remove(peering);
                iterator.remove();
                workCount++;
            }
            else
            {
                workCount += check(peering, nowNs);
            }
        }

        return workCount;
    }

    void onAck(final RailChannel channel, final HandshakeMessage.HelloAck ack)
    {
        final Peering peering = find(channel, ack.senderHandle());
        if (null == peering || ack.peerIncarnation() != linking.settings().incarnation() ||
            ack.sequence() > peering.sequence)
        {
            linking.onRejected();
            return;
        }

        if (AckStatus.ACCEPTED != ack.status())
        {
            final String reason = ack.status() + ": " + ack.reason();
            if (peering.isLinked)
            {
                fallBack(peering, reason);
                restart(peering, nanoClock.nanoTime());
            }
            else if (null == peering.refusal)
            {
                refuse(peering, reason);
            }
            return;
        }

        peering.lastHeardNs = nanoClock.nanoTime();
        if (!peering.isLinked ||
            peering.peerIncarnation != ack.incarnation() || peering.peerHandle != ack.receiverHandle())
        {
            link(peering, ack);
        }
    }

    boolean onBye(final RailChannel channel, final HandshakeMessage.Bye bye)
    {
        final Peering peering = find(channel, bye.handle());
        if (null != peering && peering.peerIncarnation == bye.incarnation())
        {
            if (ByeCause.FAILED == bye.cause())
            {
                linking.onFallback(peering, "link " + peering + " of " + channel.description() +
                    " ended by the peer: " + bye.reason());
                linking.unlink(peering);
                restartAfterFailure(peering, nanoClock.nanoTime());
            }
            else
            {
                linking.unlink(peering);
                restart(peering, nanoClock.nanoTime());
            }
        }

        return null != peering;
    }

    void onPeerFailed(final RailPeer peer, final String reason)
    {
        fallBackIf((peering) -> peering.uses(peer), reason);
    }

    void onRailFailed(final Rail rail, final String reason)
    {
        fallBackIf((peering) -> peering.uses(rail), "rail " + rail.index() + " of the sender failed: " + reason);
    }

    void stop(final String reason)
    {
        fallBackIf((peering) -> true, reason);
    }

    private void fallBackIf(final Predicate<Peering> predicate, final String reason)
    {
        for (final Peering peering : peerings.values())
        {
            if (peering.isLinked && predicate.test(peering))
            {
                fallBack(peering, reason);
                restartAfterFailure(peering, nanoClock.nanoTime());
            }
        }
    }

    private int check(final Peering peering, final long nowNs)
    {
        final long silenceNs = nowNs - peering.lastHeardNs;
        if (peering.isLinked && silenceNs > linking.settings().context().linkTimeoutNs())
        {
            fallBack(peering, "no answer to Hellos for " + TimeUnit.NANOSECONDS.toMillis(silenceNs) + " ms");
            restart(peering, nowNs);
        }

        if (!peering.isLinked && null == peering.refusal && isOverdue(peering, nowNs))
        {
            refuse(peering, "no answer to Hellos: a stock media driver, one on protocol udp, or nobody there");
        }
        else if (!peering.isLinked && null != peering.refusal && peering.key.channel().fabricRequired())
        {
            // a publication that requires rails may have come to a channel whose peer was refused before
            peering.key.channel().onFabricRefused(peering.refusal);
        }

        if (nowNs - peering.nextHelloNs >= 0 && linking.side().isEnabled())
        {
            sendHello(peering, nowNs);
            return 1;
        }

        return 0;
    }

    private boolean isOverdue(final Peering peering, final long nowNs)
    {
        final long timeoutNs = linking.settings().context().handshakeTimeoutNs();
        return nowNs - peering.firstHelloNs > timeoutNs && (peering.key.channel().fabricRequired() ||
            peering.isAliveOverUdp && nowNs - peering.aliveSinceNs > timeoutNs);
    }

    private void sendHello(final Peering peering, final long nowNs)
    {
        final AgentSide side = linking.side();
        if (null == peering.link)
        {
            final Link link = linking.newLink(peering.key);
            peering.link = link;
            side.run(() -> side.railSet().handles().register(link));
        }

        peering.helloIntervalNs = peering.isLinked ? linking.settings().context().keepaliveIntervalNs() :
            Math.min(2 * peering.helloIntervalNs, HELLO_INTERVAL_MAX_NS);
        peering.nextHelloNs = nowNs + peering.helloIntervalNs;

        final List<RailAddress> addresses = side.addresses();
        if (!addresses.isEmpty())
        {
            linking.send(peering.key, linking.codec().encode(new HandshakeMessage.Hello(
                HandshakeCodec.PROTOCOL_VERSION,
                linking.settings().incarnation(),
                linking.settings().hostId(),
                peering.link.handle(),
                ++peering.sequence,
                addresses,
                linking.settings().choice().protocol(),
                linking.settings().choice().wireName())));
        }
    }

    private void link(final Peering peering, final HandshakeMessage.HelloAck ack)
    {
        final List<RailPath> acquired;
        try
        {
            acquired = linking.side().acquire(ack.incarnation(), ack.rails());
        }
        catch (final FabricException ex)
        {
            refuse(peering, ex.getMessage());
            return;
        }

        if (peering.isLinked)
        {
            linking.onFallback(peering, "link " + peering + " of " + peering.key.channel().description() +
                " is made anew: the peer came back with another incarnation or handle");
            linking.onDetached(peering);
        }

        final List<RailPath> released = List.copyOf(peering.paths);
        peering.paths.clear();
        peering.paths.addAll(acquired);
        peering.peerIncarnation = ack.incarnation();
        peering.peerHandle = ack.receiverHandle();
        peering.refusal = null;
        peering.nextHelloNs = nanoClock.nanoTime() + linking.settings().context().keepaliveIntervalNs();

        linking.attach(peering, ack.receiverHandle(), acquired, true);
        linking.side().release(released);
        peering.linkedSinceNs = nanoClock.nanoTime();
    }

    private void fallBack(final Peering peering, final String reason)
    {
        linking.fallBack(peering, reason);
        if (peering.key.channel().fabricRequired())
        {
            peering.key.channel().onFabricRefused(reason);
        }
    }

    private void refuse(final Peering peering, final String reason)
    {
        peering.refusal = reason;
        linking.onFallback(
            peering, "peer " + peering + " of " + peering.key.channel().description() + " stays on UDP: " + reason);
        if (peering.key.channel().fabricRequired())
        {
            peering.key.channel().onFabricRefused(reason);
        }
    }

    private static void restart(final Peering peering, final long nowNs)
    {
        peering.helloIntervalNs = HELLO_INTERVAL_MIN_NS;
        peering.nextHelloNs = nowNs;
        peering.firstHelloNs = nowNs;
        peering.lastWantedNs = nowNs;
        peering.isAliveOverUdp = false;
    }

    /**
     * Rails that fail soon after they were linked, as behind a security group that lets UDP pass only, are tried again
     * less and less often: each try costs the frames that are lost until it has failed.
     */
    private static void restartAfterFailure(final Peering peering, final long nowNs)
    {
        restart(peering, nowNs);
        peering.shortLivedLinks =
            nowNs - peering.linkedSinceNs < SHORT_LIVED_NS ? Math.min(peering.shortLivedLinks + 1, MAX_SHIFT) : 0;
        if (peering.shortLivedLinks > 0)
        {
            peering.nextHelloNs = nowNs + (RETRY_INTERVAL_NS << peering.shortLivedLinks - 1);
            peering.firstHelloNs = peering.nextHelloNs;
        }
    }

    private Peering find(final RailChannel channel, final int handle)
    {
        for (final Peering peering : peerings.values())
        {
            if (peering.key.channel() == channel && null != peering.link && peering.link.handle() == handle)
            {
                return peering;
            }
        }

        return null;
    }
}
