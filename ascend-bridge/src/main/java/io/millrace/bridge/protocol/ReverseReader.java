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
 * ignored: several senders may share a reverse stream.
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
                agent.onHelloAck(helloAck.senderId(), KvError.ofWireValue(helloAck.reasonRaw()), helloAck.text());
            }
            case AllocateDecoder.TEMPLATE_ID ->
                onAllocate(allocate.wrapAndApplyHeader(buffer, offset, messageHeader));
            case CreditDecoder.TEMPLATE_ID ->
            {
                credit.wrapAndApplyHeader(buffer, offset, messageHeader);
                onCredit(agent.find(credit.transferId()), credit.creditLimit());
            }
            case LayerAckDecoder.TEMPLATE_ID ->
                onLayerAck(layerAck.wrapAndApplyHeader(buffer, offset, messageHeader));
            case TransferAckDecoder.TEMPLATE_ID ->
                onTransferAck(transferAck.wrapAndApplyHeader(buffer, offset, messageHeader));
            case ResumeDecoder.TEMPLATE_ID ->
                onResume(resume.wrapAndApplyHeader(buffer, offset, messageHeader));
            case RejectDecoder.TEMPLATE_ID ->
            {
                reject.wrapAndApplyHeader(buffer, offset, messageHeader);
                final OutboundTransfer transfer = agent.find(reject.transferId());
                if (null != transfer)
                {
                    counters.increment(KvCounters.Kind.REJECTS);
                    agent.end(transfer, KvError.ofWireValue(reject.reasonRaw()), "receiver: " + reject.text());
                }
            }
            case CancelDecoder.TEMPLATE_ID ->
            {
                cancel.wrapAndApplyHeader(buffer, offset, messageHeader);
                final OutboundTransfer transfer = agent.find(cancel.transferId());
                if (null != transfer)
                {
                    agent.onCancel(transfer, KvError.ofWireValue(cancel.reasonRaw()), "receiver: " + cancel.text());
                }
            }
            default -> counters.increment(KvCounters.Kind.REJECTS);
        }
    }

    private void onAllocate(final AllocateDecoder message)
    {
        final OutboundTransfer transfer = agent.find(message.transferId());
        if (null == transfer)
        {
            return;
        }
        if (message.blocksGranted() < transfer.blockCount)
        {
            agent.end(transfer, KvError.NO_BLOCKS, "receiver granted " + message.blocksGranted() + " of " +
                transfer.blockCount + " blocks");
            return;
        }

        onCredit(transfer, message.creditLimit());
        if (OutboundTransfer.Phase.GRANT == transfer.phase)
        {
            transfer.phase = OutboundTransfer.Phase.STREAM;
        }
    }

    private static void onCredit(final OutboundTransfer transfer, final long creditLimit)
    {
        if (null != transfer)
        {
            transfer.creditLimit = Math.max(transfer.creditLimit, creditLimit);
        }
    }

    private void onLayerAck(final LayerAckDecoder message)
    {
        final OutboundTransfer transfer = agent.find(message.transferId());
        if (null != transfer)
        {
            onCredit(transfer, message.creditLimit());
            if (message.layer() < transfer.layout.layers())
            {
                transfer.onLayerAck(message.layer());
            }
            else
            {
                agent.end(transfer, KvError.OUT_OF_RANGE, "receiver acknowledged layer " + message.layer() + " of " +
                    transfer.layout.layers());
            }
        }
    }

    private void onTransferAck(final TransferAckDecoder message)
    {
        final OutboundTransfer transfer = agent.find(message.transferId());
        if (null == transfer || OutboundTransfer.Phase.CANCELING == transfer.phase)
        {
            return;
        }
        if (OutboundTransfer.Phase.ACKNOWLEDGE != transfer.phase || message.bytes() != transfer.totalBytes())
        {
            agent.end(transfer, KvError.COMMIT_MISMATCH, "receiver acknowledged " + message.bytes() +
                " bytes in phase " + transfer.phase + ", the transfer has " + transfer.totalBytes());
            return;
        }
        agent.end(transfer, KvError.NONE, null);
    }

    private void onResume(final ResumeDecoder message)
    {
        final OutboundTransfer transfer = agent.find(message.transferId());
        if (null == transfer || OutboundTransfer.Phase.STREAM != transfer.phase)
        {
            return;
        }

        final int end = message.fromLayer() + message.layerCount();
        if (message.layerCount() < 1 || end > transfer.nextLayer || (transfer.resendCount += message.layerCount()) >
            MAX_RESENDS)
        {
            agent.end(transfer, KvError.OUT_OF_RANGE, "receiver asked for " + message.layerCount() + " layers from " +
                message.fromLayer() + " again, sent are " + transfer.nextLayer + " layers, repeated " +
                transfer.resendCount);
            return;
        }
        for (int layer = message.fromLayer(); layer < end; layer++)
        {
            transfer.resends.addInt(layer);
            transfer.resendAttempts.addInt(message.attempt());
            counters.increment(KvCounters.Kind.RETRIES);
        }
    }
}
