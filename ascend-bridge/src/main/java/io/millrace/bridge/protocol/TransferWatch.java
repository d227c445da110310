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

/**
 * Looks after the transfers of a receiver now and then: deadlines, streams that broke, blocks that were not there.
 */
final class TransferWatch
{
    private final ReceiverAgent agent;

    TransferWatch(final ReceiverAgent agent)
    {
        this.agent = agent;
    }

    /**
     * See what has become of a transfer.
     *
     * @return 1 when something has, else 0.
     */
    int check(final InboundTransfer transfer, final long nowNs)
    {
        if (transfer.isCancelRequested())
        {
            agent.fail(transfer, KvError.CANCELED, 0, 0, "canceled by the receiver's user");
            return 1;
        }
        if (!transfer.isAnswered && InboundTransfer.NO_LAYER != transfer.damagedLayer() &&
            (nowNs - transfer.deadlineNs >= 0 || null != transfer.image && transfer.image.isClosed()))
        {
            agent.failDamaged(transfer);
            return 1;
        }
        if (nowNs - transfer.deadlineNs >= 0)
        {
            agent.fail(transfer, transfer.isGranted() ? KvError.DEADLINE : KvError.NO_BLOCKS, transfer.timeoutNs,
                nowNs - transfer.beginNs, (transfer.isGranted() ? "landed " + transfer.layersLanded() + " of " +
                transfer.layers + " layers" : "allocator found no " + transfer.info().blockCount() + " blocks") +
                " within " + transfer.timeoutNs + " ns");
            return 1;
        }
        if (null != transfer.image && transfer.image.isClosed() && !transfer.hasArrived())
        {
            return onBroken(transfer, nowNs);
        }
        // A sender that was told to begin again does, unless it does not count on this receiver.
        if (transfer.isAnswered && !transfer.isGranted() && !transfer.isDropping && agent.granting.allocate(transfer))
        {
            return 1;
        }
        return 0;
    }

    /**
     * The stream of a transfer ended: keep what landed for a while if the sender may come back.
     */
    private int onBroken(final InboundTransfer transfer, final long nowNs)
    {
        if (transfer.resumeTimeoutNs > 0 && transfer.isAnswered && !transfer.isInterrupted())
        {
            agent.landing.discard(transfer);
            transfer.interrupt(nowNs);
            // The sender may not have noticed: a stream that broke on this side only goes on without a gap for it.
            agent.writer.resume(transfer, 0, 0, KvError.PEER_GONE);
            agent.counters.increment(KvCounters.Kind.INTERRUPTIONS);
            return 1;
        }
        // The sender of several comes back to those that lost the stream when the others have ended, whenever that is.
        if (transfer.isInterrupted() &&
            (transfer.isMultiple || nowNs - transfer.interruptedNs < transfer.resumeTimeoutNs))
        {
            return 0;
        }
        agent.fail(transfer, KvError.PEER_GONE, transfer.info().totalBytes(), transfer.receivedBytes,
            "stream of session " + transfer.info().sessionId() + " ended after " + transfer.layersLanded() +
            " of " + transfer.layers + " layers, " + transfer.receivedBytes + " bytes since its begin" +
            (transfer.isInterrupted() ? ", and was not resumed within " + transfer.resumeTimeoutNs + " ns" : ""));
        return 1;
    }
}
