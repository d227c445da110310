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
import io.millrace.bridge.KvSender;
import io.millrace.bridge.protocol.OutboundTransfer.Phase;
import io.millrace.codecs.kv.KvMessages;

/**
 * Leads a transfer through its phases, from its announcement to its commit.
 */
final class TransferPump
{
    private final KvSender.Context ctx;
    private final ForwardWriter writer;
    private final LayerPublisher publisher;
    private final Peers peers;
    private final TransferEnding ending;
    private final KvCounters counters;

    TransferPump(
        final KvSender.Context ctx,
        final ForwardWriter writer,
        final LayerPublisher publisher,
        final Peers peers,
        final TransferEnding ending)
    {
        this.ending = ending;
        this.peers = peers;
        this.ctx = ctx;
        this.writer = writer;
        this.publisher = publisher;
        this.counters = ctx.counters();
    }

    /**
     * Publish what a transfer has to say, and some of its bytes.
     */
    int publish(final OutboundTransfer transfer, final long nowNs)
    {
        if (Phase.CANCELING != transfer.phase && Phase.ENDING != transfer.phase)
        {
            if (transfer.isCancelRequested())
            {
                ending.cancel(transfer, nowNs);
            }
            else if (nowNs - transfer.deadlineNs >= 0)
            {
                ending.end(transfer, KvError.DEADLINE, "deadline of " + transfer.timeoutNs + " ns passed in phase " +
                    transfer.phase + ": sent " + transfer.bytesSent() + " of " + transfer.totalBytes() + " bytes, " +
                    transfer.layersAcked() + " of " + transfer.layout.layers() + " layers acknowledged", nowNs);
            }
        }

        if (transfer.receivers().count() > 1)
        {
            ending.attend(transfer, nowNs);
        }
        return switch (transfer.phase)
        {
            case BEGIN -> begin(transfer, nowNs);
            case GRANT -> awaitGrant(transfer, nowNs);
            case BEGIN_AGAIN -> beginAgain(transfer, nowNs);
            case STREAM -> stream(transfer, nowNs);
            case INTERRUPTED -> resume(transfer, nowNs);
            case CANCELING, ENDING -> ending.tellEnd(transfer, nowNs);
            case ACKNOWLEDGE -> 0;
        };
    }

    private int begin(final OutboundTransfer transfer, final long nowNs)
    {
        final boolean isUnacknowledged = ctx.unacknowledged();
        final boolean isResumed = transfer.attempt > 0;
        final int layers = transfer.layout.layers();
        // A receiver that took nothing of what came early is still there.
        final boolean isLost = 0 == transfer.receivers().takingPart();
        final Destinations resumed = !isResumed ? null : !isLost ? transfer.receivers() :
            transfer.receivers().resumed(peers, transfer.interruptedNs, nowNs);
        final boolean isReady = isUnacknowledged ||
            (isResumed ? null != resumed : peers.size() >= ctx.minReceivers() && !peers.isAsking(nowNs));
        if (isResumed && !isReady)
        {
            transfer.phase = Phase.INTERRUPTED;
        }
        if (isReady && !isUnacknowledged)
        {
            transfer.protocolVersion = isResumed ? resumed.protocolVersion() : peers.protocolVersion();
            // A receiver that may land all would not hear that the sender has waited too long for its grant.
            transfer.isEager = !isResumed && !transfer.isLayerwise && 0 == transfer.grantTimeoutNs &&
                transfer.totalBytes() <= peers.eagerBytes() &&
                transfer.protocolVersion >= KvMessages.EARLY_COMMIT_PROTOCOL_VERSION;
        }
        if (!isReady || !writer.transferBegin(
            transfer, transfer.deadlineNs - nowNs, isUnacknowledged,
            (isResumed ? resumed.takingPart() : peers.size()) > 1))
        {
            return 0;
        }

        transfer.begun(isUnacknowledged ? Destinations.NONE : isResumed ? resumed :
            Destinations.of(peers, layers), nowNs);
        if (!isResumed || isLost)
        {
            counters.increment(isResumed ? KvCounters.Kind.RESUMES : KvCounters.Kind.TRANSFERS_STARTED);
        }
        if (transfer.isEager)
        {
            transfer.receivers().get(0).creditLimit = transfer.totalBytes();
        }
        transfer.phase = isUnacknowledged || transfer.isEager ? Phase.STREAM : Phase.GRANT;
        return transfer.isEager ? 1 + stream(transfer, nowNs) : 1;
    }

    /**
     * Nothing of what was sent early was taken.
     */
    private int beginAgain(final OutboundTransfer transfer, final long nowNs)
    {
        if (!publisher.drop(transfer, nowNs))
        {
            return 0;
        }
        transfer.receivers().get(0).creditLimit = 0;
        transfer.restart();
        return begin(transfer, nowNs);
    }

    private int awaitGrant(final OutboundTransfer transfer, final long nowNs)
    {
        expelLate(transfer, nowNs);
        if (Phase.GRANT == transfer.phase && transfer.receivers().isAllGranted())
        {
            transfer.phase = Phase.STREAM;
            return 1;
        }
        return 0;
    }

    private void expelLate(final OutboundTransfer transfer, final long nowNs)
    {
        if (transfer.grantTimeoutNs > 0 && nowNs - transfer.beginNs >= transfer.grantTimeoutNs)
        {
            for (int i = 0; i < transfer.receivers().count(); i++)
            {
                final Destination destination = transfer.receivers().get(i);
                if (!destination.isGranted && destination.isTakingPart())
                {
                    ending.expel(transfer, destination, KvError.NO_BLOCKS, "receiver granted nothing within " +
                        transfer.grantTimeoutNs + " ns", nowNs);
                }
            }
        }
    }

    private int resume(final OutboundTransfer transfer, final long nowNs)
    {
        final Destinations receivers = transfer.receivers();
        for (int i = 0; i < receivers.count(); i++)
        {
            final Destination destination = receivers.get(i);
            // Those that were lost while others went on have their time from when these ended.
            if (destination.isLost && !destination.isEnded() &&
                nowNs - transfer.interruptedNs >= transfer.resumeTimeoutNs)
            {
                ending.endDestination(transfer, destination, KvError.PEER_GONE, "no receiver came back within " +
                    transfer.resumeTimeoutNs + " ns: sent " + transfer.bytesSent() + " of " + transfer.totalBytes() +
                    " bytes", nowNs);
            }
        }
        if (Phase.INTERRUPTED == transfer.phase &&
            null != receivers.resumed(peers, transfer.interruptedNs, nowNs) &&
            publisher.drop(transfer, nowNs))
        {
            transfer.restart();
            return 1;
        }
        return 0;
    }

    private int stream(final OutboundTransfer transfer, final long nowNs)
    {
        if (transfer.isCommitDue && !publisher.commitLayer(transfer))
        {
            return 0;
        }
        final int workCount = publisher.publish(transfer, nowNs);
        // Older receivers take a commit for the end: a layer that they ask for again then would come too late.
        final boolean isCommitAllowed = transfer.protocolVersion >= KvMessages.EARLY_COMMIT_PROTOCOL_VERSION ||
            transfer.receivers().isAllAcked(transfer.layout.layers());
        return isCommitAllowed && transfer.isAllPlanned() && publisher.isDone(transfer) ?
            workCount + commitTransfer(transfer, nowNs) : workCount;
    }

    private int commitTransfer(final OutboundTransfer transfer, final long nowNs)
    {
        if (!writer.transferCommit(
            transfer, Checksums.ofLayers(transfer.crc, transfer.layerChecksums, transfer.fromLayer)))
        {
            return 0;
        }
        transfer.isCommitSent = true;
        if (ctx.unacknowledged())
        {
            ending.end(transfer, KvError.NONE, null, nowNs);
        }
        else
        {
            transfer.phase = Phase.ACKNOWLEDGE;
        }
        return 1;
    }
}
