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
package io.millrace.bridge.protocol;

import io.millrace.bridge.KvPriority;

/**
 * Whose turn it is. In most rounds higher priorities come first, in every fourth NORMAL and in every eighth LOW: what
 * is scarce reaches all of them.
 */
final class Turns
{
    private static final KvPriority[] PRIORITIES = KvPriority.values();
    private static final int NORMAL_ROUND_MASK = 3;
    private static final int LOW_ROUND_MASK = 7;

    private Turns()
    {
    }

    /**
     * Priority that is served at a place.
     *
     * @param round counter of rounds.
     * @param place 0 for first, up to the number of priorities less 1.
     */
    static KvPriority at(final int round, final int place)
    {
        final KvPriority first = LOW_ROUND_MASK == (round & LOW_ROUND_MASK) ? KvPriority.LOW :
            NORMAL_ROUND_MASK == (round & NORMAL_ROUND_MASK) ? KvPriority.NORMAL : KvPriority.HIGH;
        if (0 == place)
        {
            return first;
        }
        return PRIORITIES[place <= first.ordinal() ? place - 1 : place];
    }

    /**
     * Which of several comes at a place of a round, each first in its turn.
     *
     * @param round counter of rounds, may have overflown.
     */
    static int rotate(final int round, final int place, final int count)
    {
        return (Math.floorMod(round, count) + place) % count;
    }

    static int count()
    {
        return PRIORITIES.length;
    }
}
