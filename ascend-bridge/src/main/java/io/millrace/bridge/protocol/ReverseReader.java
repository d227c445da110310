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

import io.aeron.Image;
import io.aeron.logbuffer.FragmentHandler;
import io.aeron.logbuffer.Header;
import io.millrace.bridge.KvCounters;
import io.millrace.bridge.KvError;
import io.millrace.codecs.kv.AllocateDecoder;
import io.millrace.codecs.kv.CancelDecoder;
import io.millrace.codecs.kv.CreditDecoder;
import io.millrace.codecs.kv.HelloAckDecoder;
import io.millrace.codecs.kv.KvMessages;
import io.millrace.codecs.kv.LayerAckDecoder;
import io.millrace.codecs.kv.MessageHeaderDecoder;
import io.millrace.codecs.kv.RejectDecoder;
import io.millrace.codecs.kv.ResumeDecoder;
import io.millrace.codecs.kv.TransferAckDecoder;
import org.agrona.DirectBuffer;

/**
 * What the receiver says, applied to the transfers of a sender. Messages for transfers that are not in flight here are
 * ignored: several senders may share a reverse stream. Receivers are told apart by the session of their publication.
 */
final class ReverseReader implements FragmentHandler
{
    private static final int MAX_RESENDS = 65536;

    private final SenderAgent agent;
    private final KvCounters counters;
    private final MessageHeaderDecoder messageHeader = new MessageHeaderDecoder();
    private final HelloAckDecoder helloAck = new HelloAckDecoder();
    private final AllocateDecoder allocate = new AllocateDecoder();
    private final CreditDecoder credit = new CreditDecoder();
    private final LayerAckDecoder layerAck = new LayerAckDecoder();
    private final TransferAckDecoder transferAck = new TransferAckDecoder();
    private final ResumeDecoder resume = new ResumeDecoder();
    private final RejectDecoder reject = new RejectDecoder();
    private final CancelDecoder cancel = new CancelDecoder();
    private OutboundTransfer transfer;
    private Destination destination;

    ReverseReader(final SenderAgent agent, final KvCounters counters)
    {
        this.agent = agent;
        this.counters = counters;
    }

    public void onFragment(final DirectBuffer buffer, final int offset, final int length, final Header header)
    {
        switch (KvMessages.check(buffer, offset, length))
        {
            case HelloAckDecoder.TEMPLATE_ID ->
            {
                helloAck.wrapAndApplyHeader(buffer, offset, messageHeader);
                agent.onHelloAck(helloAck.senderId(), new Peer(helloAck.receiverId(), header.sessionId(),
                    (Image)header.context(), helloAck.protocolVersion(), helloAck.eagerBytes()),
                    KvError.ofWireValue(helloAck.reasonRaw()), helloAck.text());
            }
            case AllocateDecoder.TEMPLATE_ID ->
            {
                allocate.wrapAndApplyHeader(buffer, offset, messageHeader);
                if (find(allocate.transferId(), header) && allocate.attempt() == transfer.attempt)
                {
                    onAllocate(allocate);
                }
            }
            case CreditDecoder.TEMPLATE_ID ->
            {
                credit.wrapAndApplyHeader(buffer, offset, messageHeader);
                if (find(credit.transferId(), header))
                {
                    onCredit(credit.attempt(), credit.creditLimit());
                }
            }
            case LayerAckDecoder.TEMPLATE_ID ->
            {
                layerAck.wrapAndApplyHeader(buffer, offset, messageHeader);
                if (find(layerAck.transferId(), header))
                {
                    onLayerAck(layerAck);
                }
            }
            case TransferAckDecoder.TEMPLATE_ID ->
            {
                transferAck.wrapAndApplyHeader(buffer, offset, messageHeader);
                if (find(transferAck.transferId(), header))
                {
                    onTransferAck(transferAck);
                }
            }
            case ResumeDecoder.TEMPLATE_ID ->
            {
                resume.wrapAndApplyHeader(buffer, offset, messageHeader);
                if (find(resume.transferId(), header) && resume.beginAttempt() == transfer.attempt)
                {
                    onResume(resume);
                }
            }
            case RejectDecoder.TEMPLATE_ID ->
            {
                reject.wrapAndApplyHeader(buffer, offset, messageHeader);
                if (find(reject.transferId(), header))
                {
                    counters.increment(KvCounters.Kind.REJECTS);
                    agent.end(transfer, destination, reason(reject.reasonRaw(), KvError.BAD_MESSAGE),
                        "receiver: " + reject.text());
                }
            }
            case CancelDecoder.TEMPLATE_ID ->
            {
                cancel.wrapAndApplyHeader(buffer, offset, messageHeader);
                if (find(cancel.transferId(), header))
                {
                    agent.onCancel(transfer, destination, reason(cancel.reasonRaw(), KvError.CANCELED),
                        "receiver: " + cancel.text());
                }
            }
            default -> counters.increment(KvCounters.Kind.REJECTS);
        }
    }

    /**
     * Why a transfer ended that did not complete: a message that says OK must not complete it.
     */
    private static KvError reason(final short raw, final KvError instead)
    {
        final KvError error = KvError.ofWireValue(raw);
        return KvError.NONE == error ? instead : error;
    }

    /**
     * Find the transfer of a message and the receiver that says it.
     *
     * @return false when the transfer is not in flight here or the receiver takes no part in it any more.
     */
    private boolean find(final long transferId, final Header header)
    {
        transfer = agent.find(transferId);
        destination = null == transfer ? null : transfer.receivers().find(header.sessionId());
        return null != destination && !destination.isEnded() && !destination.isLost &&
            OutboundTransfer.Phase.INTERRUPTED != transfer.phase && OutboundTransfer.Phase.BEGIN != transfer.phase;
    }

    private void onAllocate(final AllocateDecoder message)
    {
        final int layers = transfer.layout.layers();
        final int fromLayer = message.fromLayer();
        final boolean isPartial = 0 != message.isPartial();
        if (message.blocksGranted() < transfer.blockCount)
        {
            agent.expel(transfer, destination, KvError.NO_BLOCKS, "receiver granted " + message.blocksGranted() +
                " of " + transfer.blockCount + " blocks");
            return;
        }
        if (transfer.isEager && !destination.isGranted)
        {
            if (fromLayer > 0 || isPartial)
            {
                agent.expel(transfer, destination, KvError.OUT_OF_RANGE, "receiver wants layers from " + fromLayer +
                    (isPartial ? " and some blocks only" : "") + " and did not say that it took nothing of all that " +
                    "it was sent before");
                return;
            }
            destination.isGranted = true;
        }
        if (!destination.isGranted)
        {
            final boolean isAlone = 1 == transfer.receivers().takingPart();
            if (fromLayer > layers || !isAlone && isPartial)
            {
                agent.expel(transfer, destination, KvError.OUT_OF_RANGE, "receiver wants layers from " + fromLayer +
                    " of " + layers + (isPartial ? " and some blocks only" : "") + " for " +
                    transfer.receivers().takingPart() + " receivers: several take all blocks");
                return;
            }
            final BlockRuns runs = isPartial ? missing(message) : transfer.runs;
            if (null == runs)
            {
                return;
            }
            destination.isGranted = true;
            destination.fromLayer = fromLayer;
            transfer.carry(runs, transfer.receivers().fromLayer());
            if (isAlone)
            {
                counters.add(KvCounters.Kind.BYTES_SAVED, transfer.totalBytes() - transfer.carriedBytes());
            }
            for (int layer = 0; layer < fromLayer; layer++)
            {
                destination.acked(layer);
            }
        }
        onCredit(message.attempt(), message.creditLimit());
    }

    private BlockRuns missing(final AllocateDecoder message)
    {
        final BlockRuns runs = new BlockRuns();
        for (final AllocateDecoder.MissingDecoder run : message.missing())
        {
            if (!runs.add(run.firstBlock(), run.blockCount(), transfer.blockCount))
            {
                agent.expel(transfer, destination, KvError.OUT_OF_RANGE, "receiver wants " + run.blockCount() +
                    " blocks from " + run.firstBlock() + ", the transfer has " + transfer.blockCount +
                    " and runs must follow on, at most " + BlockRuns.MAX_RUNS);
                return null;
            }
        }
        if (0 == runs.blocks() && message.fromLayer() < transfer.layout.layers())
        {
            agent.expel(transfer, destination, KvError.OUT_OF_RANGE, "receiver wants layers from " +
                message.fromLayer() + " and no blocks");
            return null;
        }
        return runs;
    }

    private void onCredit(final int attempt, final long creditLimit)
    {
        if (attempt == transfer.attempt)
        {
            destination.creditLimit = Math.max(destination.creditLimit, creditLimit);
        }
    }

    private void onLayerAck(final LayerAckDecoder message)
    {
        onCredit(message.attempt(), message.creditLimit());
        if (message.layer() < transfer.layout.layers())
        {
            destination.acked(message.layer());
        }
        else
        {
            agent.expel(transfer, destination, KvError.OUT_OF_RANGE, "receiver acknowledged layer " + message.layer() +
                " of " + transfer.layout.layers());
        }
    }

    private void onTransferAck(final TransferAckDecoder message)
    {
        // A receiver that had ended the transfer before the stream broke says so again to a repeated begin.
        final boolean isRepeated = transfer.attempt > 0 && !destination.isGranted;
        if (isRepeated || transfer.isCommitSent && message.bytes() == transfer.carriedBytes())
        {
            for (int layer = 0; layer < transfer.layout.layers(); layer++)
            {
                destination.acked(layer);
            }
            agent.end(transfer, destination, KvError.NONE, null);
        }
        else
        {
            agent.expel(transfer, destination, KvError.COMMIT_MISMATCH, "receiver acknowledged " + message.bytes() +
                " bytes in phase " + transfer.phase + ", the transfer has " + transfer.carriedBytes());
        }
    }

    private void onResume(final ResumeDecoder message)
    {
        final KvError reason = KvError.ofWireValue(message.reasonRaw());
        if (KvError.PEER_GONE == reason)
        {
            agent.onGone(transfer, destination, "receiver lost the stream");
            return;
        }
        if (OutboundTransfer.Phase.STREAM != transfer.phase && OutboundTransfer.Phase.ACKNOWLEDGE != transfer.phase)
        {
            return;
        }

        if (KvError.NO_BLOCKS == reason)
        {
            if (transfer.isEager && !destination.isGranted)
            {
                transfer.phase = OutboundTransfer.Phase.BEGIN_AGAIN;
            }
            return;
        }

        final int end = message.fromLayer() + message.layerCount();
        if (message.layerCount() < 1 || end > transfer.nextLayer || (transfer.resendCount += message.layerCount()) >
            MAX_RESENDS)
        {
            agent.expel(transfer, destination, KvError.OUT_OF_RANGE, "receiver asked for " + message.layerCount() +
                " layers from " + message.fromLayer() + " again, sent are " + transfer.nextLayer +
                " layers, repeated " + transfer.resendCount);
            return;
        }
        for (int layer = message.fromLayer(); layer < end; layer++)
        {
            transfer.resends.addInt(layer);
            transfer.resendAttempts.addInt(message.attempt());
            counters.increment(KvCounters.Kind.RETRIES);
        }
        // Behind them the commit is said again.
        transfer.phase = OutboundTransfer.Phase.STREAM;
    }
}
