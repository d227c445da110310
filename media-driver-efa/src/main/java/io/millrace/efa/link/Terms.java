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

import io.millrace.efa.EfaContext;
import io.millrace.efa.rail.Rail;
import io.millrace.efa.term.LogRegions;
import io.millrace.efa.term.TermCounters;
import org.agrona.concurrent.NanoClock;

import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Logs of publications and images in registered memory: what the fabric conductor does for them. Memory is unmapped
 * when the last rail that may touch it is closed.
 */
final class Terms implements RailObserver, AutoCloseable
{
    private final Set<Rail> openRails = new HashSet<>();
    private final PublicationLogs publicationLogs;
    private final AcceptedOffers acceptedOffers;
    private final ImageOffers imageOffers;
    private final Consumer<Runnable> events;
    private final LogRegions regions;
    private boolean isClosing;
    private boolean isClosed;

    Terms(
        final EfaContext context,
        final TermSettings settings,
        final TermCounters counters,
        final Linking sender,
        final Linking receiver,
        final Consumer<String> onFallback,
        final Consumer<Runnable> events,
        final NanoClock nanoClock)
    {
        this.events = events;
        regions = new LogRegions(
            context.logPagesPerNic(), context.logPagesPerRegion(), counters, onFallback);
        publicationLogs = new PublicationLogs(settings, regions, counters, sender.side(), events);
        acceptedOffers = new AcceptedOffers(sender, settings, counters, events, nanoClock);
        imageOffers = new ImageOffers(receiver, settings, regions, counters, events, nanoClock);

        sender.observer(
            new LinkObserver()
            {
                public void onAttached(final Peering peering)
                {
                    acceptedOffers.onAttached(peering);
                    publicationLogs.onLinked(peering.key.channel());
                }

                public void onRenewed(final Peering peering)
                {
                    acceptedOffers.onRenewed(peering);
                }

                public void onDetached(final Peering peering)
                {
                    acceptedOffers.onDetached(peering);
                }
            });
        receiver.observer(
            new LinkObserver()
            {
                public void onAttached(final Peering peering)
                {
                    imageOffers.onAttached(peering);
                }

                public void onRenewed(final Peering peering)
                {
                    // what is offered does not depend on the sender's rails
                }

                public void onDetached(final Peering peering)
                {
                    imageOffers.onDetached(peering);
                }
            });
    }

    void onPublication(
        final RailChannel channel, final long registrationId, final int sessionId, final int streamId)
    {
        publicationLogs.onPublication(
            channel, registrationId, sessionId, streamId, acceptedOffers.isLinked(channel));
    }

    void onPublicationEnded(final RailChannel channel, final long registrationId)
    {
        publicationLogs.onPublicationEnded(channel, registrationId);
    }

    void onImage(final ImageRecord image)
    {
        imageOffers.onImage(image);
    }

    void onImageClosed(final ImageRecord image)
    {
        imageOffers.onImageClosed(image);
    }

    void onOffer(final Peering.Key source, final HandshakeMessage.ImageOffer offer)
    {
        acceptedOffers.onOffer(source, offer);
    }

    void onOfferEnd(final Peering.Key source, final HandshakeMessage.OfferEnd end)
    {
        acceptedOffers.onEnd(source, end);
    }

    void onOfferAck(final Peering.Key source, final HandshakeMessage.OfferAck ack)
    {
        imageOffers.onAck(source, ack);
    }

    int doWork(final long nowNs)
    {
        return publicationLogs.doWork() + acceptedOffers.doWork(nowNs) + imageOffers.doWork(nowNs);
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onOpened(final AgentSide side, final Rail rail)
    {
        synchronized (openRails)
        {
            openRails.add(rail);
        }

        rail.onClosed(() -> onClosed(side, rail));
        if (side.role().isSender())
        {
            publicationLogs.onRailOpened(rail);
        }
        if (side.role().isReceiver())
        {
            imageOffers.onRailOpened(rail);
        }
    }

    /**
     * The agents have ended and the rails are about to be closed.
     */
    void closing()
    {
        synchronized (openRails)
        {
            isClosing = true;
        }
        regions.closing();
    }

    /**
     * Close all logs, as soon as no rail is open any more.
     */
    @Override
    public void close()
    {
        synchronized (openRails)
        {
            if (openRails.isEmpty() && !isClosed)
            {
                isClosed = true;
                acceptedOffers.close();
                publicationLogs.close();
                imageOffers.close();
            }
        }
    }

    /**
     * On any thread: a rail of this process that another one still knows is closed when that has forgotten it.
     */
    private void onClosed(final AgentSide side, final Rail rail)
    {
        synchronized (openRails)
        {
            openRails.remove(rail);
            if (isClosing)
            {
                close();
                return;
            }
        }

        events.accept(
            () ->
            {
                side.run(rail::abandon);
                if (side.role().isSender())
                {
                    publicationLogs.onRailClosed(rail);
                }
                if (side.role().isReceiver())
                {
                    imageOffers.onRailClosed(rail);
                }
            });
    }
}
