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
import io.aeron.logbuffer.BufferClaim;
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvException;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.staging.StagingSlot;
import io.millrace.codecs.kv.BlockDescriptorEncoder;
import io.millrace.codecs.kv.CacheType;
import io.millrace.codecs.kv.CancelEncoder;
import io.millrace.codecs.kv.ChecksumKind;
import io.millrace.codecs.kv.HelloEncoder;
import io.millrace.codecs.kv.KvChunkEncoder;
import io.millrace.codecs.kv.KvMessages;
import io.millrace.codecs.kv.LayerCommitEncoder;
import io.millrace.codecs.kv.MessageHeaderEncoder;
import io.millrace.codecs.kv.TransferBeginEncoder;
import io.millrace.codecs.kv.TransferCommitEncoder;

/**
 * Writes the sender's messages into claims of the KV publication. Every message fits one frame, whose length is a
 * multiple of 64 bytes. All methods return false when there is no room now.
 */
final class ForwardWriter
{
    private static final int MIN_PAYLOAD_LENGTH = 1024;
    private static final int DESCRIPTOR_OVERHEAD = MessageHeaderEncoder.ENCODED_LENGTH +
        BlockDescriptorEncoder.BLOCK_LENGTH + BlockDescriptorEncoder.BlockHashesEncoder.sbeHeaderSize();

    private ExclusivePublication publication;
    private int maxChunkPayload;
    private int maxHashes;
    private final BufferClaim claim = new BufferClaim();
    private final MessageHeaderEncoder header = new MessageHeaderEncoder();
    private final HelloEncoder hello = new HelloEncoder();
    private final TransferBeginEncoder begin = new TransferBeginEncoder();
    private final BlockDescriptorEncoder descriptor = new BlockDescriptorEncoder();
    private final KvChunkEncoder chunk = new KvChunkEncoder();
    private final LayerCommitEncoder layerCommit = new LayerCommitEncoder();
    private final TransferCommitEncoder transferCommit = new TransferCommitEncoder();
    private final CancelEncoder cancel = new CancelEncoder();
    private boolean isGone;

    ForwardWriter(final ExclusivePublication publication)
    {
        bind(publication);
    }

    /**
     * Write to this publication from now on.
     */
    void bind(final ExclusivePublication newPublication)
    {
        if (newPublication.maxPayloadLength() < MIN_PAYLOAD_LENGTH)
        {
            throw new IllegalArgumentException("frames of " + newPublication.channel() + " carry " +
                newPublication.maxPayloadLength() + " bytes, KV messages need " + MIN_PAYLOAD_LENGTH +
                ": raise its mtu");
        }
        publication = newPublication;
        maxChunkPayload = KvMessages.maxChunkPayload(publication.maxPayloadLength());
        maxHashes = Math.min(
            65534, (publication.maxPayloadLength() - KvMessages.FRAME_ALIGNMENT - DESCRIPTOR_OVERHEAD) / Long.BYTES);
    }

    int maxChunkPayload()
    {
        return maxChunkPayload;
    }

    int maxHashes()
    {
        return maxHashes;
    }

    /**
     * Was there no subscriber at the last try.
     */
    boolean isGone()
    {
        return isGone;
    }

    boolean hello(final long senderId)
    {
        if (!claim(MessageHeaderEncoder.ENCODED_LENGTH + HelloEncoder.BLOCK_LENGTH))
        {
            return false;
        }
        hello.wrapAndApplyHeader(claim.buffer(), claim.offset(), header)
            .senderId(senderId)
            .protocolVersion(KvMessages.PROTOCOL_VERSION)
            .minProtocolVersion(KvMessages.MIN_PROTOCOL_VERSION);
        claim.commit();
        return true;
    }

    boolean transferBegin(
        final OutboundTransfer transfer,
        final long timeoutNs,
        final boolean isUnacknowledged,
        final boolean isMultiple)
    {
        final String tag = transfer.modelTag;
        if (!claim(MessageHeaderEncoder.ENCODED_LENGTH + TransferBeginEncoder.BLOCK_LENGTH +
            TransferBeginEncoder.modelTagHeaderLength() + tag.length()))
        {
            return false;
        }

        final KvLayout layout = transfer.layout;
        begin.wrapAndApplyHeader(claim.buffer(), claim.offset(), header)
            .transferId(transfer.transferId())
            .requestId(transfer.requestId())
            .totalBytes(transfer.totalBytes())
            .timeoutNs(timeoutNs)
            .resumeTimeoutNs(transfer.resumeTimeoutNs)
            .blockCount(transfer.blockCount)
            .blockBytes(layout.blockBytesPerLayer())
            .tokenCount(transfer.tokenCount)
            .layers(layout.layers())
            .kvHeads(layout.kvHeads())
            .headDim(layout.headDim())
            .tokensPerBlock(layout.tokensPerBlock())
            .tpRank(transfer.tpRank)
            .tpSize(transfer.tpSize)
            .ppRank(transfer.ppRank)
            .ppSize(transfer.ppSize)
            .protocolVersion(transfer.protocolVersion)
            .attempt(transfer.attempt)
            .dtype(CacheType.get((short)layout.dtype().ordinal()))
            .checksumKind(ChecksumKind.CRC32C)
            .parts((short)layout.parts())
            .failurePolicy(transfer.failurePolicy().wire());
        begin.flags().clear().unacknowledged(isUnacknowledged).layerwise(transfer.isLayerwise)
            .multiple(isMultiple).eager(transfer.isEager);
        begin.modelTag(tag);
        claim.commit();
        return true;
    }

    boolean blockDescriptor(
        final OutboundTransfer transfer, final int layer, final int firstBlock, final int count, final long[] hashes)
    {
        final int hashCount = null == hashes ? 0 : count;
        if (!claim(DESCRIPTOR_OVERHEAD + hashCount * Long.BYTES))
        {
            return false;
        }

        descriptor.wrapAndApplyHeader(claim.buffer(), claim.offset(), header)
            .transferId(transfer.transferId())
            .bytes(transfer.layout.layerBytes(count))
            .firstBlock(firstBlock)
            .blockCount(count)
            .layer(layer);
        final BlockDescriptorEncoder.BlockHashesEncoder group = descriptor.blockHashesCount(hashCount);
        for (int i = 0; i < hashCount; i++)
        {
            group.next().hash(hashes[firstBlock + i]);
        }
        claim.commit();
        return true;
    }

    boolean chunk(final OutboundTransfer transfer, final StagingSlot slot, final int length)
    {
        final BufferClaim room = claimChunk(transfer.transferId(), slot.layer(), slot.attempt(),
            slot.layerOffset() + slot.cursor(), length);
        if (null == room)
        {
            return false;
        }
        room.buffer().putBytes(payloadOffset(room), slot.buffer(), slot.cursor(), length);
        room.commit();
        return true;
    }

    /**
     * Claim room for a chunk whose payload the caller writes.
     *
     * @return to commit or abort at once, null when there is no room now.
     */
    BufferClaim claimChunk(
        final long transferId, final int layer, final int attempt, final long layerOffset, final int length)
    {
        if (!claim(KvMessages.CHUNK_HEADER_LENGTH + length))
        {
            return null;
        }
        chunk.wrapAndApplyHeader(claim.buffer(), claim.offset(), header)
            .transferId(transferId)
            .layerOffset(layerOffset)
            .payloadLength(length)
            .layer(layer)
            .attempt(attempt);
        return claim;
    }

    static int payloadOffset(final BufferClaim chunkClaim)
    {
        return chunkClaim.offset() + KvMessages.CHUNK_HEADER_LENGTH;
    }

    boolean layerCommit(
        final long transferId, final int layer, final int attempt, final long bytes, final int checksum)
    {
        if (!claim(MessageHeaderEncoder.ENCODED_LENGTH + LayerCommitEncoder.BLOCK_LENGTH))
        {
            return false;
        }
        layerCommit.wrapAndApplyHeader(claim.buffer(), claim.offset(), header)
            .transferId(transferId)
            .bytes(bytes)
            .checksum(checksum & 0xFFFF_FFFFL)
            .layer(layer)
            .attempt(attempt);
        claim.commit();
        return true;
    }

    boolean transferCommit(final OutboundTransfer transfer, final int checksum)
    {
        if (!claim(MessageHeaderEncoder.ENCODED_LENGTH + TransferCommitEncoder.BLOCK_LENGTH))
        {
            return false;
        }
        transferCommit.wrapAndApplyHeader(claim.buffer(), claim.offset(), header)
            .transferId(transfer.transferId())
            .bytes(transfer.carriedBytes())
            .checksum(checksum & 0xFFFF_FFFFL)
            .layers(transfer.layout.layers())
            .fromLayer(transfer.fromLayer);
        claim.commit();
        return true;
    }

    boolean cancel(final long transferId, final long receiverId, final KvError error, final String text)
    {
        final String cut = Texts.ascii(text);
        if (!claim(MessageHeaderEncoder.ENCODED_LENGTH + CancelEncoder.BLOCK_LENGTH +
            CancelEncoder.textHeaderLength() + cut.length()))
        {
            return false;
        }
        cancel.wrapAndApplyHeader(claim.buffer(), claim.offset(), header)
            .transferId(transferId)
            .reason(error.reason())
            .receiverId(receiverId)
            .text(cut);
        claim.commit();
        return true;
    }

    private boolean claim(final int length)
    {
        final long result = publication.tryClaim(KvMessages.alignedLength(length), claim);
        final boolean isAtEnd = Publication.MAX_POSITION_EXCEEDED == result;
        isGone = isAtEnd || Publication.NOT_CONNECTED == result || Publication.CLOSED == result;
        if (isAtEnd)
        {
            throw new KvException(KvError.PEER_GONE, "stream " + publication.streamId() + " of " +
                publication.channel() + " is at its last position " + publication.maxPossiblePosition() +
                ": start the sender again, with longer terms");
        }
        return result > 0;
    }
}
