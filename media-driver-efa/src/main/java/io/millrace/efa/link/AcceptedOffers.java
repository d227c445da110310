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

import io.millrace.codecs.handshake.OfferStatus;
import io.millrace.efa.term.FrameTarget;
import io.millrace.efa.term.TermCounters;
import org.agrona.concurrent.NanoClock;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * The side that sends data: takes receivers' offers of their images, and tells when the writes under an offer that ends
 * have ended too. Part of the fabric conductor.
 */
final class AcceptedOffers
{
    private static final int MAX_OFFERS = 16 * 1024;
    private static final long FORGET_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(60);

    private record Key(long incarnation, long epoch)
    {
    }

    private static final class Accepted
    {
        final Key offerKey;
        final Peering.Key source;
        final Peering peering;
        final Link link;
        final int receiverHandle;
        HandshakeMessage.ImageOffer offer;
        FrameTarget target;
        boolean isEnding;
        boolean isEnded;
        long endedNs;
        long writes;

        Accepted(final Key offerKey, final Peering.Key source, final Peering peering)
        {
            this.offerKey = offerKey;
            this.source = source;
            this.peering = peering;
            this.link = peering.link;
            this.receiverHandle = peering.peerHandle;
        }

        boolean isOf(final Peering.Key source, final int senderHandle)
        {
            return this.source.equals(source) && link.handle() == senderHandle;
        }
    }

    private final Map<Key, Accepted> offers = new HashMap<>();
    private final Set<Peering> linked = new HashSet<>();
    private final SpareSocket spareSocket = new SpareSocket();
    private final Linking linking;
    private final TermSettings settings;
    private final TermCounters counters;
    private final Consumer<Runnable> events;
    private final NanoClock nanoClock;

    AcceptedOffers(
        final Linking linking,
        final TermSettings settings,
        final TermCounters counters,
        final Consumer<Runnable> events,
        final NanoClock nanoClock)
    {
        this.linking = linking;
        this.settings = settings;
        this.counters = counters;
        this.events = events;
        this.nanoClock = nanoClock;
    }

    void onAttached(final Peering peering)
    {
        linked.add(peering);
    }

    void onDetached(final Peering peering)
    {
        linked.remove(peering);
        offers.values().forEach(
            (accepted) ->
            {
                if (accepted.peering == peering)
                {
                    end(accepted);
                }
            });
    }

    boolean isLinked(final RailChannel channel)
    {
        return linked.stream().anyMatch((peering) -> peering.key.channel() == channel);
    }

    /**
     * Rails of the link came or went: its images are written to on the paths that there are now.
     */
    void onRenewed(final Peering peering)
    {
        offers.values().forEach(
            (accepted) ->
            {
                if (accepted.peering == peering && !accepted.isEnding)
                {
                    useRegions(accepted);
                }
            });
    }

    void onOffer(final Peering.Key source, final HandshakeMessage.ImageOffer offer)
    {
        if (offer.peerIncarnation() != linking.settings().incarnation())
        {
            linking.onStale();
            return;
        }

        final Key key = new Key(offer.incarnation(), offer.epoch());
        final Peering peering = find(source, offer.incarnation(), offer.senderHandle(), offer.receiverHandle());
        final Accepted known = offers.get(key);
        if (null != known && known.peering == peering && !known.isEnding)
        {
            if (offer.revision() > known.offer.revision())
            {
                known.offer = offer;
                useRegions(known);
            }
            answer(known, OfferStatus.ACCEPTED);
        }
        else if (null == known && null != peering && offer.epoch() <= peering.forgottenEpoch)
        {
            linking.onStale();
        }
        else if (null == known && null != peering)
        {
            accept(new Accepted(key, source, peering), offer);
        }
        // else not linked yet on this side, or not any more: a receiver that still is offers again
    }

    private void accept(final Accepted accepted, final HandshakeMessage.ImageOffer offer)
    {
        accepted.offer = offer;
        if (offers.size() >= MAX_OFFERS)
        {
            send(accepted.source, ack(
                accepted.offerKey, OfferStatus.REFUSED, 0, accepted.receiverHandle, 0,
                MAX_OFFERS + " offers are the limit"));
            return;
        }

        final FrameTarget.Region[] regions = regions(accepted);
        if (0 == regions.length || !TermSettings.canWrite(linking.capabilities()))
        {
            return;
        }

        final FrameTarget target = new FrameTarget(
            offer.sessionId(),
            offer.streamId(),
            offer.termLength(),
            offer.initialTermId(),
            offer.immediateBase(),
            Math.max(settings.placementLength(), offer.minFrameLength()),
            TermSettings.hasWideImmediate(linking.capabilities()) &&
                TermSettings.hasWideImmediate(accepted.peering.capabilities),
            regions,
            counters);
        accepted.target = target;
        offers.put(accepted.offerKey, accepted);
        linking.side().run(() -> accepted.link.targets().add(target));
        answer(accepted, OfferStatus.ACCEPTED);
    }

    private void useRegions(final Accepted accepted)
    {
        final FrameTarget.Region[] regions = regions(accepted);
        linking.side().run(() -> accepted.target.regions(regions));
    }

    void onEnd(final Peering.Key source, final HandshakeMessage.OfferEnd end)
    {
        final Key key = new Key(end.incarnation(), end.epoch());
        final Accepted accepted = offers.get(key);
        if (end.peerIncarnation() != linking.settings().incarnation() ||
            null != accepted && !accepted.isOf(source, end.senderHandle()))
        {
            linking.onStale();
        }
        else if (null == accepted)
        {
            refuseFromNowOn(key, source, end);
            send(source, ack(key, OfferStatus.ENDED, 0, end.receiverHandle(), 0, ""));
        }
        else if (accepted.isEnded)
        {
            answer(accepted, OfferStatus.ENDED);
        }
        else
        {
            // answered to the next repetition, when all writes have ended
            end(accepted);
        }
    }

    /**
     * The offer itself may be under way still.
     */
    private void refuseFromNowOn(final Key key, final Peering.Key source, final HandshakeMessage.OfferEnd end)
    {
        final Peering peering = find(source, end.incarnation(), end.senderHandle(), end.receiverHandle());
        if (null != peering && offers.size() < MAX_OFFERS)
        {
            final Accepted ended = new Accepted(key, source, peering);
            ended.isEnding = true;
            ended.isEnded = true;
            ended.endedNs = nanoClock.nanoTime();
            offers.put(key, ended);
        }
    }

    int doWork(final long nowNs)
    {
        return offers.values().removeIf(
            (accepted) -> accepted.isEnded && nowNs - accepted.endedNs > FORGET_TIMEOUT_NS && forget(accepted)) ? 1 : 0;
    }

    /**
     * That it has ended is known by its epoch from now on. Those of a restarted peer begin anew.
     */
    private static boolean forget(final Accepted accepted)
    {
        final Peering peering = accepted.peering;
        if (peering.link == accepted.link && peering.peerIncarnation == accepted.offerKey.incarnation())
        {
            peering.forgottenEpoch = Math.max(peering.forgottenEpoch, accepted.offerKey.epoch());
        }
        return true;
    }

    private void end(final Accepted accepted)
    {
        if (accepted.isEnding)
        {
            return;
        }

        accepted.isEnding = true;
        final FrameTarget target = accepted.target;
        linking.side().run(
            () ->
            {
                accepted.link.targets().remove(target);
                target.whenUnused(
                    () ->
                    {
                        final long writes = target.writes();
                        events.accept(() -> onEnded(accepted, writes));
                    });
            });
    }

    private void onEnded(final Accepted accepted, final long writes)
    {
        accepted.isEnded = true;
        accepted.writes = writes;
        accepted.endedNs = nanoClock.nanoTime();

        // the peer may not ask, or ask where nobody listens any more
        tell(accepted);
    }

    private void tell(final Accepted accepted)
    {
        if (accepted.source.channel().isClosed())
        {
            spareSocket.send(linking.sealed(ack(accepted, OfferStatus.ENDED), true), accepted.source.address());
        }
        else
        {
            answer(accepted, OfferStatus.ENDED);
        }
    }

    /**
     * Tell all peers that nothing is written any more. Agents have ended and rails are closed.
     */
    void close()
    {
        for (final Accepted accepted : offers.values())
        {
            if (!accepted.isEnded)
            {
                accepted.writes = accepted.target.writes();
                spareSocket.send(linking.sealed(ack(accepted, OfferStatus.ENDED), true), accepted.source.address());
            }
        }
        spareSocket.close();
    }

    /**
     * The link of an offer. Who speaks from the address of the peer's last answer has seen our incarnation.
     */
    private Peering find(
        final Peering.Key source, final long incarnation, final int senderHandle, final int receiverHandle)
    {
        for (final Peering peering : linked)
        {
            if (peering.key.channel() == source.channel() && source.address().equals(peering.answeredFrom) &&
                peering.link.handle() == senderHandle && peering.peerHandle == receiverHandle &&
                peering.peerIncarnation == incarnation)
            {
                return peering;
            }
        }

        return null;
    }

    private static FrameTarget.Region[] regions(final Accepted accepted)
    {
        final List<FrameTarget.Region> regions = new ArrayList<>();
        for (final RailPath path : accepted.peering.paths)
        {
            for (final HandshakeMessage.ImageOffer.Region region : accepted.offer.regions())
            {
                if (path.peer().isAt(region.railAddress()))
                {
                    regions.add(new FrameTarget.Region(path.rail(), path.peer(), region.key(), region.address()));
                }
            }
        }

        return regions.toArray(new FrameTarget.Region[0]);
    }

    private void answer(final Accepted accepted, final OfferStatus status)
    {
        send(accepted.source, ack(accepted, status));
    }

    private void send(final Peering.Key source, final ByteBuffer frame)
    {
        linking.send(source, true, frame);
    }

    private ByteBuffer ack(final Accepted accepted, final OfferStatus status)
    {
        return ack(
            accepted.offerKey,
            status,
            accepted.writes,
            accepted.receiverHandle,
            null == accepted.offer ? 0 : accepted.offer.revision(),
            "");
    }

    private ByteBuffer ack(
        final Key key,
        final OfferStatus status,
        final long writes,
        final int receiverHandle,
        final long revision,
        final String reason)
    {
        return linking.codec().encode(new HandshakeMessage.OfferAck(
            key.incarnation(),
            key.epoch(),
            status,
            writes,
            linking.settings().incarnation(),
            receiverHandle,
            revision,
            reason));
    }
}
