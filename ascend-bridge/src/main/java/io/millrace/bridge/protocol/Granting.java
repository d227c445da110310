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

import io.millrace.bridge.KvCounters;
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvException;
import io.millrace.bridge.KvGrant;

/**
 * Finds destination blocks for transfers and tells the sender what to send into them.
 */
final class Granting
{
    private static final int CREDIT_STEPS = 4;

    private final ReceiverAgent agent;

    Granting(final ReceiverAgent agent)
    {
        this.agent = agent;
    }

    /**
     * Ask the allocator for the blocks of a transfer and grant them.
     *
     * @return false when it has none now.
     */
    boolean allocate(final InboundTransfer transfer)
    {
        final KvGrant grant;
        try
        {
            grant = agent.ctx.allocator().grant(transfer.info());
        }
        catch (final KvException ex)
        {
            agent.fail(transfer, ex.error(), transfer.info().blockCount(), 0, ex.getMessage());
            return true;
        }
        catch (final RuntimeException ex)
        {
            agent.ctx.errorHandler().onError(ex);
            agent.fail(transfer, KvError.NO_BLOCKS, transfer.info().blockCount(), 0, "allocator failed: " + ex);
            return true;
        }
        if (null == grant)
        {
            return false;
        }

        agent.onGranted();
        transfer.grant(grant);
        final int granted = grant.blocks().blockCount();
        if (granted < transfer.info().blockCount())
        {
            agent.fail(transfer, KvError.NO_BLOCKS, transfer.info().blockCount(), granted, "allocator granted " +
                granted + " of " + transfer.info().blockCount() + " blocks");
            return true;
        }

        answer(transfer);
        agent.counters.add(KvCounters.Kind.BYTES_SAVED,
            transfer.info().totalBytes() - transfer.layerBytes() * (transfer.layers - transfer.fromLayer));
        agent.events.onBegin(transfer);
        for (int layer = 0; layer < transfer.fromLayer; layer++)
        {
            agent.events.onLayer(transfer, layer);
        }
        return true;
    }

    /**
     * Tell the sender what to send.
     */
    void answer(final InboundTransfer transfer)
    {
        transfer.creditLimit = transfer.isAnswered ? agent.ctx.creditWindowBytes() : Long.MAX_VALUE;
        if (transfer.isEager && !transfer.isAllWanted())
        {
            drop(transfer);
        }
        else if (transfer.isAnswered && !transfer.isDropping)
        {
            agent.writer.allocate(transfer);
        }
    }

    /**
     * Take nothing of what follows an eager begin: the sender begins again, and is answered then.
     */
    void drop(final InboundTransfer transfer)
    {
        transfer.isEager = false;
        transfer.isDropping = true;
        agent.writer.resume(transfer, 0, 0, KvError.NO_BLOCKS);
    }

    /**
     * Tell the sender of new credit when there is enough of it.
     */
    void credit(final InboundTransfer transfer)
    {
        final long creditLimit = transfer.landedBytes + agent.ctx.creditWindowBytes();
        if (transfer.isAnswered && !transfer.state().isTerminal() &&
            creditLimit - transfer.creditLimit >= agent.ctx.creditWindowBytes() / CREDIT_STEPS)
        {
            transfer.creditLimit = creditLimit;
            agent.writer.credit(transfer);
        }
    }
}
