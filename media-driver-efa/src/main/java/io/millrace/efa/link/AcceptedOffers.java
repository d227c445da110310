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
import io.millrace.efa.rail.Rail;
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
        final Peering peering;
        final Link link;
        final FrameTarget target;
        boolean isEnding;
        boolean isEnded;
        long endedNs;
        long writes;

        Accepted(final Key offerKey, final Peering peering, final FrameTarget target)
        {
            this.offerKey = offerKey;
            this.peering = peering;
            this.link = peering.link;
            this.target = target;
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

    void onOffer(final Peering.Key source, final HandshakeMessage.ImageOffer offer)
    {
        final Key key = new Key(offer.incarnation(), offer.epoch());
        final Accepted known = offers.get(key);
        if (null != known)
        {
            if (!known.isEnding)
            {
                answer(source, offer.incarnation(), offer.epoch(), OfferStatus.ACCEPTED, 0);
            }
            return;
        }

        if (offers.size() >= MAX_OFFERS)
        {
            linking.send(source, true, linking.codec().encode(new HandshakeMessage.OfferAck(
                offer.incarnation(), offer.epoch(), OfferStatus.REFUSED, 0, MAX_OFFERS + " offers are the limit")));
            return;
        }

        final Peering peering = find(source.channel(), offer);
        final boolean canWrite = TermSettings.canWrite(linking.capabilities());
        final FrameTarget.Region[] regions = null == peering || !canWrite ? null : regions(peering, offer);
        if (null == regions || 0 == regions.length)
        {
            // not linked yet on this side, or not any more: a receiver that still is asks again
            answer(source, offer.incarnation(), offer.epoch(), OfferStatus.UNKNOWN, 0);
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
                TermSettings.hasWideImmediate(peering.capabilities),
            regions,
            counters);
        final Link link = peering.link;
        offers.put(key, new Accepted(key, peering, target));
        linking.side().run(() -> link.targets().add(target));
        answer(source, offer.incarnation(), offer.epoch(), OfferStatus.ACCEPTED, 0);
    }

    void onEnd(final Peering.Key source, final HandshakeMessage.OfferEnd end)
    {
        final Accepted accepted = offers.get(new Key(end.incarnation(), end.epoch()));
        if (null == accepted)
        {
            answer(source, end.incarnation(), end.epoch(), OfferStatus.UNKNOWN, 0);
        }
        else if (accepted.isEnded)
        {
            answer(source, end.incarnation(), end.epoch(), OfferStatus.ENDED, accepted.writes);
        }
        else
        {
            // answered to the next repetition, when all writes have ended
            end(accepted);
        }
    }

    int doWork(final long nowNs)
    {
        return offers.values().removeIf(
            (accepted) -> accepted.isEnded && nowNs - accepted.endedNs > FORGET_TIMEOUT_NS) ? 1 : 0;
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
        final Peering.Key key = accepted.peering.key;
        if (key.channel().isClosed())
        {
            spareSocket.send(linking.sealed(ended(accepted), true), key.address());
        }
        else
        {
            linking.send(key, true, ended(accepted));
        }
    }

    private ByteBuffer ended(final Accepted accepted)
    {
        return linking.codec().encode(new HandshakeMessage.OfferAck(
            accepted.offerKey.incarnation(), accepted.offerKey.epoch(), OfferStatus.ENDED, accepted.writes, ""));
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
                spareSocket.send(linking.sealed(ended(accepted), true), accepted.peering.key.address());
            }
        }
        spareSocket.close();
    }

    private Peering find(final RailChannel channel, final HandshakeMessage.ImageOffer offer)
    {
        for (final Peering peering : linked)
        {
            if (peering.key.channel() == channel && peering.link.handle() == offer.senderHandle() &&
                peering.peerIncarnation == offer.incarnation() && peering.peerHandle == offer.receiverHandle() &&
                linking.settings().incarnation() == offer.peerIncarnation())
            {
                return peering;
            }
        }

        return null;
    }

    private static FrameTarget.Region[] regions(final Peering peering, final HandshakeMessage.ImageOffer offer)
    {
        final List<FrameTarget.Region> regions = new ArrayList<>();
        for (final RailPath path : peering.paths)
        {
            for (final HandshakeMessage.ImageOffer.Region region : offer.regions())
            {
                if (path.peer().isAt(region.railAddress()))
                {
                    final Rail rail = path.rail();
                    regions.add(new FrameTarget.Region(rail, region.key(), region.address()));
                }
            }
        }

        return regions.toArray(new FrameTarget.Region[0]);
    }

    private void answer(
        final Peering.Key source, final long incarnation, final long epoch, final OfferStatus status, final long writes)
    {
        linking.send(source, true, linking.codec().encode(
            new HandshakeMessage.OfferAck(incarnation, epoch, status, writes, "")));
    }
}
