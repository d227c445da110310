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
package io.millrace.efa.term;

import io.millrace.efa.rail.OperationOwner;
import io.millrace.efa.rail.Rail;
import io.millrace.efa.rail.RailPeer;
import org.agrona.collections.Hashing;

import static io.aeron.logbuffer.FrameDescriptor.FRAME_ALIGNMENT;
import static org.agrona.BitUtil.align;

/**
 * The log of a peer's image, into which frames of one stream are written. Made by the fabric conductor out of an offer,
 * then owned by the Sender.
 */
public final class FrameTarget implements OperationOwner
{
    /**
     * Result of {@link #write}: the packet has to go as a message.
     */
    public static final int AS_MESSAGE = 2;

    /**
     * The log of the image as it is reached on one path.
     *
     * @param rail    ours.
     * @param peer    the rail that it is registered with.
     * @param key     of the peer's region.
     * @param address remote, of the first byte of the log.
     */
    public record Region(Rail rail, RailPeer peer, long key, long address)
    {
    }

    private static final int LOG_TICKET = 1 << 30;

    private final long streamKey;
    private final LogShape shape;
    private final long base;
    private final int minFrameLength;
    private final boolean isWide;
    private Region[] regions;
    private final TermCounters counters;
    private final InFlight inFlight;
    private SendLog log;
    private long sentPosition;
    private long writes;
    private int writesInFlight;
    private boolean isEnded;
    private Runnable onUnused;

    /**
     * Create a target.
     *
     * @param sessionId      of the stream.
     * @param streamId       of the stream.
     * @param termLength     of the image, bytes.
     * @param initialTermId  of the stream.
     * @param base           first number of the image.
     * @param minFrameLength shorter frames go as messages, bytes.
     * @param isWide         true when immediates have 64 bits and say the frame's length.
     * @param regions        of the image's log.
     * @param counters       of logs.
     */
    public FrameTarget(
        final int sessionId,
        final int streamId,
        final int termLength,
        final int initialTermId,
        final long base,
        final int minFrameLength,
        final boolean isWide,
        final Region[] regions,
        final TermCounters counters)
    {
        this.streamKey = Hashing.compoundKey(sessionId, streamId);
        this.shape = new LogShape(termLength, initialTermId);
        this.base = base;
        this.minFrameLength = minFrameLength;
        this.isWide = isWide;
        this.regions = regions;
        this.counters = counters;
        this.inFlight = new InFlight(termLength);
    }

    /**
     * The stream.
     *
     * @return key of session and stream id.
     */
    public long streamKey()
    {
        return streamKey;
    }

    /**
     * Use other regions, as paths came or went. Agent only.
     *
     * @param regions of the image's log.
     */
    public void regions(final Region[] regions)
    {
        this.regions = regions;
    }

    /**
     * May a packet be sent, by whatever way?
     *
     * @param packet of data, at its address.
     * @param length in bytes.
     * @return false when a write that is in flight has to end first, as the memory it goes to would be used anew.
     */
    public boolean allows(final long packet, final int length)
    {
        return inFlight.isEmpty() || inFlight.allows(
            shape.position(FrameHeader.termId(packet), FrameHeader.termOffset(packet)) + length);
    }

    /**
     * Length of the first frame of a packet, if it is long enough to be written.
     *
     * @param packet of whole frames, at its address.
     * @param length of the packet in bytes.
     * @return aligned length, or 0.
     */
    public int firstLength(final long packet, final int length)
    {
        final int frameLength = FrameHeader.frameLength(packet);
        final int aligned = align(frameLength, FRAME_ALIGNMENT);
        return frameLength >= minFrameLength && aligned <= length && FrameHeader.isPlainData(packet) ? aligned : 0;
    }

    /**
     * Length of the frames of a packet that travel together: the first, and those after it up to one that is long
     * enough to be written.
     *
     * @param packet of whole frames, at its address.
     * @param length of the packet in bytes.
     * @return bytes.
     */
    public int messageLength(final long packet, final int length)
    {
        int end = align(FrameHeader.frameLength(packet), FRAME_ALIGNMENT);
        while (end > 0 && end < length && 0 == firstLength(packet + end, length - end))
        {
            final int frameLength = FrameHeader.frameLength(packet + end);
            if (frameLength <= 0)
            {
                return length;
            }
            end += align(frameLength, FRAME_ALIGNMENT);
        }

        return Math.min(end, length);
    }

    /**
     * Write a frame if it can be placed.
     *
     * @param rail      to use.
     * @param peer      to write to.
     * @param packet    of one frame, at the address that Aeron gave.
     * @param length    in bytes, aligned.
     * @param maxLength of a message on this way: longer ones are written even when they are sent again.
     * @param source    log to write from, or null to copy the frame first.
     * @return {@link Rail#POSTED}, {@link Rail#BUSY}, {@link Rail#FAILED} or {@link #AS_MESSAGE}.
     */
    public int write(
        final Rail rail,
        final RailPeer peer,
        final long packet,
        final int length,
        final int maxLength,
        final SendLog source)
    {
        final int frameLength = FrameHeader.frameLength(packet);
        final int flags = FrameHeader.flags(packet);
        if (isEnded || !FrameNumbers.areFlagsCarried(flags))
        {
            return AS_MESSAGE;
        }

        final int termOffset = FrameHeader.termOffset(packet);
        final long position = shape.position(FrameHeader.termId(packet), termOffset);
        final Region region = region(rail, peer);
        if (null == region || position < 0 || termOffset != shape.termOffset(position) ||
            termOffset + length > shape.termLength() || position < sentPosition && length <= maxLength)
        {
            return AS_MESSAGE;
        }

        final int index = null == source || null != log && log != source ? -1 : source.indexOf(rail);
        final long sourceAddress = index < 0 ? 0 : source.source(packet);
        final boolean isCopied = 0 == sourceAddress;
        if (isCopied && (inFlight.isFull() || frameLength > rail.maxSendLength()))
        {
            return AS_MESSAGE;
        }

        final InFlight follower = isCopied ? inFlight : source.inFlight();
        final long logOffset = shape.logOffset(position);
        final long number = base + FrameNumbers.encode(logOffset, flags);
        final int result = rail.write(
            peer,
            (isCopied ? packet : sourceAddress) + FrameHeader.FIRST_LENGTH,
            frameLength - FrameHeader.FIRST_LENGTH,
            isCopied ? 0 : source.descriptor(index),
            isCopied,
            isWide ? FrameNumbers.withLength(number, frameLength) : number,
            region.address() + logOffset + FrameHeader.FIRST_LENGTH,
            region.key(),
            this,
            follower.nextTicket() | (isCopied ? 0 : LOG_TICKET));
        if (Rail.POSTED == result)
        {
            follower.onPosted(position);
            log = isCopied ? log : source;
            sentPosition = Math.max(sentPosition, position + length);
            writes++;
            writesInFlight++;
            counters.writes.incrementRelease();
        }

        return result;
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onOperationEnded(final int ticket)
    {
        if (0 != (ticket & LOG_TICKET))
        {
            log.onOperationEnded(ticket & ~LOG_TICKET);
        }
        else
        {
            inFlight.onEnded(ticket);
        }

        if (0 == --writesInFlight && null != onUnused)
        {
            onUnused.run();
            onUnused = null;
        }
    }

    /**
     * Write no more.
     */
    public void end()
    {
        isEnded = true;
    }

    /**
     * Run something as soon as no write is in flight. Agent only, after {@link #end()}.
     *
     * @param onUnused to be run.
     */
    public void whenUnused(final Runnable onUnused)
    {
        if (0 == writesInFlight)
        {
            onUnused.run();
        }
        else
        {
            this.onUnused = onUnused;
        }
    }

    /**
     * Writes posted in all. Agent only.
     *
     * @return number of writes.
     */
    public long writes()
    {
        return writes;
    }

    private Region region(final Rail rail, final RailPeer peer)
    {
        for (final Region region : regions)
        {
            if (region.peer() == peer && region.rail() == rail)
            {
                return region;
            }
        }

        return null;
    }
}
