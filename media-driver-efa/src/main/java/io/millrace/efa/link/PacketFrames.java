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
import org.agrona.UnsafeApi;
import org.agrona.collections.Hashing;

import java.nio.ByteBuffer;

import static io.aeron.logbuffer.FrameDescriptor.FRAME_ALIGNMENT;
import static io.aeron.protocol.HeaderFlyweight.HDR_TYPE_DATA;
import static io.aeron.protocol.HeaderFlyweight.HDR_TYPE_PAD;
import static io.aeron.protocol.HeaderFlyweight.HDR_TYPE_SETUP;
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
        return HDR_TYPE_DATA == type || HDR_TYPE_PAD == type || HDR_TYPE_SETUP == type ?
            Hashing.compoundKey(
            UnsafeApi.getInt(address + SESSION_ID_OFFSET), UnsafeApi.getInt(address + STREAM_ID_OFFSET)) : NO_STREAM;
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
            if (frameLength <= 0)
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
            final int end = fit + align(frameLength, FRAME_ALIGNMENT);
            if (frameLength <= 0 || end > limitLength)
            {
                break;
            }
            fit = end;
        }

        return fit;
    }
}
