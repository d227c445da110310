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
import org.agrona.UnsafeApi;
import org.agrona.collections.Hashing;

import java.util.concurrent.atomic.AtomicLong;

import static io.aeron.logbuffer.FrameDescriptor.FRAME_ALIGNMENT;
import static io.aeron.logbuffer.LogBufferDescriptor.PARTITION_COUNT;
import static org.agrona.BitUtil.align;

/**
 * An image's log into which its sender writes frames, but for the first eight bytes of each, so that no subscriber sees
 * it. Those are stored here once the write has completed and is found to be in its place. Made by the fabric conductor,
 * then owned by the Receiver.
 */
public final class PlacedImage
{
    private static final long NO_WINDOW = Long.MIN_VALUE;

    private final Object link;
    private final long address;
    private final LogShape shape;
    private final int mtuLength;
    private final int sessionId;
    private final int streamId;
    private final long base;
    private final TermCounters counters;
    private final Runnable onReady;
    private long windowPosition = NO_WINDOW;
    private boolean isEnded;
    private int frameLength;
    private final AtomicLong writes = new AtomicLong();

    /**
     * Create an image.
     *
     * @param link      over which it is offered.
     * @param log       mapped, of the image.
     * @param sessionId of the stream.
     * @param streamId  of the stream.
     * @param base      first number of the image.
     * @param counters  of logs.
     * @param onReady   run by the Receiver when frames can be accepted.
     */
    public PlacedImage(
        final Object link,
        final RegisteredLog log,
        final int sessionId,
        final int streamId,
        final long base,
        final TermCounters counters,
        final Runnable onReady)
    {
        this.link = link;
        this.address = log.address();
        this.shape = new LogShape(log.termLength(), LogBufferDescriptor.initialTermId(log.metaData()));
        this.mtuLength = LogBufferDescriptor.mtuLength(log.metaData());
        this.sessionId = sessionId;
        this.streamId = streamId;
        this.base = base;
        this.counters = counters;
        this.onReady = onReady;
    }

    /**
     * The link over which the image is offered.
     *
     * @return the link.
     */
    public Object link()
    {
        return link;
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

    long base()
    {
        return base;
    }

    long numbers()
    {
        return FrameNumbers.of(shape.termLength());
    }

    /**
     * A status message leaves: Aeron accepts frames from its position on, for half a term, as it does for frames that
     * come as messages.
     *
     * @param termId     of the position.
     * @param termOffset of the position.
     */
    public void onStatusMessage(final int termId, final int termOffset)
    {
        final boolean isFirst = NO_WINDOW == windowPosition;
        windowPosition = shape.position(termId, termOffset);
        if (isFirst)
        {
            onReady.run();
        }
    }

    /**
     * Length of a gap to ask for: at least one frame of the longest kind, as what lies in the gap may be the rest of a
     * frame that was never committed, which hides how long the gap is.
     *
     * @param termOffset of the gap.
     * @param length     of the gap as far as it is known, bytes.
     * @return bytes.
     */
    public int gapLength(final int termOffset, final int length)
    {
        return Math.min(shape.termLength() - termOffset, Math.max(length, mtuLength));
    }

    /**
     * Accept no frame any more.
     */
    public void end()
    {
        isEnded = true;
    }

    /**
     * Writes that have arrived, whatever was made of them.
     *
     * @return number of writes.
     */
    public long writes()
    {
        return writes.get();
    }

    /**
     * Length of the frame that was accepted last, as Aeron has it in packets: aligned.
     *
     * @return bytes.
     */
    public int packetLength()
    {
        return align(frameLength, FRAME_ALIGNMENT);
    }

    /**
     * Judge a write and let subscribers see the frame if it is in its place.
     *
     * @param number of the write.
     * @param length of the frame in bytes, any number.
     * @return address of the frame, or 0 when it was rejected, which is counted.
     */
    long commit(final long number, final long length)
    {
        writes.setRelease(writes.getPlain() + 1);
        if (isEnded)
        {
            counters.rejectedNumber.incrementRelease();
            return 0;
        }

        final long logOffset = FrameNumbers.logOffset(number - base);
        final int termOffset = shape.termOffset(logOffset);
        if (length < FrameHeader.LENGTH || length > shape.termLength() - termOffset)
        {
            counters.rejectedLength.incrementRelease();
            return 0;
        }

        final long frame = address + logOffset;
        final int termCount = FrameHeader.termId(frame) - shape.initialTermId();
        if (FrameHeader.termOffset(frame) != termOffset || FrameHeader.sessionId(frame) != sessionId ||
            FrameHeader.streamId(frame) != streamId || termCount < 0 ||
            termCount % PARTITION_COUNT != (int)(logOffset >>> shape.positionBits()))
        {
            counters.rejectedHeader.incrementRelease();
            return 0;
        }

        final long position = shape.position(FrameHeader.termId(frame), termOffset);
        frameLength = (int)length;
        if (NO_WINDOW == windowPosition || position < windowPosition ||
            position + packetLength() > windowPosition + (shape.termLength() >> 1))
        {
            counters.rejectedWindow.incrementRelease();
            return 0;
        }

        if (0 == UnsafeApi.getIntVolatile(null, frame))
        {
            UnsafeApi.putLongRelease(null, frame, FrameHeader.first((int)length, FrameNumbers.flags(number - base)));
        }
        counters.commits.incrementRelease();

        return frame;
    }
}
