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

import org.agrona.collections.Hashing;

import java.util.Arrays;

import static io.millrace.efa.link.PacketFrames.start;
import static io.millrace.efa.link.PacketFrames.stream;

/**
 * Packets in the middle of which the rails pushed back, one of each stream: how far they were sent. A packet is known
 * by where in the stream it starts, as it may have grown when it is sent again. Of a fixed size: one that finds no room
 * is sent from its start again. Owned by the Sender.
 */
final class PartlySent
{
    private static final int WAYS = 8;

    /**
     * Of so many that find no room one takes the place of another, which may be one that nobody will send again.
     */
    private static final int REPLACE_MASK = 31;
    private static final int ENTRIES = 256;

    private final long[] streams = new long[ENTRIES];
    private final long[] starts = new long[ENTRIES];
    private final int[] lengths = new int[ENTRIES];
    private int size;
    private int refusals;

    /**
     * How much of a packet need not be sent again?
     *
     * @param address of the packet's first frame.
     * @param length  of the packet, bytes.
     * @return bytes at its start.
     */
    int sent(final long address, final int length)
    {
        final int index = 0 == size ? -1 : find(address);
        return index >= 0 && starts[index] == start(address) && lengths[index] <= length ? lengths[index] : 0;
    }

    /**
     * Remember a packet, instead of another of the stream.
     *
     * @param address of the packet's first frame.
     * @param sent    bytes at its start, more than 0.
     */
    void put(final long address, final int sent)
    {
        final int known = find(address);
        final int index = known < 0 ? vacate(bucket(address)) : known;
        if (index < 0)
        {
            return;
        }

        size += 0 == lengths[index] ? 1 : 0;
        streams[index] = stream(address);
        starts[index] = start(address);
        lengths[index] = sent;
    }

    /**
     * Forget a packet, as it was sent.
     *
     * @param address of the packet's first frame.
     */
    void remove(final long address)
    {
        final int index = 0 == size ? -1 : find(address);
        if (index >= 0 && starts[index] == start(address))
        {
            lengths[index] = 0;
            size--;
        }
    }

    void clear()
    {
        Arrays.fill(lengths, 0);
        size = 0;
    }

    private int find(final long address)
    {
        final long stream = stream(address);
        final int bucket = bucket(address);
        for (int i = bucket; i < bucket + WAYS; i++)
        {
            if (0 != lengths[i] && streams[i] == stream)
            {
                return i;
            }
        }

        return -1;
    }

    private int vacate(final int bucket)
    {
        for (int i = bucket; i < bucket + WAYS; i++)
        {
            if (0 == lengths[i])
            {
                return i;
            }
        }

        final int refused = ++refusals;
        return 0 == (refused & REPLACE_MASK) ? bucket + (refused / (REPLACE_MASK + 1) & WAYS - 1) : -1;
    }

    private static int bucket(final long address)
    {
        return Hashing.hash(stream(address), ENTRIES - 1) & -WAYS;
    }
}
