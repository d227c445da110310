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

import org.agrona.BitUtil;

/**
 * Positions of a stream that the NIC still reads or writes, and with them the rule that keeps memory from being used
 * anew under an operation: Aeron cleans a term one term behind the sender, so nothing is sent more than half a term
 * ahead of the oldest operation that has not ended. Operations end in any order. Owned by one agent.
 */
final class InFlight
{
    private static final int CAPACITY = 512;
    private static final long NOTHING = Long.MAX_VALUE;

    private final long[] positions;
    private final boolean[] ended;
    private final int mask;
    private final int reach;
    private int head;
    private int tail;

    InFlight(final int termLength)
    {
        this(termLength, CAPACITY);
    }

    InFlight(final int termLength, final int capacity)
    {
        final int length = BitUtil.findNextPositivePowerOfTwo(capacity);
        positions = new long[length];
        ended = new boolean[length];
        mask = length - 1;
        reach = termLength >> 1;
    }

    boolean isEmpty()
    {
        return head == tail;
    }

    boolean isFull()
    {
        return tail - head > mask;
    }

    /**
     * May the stream be sent up to a position?
     *
     * @param endPosition of what is to be sent.
     * @return false when an older operation has to end first.
     */
    boolean allows(final long endPosition)
    {
        return head == tail || endPosition - oldest() <= reach;
    }

    /**
     * The lowest position in flight.
     */
    long oldest()
    {
        return head == tail ? NOTHING : positions[head & mask];
    }

    /**
     * Ticket of the operation that {@link #onPosted(long)} will take note of.
     */
    int nextTicket()
    {
        return tail & mask;
    }

    /**
     * An operation was posted.
     *
     * @param position of its first byte.
     */
    void onPosted(final long position)
    {
        final int index = tail & mask;
        positions[index] = position;

        // what is sent again is older than what is in flight already: the oldest has to stay at the head
        for (int i = tail - 1; i - head >= 0 && positions[i & mask] > position; i--)
        {
            positions[i & mask] = position;
        }
        ended[index] = false;
        tail++;
    }

    /**
     * An operation has ended.
     *
     * @param ticket of the operation.
     */
    void onEnded(final int ticket)
    {
        ended[ticket] = true;
        while (head != tail && ended[head & mask])
        {
            head++;
        }
    }
}
