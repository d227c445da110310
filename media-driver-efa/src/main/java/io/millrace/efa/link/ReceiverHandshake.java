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
import io.millrace.efa.ProtocolChoice;
import io.millrace.efa.libfabric.FabricException;
import io.millrace.efa.rail.Rail;
import io.millrace.efa.rail.RailPeer;
import org.agrona.concurrent.NanoClock;

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

    private final Map<Peering.Key, Peering> peerings = new HashMap<>();
    private final Linking linking;
    private final NanoClock nanoClock;

    ReceiverHandshake(final Linking linking, final NanoClock nanoClock)
    {
        this.linking = linking;
        this.nanoClock = nanoClock;
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
                linking.remove(peering);
                iterator.remove();
                workCount++;
            }
        }

        return workCount;
    }

    void onHello(final Peering.Key key, final HandshakeMessage.Hello hello)
    {
        final Peering known = peerings.get(key);
        final boolean isSameDriver = null != known && known.peerIncarnation == hello.incarnation();
        if (key.channel().isClosed() || isSameDriver && hello.sequence() <= known.sequence &&
            known.peerHandle == hello.senderHandle())
        {
            return;
        }

        final AckStatus status = judge(hello);
        if (AckStatus.ACCEPTED != status)
        {
            answer(key, hello, 0, status, refusalOf(hello, status));
        }
        else if (isSameDriver && known.peerHandle == hello.senderHandle())
        {
            known.sequence = hello.sequence();
            known.lastHeardNs = nanoClock.nanoTime();
            answer(key, hello, known.link.handle(), status, "");
        }
        else if (linking.side().addresses().isEmpty())
        {
            answer(key, hello, 0, AckStatus.REFUSED, "no rail of the receiver is ready");
        }
        else if (peerings.size() >= MAX_PEERINGS)
        {
            answer(key, hello, 0, AckStatus.REFUSED, MAX_PEERINGS + " peers of a receiver are the limit");
        }
        else
        {
            link(key, known, hello);
        }
    }

    void onBye(final RailChannel channel, final HandshakeMessage.Bye bye)
    {
        for (final Peering peering : peerings.values())
        {
            if (peering.key.channel() == channel && peering.link.handle() == bye.handle() &&
                peering.peerIncarnation == bye.incarnation())
            {
                linking.remove(peering);
                peerings.remove(peering.key);
                return;
            }
        }
    }

    void onPeerFailed(final RailPeer peer, final String reason)
    {
        fallBackIf((peering) -> peering.uses(peer), reason);
    }

    void onRailFailed(final Rail rail, final String reason)
    {
        fallBackIf((peering) -> peering.uses(rail), "rail " + rail.index() + " of the receiver failed: " + reason);
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
                linking.remove(peering);
                iterator.remove();
            }
        }
    }

    private void link(final Peering.Key key, final Peering known, final HandshakeMessage.Hello hello)
    {
        final Peering peering = linking.newPeering(key, false);
        try
        {
            peering.paths.addAll(linking.side().acquire(hello.incarnation(), hello.rails()));
        }
        catch (final FabricException ex)
        {
            linking.onRejected();
            linking.remove(peering);
            linking.onFallback("Hello of " + key.address() + " refused: " + ex.getMessage());
            answer(key, hello, 0, AckStatus.REFUSED, ex.getMessage());
            return;
        }

        if (null != known)
        {
            linking.remove(known);
        }

        peering.link = linking.newLink(key);
        peering.peerIncarnation = hello.incarnation();
        peering.peerHandle = hello.senderHandle();
        peering.sequence = hello.sequence();
        peering.lastHeardNs = nanoClock.nanoTime();
        peerings.put(key, peering);

        linking.attach(peering, hello.senderHandle(), peering.paths, false);
        answer(key, hello, peering.link.handle(), AckStatus.ACCEPTED, "");
    }

    private AckStatus judge(final HandshakeMessage.Hello hello)
    {
        if (HandshakeCodec.PROTOCOL_VERSION != hello.protocolVersion())
        {
            return AckStatus.VERSION_MISMATCH;
        }

        final ProtocolChoice choice = linking.settings().choice();
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
        final String reason)
    {
        linking.send(key, linking.codec().encode(new HandshakeMessage.HelloAck(
            HandshakeCodec.PROTOCOL_VERSION,
            linking.settings().incarnation(),
            hello.incarnation(),
            hello.sequence(),
            hello.senderHandle(),
            handle,
            status,
            AckStatus.ACCEPTED == status ? linking.side().addresses() : List.of(),
            reason)));
    }
}
