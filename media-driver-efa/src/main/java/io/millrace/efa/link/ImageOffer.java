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
import io.millrace.efa.term.PlacedImage;
import io.millrace.efa.term.RegisteredLog;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * An image's log that its sender may write to, under an epoch of its own.
 */
final class ImageOffer
{
    static final long INTERVAL_MIN_NS = TimeUnit.MILLISECONDS.toNanos(20);

    /**
     * The sender has not said yet how many writes there were.
     */
    static final long ANY_WRITES = -1;

    /**
     * What becomes of an offer, in this order.
     */
    enum State
    {
        PREPARED, OFFERED, ACCEPTED, ENDING, CLOSING
    }

    final ImageRecord image;
    final Peering peering;
    final Peering.Key key;
    final Link link;
    final long peerIncarnation;
    final int peerHandle;
    final RegisteredLog log;
    final long epoch;
    final long base;
    final int minFrameLength;
    final long completions;
    PlacedImage placed;
    State state = State.PREPARED;
    long intervalNs = INTERVAL_MIN_NS;
    long nextNs;
    long endingSinceNs;
    long writes = ANY_WRITES;
    boolean isTold;
    private long revision;
    private long acceptedRevision = -1;

    ImageOffer(
        final ImageRecord image,
        final Peering peering,
        final RegisteredLog log,
        final long epoch,
        final long base,
        final int minFrameLength,
        final long completions)
    {
        this.image = image;
        this.peering = peering;
        this.key = peering.key;
        this.link = peering.link;
        this.peerIncarnation = peering.peerIncarnation;
        this.peerHandle = peering.peerHandle;
        this.log = log;
        this.epoch = epoch;
        this.base = base;
        this.minFrameLength = minFrameLength;
        this.completions = completions;
    }

    /**
     * Is the log registered with a rail still?
     */
    boolean isRegistered()
    {
        return 0 != log.rails().length;
    }

    /**
     * Has the sender to be told something, again?
     */
    boolean isUnanswered()
    {
        return switch (state)
        {
            case OFFERED -> true;
            case ACCEPTED -> acceptedRevision < revision;
            case ENDING -> writes < 0;
            default -> false;
        };
    }

    /**
     * Have all writes arrived?
     */
    boolean isComplete()
    {
        return writes >= 0 && placed.writes() == writes;
    }

    /**
     * Have more writes arrived than there were, as one tells who is not the sender?
     */
    boolean isMiscounted()
    {
        return writes >= 0 && placed.writes() > writes;
    }

    /**
     * Offer the log with a rail that came.
     *
     * @param rail  of ours.
     * @param nowNs time of a monotonic clock.
     */
    void renew(final Rail rail, final long nowNs)
    {
        if (state.compareTo(State.ENDING) < 0 && log.add(rail))
        {
            revision++;
            intervalNs = INTERVAL_MIN_NS;
            nextNs = nowNs;
        }
    }

    void onAccepted(final long revision)
    {
        state = State.ACCEPTED;
        acceptedRevision = Math.max(acceptedRevision, revision);
    }

    /**
     * Is an answer of the sender that knows this offer? One whose channel is closed answers from another port.
     */
    boolean isAnsweredBy(final Peering.Key source, final HandshakeMessage.OfferAck ack)
    {
        return key.channel() == source.channel() &&
            key.address().getAddress().equals(source.address().getAddress()) &&
            peerIncarnation == ack.incarnation() && link.handle() == ack.receiverHandle();
    }

    /**
     * What the sender is told at the end.
     *
     * @param incarnation of this driver.
     * @return the message.
     */
    HandshakeMessage.OfferEnd end(final long incarnation)
    {
        return new HandshakeMessage.OfferEnd(incarnation, epoch, peerIncarnation, peerHandle, link.handle());
    }

    /**
     * What the sender is told.
     *
     * @param incarnation of this driver.
     * @return the message.
     */
    HandshakeMessage.ImageOffer message(final long incarnation)
    {
        final List<HandshakeMessage.ImageOffer.Region> list = new ArrayList<>();
        for (final Rail rail : log.rails())
        {
            final MemoryRegion region = log.region(rail);
            list.add(new HandshakeMessage.ImageOffer.Region(
                region.key(), region.remoteBase(), rail.endpoint().localAddress()));
        }

        return new HandshakeMessage.ImageOffer(
            incarnation,
            peerIncarnation,
            peerHandle,
            link.handle(),
            epoch,
            image.sessionId,
            image.streamId,
            LogBufferDescriptor.initialTermId(log.metaData()),
            log.termLength(),
            base,
            minFrameLength,
            revision,
            list);
    }
}
