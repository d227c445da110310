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
import io.millrace.efa.ProtocolChoice;
import io.millrace.efa.libfabric.FabricException;
import io.millrace.efa.rail.Rail;
import io.millrace.efa.rail.RailPeer;
import org.agrona.concurrent.NanoClock;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * The side that receives data: judges Hellos and answers each.
 */
final class ReceiverHandshake
{
    private static final int MAX_PEERINGS = 8192;

    /**
     * Peers that were not heard on rails yet, in all and of one host.
     */
    private static final int MAX_UNPROVEN = 2048;
    private static final int MAX_UNPROVEN_OF_HOST = 512;

    private static final int MAX_HELLOS_UNSEEN = 1 << 16;

    private final Map<Peering.Key, Peering> peerings = new HashMap<>();
    private final Challenges challenges = new Challenges();
    private final Linking linking;
    private final NanoClock nanoClock;

    ReceiverHandshake(final Linking linking, final NanoClock nanoClock)
    {
        this.linking = linking;
        this.nanoClock = nanoClock;
    }

    int peers()
    {
        return peerings.size();
    }

    int doWork(final long nowNs)
    {
        int workCount = 0;
        final long timeoutNs = 2 * linking.settings().context().linkTimeoutNs();
        final Iterator<Peering> iterator = peerings.values().iterator();
        while (iterator.hasNext())
        {
            final Peering peering = iterator.next();
            if (peering.key.channel().isClosed() || nowNs - peering.lastHeardNs > timeoutNs)
            {
                remove(peering);
                iterator.remove();
                workCount++;
            }
            else if (peering.isWarmUpOverdue(nowNs, timeoutNs))
            {
                peering.warmUpSinceNs = nowNs;
                linking.finishWarmUp(peering);
            }
        }

        return workCount;
    }

    void onHello(final Peering.Key key, final HandshakeMessage.Hello hello)
    {
        final Peering known = peerings.get(key);
        final boolean isKnown = null != known && known.peerIncarnation == hello.incarnation() &&
            known.peerHandle == hello.senderHandle();
        if (key.channel().isClosed())
        {
            return;
        }

        if (isKnown && hello.sequence() <= known.sequence)
        {
            linking.onStale();
            return;
        }

        final AckStatus status = judge(hello);
        if (AckStatus.ACCEPTED != status)
        {
            answer(key, hello, 0, status, 0, refusalOf(hello, status));
        }
        else if (null != key.channel().refusal())
        {
            answer(key, hello, 0, AckStatus.REFUSED, 0, key.channel().refusal());
        }
        else if (isKnown)
        {
            known.sequence = hello.sequence();
            known.lastHeardNs = nanoClock.nanoTime();
            if (!hello.rails().isEmpty())
            {
                known.remote = hello.rails();
                if (!linking.renew(known, true, "the peer's rails changed"))
                {
                    fallBackIf((peering) -> peering == known, "no rail is left that is in use on both sides");
                    return;
                }
            }
            answer(key, hello, known.link.handle(), status, 0, "");
        }
        else if (linking.side().addresses().isEmpty())
        {
            answer(key, hello, 0, AckStatus.REFUSED, 0, "no rail of the receiver is ready");
        }
        else
        {
            admit(key, known, hello);
        }
    }

    private void admit(final Peering.Key key, final Peering known, final HandshakeMessage.Hello hello)
    {
        final long challenge = challenges.of(key, hello.incarnation());
        if (challenge != hello.challenge())
        {
            linking.counters().handshakesChallenged().increment();
            answer(key, hello, 0, AckStatus.CHALLENGE, challenge, "");
        }
        else if (null == known && isOverLimit(key.address().getAddress()))
        {
            linking.counters().handshakesOverLimit().increment();
        }
        else
        {
            link(key, known, hello);
        }
    }

    private boolean isOverLimit(final InetAddress host)
    {
        int unproven = 0;
        int unprovenOfHost = 0;
        for (final Peering peering : peerings.values())
        {
            if (!peering.isUp)
            {
                unproven++;
                unprovenOfHost += peering.key.address().getAddress().equals(host) ? 1 : 0;
            }
        }

        return peerings.size() >= MAX_PEERINGS || unproven >= MAX_UNPROVEN || unprovenOfHost >= MAX_UNPROVEN_OF_HOST;
    }

    void onBye(final Peering.Key key, final HandshakeMessage.Bye bye)
    {
        final Peering peering = peerings.get(key);
        if (null == peering || peering.link.handle() != bye.handle() ||
            peering.peerIncarnation != bye.incarnation() || !peering.isOfThisLink(bye.sequence(), MAX_HELLOS_UNSEEN))
        {
            linking.onStale();
            return;
        }

        peering.isClosedByPeer = ByeCause.CLOSED == bye.cause();
        remove(peering);
        peerings.remove(key);
    }

    private void remove(final Peering peering)
    {
        challenges.revoke(peering.key);
        linking.remove(peering);
    }

    void onPeerFailed(final RailPeer peer, final String reason)
    {
        for (final Peering peering : peerings.values())
        {
            linking.onPathFailed(peering, peer, nanoClock.nanoTime());
        }
        fallBackIf((peering) -> peering.uses(peer) && !linking.renew(peering, true, reason), reason);
    }

    void onRailFailed(final Rail rail, final String failure)
    {
        final String reason = "rail " + rail.index() + " of the receiver failed: " + failure;
        fallBackIf((peering) -> peering.uses(rail) && !linking.renew(peering, true, reason), reason);
    }

    /**
     * Rails were opened again. Senders learn of it with the answer to their next Hello.
     */
    void onRailsOpened()
    {
        renewAll("a rail of the receiver was opened again");
    }

    /**
     * Paths that failed may be tried again.
     */
    void onPathsReleased()
    {
        renewAll("a path that failed is tried again");
    }

    private void renewAll(final String reason)
    {
        fallBackIf((peering) -> !linking.renew(peering, true, reason), "no rail is left that is in use on both sides");
    }

    /**
     * A rail is opened anew: senders are to say Hello again at once.
     */
    void onRailRenewed(final Rail rail)
    {
        final Iterator<Peering> iterator = peerings.values().iterator();
        while (iterator.hasNext())
        {
            final Peering peering = iterator.next();
            if (peering.uses(rail) && !linking.renew(peering, true, "a rail of the receiver is opened anew"))
            {
                linking.bye(peering, ByeCause.CLOSED, "rail is opened anew");
                remove(peering);
                iterator.remove();
            }
        }
    }

    void stop(final String reason)
    {
        fallBackIf((peering) -> true, reason);
    }

    private void fallBackIf(final Predicate<Peering> predicate, final String reason)
    {
        final Iterator<Peering> iterator = peerings.values().iterator();
        while (iterator.hasNext())
        {
            final Peering peering = iterator.next();
            if (predicate.test(peering))
            {
                linking.fallBack(peering, reason);
                remove(peering);
                iterator.remove();
            }
        }
    }

    private void link(final Peering.Key key, final Peering known, final HandshakeMessage.Hello hello)
    {
        final Peering peering = linking.newPeering(key, false);
        try
        {
            peering.paths.addAll(linking.side().acquire(linking.failedPaths(), hello.incarnation(), hello.rails()));
        }
        catch (final FabricException ex)
        {
            linking.onRejected();
            linking.remove(peering);
            linking.onFallback("Hello of " + key.address() + " refused: " + ex.getMessage());
            answer(key, hello, 0, AckStatus.REFUSED, 0, ex.getMessage());
            return;
        }

        if (null != known)
        {
            remove(known);
        }

        peering.link = linking.newLink(key);
        peering.remote = hello.rails();
        peering.peerIncarnation = hello.incarnation();
        peering.peerHandle = hello.senderHandle();
        peering.firstSequence = hello.sequence();
        peering.sequence = hello.sequence();
        peering.capabilities = hello.capabilities();
        peering.lastHeardNs = nanoClock.nanoTime();
        peering.warmUpSinceNs = peering.lastHeardNs;
        peerings.put(key, peering);

        linking.attach(
            peering,
            Peering.token(hello.incarnation(), linking.settings().incarnation()),
            () -> onUnproven(peering));
        answer(key, hello, peering.link.handle(), AckStatus.ACCEPTED, 0, "");
    }

    /**
     * The sender says that it fell back, if it is there. Nothing is lost here.
     */
    private void onUnproven(final Peering peering)
    {
        linking.bye(peering, ByeCause.FAILED, "nothing of the sender arrived on rails");
        remove(peering);
        peerings.remove(peering.key, peering);
    }

    private AckStatus judge(final HandshakeMessage.Hello hello)
    {
        if (HandshakeCodec.PROTOCOL_VERSION != hello.protocolVersion())
        {
            return AckStatus.VERSION_MISMATCH;
        }

        final ProtocolChoice choice = linking.settings().choice();
        if (!choice.isFabric())
        {
            return AckStatus.REFUSED;
        }

        if (!choice.wireName().equals(hello.wireName()))
        {
            return AckStatus.PROVIDER_MISMATCH;
        }

        return choice.isHostLocal() && linking.settings().hostId() != hello.hostId() ?
            AckStatus.UNREACHABLE : AckStatus.ACCEPTED;
    }

    private String refusalOf(final HandshakeMessage.Hello hello, final AckStatus status)
    {
        final String wireName = linking.settings().choice().wireName();
        return switch (status)
        {
            case VERSION_MISMATCH -> "protocol version " + hello.protocolVersion() + " of the sender is not " +
                HandshakeCodec.PROTOCOL_VERSION + " of the receiver";
            case REFUSED -> "the receiver's driver has protocol udp: " + linking.settings().choice().reason();
            case PROVIDER_MISMATCH ->
                "provider " + hello.wireName() + " of the sender is not " + wireName + " of the receiver";
            default -> "sender and receiver are on different hosts, which " + wireName + " cannot join";
        };
    }

    private void answer(
        final Peering.Key key,
        final HandshakeMessage.Hello hello,
        final int handle,
        final AckStatus status,
        final long challenge,
        final String reason)
    {
        final ByteBuffer frame = linking.codec().encode(new HandshakeMessage.HelloAck(
            HandshakeCodec.PROTOCOL_VERSION,
            linking.settings().incarnation(),
            hello.incarnation(),
            hello.sequence(),
            hello.senderHandle(),
            handle,
            status,
            challenge,
            AckStatus.ACCEPTED == status ? linking.side().addresses() : List.of(),
            reason,
            linking.capabilities()));
        if (AckStatus.ACCEPTED == status)
        {
            linking.send(key, false, frame);
        }
        else
        {
            linking.answer(key, frame);
        }
    }
}
