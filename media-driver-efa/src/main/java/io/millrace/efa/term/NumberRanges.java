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

import java.util.BitSet;

/**
 * Gives out ranges of the 32-bit numbers that immediates are made of. A range that is given back is used again as late
 * as possible, so that a late write finds nobody. Fabric conductor only.
 */
public final class NumberRanges
{
    /**
     * Numbers in a granule, the unit of ranges: no more than the smallest log takes.
     */
    static final int GRANULE_SHIFT = 14;

    private static final int GRANULES = (int)(FrameNumbers.TOTAL >> GRANULE_SHIFT);

    private final BitSet used = new BitSet(GRANULES);
    private int next;

    /**
     * Create with all numbers free.
     */
    public NumberRanges()
    {
    }

    static int granules(final long numbers)
    {
        return (int)(numbers + (1L << GRANULE_SHIFT) - 1 >> GRANULE_SHIFT);
    }

    /**
     * Take a range.
     *
     * @param termLength of the log whose frames it numbers, bytes.
     * @return first number, or -1 when there is no room.
     */
    public long allocate(final int termLength)
    {
        final int count = granules(FrameNumbers.of(termLength));
        int first = find(next, GRANULES, count);
        if (first < 0)
        {
            first = find(0, Math.min(GRANULES, next + count), count);
        }

        if (first < 0)
        {
            return -1;
        }

        used.set(first, first + count);
        next = first + count;
        return (long)first << GRANULE_SHIFT;
    }

    /**
     * Give a range back.
     *
     * @param base       first number.
     * @param termLength of the log, bytes.
     */
    public void free(final long base, final int termLength)
    {
        final int first = (int)(base >> GRANULE_SHIFT);
        used.clear(first, first + granules(FrameNumbers.of(termLength)));
    }

    private int find(final int from, final int to, final int count)
    {
        int first = used.nextClearBit(from);
        while (first + count <= to)
        {
            final int end = used.nextSetBit(first);
            if (end < 0 || end >= first + count)
            {
                return first;
            }
            first = used.nextClearBit(end);
        }

        return -1;
    }
}
