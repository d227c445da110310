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
import java.util.BitSet;
import java.util.zip.CRC32C;

import io.millrace.archive.index.StoredTransfer;
import io.millrace.codecs.kv.BlockDescriptorDecoder;
import io.millrace.codecs.kv.ChecksumKind;
import io.millrace.codecs.kv.KvChunkDecoder;
import io.millrace.codecs.kv.LayerCommitDecoder;
import io.millrace.codecs.kv.TransferBeginDecoder;
import org.agrona.DirectBuffer;

/**
 * A transfer that a scan has seen begin.
 */
final class ScannedTransfer
{
    private static final int MAX_HASHES = 1 << 23;
    private static final int NO_LAYER = -1;

    final long position;
    private final long transferId;
    final String tag;
    private final long scope;
    private final int layers;
    private final int blockBytes;
    private final long blockCount;
    private final boolean isChecked;
    private final boolean isResumed;
    private final BitSet committed = new BitSet();
    private final CRC32C crc = new CRC32C();
    private long[] hashes;
    private long hashCount;
    private int currentLayer = NO_LAYER;
    private long nextOffset;
    private boolean isDamaged;

    ScannedTransfer(final TransferBeginDecoder begin, final long position)
    {
        this.position = position;
        transferId = begin.transferId();
        layers = begin.layers();
        blockBytes = (int)begin.blockBytes();
        blockCount = begin.blockCount();
        isChecked = ChecksumKind.NONE != begin.checksumKind();
        isResumed = begin.attempt() > 0;
        tag = begin.modelTag();
        scope = KvScope.id(tag, layers, begin.kvHeads(), begin.headDim(), begin.tokensPerBlock(),
            begin.blockBytes(), begin.dtypeRaw(), begin.tpRank(), begin.tpSize(), begin.ppRank(), begin.ppSize());
    }

    /**
     * Runs come in order and cover the blocks once; a repeated first layer brings them again.
     */
    void onHashes(final BlockDescriptorDecoder descriptor)
    {
        final long first = descriptor.firstBlock();
        final BlockDescriptorDecoder.BlockHashesDecoder group = descriptor.blockHashes();
        if (group.count() != descriptor.blockCount() || blockCount > MAX_HASHES || first != hashCount ||
            first + group.count() > blockCount)
        {
            return;
        }
        if (null == hashes)
        {
            hashes = new long[(int)blockCount];
        }
        while (group.hasNext())
        {
            hashes[(int)hashCount++] = group.next().hash();
        }
    }

    void onChunk(final KvChunkDecoder chunk, final DirectBuffer buffer)
    {
        final int layer = chunk.layer();
        final long start = chunk.layerOffset();
        final int length = (int)chunk.payloadLength();
        if (layer >= layers || committed.get(layer))
        {
            return;
        }
        if (0 == start)
        {
            currentLayer = layer;
            nextOffset = 0;
            crc.reset();
        }
        if (layer == currentLayer && start == nextOffset)
        {
            final int payload = chunk.limit();
            final ByteBuffer bytes = buffer.byteBuffer().duplicate();
            final int from = buffer.wrapAdjustment() + payload;
            crc.update(bytes.limit(from + length).position(from));
            nextOffset += length;
        }
    }

    void onLayerCommit(final LayerCommitDecoder commit)
    {
        final int layer = commit.layer();
        if (layer < layers && layer == currentLayer && nextOffset == blockBytes * blockCount &&
            commit.bytes() == nextOffset)
        {
            if (!isChecked || (int)crc.getValue() == (int)commit.checksum())
            {
                committed.set(layer);
            }
            else
            {
                isDamaged = true;
            }
            currentLayer = NO_LAYER;
        }
    }

    boolean isWhole()
    {
        return committed.cardinality() == layers;
    }

    /**
     * Will it never be whole: later layers alone, sent again for those of several receivers that had lost the stream.
     */
    boolean isRest()
    {
        return isResumed && !isDamaged && !committed.get(0);
    }

    boolean isDamaged()
    {
        return isDamaged;
    }

    boolean hasHashes()
    {
        return hashCount == blockCount;
    }

    long[] hashes()
    {
        return hashes;
    }

    StoredTransfer stored(final long recordingId, final long endPosition, final int checksum, final long nowMs)
    {
        return new StoredTransfer(recordingId, position, endPosition - position, transferId, scope, nowMs, layers,
            blockBytes, (int)blockCount, checksum);
    }
}
