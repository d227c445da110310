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
import net.jqwik.api.constraints.Size;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

import static org.assertj.core.api.Assertions.assertThat;

class InFlightTest
{
    private static final int TERM_LENGTH = 64 * 1024;
    private static final int CAPACITY = 16;

    /**
     * Whatever is sent again, and in whatever order operations end: memory of one in flight is never within a term of
     * where the sender goes next, which is as far as Aeron cleans.
     */
    @Property(tries = 300)
    void shouldHoldTheSenderUntilOldOperationsHaveEnded(
        @ForAll @Size(min = 1, max = 300) final List<Boolean> isPost, @ForAll final Random random)
    {
        final InFlight inFlight = new InFlight(TERM_LENGTH, CAPACITY);
        final Map<Integer, Long> model = new HashMap<>();
        long position = 0;
        for (final boolean post : isPost)
        {
            final int length = 32 * (1 + random.nextInt(256));
            if (post && !inFlight.isFull())
            {
                final boolean isRepeated = position > 0 && 0 == random.nextInt(4);
                final long from = isRepeated ?
                    Math.max(0, position - random.nextInt(TERM_LENGTH / 2)) & -32L : position;
                if (inFlight.allows(from + length))
                {
                    model.put(inFlight.nextTicket(), from);
                    inFlight.onPosted(from);
                    position = Math.max(position, from + length);
                }
            }
            else if (!model.isEmpty())
            {
                final Integer ticket = List.copyOf(model.keySet()).get(random.nextInt(model.size()));
                model.remove(ticket);
                inFlight.onEnded(ticket);
            }

            final long oldest = model.values().stream().mapToLong(Long::longValue).min().orElse(Long.MAX_VALUE);
            assertThat(inFlight.oldest()).isLessThanOrEqualTo(oldest);
            if (!model.isEmpty())
            {
                assertThat(inFlight.allows(oldest + TERM_LENGTH / 2 + 32)).isFalse();
                assertThat(position - oldest).isLessThanOrEqualTo(TERM_LENGTH);
            }
            assertThat(inFlight.isEmpty()).isEqualTo(model.isEmpty());
        }
    }

    @Example
    void shouldAllowAllWhenNothingIsInFlight()
    {
        final InFlight inFlight = new InFlight(TERM_LENGTH, CAPACITY);
        assertThat(inFlight.allows(Long.MAX_VALUE / 2)).isTrue();

        final int ticket = inFlight.nextTicket();
        inFlight.onPosted(0);
        assertThat(inFlight.allows(TERM_LENGTH / 2)).isTrue();
        assertThat(inFlight.allows(TERM_LENGTH / 2 + 32)).isFalse();

        inFlight.onEnded(ticket);
        assertThat(inFlight.allows(TERM_LENGTH / 2 + 32)).isTrue();
    }

    @Example
    void shouldBeFullAtItsCapacity()
    {
        final InFlight inFlight = new InFlight(TERM_LENGTH, CAPACITY);
        for (int i = 0; i < CAPACITY; i++)
        {
            assertThat(inFlight.isFull()).isFalse();
            inFlight.onPosted(32L * i);
        }
        assertThat(inFlight.isFull()).isTrue();

        inFlight.onEnded(1);
        assertThat(inFlight.isFull()).isTrue();
        inFlight.onEnded(0);
        assertThat(inFlight.isFull()).isFalse();
        assertThat(inFlight.oldest()).isEqualTo(64);
    }
}
