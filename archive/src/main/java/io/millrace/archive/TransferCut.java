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
package io.millrace.archive;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

import io.millrace.archive.index.StoredTransfer;
import io.millrace.codecs.kv.BlockDescriptorDecoder;
import io.millrace.codecs.kv.BlockDescriptorEncoder;
import io.millrace.codecs.kv.ChecksumKind;
import io.millrace.codecs.kv.KvChunkDecoder;
import io.millrace.codecs.kv.KvChunkEncoder;
import io.millrace.codecs.kv.KvMessages;
import io.millrace.codecs.kv.LayerCommitDecoder;
import io.millrace.codecs.kv.LayerCommitEncoder;
import io.millrace.codecs.kv.MessageHeaderEncoder;
import io.millrace.codecs.kv.TransferBeginDecoder;
import io.millrace.codecs.kv.TransferBeginEncoder;
import io.millrace.codecs.kv.TransferCommitDecoder;
import io.millrace.codecs.kv.TransferCommitEncoder;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Rewrites the messages of a recorded transfer to those of one that has only some of its blocks, under an id of its
 * own. The checksums that it writes are right exactly when those of the recorded transfer are, so that the receiver
 * sees damage to any byte that was read.
 */
final class TransferCut
{
    private static final int NO_LAYER = -1;

    final long newId;
    final int[] targets;
    private final StoredTransfer stored;
    private final int[] rankOf;
    private final int wanted;
    private final int[] checksums;
    private final int[] newChecksums;
    private final CRC32C crc = new CRC32C();
    private final CRC32C newCrc = new CRC32C();
    private final MessageHeaderEncoder header = new MessageHeaderEncoder();
    private final TransferBeginEncoder begin = new TransferBeginEncoder();
    private final BlockDescriptorEncoder descriptor = new BlockDescriptorEncoder();
    private final KvChunkEncoder chunk = new KvChunkEncoder();
    private final LayerCommitEncoder layerCommit = new LayerCommitEncoder();
    private final TransferCommitEncoder transferCommit = new TransferCommitEncoder();
    private boolean isChecked;
    private int parts = 1;
    private int currentLayer = NO_LAYER;
    private long nextOffset;

    TransferCut(final FetchTransfer transfer, final long newId)
    {
        this.newId = newId;
        stored = transfer.stored();
        targets = transfer.targets();
        wanted = targets.length;
        checksums = new int[stored.layers()];
        newChecksums = new int[stored.layers()];
        // rankOf[i] blocks before block i are wanted.
        rankOf = new int[stored.blockCount() + 1];
        for (final int ordinal : transfer.ordinals())
        {
            rankOf[ordinal + 1] = 1;
        }
        for (int i = 1; i < rankOf.length; i++)
        {
            rankOf[i] += rankOf[i - 1];
        }
    }

    /**
     * @return length of the message in the target, as of the other methods; 0 for none.
     */
    int begin(final TransferBeginDecoder message, final DirectBuffer buffer, final int offset, final int length,
        final UnsafeBuffer target)
    {
        parts = Math.max(1, message.parts());
        isChecked = ChecksumKind.NONE != message.checksumKind();
        final long tokensPerBlock = message.tokensPerBlock();
        final boolean isLastWanted = wanted > rankOf[stored.blockCount() - 1];
        final long tokensOfLast = isLastWanted ?
            message.tokenCount() - (stored.blockCount() - 1) * tokensPerBlock : tokensPerBlock;
        target.putBytes(0, buffer, offset, length);
        begin.wrap(target, MessageHeaderEncoder.ENCODED_LENGTH)
            .transferId(newId)
            .totalBytes((long)stored.layers() * layerBytes())
            .blockCount(wanted)
            .tokenCount(Math.max(0, (wanted - 1) * tokensPerBlock + tokensOfLast));
        return length;
    }

    int descriptor(final BlockDescriptorDecoder message, final UnsafeBuffer target)
    {
        final int first = (int)Math.min(message.firstBlock(), stored.blockCount());
        final int end = (int)Math.min(first + message.blockCount(), stored.blockCount());
        final int count = rankOf[end] - rankOf[first];
        if (0 == count)
        {
            return 0;
        }
        descriptor.wrapAndApplyHeader(target, 0, header)
            .transferId(newId)
            .bytes((long)count * stored.blockBytes())
            .firstBlock(rankOf[first])
            .blockCount(count)
            .layer(message.layer());
        final BlockDescriptorDecoder.BlockHashesDecoder hashes = message.blockHashes();
        final boolean hasHashes = hashes.count() == end - first;
        final BlockDescriptorEncoder.BlockHashesEncoder newHashes =
            descriptor.blockHashesCount(hasHashes ? count : 0);
        for (int block = first; hasHashes && block < end; block++)
        {
            final long hash = hashes.next().hash();
            if (isWanted(block))
            {
                newHashes.next().hash(hash);
            }
        }
        return MessageHeaderEncoder.ENCODED_LENGTH + descriptor.encodedLength();
    }

    /**
     * Wanted bytes of a chunk follow each other in the new layer, too.
     */
    int chunk(final KvChunkDecoder message, final DirectBuffer buffer, final UnsafeBuffer target)
    {
        final int length = (int)message.payloadLength();
        final long start = message.layerOffset();
        final long partBytes = stored.blockBytes() / parts;
        if (message.layer() >= stored.layers() || start < 0 || start + length > oldLayerBytes())
        {
            return 0;
        }

        int copied = 0;
        long newStart = 0;
        long at = start;
        while (at < start + length)
        {
            final long unit = at / partBytes;
            final int block = (int)(unit % stored.blockCount());
            final int count = (int)Math.min((unit + 1) * partBytes, start + length) - (int)at;
            if (isWanted(block))
            {
                if (0 == copied)
                {
                    final long part = unit / stored.blockCount();
                    newStart = (part * wanted + rankOf[block]) * partBytes + at % partBytes;
                }
                target.putBytes(KvMessages.CHUNK_HEADER_LENGTH + copied, buffer,
                    message.limit() + (int)(at - start), count);
                copied += count;
            }
            at += count;
        }
        if (copied > 0)
        {
            chunk.wrapAndApplyHeader(target, 0, header)
                .transferId(newId)
                .layerOffset(newStart)
                .payloadLength(copied)
                .layer(message.layer())
                .attempt(message.attempt());
            return KvMessages.CHUNK_HEADER_LENGTH + copied;
        }
        return 0;
    }

    /**
     * Count a chunk that the receiver took.
     */
    void onChunkTaken(
        final KvChunkDecoder message, final DirectBuffer buffer, final UnsafeBuffer target, final int newLength)
    {
        final int length = (int)message.payloadLength();
        if (0 == message.layerOffset())
        {
            currentLayer = message.layer();
            nextOffset = 0;
            crc.reset();
            newCrc.reset();
        }
        if (message.layer() == currentLayer && message.layerOffset() == nextOffset)
        {
            nextOffset += length;
            if (isChecked)
            {
                update(crc, buffer, message.limit(), length);
                if (newLength > 0)
                {
                    update(newCrc, target, KvMessages.CHUNK_HEADER_LENGTH, newLength - KvMessages.CHUNK_HEADER_LENGTH);
                }
            }
        }
    }

    int layerCommit(final LayerCommitDecoder message, final UnsafeBuffer target)
    {
        final int layer = message.layer();
        final boolean isCurrent = layer == currentLayer && layer < stored.layers();
        if (isCurrent)
        {
            checksums[layer] = (int)crc.getValue();
            newChecksums[layer] = (int)newCrc.getValue();
        }
        final int checksum = layer < stored.layers() ?
            newChecksums[layer] ^ checksums[layer] ^ (int)message.checksum() : 0;
        final boolean isWhole = !isCurrent || nextOffset == oldLayerBytes();
        layerCommit.wrapAndApplyHeader(target, 0, header)
            .transferId(newId)
            .bytes(isWhole && message.bytes() == oldLayerBytes() ? layerBytes() : 0)
            .checksum((isChecked ? checksum : 0) & 0xFFFF_FFFFL)
            .layer(layer)
            .attempt(message.attempt());
        return MessageHeaderEncoder.ENCODED_LENGTH + layerCommit.encodedLength();
    }

    int commit(final TransferCommitDecoder message, final UnsafeBuffer target)
    {
        // Of a stream that broke the last begin may have gone on from a layer.
        final int fromLayer = Math.min(message.fromLayer(), stored.layers());
        final int layers = stored.layers() - fromLayer;
        final int checksum =
            ofLayers(newChecksums, fromLayer) ^ ofLayers(checksums, fromLayer) ^ (int)message.checksum();
        transferCommit.wrapAndApplyHeader(target, 0, header)
            .transferId(newId)
            .bytes(message.bytes() == layers * oldLayerBytes() ? layers * layerBytes() : 0)
            .checksum((isChecked ? checksum : 0) & 0xFFFF_FFFFL)
            .layers(message.layers())
            .fromLayer(message.fromLayer());
        return MessageHeaderEncoder.ENCODED_LENGTH + transferCommit.encodedLength();
    }

    private boolean isWanted(final int block)
    {
        return rankOf[block + 1] > rankOf[block];
    }

    private long oldLayerBytes()
    {
        return (long)stored.blockCount() * stored.blockBytes();
    }

    private long layerBytes()
    {
        return (long)wanted * stored.blockBytes();
    }

    private static void update(final CRC32C crc, final DirectBuffer buffer, final int index, final int length)
    {
        final ByteBuffer bytes = buffer.byteBuffer().duplicate();
        final int from = buffer.wrapAdjustment() + index;
        crc.update(bytes.limit(from + length).position(from));
    }

    private static int ofLayers(final int[] checksums, final int fromLayer)
    {
        final ByteBuffer bytes =
            ByteBuffer.allocate((checksums.length - fromLayer) * Integer.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int layer = fromLayer; layer < checksums.length; layer++)
        {
            bytes.putInt(checksums[layer]);
        }
        final CRC32C crc = new CRC32C();
        crc.update(bytes.flip());
        return (int)crc.getValue();
    }
}
