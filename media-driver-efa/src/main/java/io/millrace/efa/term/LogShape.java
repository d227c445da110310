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

import static io.aeron.logbuffer.LogBufferDescriptor.PARTITION_COUNT;

/**
 * Where frames lie in a log of three terms.
 *
 * @param termLength    in bytes, a power of two.
 * @param positionBits  of an offset within a term.
 * @param initialTermId of the stream.
 */
record LogShape(int termLength, int positionBits, int initialTermId)
{
    LogShape(final int termLength, final int initialTermId)
    {
        this(termLength, LogBufferDescriptor.positionBitsToShift(termLength), initialTermId);
    }

    /**
     * Stream position of a frame.
     */
    long position(final int termId, final int termOffset)
    {
        return ((long)(termId - initialTermId) << positionBits) + termOffset;
    }

    /**
     * Place of a position in the log.
     */
    long logOffset(final long position)
    {
        return ((position >>> positionBits) % PARTITION_COUNT << positionBits) + termOffset(position);
    }

    /**
     * Place of a position in its term.
     */
    int termOffset(final long position)
    {
        return (int)position & termLength - 1;
    }
}
