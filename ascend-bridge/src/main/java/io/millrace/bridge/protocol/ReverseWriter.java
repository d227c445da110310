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

import io.aeron.ExclusivePublication;
import io.aeron.Publication;
import io.millrace.bridge.KvCounters;
import io.millrace.bridge.KvError;
import io.millrace.codecs.kv.AllocateEncoder;
import io.millrace.codecs.kv.CancelEncoder;
import io.millrace.codecs.kv.CreditEncoder;
import io.millrace.codecs.kv.HelloAckEncoder;
import io.millrace.codecs.kv.KvMessages;
import io.millrace.codecs.kv.LayerAckEncoder;
import io.millrace.codecs.kv.MessageHeaderEncoder;
import io.millrace.codecs.kv.RejectEncoder;
import io.millrace.codecs.kv.ResumeEncoder;
import io.millrace.codecs.kv.TransferAckEncoder;
import org.agrona.BitUtil;
import org.agrona.DirectBuffer;
import org.agrona.ExpandableRingBuffer;
import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Writes the receiver's messages through a bounded queue, so that none is lost when the reverse publication has no room
 * for a moment. Without a publication, as for replays, messages vanish.
 */
final class ReverseWriter
{
    private static final int QUEUE_BYTES = 64 * 1024;
    private static final int MAX_MESSAGE_BYTES = 1024;
    private static final int DRAIN_LIMIT = 64;

    private ExclusivePublication publication;
    private final ExpandableRingBuffer queue;
    private final KvCounters counters;
    private final ExpandableRingBuffer.MessageConsumer consumer = this::offer;
    private final MutableDirectBuffer buffer = new UnsafeBuffer(new byte[MAX_MESSAGE_BYTES]);
    private final MessageHeaderEncoder header = new MessageHeaderEncoder();
    private final HelloAckEncoder helloAck = new HelloAckEncoder();
    private final AllocateEncoder allocate = new AllocateEncoder();
    private final CreditEncoder credit = new CreditEncoder();
    private final LayerAckEncoder layerAck = new LayerAckEncoder();
    private final TransferAckEncoder transferAck = new TransferAckEncoder();
    private final ResumeEncoder resume = new ResumeEncoder();
    private final RejectEncoder reject = new RejectEncoder();
    private final CancelEncoder cancel = new CancelEncoder();

    /**
     * @param maxBurst messages that copies and timers may cause after {@link #hasRoom()} held the stream back.
     */
    ReverseWriter(final ExclusivePublication publication, final int maxBurst, final KvCounters counters)
    {
        this.publication = publication;
        this.counters = counters;
        queue = new ExpandableRingBuffer(
            QUEUE_BYTES, BitUtil.findNextPositivePowerOfTwo(QUEUE_BYTES + maxBurst * MAX_MESSAGE_BYTES), true);
    }

    /**
     * Write to this publication from now on.
     */
    void bind(final ExclusivePublication newPublication)
    {
        publication = newPublication;
        queue.reset(QUEUE_BYTES);
    }

    /**
     * May stream and copies be polled: is there room for what they may make us say. While nobody listens, old
     * messages have no reader and make way.
     */
    boolean hasRoom()
    {
        if (queue.size() <= QUEUE_BYTES / 2)
        {
            return true;
        }
        if (!publication.isConnected())
        {
            queue.reset(QUEUE_BYTES);
            return true;
        }
        return false;
    }

    /**
     * Has everything been said, or does nobody listen.
     */
    boolean isDrained()
    {
        return null == publication || queue.isEmpty() || !publication.isConnected();
    }

    int drain()
    {
        if (null == publication || queue.isEmpty())
        {
            return 0;
        }
        final int before = queue.size();
        queue.consume(consumer, DRAIN_LIMIT);
        return before - queue.size();
    }

    void helloAck(
        final long senderId, final long receiverId, final int eagerBytes, final KvError error, final String text)
    {
        helloAck.wrapAndApplyHeader(buffer, 0, header)
            .senderId(senderId)
            .receiverId(receiverId)
            .protocolVersion(KvMessages.PROTOCOL_VERSION)
            .minProtocolVersion(KvMessages.MIN_PROTOCOL_VERSION)
            .eagerBytes(eagerBytes)
            .reason(error.reason())
            .text(Texts.ascii(text));
        enqueue(helloAck.encodedLength());
    }

    void allocate(final InboundTransfer transfer)
    {
        final BlockRuns runs = transfer.runs;
        final boolean isPartial = runs.blocks() < transfer.info().blockCount();
        allocate.wrapAndApplyHeader(buffer, 0, header)
            .transferId(transfer.transferId())
            .creditLimit(transfer.creditLimit)
            .blocksGranted(transfer.blocks().blockCount())
            .fromLayer(transfer.fromLayer)
            .attempt(transfer.info().attempt())
            .isPartial((short)(isPartial ? 1 : 0));
        final int count = isPartial ? runs.size() : 0;
        final AllocateEncoder.MissingEncoder missing = allocate.missingCount(count);
        for (int i = 0; i < count; i++)
        {
            missing.next().firstBlock(runs.first(i)).blockCount(runs.count(i));
        }
        enqueue(allocate.encodedLength());
    }

    void credit(final InboundTransfer transfer)
    {
        credit.wrapAndApplyHeader(buffer, 0, header)
            .transferId(transfer.transferId())
            .creditLimit(transfer.creditLimit)
            .attempt(transfer.info().attempt());
        enqueue(credit.encodedLength());
    }

    void layerAck(final InboundTransfer transfer, final int layer)
    {
        layerAck.wrapAndApplyHeader(buffer, 0, header)
            .transferId(transfer.transferId())
            .creditLimit(transfer.creditLimit)
            .layer(layer)
            .layersLanded(transfer.layersLanded())
            .attempt(transfer.info().attempt());
        enqueue(layerAck.encodedLength());
    }

    void transferAck(final long transferId, final long bytes, final int checksum, final int retries)
    {
        transferAck.wrapAndApplyHeader(buffer, 0, header)
            .transferId(transferId)
            .bytes(bytes)
            .checksum(checksum & 0xFFFF_FFFFL)
            .retries(Math.min(retries, 65534));
        enqueue(transferAck.encodedLength());
    }

    void resume(final InboundTransfer transfer, final int layer, final int attempt, final KvError error)
    {
        resume.wrapAndApplyHeader(buffer, 0, header)
            .transferId(transfer.transferId())
            .fromLayer(layer)
            .layerCount(1)
            .attempt(attempt)
            .beginAttempt(transfer.info().attempt())
            .reason(error.reason());
        enqueue(resume.encodedLength());
    }

    void reject(
        final long transferId, final KvError error, final long expected, final long actual, final String text)
    {
        reject.wrapAndApplyHeader(buffer, 0, header)
            .transferId(transferId)
            .expected(expected)
            .actual(actual)
            .reason(error.reason())
            .text(Texts.ascii(text));
        enqueue(reject.encodedLength());
    }

    void cancel(final long transferId, final KvError error, final String text)
    {
        cancel.wrapAndApplyHeader(buffer, 0, header)
            .transferId(transferId)
            .reason(error.reason())
            .receiverId(0)
            .text(Texts.ascii(text));
        enqueue(cancel.encodedLength());
    }

    private void enqueue(final int length)
    {
        if (null != publication && !queue.append(buffer, 0, MessageHeaderEncoder.ENCODED_LENGTH + length))
        {
            drain();
            if (!queue.append(buffer, 0, MessageHeaderEncoder.ENCODED_LENGTH + length))
            {
                counters.increment(KvCounters.Kind.ANSWERS_DROPPED);
            }
        }
    }

    private boolean offer(final MutableDirectBuffer source, final int offset, final int length, final int headOffset)
    {
        final DirectBuffer message = source;
        final long result = publication.offer(message, offset, length);
        return result > 0 || Publication.CLOSED == result;
    }
}
