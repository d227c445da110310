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
package io.millrace.efa.rail;

import java.util.concurrent.TimeUnit;

/**
 * Finds operations of a rail that take long or do not end. Owned by the rail's agent.
 */
final class OverdueOperations
{
    /**
     * An operation that takes so long is held up by its rail: longer than any queue of a NIC, shorter than what an
     * application notices as a pause.
     */
    private static final long SLOW_OPERATION_NS = TimeUnit.MILLISECONDS.toNanos(100);

    private final Rail rail;
    private final SendSlots slots;
    private final int sendSlots;
    private long checks = 1;

    OverdueOperations(final Rail rail, final SendSlots slots, final int sendSlots)
    {
        this.rail = rail;
        this.slots = slots;
        this.sendSlots = sendSlots;
    }

    void check(final long nowNs, final long stallTimeoutNs, final long goneTimeoutNs, final RailCounters counters)
    {
        ++checks;
        for (int slot = 0; slot < sendSlots && !slots.isUnused(); slot++)
        {
            final RailPeer peer = slots.peer(slot);
            if (null == peer)
            {
                continue;
            }

            final long durationNs = nowNs - slots.postedNs(slot);
            if (peer.isRetired() && durationNs > goneTimeoutNs)
            {
                rail.onWorn("an operation to a peer that is gone has not ended");
                return;
            }

            if (durationNs > stallTimeoutNs)
            {
                rail.onFailure("an operation has not ended for " + TimeUnit.NANOSECONDS.toMillis(durationNs) + " ms");
                return;
            }

            if (durationNs > SLOW_OPERATION_NS)
            {
                if (peer.slowAtCheck() < checks - 1)
                {
                    counters.slow.incrementRelease();
                }
                peer.slowAtCheck(checks);
            }
        }
    }

    /**
     * Did the last check find an operation to this peer that takes long?
     */
    boolean isSlow(final RailPeer peer)
    {
        return peer.slowAtCheck() == checks;
    }
}
