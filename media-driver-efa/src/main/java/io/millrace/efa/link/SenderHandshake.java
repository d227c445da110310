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

import io.aeron.exceptions.AeronException;
import io.millrace.codecs.handshake.AckStatus;
import io.millrace.codecs.handshake.ByeCause;
import io.millrace.efa.libfabric.FabricException;
import io.millrace.efa.rail.Rail;
import io.millrace.efa.rail.RailPeer;
import org.agrona.collections.Int2ObjectHashMap;
import org.agrona.concurrent.NanoClock;

import java.net.InetSocketAddress;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
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

    /**
     * So many challenges in a row are answered at once, further ones when the next Hello is due.
     */
    private static final int MAX_CHALLENGES_ANSWERED = 3;

    private final SecureRandom random = new SecureRandom();
    private final Map<Peering.Key, Peering> peerings = new HashMap<>();
    private final Int2ObjectHashMap<Peering> peeringByHandle = new Int2ObjectHashMap<>();
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
            peering.sequence = random.nextLong() >>> 2;
            restart(peering, nowNs);
            peerings.put(key, peering);
        }
    }

    void onPeerAlive(final Peering.Key key)
    {
        final Peering peering = peerings.get(key);
        if (null != peering && !peering.isLinked)
        {
            final long nowNs = nanoClock.nanoTime();
            if (!peering.isAliveOverUdp)
            {
                peering.isAliveOverUdp = true;
                peering.aliveSinceNs = nowNs;
            }

            sayHelloSoon(peering);
        }
    }

    /**
     * Somebody waits for the link: do not wait for a back-off, but for one after rails that failed.
     */
    private void sayHelloSoon(final Peering peering)
    {
        final long nowNs = nanoClock.nanoTime();
        final long soonNs = nowNs + HELLO_INTERVAL_MIN_NS;
        final boolean isHeld = 0 != peering.shortLivedLinks && nowNs - peering.firstHelloNs < 0;
        if (!peering.isLinked && !isHeld && peering.nextHelloNs - soonNs > 0)
        {
            peering.helloIntervalNs = HELLO_INTERVAL_MIN_NS;
            peering.nextHelloNs = soonNs;
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

    int peers()
    {
        return peerings.size();
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
                linking.remove(release(peering));
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

    void onAck(final Peering.Key source, final HandshakeMessage.HelloAck ack)
    {
        final Peering peering = find(source.channel(), ack);
        if (null == peering)
        {
            return;
        }

        final long nowNs = nanoClock.nanoTime();
        peering.lastAckedSequence = ack.sequence();
        if (AckStatus.CHALLENGE == ack.status())
        {
            peering.challenge = ack.challenge();
            if (peering.challengesAnswered++ < MAX_CHALLENGES_ANSWERED)
            {
                peering.nextHelloNs = nowNs;
            }
            return;
        }

        peering.challengesAnswered = 0;
        peering.challenge = 0;
        if (AckStatus.ACCEPTED != ack.status())
        {
            final String reason = ack.status() + ": " + ack.reason();
            if (peering.isLinked)
            {
                fallBack(peering, reason);
                restart(peering, nowNs);
            }
            else if (null == peering.refusal)
            {
                refuse(peering, reason);
            }
            peering.refusedNs = nowNs;
            return;
        }

        peering.lastHeardNs = nowNs;
        peering.answeredFrom = source.address();
        if (!peering.isLinked ||
            peering.peerIncarnation != ack.incarnation() || peering.peerHandle != ack.receiverHandle())
        {
            link(peering, ack);
        }
        else
        {
            peering.remote = ack.rails();
            final boolean isKnown = ack.sequence() >= peering.offeredSequence &&
                peering.offeredVersion == linking.side().version();
            renew(peering, isKnown, "the peer's rails changed, or ours are known to it");
        }
    }

    /**
     * An answer came that is not to be trusted: nothing is done with it, but that it is the reason should nothing else
     * come.
     */
    void onUnauthenticated(final RailChannel channel, final HandshakeMessage.HelloAck ack, final String reason)
    {
        final Peering peering = peeringByHandle.get(ack.senderHandle());
        if (null != peering && peering.key.channel() == channel && !peering.isLinked)
        {
            peering.hint = reason;
        }
    }

    void onBye(final RailChannel channel, final HandshakeMessage.Bye bye)
    {
        final Peering peering = peeringByHandle.get(bye.handle());
        if (null == peering || peering.key.channel() != channel || !peering.isLinked ||
            peering.peerIncarnation != bye.incarnation() || !peering.isOfThisLink(bye.sequence(), 0))
        {
            linking.onStale();
        }
        else if (ByeCause.FAILED == bye.cause())
        {
            linking.onFallback(peering, "link " + peering + " of " + channel.description() +
                " ended by the peer: " + bye.reason());
            unlink(peering);
            restartAfterFailure(peering, nanoClock.nanoTime());
        }
        else
        {
            unlink(peering);
            restart(peering, nanoClock.nanoTime());
        }
    }

    void onPeerFailed(final RailPeer peer, final String reason)
    {
        for (final Peering peering : peerings.values())
        {
            if (peering.isLinked && peering.uses(peer))
            {
                linking.onPathFailed(peering, peer, nanoClock.nanoTime());
                // rails that were proven fail when the peer dies, and it may be back soon
                renew(peering, true, peering.isUp ? 1 : MAX_SHIFT, reason);
            }
        }
    }

    void onRailFailed(final Rail rail, final String reason)
    {
        for (final Peering peering : peerings.values())
        {
            if (peering.isLinked && peering.uses(rail))
            {
                renew(peering, true, "rail " + rail.index() + " of the sender failed: " + reason);
                peering.nextHelloNs = Math.min(peering.nextHelloNs, nanoClock.nanoTime());
            }
        }
    }

    /**
     * Rails were opened again: peers are told, and they are used when the peers know them.
     */
    void onRailsOpened()
    {
        for (final Peering peering : peerings.values())
        {
            if (peering.isLinked)
            {
                peering.nextHelloNs = nanoClock.nanoTime();
            }
        }
    }

    /**
     * Paths that failed may be tried again.
     */
    void onPathsReleased()
    {
        for (final Peering peering : peerings.values())
        {
            if (peering.isLinked)
            {
                renew(peering, peering.offeredVersion == linking.side().version(), "a path that failed is tried again");
            }
        }
    }

    private void renew(final Peering peering, final boolean mayAdd, final String reason)
    {
        renew(peering, mayAdd, MAX_SHIFT, reason);
    }

    private void renew(final Peering peering, final boolean mayAdd, final int maxShift, final String reason)
    {
        if (!linking.renew(peering, mayAdd, reason))
        {
            fallBack(peering, reason);
            restartAfterFailure(peering, nanoClock.nanoTime(), maxShift);
        }
    }

    /**
     * A rail is opened anew: its links are made anew at once, as nothing is wrong with their peers.
     */
    void onRailRenewed(final Rail rail)
    {
        for (final Peering peering : peerings.values())
        {
            if (peering.uses(rail) && !linking.renew(peering, true, "a rail of the sender is opened anew"))
            {
                linking.bye(peering, ByeCause.CLOSED, "rail is opened anew");
                unlink(peering);
                restart(peering, nanoClock.nanoTime());
            }
        }
    }

    /**
     * Complete a future when all channels to an address are linked, or one was refused since it was asked.
     *
     * @param address of the peer's socket.
     * @param sinceNs when it was asked.
     * @param future  to complete.
     * @param refusal told why a channel has not been linked up to now.
     */
    void warmUp(
        final InetSocketAddress address,
        final long sinceNs,
        final CompletableFuture<Void> future,
        final AtomicReference<String> refusal)
    {
        boolean isUp = false;
        for (final Peering peering : peerings.values())
        {
            if (peering.key.address().equals(address))
            {
                if (!peering.isUp && null != peering.refusal)
                {
                    refusal.set(peering.refusal);
                }

                if (!peering.isUp && null != peering.refusal && peering.refusedNs - sinceNs > 0)
                {
                    future.completeExceptionally(new AeronException(
                        "no rails to " + address + ": " + peering.refusal, AeronException.Category.WARN));
                    return;
                }

                if (!peering.isUp)
                {
                    sayHelloSoon(peering);
                    return;
                }
                isUp = true;
            }
        }

        if (isUp)
        {
            future.complete(null);
        }
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
        else if (peering.isWarmUpOverdue(nowNs, linking.settings().context().linkTimeoutNs()))
        {
            peering.warmUpSinceNs = nowNs;
            linking.finishWarmUp(peering);
        }

        if (!peering.isLinked && null == peering.refusal && isOverdue(peering, nowNs))
        {
            refuse(peering, null != peering.hint ? peering.hint :
                "no answer to Hellos: a stock media driver, or nobody there");
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
            peering.firstSequence = peering.sequence + 1;
            peering.lastAckedSequence = peering.sequence;
            peeringByHandle.put(link.handle(), peering);
            side.run(() -> side.railSet().handles().register(link));
        }

        peering.helloIntervalNs = peering.isLinked ? linking.settings().context().keepaliveIntervalNs() :
            Math.min(2 * peering.helloIntervalNs, HELLO_INTERVAL_MAX_NS);
        peering.nextHelloNs = nowNs + peering.helloIntervalNs;

        final List<RailAddress> addresses = side.addresses();
        if (!addresses.isEmpty())
        {
            if (peering.offeredVersion != side.version() && (peering.isLinked || 0 != peering.challenge))
            {
                peering.offeredVersion = side.version();
                peering.offeredSequence = peering.sequence + 1;
            }
            final boolean tellsRails = 0 != peering.challenge ||
                peering.isLinked && peering.lastAckedSequence < peering.offeredSequence;
            linking.send(peering.key, true, linking.codec().encode(new HandshakeMessage.Hello(
                HandshakeCodec.PROTOCOL_VERSION,
                linking.settings().incarnation(),
                linking.settings().hostId(),
                peering.link.handle(),
                ++peering.sequence,
                peering.challenge,
                tellsRails ? addresses : List.of(),
                linking.settings().choice().protocol(),
                linking.settings().choice().wireName(),
                linking.capabilities() | TermSettings.group(
                peering.key.channel().udpChannel().hasGroupSemantics()))));
        }
    }

    private void link(final Peering peering, final HandshakeMessage.HelloAck ack)
    {
        final List<RailPath> acquired;
        try
        {
            acquired = linking.side().acquire(linking.failedPaths(), ack.incarnation(), ack.rails());
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
        peering.remote = ack.rails();
        peering.peerIncarnation = ack.incarnation();
        peering.peerHandle = ack.receiverHandle();
        peering.capabilities = ack.capabilities();
        peering.forgottenEpoch = Long.MIN_VALUE;
        peering.refusal = null;
        peering.nextHelloNs = nanoClock.nanoTime() + linking.settings().context().keepaliveIntervalNs();

        peering.linkedSinceNs = nanoClock.nanoTime();
        peering.warmUpSinceNs = peering.linkedSinceNs;
        linking.attach(
            peering,
            Peering.token(linking.settings().incarnation(), ack.incarnation()),
            () -> onUnproven(peering));
        linking.side().release(released);
    }

    private void onUnproven(final Peering peering)
    {
        fallBack(peering, "rails brought no answer of the peer for " + TimeUnit.NANOSECONDS.toMillis(
            linking.settings().context().linkTimeoutNs()) + " ms");
        restartAfterFailure(peering, nanoClock.nanoTime());
    }

    private void unlink(final Peering peering)
    {
        linking.unlink(release(peering));
    }

    private Peering release(final Peering peering)
    {
        if (null != peering.link)
        {
            peeringByHandle.remove(peering.link.handle());
        }

        return peering;
    }

    private void fallBack(final Peering peering, final String reason)
    {
        linking.fallBack(release(peering), reason);
        if (peering.key.channel().fabricRequired())
        {
            peering.key.channel().onFabricRefused(reason);
        }
    }

    private void refuse(final Peering peering, final String reason)
    {
        peering.refusal = reason;
        peering.refusedNs = nanoClock.nanoTime();
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
        peering.challengesAnswered = 0;
        peering.challenge = 0;
    }

    /**
     * Rails that fail soon after they were linked, as behind a security group that lets UDP pass only, are tried again
     * less and less often: each try costs the frames that are lost until it has failed.
     */
    private static void restartAfterFailure(final Peering peering, final long nowNs)
    {
        restartAfterFailure(peering, nowNs, MAX_SHIFT);
    }

    private static void restartAfterFailure(final Peering peering, final long nowNs, final int maxShift)
    {
        restart(peering, nowNs);
        peering.shortLivedLinks =
            nowNs - peering.linkedSinceNs < SHORT_LIVED_NS ? Math.min(peering.shortLivedLinks + 1, maxShift) : 0;
        if (peering.shortLivedLinks > 0)
        {
            peering.nextHelloNs = nowNs + (RETRY_INTERVAL_NS << peering.shortLivedLinks - 1);
            peering.firstHelloNs = peering.nextHelloNs;
        }
    }

    private Peering find(final RailChannel channel, final HandshakeMessage.HelloAck ack)
    {
        final Peering peering = peeringByHandle.get(ack.senderHandle());
        if (ack.peerIncarnation() != linking.settings().incarnation())
        {
            linking.onRejected();
        }
        else if (null == peering || peering.key.channel() != channel || !peering.isOfThisLink(ack.sequence(), 0) ||
            ack.sequence() <= peering.lastAckedSequence)
        {
            linking.onStale();
        }
        else
        {
            return peering;
        }

        return null;
    }
}
