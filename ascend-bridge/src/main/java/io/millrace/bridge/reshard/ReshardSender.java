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
package io.millrace.bridge.reshard;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

import io.millrace.bridge.KvSender;
import io.millrace.bridge.KvTransfer;
import io.millrace.bridge.KvTransferRequest;

/**
 * Sends what one source rank holds to the destination ranks that want it.
 */
public final class ReshardSender
{
    private final ReshardPlan plan;
    private final List<ShardCopy> copies;
    private final IntFunction<KvSender> senders;

    /**
     * Send for a rank.
     *
     * @param plan    of all ranks.
     * @param rank    0 and up.
     * @param senders that lead to a destination rank, by its number.
     */
    public ReshardSender(final ReshardPlan plan, final int rank, final IntFunction<KvSender> senders)
    {
        if (rank < 0 || rank >= plan.source().tpSize())
        {
            throw new IllegalArgumentException(
                "rank=" + rank + " is out of range: use 0 to " + (plan.source().tpSize() - 1));
        }
        this.plan = plan;
        this.senders = senders;
        copies = plan.copiesFrom(rank);
    }

    /**
     * Queue the transfers of a request.
     *
     * @param whole      what the rank has: its layout, blocks, token count, request id and settings.
     * @param firstToken to send, a multiple of the destination's tokens per block: those before are there already.
     * @return handle of the transfers.
     * @throws io.millrace.bridge.KvException when a sender's queue is full; what was queued before is canceled.
     * @throws IllegalArgumentException       when the request does not fit the plan.
     */
    public ReshardTransfer submit(final KvTransferRequest whole, final int firstToken)
    {
        final List<KvTransfer> transfers = new ArrayList<>(copies.size());
        try
        {
            for (final ShardCopy copy : copies)
            {
                transfers.add(senders.apply(copy.destinationRank()).submit(plan.request(copy, whole, firstToken)));
            }
        }
        catch (final RuntimeException ex)
        {
            transfers.forEach(KvTransfer::cancel);
            throw ex;
        }
        return new ReshardTransfer(transfers);
    }
}
