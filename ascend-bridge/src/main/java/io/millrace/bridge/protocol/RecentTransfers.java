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

import io.millrace.bridge.KvError;
import org.agrona.collections.Long2LongHashMap;

/**
 * The ends of the last transfers, in bounded memory: their late messages are expected and dropped, and a sender that
 * did not hear of the end is told again.
 */
final class RecentTransfers
{
    private static final long MISSING = -1;
    private static final float LOAD_FACTOR = 0.6f;
    private static final KvError[] ERRORS = KvError.values();
    private static final int CHECKSUM_SHIFT = 8;

    private final long[] ring;
    private final Long2LongHashMap ends;
    private int next;

    RecentTransfers(final int capacity)
    {
        ring = new long[capacity];
        ends = new Long2LongHashMap(capacity * 2, LOAD_FACTOR, MISSING);
    }

    void add(final long transferId, final KvError error, final int checksum)
    {
        if (MISSING == ends.put(transferId, (checksum & 0xFFFF_FFFFL) << CHECKSUM_SHIFT | error.ordinal()))
        {
            final long oldest = ring[next];
            if (0 != oldest)
            {
                ends.remove(oldest);
            }
            ring[next] = transferId;
            next = (next + 1) % ring.length;
        }
    }

    boolean contains(final long transferId)
    {
        return MISSING != ends.get(transferId);
    }

    /**
     * Why a transfer ended that is contained.
     */
    KvError error(final long transferId)
    {
        return ERRORS[(int)(ends.get(transferId) & ((1 << CHECKSUM_SHIFT) - 1))];
    }

    /**
     * Checksum of a transfer that completed.
     */
    int checksum(final long transferId)
    {
        return (int)(ends.get(transferId) >>> CHECKSUM_SHIFT);
    }

    void remove(final long transferId)
    {
        if (MISSING != ends.remove(transferId))
        {
            for (int i = 0; i < ring.length; i++)
            {
                if (ring[i] == transferId)
                {
                    ring[i] = 0;
                }
            }
        }
    }

    int size()
    {
        return ends.size();
    }
}
