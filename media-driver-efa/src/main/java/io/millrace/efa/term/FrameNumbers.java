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

import static io.aeron.logbuffer.FrameDescriptor.FRAME_ALIGNMENT;

/**
 * What the immediate of a write says: the frame's place in a log, and which of the flags BEGIN and END it has. An image
 * has a range of the 32-bit numbers, of which each place takes four. Immediates of 64 bits have the frame's length in
 * their upper half, as providers that have them do not tell the length of a write.
 */
final class FrameNumbers
{
    /**
     * All numbers there are.
     */
    static final long TOTAL = 1L << Integer.SIZE;

    private static final int FLAG_BITS = 2;
    private static final int FLAGS_SHIFT = 6;
    private static final int SLOT_SHIFT = Integer.numberOfTrailingZeros(FRAME_ALIGNMENT);
    private static final int FLAGS_MASK = (1 << FLAG_BITS) - 1;
    private static final int OTHER_FLAGS_MASK = (1 << FLAGS_SHIFT) - 1;

    private FrameNumbers()
    {
    }

    /**
     * Numbers that a log takes.
     *
     * @param termLength in bytes.
     * @return numbers.
     */
    static long of(final int termLength)
    {
        return (long)termLength * LogBufferDescriptor.PARTITION_COUNT >> SLOT_SHIFT << FLAG_BITS;
    }

    /**
     * Can a frame's flags be said in its number?
     *
     * @param flags of the frame.
     * @return false when others than BEGIN and END are set.
     */
    static boolean areFlagsCarried(final int flags)
    {
        return 0 == (flags & OTHER_FLAGS_MASK);
    }

    /**
     * Number of a frame within its log.
     *
     * @param logOffset of the frame in the log, bytes.
     * @param flags     of the frame.
     * @return number, from 0.
     */
    static long encode(final long logOffset, final int flags)
    {
        return logOffset >> SLOT_SHIFT << FLAG_BITS | (flags & 0xFF) >> FLAGS_SHIFT;
    }

    /**
     * Place of a frame.
     *
     * @param number within its log.
     * @return offset in the log, bytes, a multiple of the frame alignment.
     */
    static long logOffset(final long number)
    {
        return number >> FLAG_BITS << SLOT_SHIFT;
    }

    /**
     * Flags of a frame.
     *
     * @param number within its log.
     * @return flags as in its header.
     */
    static int flags(final long number)
    {
        return (int)(number & FLAGS_MASK) << FLAGS_SHIFT;
    }

    /**
     * Put the length of a frame into an immediate of 64 bits.
     */
    static long withLength(final long number, final int frameLength)
    {
        return (long)frameLength << Integer.SIZE | number;
    }

    /**
     * Length of a frame out of an immediate of 64 bits.
     */
    static long length(final long immediate)
    {
        return immediate >>> Integer.SIZE;
    }

    /**
     * Number out of an immediate of 32 or 64 bits.
     */
    static long number(final long immediate)
    {
        return immediate & 0xFFFF_FFFFL;
    }
}
