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

import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;

import java.util.ArrayList;
import java.util.List;

import static org.assertj.core.api.Assertions.assertThat;

class FrameNumbersTest
{
    @Property(tries = 500)
    void shouldSayPlaceAndFlagsOfEachFrame(
        @ForAll @IntRange(min = 16, max = 30) final int termBits,
        @ForAll @LongRange(min = 0, max = (3L << 30) - 1) final long any,
        @ForAll @IntRange(min = 0, max = 3) final int beginAndEnd)
    {
        final int termLength = 1 << termBits;
        final long logOffset = any % (3L * termLength) & -32L;
        final long number = FrameNumbers.encode(logOffset, (byte)(beginAndEnd << 6));

        assertThat(number).isBetween(0L, FrameNumbers.of(termLength) - 1);
        assertThat(FrameNumbers.logOffset(number)).isEqualTo(logOffset);
        assertThat(FrameNumbers.flags(number)).isEqualTo(beginAndEnd << 6);
    }

    @Property(tries = 200)
    void shouldCarryLengthsInTheUpperHalf(
        @ForAll @LongRange(min = 0, max = 0xFFFF_FFFFL) final long number,
        @ForAll @IntRange(min = 32, max = 1 << 30) final int length)
    {
        final long immediate = FrameNumbers.withLength(number, length);

        assertThat(FrameNumbers.number(immediate)).isEqualTo(number);
        assertThat(FrameNumbers.length(immediate)).isEqualTo(length);
        assertThat(FrameNumbers.length(number)).isZero();
    }

    @Property(tries = 100)
    void shouldCarryNoOtherFlags(@ForAll final byte flags)
    {
        assertThat(FrameNumbers.areFlagsCarried(flags))
            .isEqualTo(flags == (byte)FrameNumbers.flags(FrameNumbers.encode(0, flags)));
    }

    @Property(tries = 100)
    void shouldGiveRangesThatDoNotMeet(
        @ForAll final List<@IntRange(min = 16, max = 30) Integer> termBits, @ForAll final long seed)
    {
        record Range(long base, int termLength)
        {
            long end()
            {
                return base + FrameNumbers.of(termLength);
            }
        }

        final NumberRanges ranges = new NumberRanges();
        final List<Range> taken = new ArrayList<>();
        long state = seed;
        for (final int bits : termBits)
        {
            final long base = ranges.allocate(1 << bits);
            if (base >= 0)
            {
                final Range range = new Range(base, 1 << bits);
                assertThat(range.end()).isLessThanOrEqualTo(FrameNumbers.TOTAL);
                assertThat(taken).noneMatch((other) -> other.base() < range.end() && range.base() < other.end());
                taken.add(range);
            }

            state = state * 6364136223846793005L + 1442695040888963407L;
            if (!taken.isEmpty() && state < 0)
            {
                final Range back = taken.remove((int)Long.remainderUnsigned(state >>> 3, taken.size()));
                ranges.free(back.base(), back.termLength());
            }
        }
    }

    @Example
    void shouldRunOutOfNumbersAndUseFreedOnesAsLateAsPossible()
    {
        final NumberRanges ranges = new NumberRanges();
        final List<Long> bases = new ArrayList<>();
        for (long base = ranges.allocate(1 << 30); base >= 0; base = ranges.allocate(1 << 30))
        {
            bases.add(base);
        }
        assertThat(bases).hasSize(10);

        ranges.free(bases.get(2), 1 << 30);
        assertThat(ranges.allocate(1 << 30)).isEqualTo(bases.get(2));

        final NumberRanges fresh = new NumberRanges();
        final long first = fresh.allocate(1 << 16);
        fresh.free(first, 1 << 16);
        assertThat(fresh.allocate(1 << 16)).isNotEqualTo(first);
    }
}
