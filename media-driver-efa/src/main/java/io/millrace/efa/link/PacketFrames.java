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

import org.agrona.BufferUtil;
import org.agrona.DirectBuffer;
import org.agrona.UnsafeApi;
import org.agrona.collections.Hashing;

import java.nio.ByteBuffer;

import static io.aeron.logbuffer.FrameDescriptor.FRAME_ALIGNMENT;
import static io.aeron.protocol.DataHeaderFlyweight.HEADER_LENGTH;
import static io.aeron.protocol.DataHeaderFlyweight.TERM_ID_FIELD_OFFSET;
import static io.aeron.protocol.DataHeaderFlyweight.TERM_OFFSET_FIELD_OFFSET;
import static io.aeron.protocol.HeaderFlyweight.HDR_TYPE_DATA;
import static io.aeron.protocol.HeaderFlyweight.HDR_TYPE_PAD;
import static io.aeron.protocol.HeaderFlyweight.HDR_TYPE_SETUP;
import static io.aeron.protocol.HeaderFlyweight.VERSION_FIELD_OFFSET;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static org.agrona.BitUtil.align;

/**
 * Reads the frames of an Aeron packet in native memory. Aeron's fields are little-endian.
 */
public final class PacketFrames
{
    static final int SESSION_ID_OFFSET = 12;

    /**
     * Answer of {@link #streamKey(ByteBuffer)} for packets of no stream.
     */
    public static final long NO_STREAM = Long.MIN_VALUE;

    private static final int TYPE_OFFSET = 6;
    private static final int STREAM_ID_OFFSET = 16;

    private PacketFrames()
    {
    }

    /**
     * Is the first frame, and so the packet, data and not a heartbeat?
     *
     * @param address of the packet.
     * @param length  of the packet in bytes.
     * @return true for data with a payload or header of its own.
     */
    static boolean isData(final long address, final int length)
    {
        return length >= SESSION_ID_OFFSET &&
            HDR_TYPE_DATA == (UnsafeApi.getShort(address + TYPE_OFFSET) & 0xFFFF) && UnsafeApi.getInt(address) > 0;
    }

    /**
     * The stream that a data, padding or setup packet belongs to.
     *
     * @param packet direct buffer, from position to limit.
     * @return {@link Hashing#compoundKey} of session and stream id, or {@link #NO_STREAM} for other packets.
     */
    public static long streamKey(final ByteBuffer packet)
    {
        final long address = BufferUtil.address(packet) + packet.position();
        if (packet.remaining() < STREAM_ID_OFFSET + 4)
        {
            return NO_STREAM;
        }

        final int type = UnsafeApi.getShort(address + TYPE_OFFSET) & 0xFFFF;
        return HDR_TYPE_DATA == type || HDR_TYPE_PAD == type || HDR_TYPE_SETUP == type ? stream(address) : NO_STREAM;
    }

    /**
     * Stream of a frame.
     *
     * @param address of the frame.
     * @return {@link Hashing#compoundKey} of session and stream id.
     */
    static long stream(final long address)
    {
        return Hashing.compoundKey(
            UnsafeApi.getInt(address + SESSION_ID_OFFSET), UnsafeApi.getInt(address + STREAM_ID_OFFSET));
    }

    /**
     * Where in its stream a data frame starts.
     *
     * @param address of the frame.
     * @return {@link Hashing#compoundKey} of term id and term offset.
     */
    static long start(final long address)
    {
        return Hashing.compoundKey(
            UnsafeApi.getInt(address + TERM_ID_FIELD_OFFSET), UnsafeApi.getInt(address + TERM_OFFSET_FIELD_OFFSET));
    }

    /**
     * Number of data frames in a packet.
     *
     * @param packet direct buffer, from position to limit.
     * @return number of frames, 0 when the packet is none of data or a heartbeat.
     */
    public static int dataFrames(final ByteBuffer packet)
    {
        final long address = BufferUtil.address(packet) + packet.position();
        final int length = packet.remaining();
        return isData(address, length) ? count(address, length) : 0;
    }

    /**
     * Number of frames in a data packet.
     *
     * @param address of the packet.
     * @param length  of the packet in bytes.
     * @return number of frames, at least 1.
     */
    static int count(final long address, final int length)
    {
        int frames = 0;
        int offset = 0;
        while (offset < length)
        {
            final int frameLength = UnsafeApi.getInt(address + offset);
            frames++;
            if (frameLength <= 0 || frameLength > length - offset)
            {
                break;
            }
            offset += align(frameLength, FRAME_ALIGNMENT);
        }

        return frames;
    }

    /**
     * Length of the longest run of whole frames, from the start of a data packet, that fits a limit.
     *
     * @param address     of the first frame.
     * @param length      of what is left of the packet, bytes.
     * @param limitLength of a message, bytes.
     * @return bytes, 0 when not even the first frame fits.
     */
    static int fit(final long address, final int length, final int limitLength)
    {
        if (length <= limitLength)
        {
            return length;
        }

        int fit = 0;
        while (fit < length)
        {
            final int frameLength = UnsafeApi.getInt(address + fit);
            if (frameLength <= 0 || frameLength > limitLength - fit ||
                align(frameLength, FRAME_ALIGNMENT) > limitLength - fit)
            {
                break;
            }
            fit += align(frameLength, FRAME_ALIGNMENT);
        }

        return fit;
    }

    /**
     * Are the frames of a data packet what one stream's sender would send: whole, of one session, stream and term, one
     * after the other? Only then may they be put into an image, whose readers follow the lengths. Padding at the end of
     * a term comes as its header alone.
     *
     * @param buffer with the packet at its start.
     * @param length of the packet in bytes.
     * @return true for a heartbeat or sound frames.
     */
    public static boolean isSound(final DirectBuffer buffer, final int length)
    {
        if (length < HEADER_LENGTH)
        {
            return false;
        }

        final int termOffset = buffer.getInt(TERM_OFFSET_FIELD_OFFSET, LITTLE_ENDIAN);
        if (termOffset < 0 || 0 != (termOffset & FRAME_ALIGNMENT - 1))
        {
            return false;
        }

        if (0 == buffer.getInt(0, LITTLE_ENDIAN))
        {
            return HEADER_LENGTH == length;
        }

        final long stream = buffer.getLong(SESSION_ID_OFFSET);
        final int termId = buffer.getInt(TERM_ID_FIELD_OFFSET);
        int offset = 0;
        while (offset < length)
        {
            final int left = length - offset;
            if (left < HEADER_LENGTH ||
                0 != buffer.getByte(offset + VERSION_FIELD_OFFSET) ||
                termOffset + offset != buffer.getInt(offset + TERM_OFFSET_FIELD_OFFSET, LITTLE_ENDIAN) ||
                stream != buffer.getLong(offset + SESSION_ID_OFFSET) ||
                termId != buffer.getInt(offset + TERM_ID_FIELD_OFFSET))
            {
                return false;
            }

            final int frameLength = buffer.getInt(offset, LITTLE_ENDIAN);
            final int type = buffer.getShort(offset + TYPE_OFFSET, LITTLE_ENDIAN) & 0xFFFF;
            final boolean isPadding = HDR_TYPE_PAD == type;
            if (frameLength < HEADER_LENGTH || !isPadding && HDR_TYPE_DATA != type ||
                frameLength > left && !(isPadding && HEADER_LENGTH == left))
            {
                return false;
            }

            if (frameLength >= left)
            {
                return true;
            }
            offset += align(frameLength, FRAME_ALIGNMENT);
        }

        return true;
    }
}
