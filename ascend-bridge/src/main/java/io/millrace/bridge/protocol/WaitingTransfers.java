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

import java.util.ArrayDeque;

import io.millrace.bridge.KvPriority;

/**
 * Transfers that were submitted and have not begun, in order of submission within each priority.
 */
final class WaitingTransfers
{
    /**
     * Decides on a transfer that waits.
     */
    interface Filter
    {
        /**
         * Does it have to wait no longer. Called once for each transfer, what it returns true for is taken out.
         */
        boolean isOver(OutboundTransfer transfer, long nowNs);
    }

    private final ArrayDeque<OutboundTransfer>[] queues = newQueues();
    private int round;
    private int size;

    @SuppressWarnings("unchecked")
    private static ArrayDeque<OutboundTransfer>[] newQueues()
    {
        final ArrayDeque<OutboundTransfer>[] queues = new ArrayDeque[KvPriority.values().length];
        for (int i = 0; i < queues.length; i++)
        {
            queues[i] = new ArrayDeque<>();
        }
        return queues;
    }

    void add(final OutboundTransfer transfer)
    {
        queues[transfer.priority.ordinal()].add(transfer);
        size++;
    }

    boolean isEmpty()
    {
        return 0 == size;
    }

    /**
     * Take the transfer whose turn it is.
     *
     * @return null when none waits.
     */
    OutboundTransfer poll()
    {
        if (0 == size)
        {
            return null;
        }
        final int turn = round++;
        for (int place = 0; place < Turns.count(); place++)
        {
            final OutboundTransfer transfer = queues[Turns.at(turn, place).ordinal()].poll();
            if (null != transfer)
            {
                size--;
                return transfer;
            }
        }
        return null;
    }

    /**
     * Take out what need not wait any longer.
     *
     * @return transfers taken out.
     */
    int remove(final Filter filter, final long nowNs)
    {
        final int before = size;
        for (final ArrayDeque<OutboundTransfer> queue : queues)
        {
            for (int i = queue.size(); i > 0; i--)
            {
                final OutboundTransfer transfer = queue.poll();
                if (filter.isOver(transfer, nowNs))
                {
                    size--;
                }
                else
                {
                    queue.add(transfer);
                }
            }
        }
        return before - size;
    }
}
