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

import io.aeron.logbuffer.LogBufferDescriptor;
import io.millrace.efa.libfabric.MemoryRegion;
import io.millrace.efa.rail.OperationOwner;
import io.millrace.efa.rail.Rail;
import io.millrace.efa.rail.RailPeer;
import org.agrona.BufferUtil;
import org.agrona.collections.Hashing;

import java.nio.ByteBuffer;

/**
 * A publication's log as the Sender uses it: frames are sent from our mapping of it, and what is in flight bounds how
 * far the publication may go on. Made by the fabric conductor, then owned by the Sender.
 */
public final class SendLog implements OperationOwner
{
    /**
     * Result of {@link #send}: the packet has to be copied.
     */
    public static final int COPY = 2;

    private static final Rail[] NO_RAILS = new Rail[0];
    private static final long[] NO_DESCRIPTORS = new long[0];

    private final long address;
    private final LogShape shape;
    private final int sessionId;
    private final int streamId;
    private final int minLength;
    private final TermCounters counters;
    private final InFlight inFlight;
    private Rail[] rails = NO_RAILS;
    private long[] descriptors = NO_DESCRIPTORS;
    private Runnable onUnused;

    /**
     * Create a log.
     *
     * @param log       mapped, of the publication.
     * @param sessionId of the publication.
     * @param streamId  of the publication.
     * @param minLength shorter messages are copied, bytes.
     * @param counters  of logs.
     */
    public SendLog(
        final RegisteredLog log,
        final int sessionId,
        final int streamId,
        final int minLength,
        final TermCounters counters)
    {
        this.address = log.address();
        this.shape = new LogShape(log.termLength(), LogBufferDescriptor.initialTermId(log.metaData()));
        this.sessionId = sessionId;
        this.streamId = streamId;
        this.minLength = minLength;
        this.counters = counters;
        this.inFlight = new InFlight(log.termLength());
    }

    /**
     * Regions of the log, in the order of its rails.
     *
     * @param log   registered.
     * @param rails of the log.
     * @return descriptors for {@link #rails}.
     */
    public static long[] descriptors(final RegisteredLog log, final Rail[] rails)
    {
        final long[] descriptors = new long[rails.length];
        for (int i = 0; i < rails.length; i++)
        {
            final MemoryRegion region = log.region(rails[i]);
            descriptors[i] = region.descriptor();
        }
        return descriptors;
    }

    /**
     * The stream.
     *
     * @return key of session and stream id.
     */
    public long streamKey()
    {
        return Hashing.compoundKey(sessionId, streamId);
    }

    /**
     * Use these rails. Agent only.
     *
     * @param rails       with which the log is registered.
     * @param descriptors of its regions.
     */
    public void rails(final Rail[] rails, final long[] descriptors)
    {
        this.rails = rails;
        this.descriptors = descriptors;
    }

    /**
     * May a packet be sent, by whatever way? Agent only. Packets that are padding alone are not asked for: they are
     * shorter than what the rule leaves.
     *
     * @param packet of data, direct buffer, from position to limit.
     * @return false when an operation that is in flight has to end first, as the memory it uses would be used anew.
     */
    public boolean allows(final ByteBuffer packet)
    {
        return inFlight.isEmpty() ||
            inFlight.allows(position(BufferUtil.address(packet) + packet.position()) + packet.remaining());
    }

    /**
     * Send a message from the log. Agent only.
     *
     * @param rail       to use.
     * @param peer       to send to.
     * @param packet     of whole frames, at the address that Aeron gave.
     * @param length     in bytes.
     * @param immediate  of the message.
     * @param dataFrames in the message.
     * @return {@link Rail#POSTED}, {@link Rail#BUSY}, {@link Rail#FAILED} or {@link #COPY}.
     */
    public int send(
        final Rail rail,
        final RailPeer peer,
        final long packet,
        final int length,
        final long immediate,
        final int dataFrames)
    {
        final int index = length < minLength ? -1 : indexOf(rail);
        final long source = index < 0 ? 0 : source(packet);
        if (0 == source)
        {
            return COPY;
        }

        final int result = rail.sendFrom(
            peer, source, length, descriptors[index], immediate, dataFrames, this, inFlight.nextTicket());
        if (Rail.POSTED == result)
        {
            inFlight.onPosted(position(packet));
            counters.zeroCopySends.incrementRelease();
        }

        return result;
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onOperationEnded(final int ticket)
    {
        inFlight.onEnded(ticket);
        if (null != onUnused && inFlight.isEmpty())
        {
            onUnused.run();
            onUnused = null;
        }
    }

    /**
     * Run something as soon as nothing is in flight. Agent only, and nothing is sent from here any more.
     *
     * @param onUnused to be run.
     */
    public void whenUnused(final Runnable onUnused)
    {
        rails = NO_RAILS;
        if (inFlight.isEmpty())
        {
            onUnused.run();
        }
        else
        {
            this.onUnused = onUnused;
        }
    }

    InFlight inFlight()
    {
        return inFlight;
    }

    /**
     * Where a packet lies in our mapping.
     *
     * @param packet at the address that Aeron gave.
     * @return address, or 0 when the packet is not one of this log or no more operations can be followed.
     */
    long source(final long packet)
    {
        final long source = address + shape.logOffset(position(packet));
        return !inFlight.isFull() && shape.termOffset(position(packet)) == FrameHeader.termOffset(packet) &&
            FrameHeader.areEqual(source, packet) ? source : 0;
    }

    int indexOf(final Rail rail)
    {
        for (int i = 0; i < rails.length; i++)
        {
            if (rails[i] == rail)
            {
                return i;
            }
        }

        return -1;
    }

    long descriptor(final int index)
    {
        return descriptors[index];
    }

    private long position(final long packet)
    {
        return shape.position(FrameHeader.termId(packet), FrameHeader.termOffset(packet));
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public String toString()
    {
        return "SendLog{session=" + sessionId + " stream=" + streamId + " rails=" + rails.length + '}';
    }
}
