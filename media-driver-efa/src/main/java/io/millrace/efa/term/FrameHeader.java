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

import org.agrona.UnsafeApi;

import static io.aeron.protocol.HeaderFlyweight.HDR_TYPE_DATA;

/**
 * Fields of a data frame's header in native memory. They are little-endian.
 */
final class FrameHeader
{
    /**
     * Of the header in bytes.
     */
    static final int LENGTH = 32;

    /**
     * The part of a frame that the receiver stores itself, when all else is there: length, version, flags and type.
     */
    static final int FIRST_LENGTH = 8;

    private static final int VERSION_OFFSET = 4;
    private static final int FLAGS_OFFSET = 5;
    private static final int TYPE_OFFSET = 6;
    private static final int TERM_OFFSET_OFFSET = 8;
    private static final int SESSION_ID_OFFSET = 12;
    private static final int STREAM_ID_OFFSET = 16;
    private static final int TERM_ID_OFFSET = 20;

    private FrameHeader()
    {
    }

    static int frameLength(final long address)
    {
        return UnsafeApi.getInt(address);
    }

    static int flags(final long address)
    {
        return UnsafeApi.getByte(address + FLAGS_OFFSET) & 0xFF;
    }

    /**
     * Is this a data frame of version 0?
     */
    static boolean isPlainData(final long address)
    {
        return 0 == UnsafeApi.getByte(address + VERSION_OFFSET) &&
            HDR_TYPE_DATA == (UnsafeApi.getShort(address + TYPE_OFFSET) & 0xFFFF);
    }

    static int termOffset(final long address)
    {
        return UnsafeApi.getInt(address + TERM_OFFSET_OFFSET);
    }

    static int sessionId(final long address)
    {
        return UnsafeApi.getInt(address + SESSION_ID_OFFSET);
    }

    static int streamId(final long address)
    {
        return UnsafeApi.getInt(address + STREAM_ID_OFFSET);
    }

    static int termId(final long address)
    {
        return UnsafeApi.getInt(address + TERM_ID_OFFSET);
    }

    /**
     * The first eight bytes of a data frame.
     */
    static long first(final int frameLength, final int flags)
    {
        return frameLength | (long)flags << Byte.SIZE * FLAGS_OFFSET | (long)HDR_TYPE_DATA << Byte.SIZE * TYPE_OFFSET;
    }

    /**
     * Are two headers the same?
     */
    static boolean areEqual(final long a, final long b)
    {
        return UnsafeApi.getLong(a) == UnsafeApi.getLong(b) &&
            UnsafeApi.getLong(a + 8) == UnsafeApi.getLong(b + 8) &&
            UnsafeApi.getLong(a + 16) == UnsafeApi.getLong(b + 16) &&
            UnsafeApi.getLong(a + 24) == UnsafeApi.getLong(b + 24);
    }
}
