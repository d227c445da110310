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
import io.aeron.logbuffer.ControlledFragmentHandler;
import io.aeron.logbuffer.FrameDescriptor;
import io.aeron.logbuffer.Header;
import io.millrace.bridge.KvCounters;
import io.millrace.bridge.KvError;
import io.millrace.codecs.kv.BlockDescriptorDecoder;
import io.millrace.codecs.kv.CancelDecoder;
import io.millrace.codecs.kv.HelloDecoder;
import io.millrace.codecs.kv.KvChunkDecoder;
import io.millrace.codecs.kv.KvMessages;
import io.millrace.codecs.kv.LayerCommitDecoder;
import io.millrace.codecs.kv.MessageHeaderDecoder;
import io.millrace.codecs.kv.TransferBeginDecoder;
import io.millrace.codecs.kv.TransferCommitDecoder;
import org.agrona.DirectBuffer;

/**
 * What senders say, checked and applied to the transfers of a receiver.
 */
final class ForwardReader implements ControlledFragmentHandler
{
    private final ReceiverAgent agent;
    private final KvCounters counters;
    private final BeginReader beginReader;
    private final CommitReader commitReader;
    private final MessageHeaderDecoder messageHeader = new MessageHeaderDecoder();
    private final HelloDecoder hello = new HelloDecoder();
    private final TransferBeginDecoder begin = new TransferBeginDecoder();
    private final BlockDescriptorDecoder descriptor = new BlockDescriptorDecoder();
    private final KvChunkDecoder chunk = new KvChunkDecoder();
    private final LayerCommitDecoder layerCommit = new LayerCommitDecoder();
    private final TransferCommitDecoder transferCommit = new TransferCommitDecoder();
    private final CancelDecoder cancel = new CancelDecoder();
    private int sessionId;

    ForwardReader(final ReceiverAgent agent)
    {
        this.agent = agent;
        this.counters = agent.counters;
        this.beginReader = new BeginReader(agent);
        this.commitReader = new CommitReader(agent);
    }

    public Action onFragment(final DirectBuffer buffer, final int offset, final int length, final Header header)
    {
        if (!agent.writer.hasRoom())
        {
            return Action.ABORT;
        }

        sessionId = header.sessionId();
        final boolean isWhole =
            FrameDescriptor.UNFRAGMENTED == (byte)(header.flags() & FrameDescriptor.UNFRAGMENTED);
        final int templateId = KvMessages.check(buffer, offset, length);
        if (!isWhole || templateId < 0)
        {
            agent.events.onRefused(0, KvError.BAD_MESSAGE, isWhole ?
                KvMessages.describe(templateId, buffer, offset, length) :
                "fragment of a message, KV messages fit one frame: flags=" + header.flags());
            return Action.CONTINUE;
        }

        switch (templateId)
        {
            case KvChunkDecoder.TEMPLATE_ID ->
            {
                return onChunk(chunk.wrapAndApplyHeader(buffer, offset, messageHeader), buffer);
            }
            case TransferBeginDecoder.TEMPLATE_ID ->
            {
                final Image image = header.context() instanceof Image ? (Image)header.context() : null;
                begin.wrapAndApplyHeader(buffer, offset, messageHeader);
                return beginReader.onBegin(begin, image, header.sessionId()) ? Action.CONTINUE : Action.ABORT;
            }
            case BlockDescriptorDecoder.TEMPLATE_ID ->
                onDescriptor(descriptor.wrapAndApplyHeader(buffer, offset, messageHeader));
            case LayerCommitDecoder.TEMPLATE_ID ->
            {
                layerCommit.wrapAndApplyHeader(buffer, offset, messageHeader);
                final InboundTransfer transfer = granted(layerCommit.transferId(), 0);
                if (null != transfer)
                {
                    commitReader.onLayerCommit(transfer, layerCommit);
                }
            }
            case TransferCommitDecoder.TEMPLATE_ID ->
            {
                transferCommit.wrapAndApplyHeader(buffer, offset, messageHeader);
                final InboundTransfer transfer = granted(transferCommit.transferId(), 0);
                if (null != transfer)
                {
                    commitReader.onTransferCommit(transfer, transferCommit);
                }
            }
            case CancelDecoder.TEMPLATE_ID ->
                onCancel(cancel.wrapAndApplyHeader(buffer, offset, messageHeader));
            case HelloDecoder.TEMPLATE_ID ->
                onHello(hello.wrapAndApplyHeader(buffer, offset, messageHeader));
            default -> agent.events.onRefused(0, KvError.BAD_MESSAGE,
                "message of the reverse stream on the forward stream: " +
                KvMessages.describe(templateId, buffer, offset, length));
        }
        return Action.CONTINUE;
    }

    private void onHello(final HelloDecoder message)
    {
        final boolean isCommon = message.minProtocolVersion() <= KvMessages.PROTOCOL_VERSION &&
            message.protocolVersion() >= KvMessages.MIN_PROTOCOL_VERSION;
        agent.writer.helloAck(message.senderId(), agent.receiverId, agent.ctx.eagerBytes(),
            isCommon ? KvError.NONE : KvError.VERSION_MISMATCH,
            isCommon ? "" : BeginReader.versions(message.minProtocolVersion(), message.protocolVersion()));
    }

    private void onDescriptor(final BlockDescriptorDecoder message)
    {
        final InboundTransfer transfer = granted(message.transferId(), 0);
        if (null == transfer)
        {
            return;
        }

        final long end = message.firstBlock() + message.blockCount();
        final int blockCount = transfer.info().blockCount();
        if (message.layer() >= transfer.layers || message.blockCount() < 1 || end > blockCount)
        {
            agent.fail(transfer, KvError.OUT_OF_RANGE, blockCount, end, "descriptor of layer " + message.layer() +
                " blocks " + message.firstBlock() + " to " + end + ", the transfer has " + transfer.layers +
                " layers of " + blockCount + " blocks");
        }
        else if (message.bytes() != message.blockCount() * transfer.info().layout().blockBytesPerLayer())
        {
            agent.fail(transfer, KvError.COMMIT_MISMATCH,
                message.blockCount() * transfer.info().layout().blockBytesPerLayer(), message.bytes(),
                "descriptor of " + message.blockCount() + " blocks names " + message.bytes() + " bytes");
        }
    }

    private Action onChunk(final KvChunkDecoder message, final DirectBuffer buffer)
    {
        final InboundTransfer transfer = granted(message.transferId(), message.payloadLength());
        if (null == transfer)
        {
            return Action.CONTINUE;
        }

        final int layer = message.layer();
        final int length = (int)message.payloadLength();
        final long start = message.layerOffset();
        if (layer >= transfer.layers || start < 0 || start > transfer.layerBytes() - length)
        {
            agent.fail(transfer, KvError.OUT_OF_RANGE, transfer.layerBytes(), start + length, "chunk of layer " +
                layer + " bytes " + start + " to " + (start + length) + ", the transfer has " + transfer.layers +
                " layers of " + transfer.layerBytes() + " bytes");
            return Action.CONTINUE;
        }
        if (transfer.isCommitted[layer] || layer == transfer.currentLayer && start + length <= transfer.nextOffset)
        {
            transfer.duplicates++;
            countChunk(transfer, length);
            // Nothing of it will land: what was sent in vain must not use up the credit.
            transfer.landedBytes += length;
            agent.granting.credit(transfer);
            counters.increment(KvCounters.Kind.DUPLICATES);
            return Action.CONTINUE;
        }
        if (layer != transfer.currentLayer)
        {
            if (InboundTransfer.NO_LAYER != transfer.currentLayer || 0 != start)
            {
                outOfOrder(transfer, layer, start);
                return Action.CONTINUE;
            }
            if (transfer.copiesInFlight[layer] > 0)
            {
                // Copies of the damaged sending could overtake those of the repeat.
                return Action.ABORT;
            }
            transfer.currentLayer = layer;
            transfer.nextOffset = 0;
            transfer.crc.reset();
        }

        // Part of the chunk may be staged already, by an attempt that ran out of slots.
        final int skip = (int)(transfer.nextOffset - start);
        if (skip < 0)
        {
            outOfOrder(transfer, layer, start);
            return Action.CONTINUE;
        }
        if (transfer.receivedBytes + length > transfer.creditLimit)
        {
            agent.fail(transfer, KvError.OUT_OF_RANGE, transfer.creditLimit, transfer.receivedBytes + length,
                "sender sent " + (transfer.receivedBytes + length) + " bytes, its credit is " + transfer.creditLimit);
            return Action.CONTINUE;
        }

        final int payload = message.limit() + skip;
        final int taken = agent.landing.land(
            transfer, buffer, payload, length - skip, message.attempt(), agent.clock.nanoTime());
        if (taken < length - skip)
        {
            return Action.ABORT;
        }
        countChunk(transfer, length);
        return Action.CONTINUE;
    }

    private void onCancel(final CancelDecoder message)
    {
        if (0 != message.receiverId() && agent.receiverId != message.receiverId())
        {
            return;
        }
        final long transferId = message.transferId();
        final InboundTransfer transfer = agent.find(transferId);
        if (null == transfer)
        {
            if (!agent.ctx.replay())
            {
                // A sender that cancels waits for this, whatever became of the transfer.
                agent.writer.cancel(transferId, KvError.CANCELED, "transfer is not in flight here");
            }
            return;
        }

        if (transfer.info().sessionId() != sessionId)
        {
            counters.increment(KvCounters.Kind.DUPLICATES);
            return;
        }
        final KvError error = KvError.ofWireValue(message.reasonRaw());
        agent.fail(transfer, KvError.NONE == error ? KvError.CANCELED : error, 0, 0, "sender: " + message.text());
    }

    /**
     * The transfer of a message that only makes sense once blocks are granted.
     */
    private InboundTransfer granted(final long transferId, final long payloadLength)
    {
        final InboundTransfer transfer = agent.find(transferId);
        if (null == transfer)
        {
            if (agent.recent.contains(transferId))
            {
                counters.increment(KvCounters.Kind.DUPLICATES);
            }
            else
            {
                final String text = "transfer " + transferId + " is not in flight: its begin was not seen";
                agent.recent.add(transferId, KvError.UNKNOWN_TRANSFER, 0);
                agent.writer.reject(transferId, KvError.UNKNOWN_TRANSFER, 0, 0, text);
                agent.events.onRefused(transferId, KvError.UNKNOWN_TRANSFER, text);
            }
            return null;
        }
        if (transfer.info().sessionId() != sessionId || transfer.isInterrupted())
        {
            // Late data of a session that broke, or of a sender that uses another's id: not of this transfer.
            counters.increment(KvCounters.Kind.DUPLICATES);
            return null;
        }
        if (transfer.isDropping)
        {
            counters.add(KvCounters.Kind.EAGER_BYTES_DROPPED, payloadLength);
            return null;
        }
        if (!transfer.isGranted())
        {
            agent.fail(transfer, KvError.OUT_OF_ORDER, 0, 0, "data came before blocks were granted");
            return null;
        }
        return transfer;
    }

    private void countChunk(final InboundTransfer transfer, final int length)
    {
        transfer.receivedBytes += length;
        transfer.chunks++;
        counters.add(KvCounters.Kind.BYTES, length);
        counters.increment(KvCounters.Kind.CHUNKS);
    }

    private void outOfOrder(final InboundTransfer transfer, final int layer, final long start)
    {
        final boolean isSame = layer == transfer.currentLayer;
        agent.fail(transfer, KvError.OUT_OF_ORDER, isSame ? transfer.nextOffset : 0, start, "chunk of layer " + layer +
            " starts at " + start + ", expected " + (InboundTransfer.NO_LAYER == transfer.currentLayer ?
            "the start of a layer" : "layer " + transfer.currentLayer + " at " + transfer.nextOffset));
    }
}
