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
package io.millrace.bridge;

import io.aeron.ExclusivePublication;
import io.aeron.Subscription;
import io.millrace.codecs.kv.AllocateEncoder;
import io.millrace.codecs.kv.CancelEncoder;
import io.millrace.codecs.kv.HelloAckEncoder;
import io.millrace.codecs.kv.HelloDecoder;
import io.millrace.codecs.kv.KvChunkDecoder;
import io.millrace.codecs.kv.KvMessages;
import io.millrace.codecs.kv.LayerAckEncoder;
import io.millrace.codecs.kv.LayerCommitDecoder;
import io.millrace.codecs.kv.MessageHeaderDecoder;
import io.millrace.codecs.kv.MessageHeaderEncoder;
import io.millrace.codecs.kv.Reason;
import io.millrace.codecs.kv.RejectEncoder;
import io.millrace.codecs.kv.TransferAckEncoder;
import io.millrace.codecs.kv.TransferBeginDecoder;
import io.millrace.codecs.kv.TransferCommitDecoder;
import org.agrona.CloseHelper;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Answers a sender's Hello and says to it whatever a test wants.
 */
final class RawReceiver
{
    long transferId;
    boolean isAsked;
    int beginVersion;
    boolean isEager;
    int chunks;
    int layerCommits;
    int transferCommits;
    private int protocolVersion = KvMessages.PROTOCOL_VERSION;
    private int eagerBytes;
    private final UnsafeBuffer buffer = new UnsafeBuffer(new byte[1024]);
    private final MessageHeaderEncoder header = new MessageHeaderEncoder();
    private final MessageHeaderDecoder messageHeader = new MessageHeaderDecoder();
    private final Subscription subscription;
    private final ExclusivePublication publication;
    private final Bridge bridge;
    private final long receiverId;

    RawReceiver(final Bridge bridge, final int streamId, final long receiverId)
    {
        this(bridge, bridge.channel, streamId, receiverId);
    }

    RawReceiver(final Bridge bridge, final String channel, final int streamId, final long receiverId)
    {
        this.bridge = bridge;
        this.receiverId = receiverId;
        subscription = bridge.aeron.addSubscription(channel, streamId);
        publication = bridge.aeron.addExclusivePublication(bridge.reverseChannel, streamId + 1);
    }

    RawReceiver protocolVersion(final int version)
    {
        protocolVersion = version;
        return this;
    }

    RawReceiver eagerBytes(final int bytes)
    {
        eagerBytes = bytes;
        return this;
    }

    /**
     * Read the stream: Hellos are answered, the last transfer that begins is kept.
     *
     * @return fragments read.
     */
    int poll()
    {
        return subscription.poll((source, offset, length, frame) ->
        {
            final int templateId = KvMessages.check(source, offset, length);
            if (HelloDecoder.TEMPLATE_ID == templateId)
            {
                isAsked = true;
                final HelloAckEncoder ack = new HelloAckEncoder().wrapAndApplyHeader(buffer, 0, header)
                    .senderId(new HelloDecoder().wrapAndApplyHeader(source, offset, messageHeader).senderId())
                    .receiverId(receiverId).protocolVersion(protocolVersion)
                    .minProtocolVersion(KvMessages.MIN_PROTOCOL_VERSION).reason(Reason.OK)
                    .eagerBytes(eagerBytes).text("");
                // One that is not heard is repeated: the sender says Hello until it is answered.
                publication.offer(buffer, 0, MessageHeaderEncoder.ENCODED_LENGTH + ack.encodedLength());
            }
            else if (TransferBeginDecoder.TEMPLATE_ID == templateId)
            {
                final TransferBeginDecoder begin =
                    new TransferBeginDecoder().wrapAndApplyHeader(source, offset, messageHeader);
                transferId = begin.transferId();
                beginVersion = begin.protocolVersion();
                isEager = begin.flags().eager();
            }
            chunks += KvChunkDecoder.TEMPLATE_ID == templateId ? 1 : 0;
            layerCommits += LayerCommitDecoder.TEMPLATE_ID == templateId ? 1 : 0;
            transferCommits += TransferCommitDecoder.TEMPLATE_ID == templateId ? 1 : 0;
        }, 10);
    }

    /**
     * Stop to read: nothing is answered from now on, the reverse publication stays.
     */
    void fallSilent()
    {
        subscription.close();
    }

    /**
     * Be gone, without a word.
     */
    void close()
    {
        CloseHelper.closeAll(subscription, publication);
    }

    void allocate(final int blocks, final int fromLayer)
    {
        final AllocateEncoder allocate = new AllocateEncoder().wrapAndApplyHeader(buffer, 0, header)
            .transferId(transferId).creditLimit(Long.MAX_VALUE).blocksGranted(blocks).fromLayer(fromLayer).attempt(0)
            .isPartial((short)0);
        allocate.missingCount(0);
        send(allocate.encodedLength());
    }

    void layerAck(final int layer)
    {
        send(new LayerAckEncoder().wrapAndApplyHeader(buffer, 0, header).transferId(transferId)
            .creditLimit(Long.MAX_VALUE).layer(layer).layersLanded(layer + 1).attempt(0).encodedLength());
    }

    void transferAck(final long bytes)
    {
        send(new TransferAckEncoder().wrapAndApplyHeader(buffer, 0, header).transferId(transferId)
            .bytes(bytes).checksum(0).retries(0).encodedLength());
    }

    void reject(final Reason reason)
    {
        send(new RejectEncoder().wrapAndApplyHeader(buffer, 0, header).transferId(transferId)
            .expected(0).actual(0).reason(reason).text("test").encodedLength());
    }

    void cancel(final Reason reason)
    {
        send(new CancelEncoder().wrapAndApplyHeader(buffer, 0, header).transferId(transferId)
            .reason(reason).receiverId(0).text("test").encodedLength());
    }

    private void send(final int length)
    {
        bridge.runUntil(() -> publication.offer(buffer, 0, MessageHeaderEncoder.ENCODED_LENGTH + length) > 0);
    }
}
