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

import java.util.zip.CRC32C;

import io.aeron.ExclusivePublication;
import io.millrace.codecs.kv.BlockDescriptorEncoder;
import io.millrace.codecs.kv.CacheType;
import io.millrace.codecs.kv.ChecksumKind;
import io.millrace.codecs.kv.FailurePolicy;
import io.millrace.codecs.kv.KvChunkEncoder;
import io.millrace.codecs.kv.KvMessages;
import io.millrace.codecs.kv.LayerCommitEncoder;
import io.millrace.codecs.kv.MessageHeaderEncoder;
import io.millrace.codecs.kv.TransferBeginEncoder;
import io.millrace.codecs.kv.TransferCommitEncoder;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Says to a receiver whatever a test wants.
 */
final class RawSender
{
    final UnsafeBuffer buffer = new UnsafeBuffer(new byte[8192]);
    final MessageHeaderEncoder header = new MessageHeaderEncoder();
    private final ExclusivePublication publication;
    private final Bridge bridge;
    private final TransferBeginEncoder begin = new TransferBeginEncoder();
    private final BlockDescriptorEncoder descriptor = new BlockDescriptorEncoder();
    private final KvChunkEncoder chunk = new KvChunkEncoder();
    private final LayerCommitEncoder layerCommit = new LayerCommitEncoder();
    private final TransferCommitEncoder transferCommit = new TransferCommitEncoder();

    RawSender(final Bridge bridge)
    {
        this.bridge = bridge;
        publication = bridge.aeron.addExclusivePublication(bridge.channel, Bridge.STREAM_ID);
        bridge.runUntil(publication::isConnected);
    }

    void send(final int length)
    {
        bridge.runUntil(() -> publication.offer(buffer, 0, length) > 0);
    }

    TransferBeginEncoder begin(final long transferId, final KvLayout layout, final int blockCount)
    {
        begin.wrapAndApplyHeader(buffer, 0, header)
            .transferId(transferId).requestId(transferId)
            .totalBytes(layout.totalBytes(blockCount)).timeoutNs(Bridge.LIMIT_NS)
            .resumeTimeoutNs(0).attempt(0).failurePolicy(FailurePolicy.FAIL)
            .blockCount(blockCount).blockBytes(layout.blockBytesPerLayer()).tokenCount(0)
            .layers(layout.layers()).kvHeads(layout.kvHeads()).headDim(layout.headDim())
            .tokensPerBlock(layout.tokensPerBlock()).tpRank(0).tpSize(1).ppRank(0).ppSize(1)
            .protocolVersion(KvMessages.PROTOCOL_VERSION).dtype(CacheType.BF16).checksumKind(ChecksumKind.CRC32C)
            .parts((short)2);
        begin.flags().clear();
        begin.modelTag("");
        return begin;
    }

    void sendBegin()
    {
        send(MessageHeaderEncoder.ENCODED_LENGTH + begin.encodedLength());
    }

    void chunk(final long transferId, final int layer, final long offset, final byte[] payload)
    {
        chunk.wrapAndApplyHeader(buffer, 0, header).transferId(transferId).layerOffset(offset)
            .payloadLength(payload.length).layer(layer).attempt(0);
        buffer.putBytes(KvMessages.CHUNK_HEADER_LENGTH, payload);
        send(KvMessages.CHUNK_HEADER_LENGTH + payload.length);
    }

    void descriptor(
        final long transferId, final int layer, final int firstBlock, final int blockCount, final long bytes)
    {
        descriptor.wrapAndApplyHeader(buffer, 0, header).transferId(transferId).bytes(bytes)
            .firstBlock(firstBlock).blockCount(blockCount).layer(layer).blockHashesCount(0);
        send(MessageHeaderEncoder.ENCODED_LENGTH + descriptor.encodedLength());
    }

    void layerCommit(final long transferId, final int layer, final long bytes, final int checksum)
    {
        layerCommit.wrapAndApplyHeader(buffer, 0, header).transferId(transferId).bytes(bytes)
            .checksum(checksum & 0xFFFF_FFFFL).layer(layer).attempt(0);
        send(MessageHeaderEncoder.ENCODED_LENGTH + layerCommit.encodedLength());
    }

    void transferCommit(final long transferId, final long bytes, final int layers, final int checksum)
    {
        transferCommit.wrapAndApplyHeader(buffer, 0, header).transferId(transferId).bytes(bytes)
            .checksum(checksum & 0xFFFF_FFFFL).layers(layers).fromLayer(0);
        send(MessageHeaderEncoder.ENCODED_LENGTH + transferCommit.encodedLength());
    }

    static int crc(final byte[]... parts)
    {
        final CRC32C crc = new CRC32C();
        for (final byte[] part : parts)
        {
            crc.update(part);
        }
        return (int)crc.getValue();
    }

    static byte[] littleEndian(final int value)
    {
        return new byte[]{(byte)value, (byte)(value >> 8), (byte)(value >> 16), (byte)(value >> 24)};
    }
}
