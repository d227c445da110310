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

import io.millrace.efa.term.NumberRanges;

/**
 * What offers take from each other: numbers of immediates, and room in the completion queues of rails that nothing
 * protects from overrun. Part of the fabric conductor.
 */
final class OfferRoom
{
    private static final long NO_NUMBERS = -1;
    private static final long NO_COMPLETIONS = -2;

    private final NumberRanges numbers = new NumberRanges();
    private long completions;

    /**
     * Take numbers and room.
     *
     * @param termLength     of the log, bytes.
     * @param frames         that a window has at most.
     * @param queuesCapacity completions for which queues have room.
     * @return first number, or a negative {@link #refusal}.
     */
    long take(final int termLength, final long frames, final long queuesCapacity)
    {
        if (completions + frames > queuesCapacity)
        {
            return NO_COMPLETIONS;
        }

        final long base = numbers.allocate(termLength);
        completions += base < 0 ? 0 : frames;
        return base < 0 ? NO_NUMBERS : base;
    }

    /**
     * Why there was no room, for people.
     */
    String refusal(final long result, final long frames, final long queuesCapacity)
    {
        return NO_NUMBERS == result ?
            "the numbers of immediates are used up, use shorter terms" :
            "its window of " + frames + " frames does not fit the completion queues of " + queuesCapacity +
            " entries, of which " + completions + " are taken";
    }

    /**
     * No more writes are accepted.
     */
    void freeCompletions(final long frames)
    {
        completions -= frames;
    }

    /**
     * No write can come any more.
     */
    void freeNumbers(final long base, final int termLength)
    {
        numbers.free(base, termLength);
    }
}
