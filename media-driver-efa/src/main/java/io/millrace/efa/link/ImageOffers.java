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

import io.aeron.logbuffer.LogBufferDescriptor;
import io.millrace.efa.libfabric.MemoryRegion;
import io.millrace.efa.rail.Rail;
import io.millrace.efa.term.LogRegions;
import io.millrace.efa.term.PlacedImage;
import io.millrace.efa.term.RegisteredLog;
import io.millrace.efa.term.TermCounters;
import org.agrona.concurrent.NanoClock;

import java.io.File;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * The side that receives data: offers the logs of images to their senders, and takes them back. An offer ends before
 * its memory regions do: the sender is asked to write no more and says how many writes there were, which have to have
 * arrived. Where it does not answer, or its link is gone, the log is fenced off. Part of the fabric conductor.
 */
final class ImageOffers
{
    private static final long INTERVAL_MAX_NS = TimeUnit.SECONDS.toNanos(1);

    /**
     * Images into which frames were placed. What was never committed hides gaps for as long as the image lives, so the
     * channel knows it beyond the offer.
     */
    private record Attached(RailChannel channel, PlacedImage placed)
    {
    }

    private final Set<ImageRecord> images = new LinkedHashSet<>();
    private final Set<ImageRecord> refused = new HashSet<>();
    private final Set<Peering> linked = new HashSet<>();
    private final Map<Long, ImageOffer> offers = new HashMap<>();
    private final Map<ImageRecord, Attached> attached = new HashMap<>();
    private final FencedLogs fenced = new FencedLogs();
    private final OfferRoom room = new OfferRoom();
    private final SecureRandom random = new SecureRandom();
    private long epoch = random.nextLong() >>> 2;
    private final Linking linking;
    private final TermSettings settings;
    private final LogRegions regions;
    private final TermCounters counters;
    private final Consumer<Runnable> events;
    private final NanoClock nanoClock;

    ImageOffers(
        final Linking linking,
        final TermSettings settings,
        final LogRegions regions,
        final TermCounters counters,
        final Consumer<Runnable> events,
        final NanoClock nanoClock)
    {
        this.linking = linking;
        this.settings = settings;
        this.regions = regions;
        this.counters = counters;
        this.events = events;
        this.nanoClock = nanoClock;
    }

    void onImage(final ImageRecord image)
    {
        images.add(image);
        linked.forEach((peering) -> match(peering, image));
    }

    void onImageClosed(final ImageRecord image)
    {
        images.remove(image);
        refused.remove(image);
        final ImageOffer offer = find(image);
        if (null != offer)
        {
            end(offer);
        }

        final Attached last = attached.remove(image);
        if (null != last)
        {
            linking.side().run(() -> last.channel().detach(last.placed()));
        }
    }

    void onAttached(final Peering peering)
    {
        linked.add(peering);
        images.forEach((image) -> match(peering, image));
    }

    void onDetached(final Peering peering)
    {
        linked.remove(peering);
        images.forEach(
            (image) ->
            {
                if (isOf(peering, image))
                {
                    image.hasRailWindow(false);
                }
            });
        for (final ImageOffer offer : List.copyOf(offers.values()))
        {
            if (offer.peering == peering)
            {
                end(offer);
                if (!peering.isClosedByPeer && !peering.key.channel().isClosed())
                {
                    // its sender may have writes under way that nobody will tell of; a channel that closes here has
                    // said so, and gets the time to stop that an answer would have
                    fence(offer);
                }
            }
        }
    }

    void onRailClosed(final Rail rail)
    {
        offers.values().forEach((offer) -> offer.log.remove(rail));
    }

    /**
     * A rail came: what is offered is offered on it, too.
     */
    void onRailOpened(final Rail rail)
    {
        if (null == TermSettings.reasonNotToWrite(List.of(rail)))
        {
            final long nowNs = nanoClock.nanoTime();
            offers.values().forEach((offer) -> offer.renew(rail, nowNs));
        }
    }

    void onAck(final Peering.Key source, final HandshakeMessage.OfferAck ack)
    {
        final ImageOffer offer = offers.get(ack.epoch());
        if (null == offer)
        {
            // one that is closed by now is answered late
            return;
        }

        if (ack.peerIncarnation() != linking.settings().incarnation() || !offer.isAnsweredBy(source, ack))
        {
            linking.onStale();
            return;
        }

        switch (ack.status())
        {
            case ACCEPTED ->
            {
                if (ImageOffer.State.OFFERED == offer.state)
                {
                    counters.onOffered();
                    offer.onAccepted(ack.revision());
                }
                else if (ImageOffer.State.ACCEPTED == offer.state)
                {
                    offer.onAccepted(ack.revision());
                }
            }
            case REFUSED ->
            {
                if (ImageOffer.State.OFFERED == offer.state)
                {
                    refused.add(offer.image);
                    end(offer);
                }
            }
            case ENDED ->
            {
                end(offer);
                offer.writes = ack.writes();
            }
            default -> linking.onRejected();
        }
    }

    int doWork(final long nowNs)
    {
        int workCount = fenced.doWork(nowNs);
        for (final ImageOffer offer : List.copyOf(offers.values()))
        {
            workCount += check(offer, nowNs);
        }

        return workCount;
    }

    /**
     * Close all logs. Rails are closed.
     */
    void close()
    {
        offers.values().forEach((offer) -> offer.log.close());
        offers.clear();
        fenced.close();
    }

    private int check(final ImageOffer offer, final long nowNs)
    {
        if (ImageOffer.State.ENDING == offer.state)
        {
            if (offer.isComplete())
            {
                close(offer);
                return 1;
            }

            if (offer.isMiscounted() ||
                nowNs - offer.endingSinceNs > linking.settings().context().linkTimeoutNs())
            {
                fence(offer);
                return 1;
            }
        }
        else if (offer.key.channel().isClosed() && ImageOffer.State.CLOSING != offer.state)
        {
            end(offer);
        }

        if (offer.isUnanswered() && nowNs - offer.nextNs >= 0)
        {
            offer.nextNs = nowNs + offer.intervalNs;
            offer.intervalNs = Math.min(2 * offer.intervalNs, INTERVAL_MAX_NS);
            send(offer);
            return 1;
        }

        return 0;
    }

    private void match(final Peering peering, final ImageRecord image)
    {
        if (isOf(peering, image))
        {
            image.hasRailWindow(!TermSettings.isGroup(peering.capabilities));
            if (settings.isPlaced() && !refused.contains(image) && null == find(image))
            {
                prepare(peering, image);
            }
        }
    }

    private static boolean isOf(final Peering peering, final ImageRecord image)
    {
        return peering.key.channel().udpChannel() == image.channel && peering.key.address().equals(image.source);
    }

    private void prepare(final Peering peering, final ImageRecord image)
    {
        if (image.channel.isChannelReceiveTimestampEnabled())
        {
            // Aeron writes them into the frame, which subscribers see by then
            return;
        }

        final List<Rail> rails = linking.side().rails();
        final String reason = TermSettings.reasonNotToWrite(rails);
        if (rails.isEmpty() || null == reason && !TermSettings.canWrite(peering.capabilities))
        {
            return;
        }

        final RegisteredLog log = regions.register(
            new File(settings.aeronDirectory(), "images/" + image.registrationId + ".logbuffer"),
            null == reason ? rails : List.of(),
            MemoryRegion.ACCESS_WRITE_TARGET,
            settings.placementLength());
        if (null != log && null != reason)
        {
            regions.refuse("image " + image.registrationId + ": " + reason);
            log.close();
        }
        if (null == log || null != reason)
        {
            refused.add(image);
            return;
        }

        if (!LogBufferDescriptor.reliable(log.metaData()))
        {
            // its gaps are filled where they are empty, which placed frames are not
            log.close();
            refused.add(image);
            return;
        }

        final long completions = TermSettings.frames(image.windowLength, settings.placementLength());
        final long capacity = TermSettings.completionsRoom(rails);
        final long base = room.take(log.termLength(), completions, capacity);
        if (base < 0)
        {
            regions.refuse("image " + image.registrationId + ": " + room.refusal(base, completions, capacity));
            log.close();
            refused.add(image);
            return;
        }

        final ImageOffer offer = new ImageOffer(
            image, peering, log, nextEpoch(), base, settings.placementLength(), completions);
        final PlacedImage placed = new PlacedImage(
            offer.link, log, image.sessionId, image.streamId, base, counters,
            () -> events.accept(() -> onReady(offer)));
        offer.placed = placed;
        offers.put(offer.epoch, offer);
        attached.put(image, new Attached(offer.key.channel(), placed));
        linking.side().run(
            () ->
            {
                linking.side().railSet().placedImages().add(placed);
                offer.key.channel().attach(placed);
            });
    }

    /**
     * Epochs grow, so that peers know an old one for what it is, by steps that nobody can guess.
     */
    private long nextEpoch()
    {
        epoch += 1 + (random.nextInt() >>> 1);
        return epoch;
    }

    private void onReady(final ImageOffer offer)
    {
        if (ImageOffer.State.PREPARED == offer.state)
        {
            offer.state = ImageOffer.State.OFFERED;
            offer.nextNs = nanoClock.nanoTime();
        }
    }

    private void end(final ImageOffer offer)
    {
        if (ImageOffer.State.ENDING == offer.state || ImageOffer.State.CLOSING == offer.state)
        {
            return;
        }

        if (ImageOffer.State.ACCEPTED == offer.state)
        {
            counters.onWithdrawn();
        }

        linking.side().run(offer.placed::end);
        offer.state = ImageOffer.State.ENDING;
        if (offer.isTold)
        {
            offer.endingSinceNs = nanoClock.nanoTime();
            offer.nextNs = offer.endingSinceNs;
            offer.intervalNs = ImageOffer.INTERVAL_MIN_NS;
        }
        else
        {
            close(offer);
        }
    }

    private void fence(final ImageOffer offer)
    {
        if (ImageOffer.State.CLOSING == offer.state)
        {
            return;
        }

        if (!offer.isTold)
        {
            close(offer);
            return;
        }

        release(offer, () -> fenced.add(
            offer.log, nanoClock.nanoTime(), () -> room.freeNumbers(offer.base, offer.log.termLength())));
    }

    private void close(final ImageOffer offer)
    {
        release(
            offer,
            () ->
            {
                room.freeNumbers(offer.base, offer.log.termLength());
                offer.log.close();
            });
    }

    private void release(final ImageOffer offer, final Runnable action)
    {
        offer.state = ImageOffer.State.CLOSING;
        room.freeCompletions(offer.completions);
        linking.side().run(
            () ->
            {
                linking.side().railSet().placedImages().remove(offer.placed);
                events.accept(
                    () ->
                    {
                        offers.remove(offer.epoch);
                        action.run();
                        if (images.contains(offer.image))
                        {
                            linked.forEach((peering) -> match(peering, offer.image));
                        }
                    });
            });
    }

    private void send(final ImageOffer offer)
    {
        if (ImageOffer.State.ENDING == offer.state)
        {
            linking.send(offer.key, false, linking.codec().encode(
                offer.end(linking.settings().incarnation())));
            return;
        }

        if (offer.isRegistered())
        {
            offer.isTold = true;
            linking.send(offer.key, false, linking.codec().encode(offer.message(linking.settings().incarnation())));
        }
    }

    private ImageOffer find(final ImageRecord image)
    {
        for (final ImageOffer offer : offers.values())
        {
            if (offer.image == image)
            {
                return offer;
            }
        }

        return null;
    }
}
