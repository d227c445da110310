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

import org.agrona.collections.LongHashSet;

/**
 * The ids of the last transfers that ended, in bounded memory: their late messages are expected and dropped.
 */
final class RecentTransfers
{
    private final long[] ring;
    private final LongHashSet ids;
    private int next;

    RecentTransfers(final int capacity)
    {
        ring = new long[capacity];
        ids = new LongHashSet(capacity * 2, 0.6f);
    }

    void add(final long transferId)
    {
        if (ids.add(transferId))
        {
            final long oldest = ring[next];
            if (0 != oldest)
            {
                ids.remove(oldest);
            }
            ring[next] = transferId;
            next = (next + 1) % ring.length;
        }
    }

    boolean contains(final long transferId)
    {
        return ids.contains(transferId);
    }

    void remove(final long transferId)
    {
        if (ids.remove(transferId))
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
        return ids.size();
    }
}
