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

import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.zip.CRC32C;

import io.aeron.ExclusivePublication;
import io.aeron.archive.codecs.SourceLocation;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvLayout;
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

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Records the messages of transfers in whatever order a test wants; a transfer has its request's id.
 */
final class RawStream implements AutoCloseable
{
    private static final int CHUNK = 32 << 10;

    private final UnsafeBuffer buffer = new UnsafeBuffer(new byte[CHUNK + 128]);
    private final MessageHeaderEncoder header = new MessageHeaderEncoder();
    private final Rig rig;
    private final KvRecording recording;
    private final ExclusivePublication publication;
    private final Map<Long, Integer> attempts = new HashMap<>();
    private int firstBlock;

    RawStream(final Rig rig)
    {
        this.rig = rig;
        recording = rig.client.record(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL);
        publication = rig.client.context().aeron().addExclusivePublication(Rig.IPC, Rig.STREAM_ID);
        recording.awaitStart(Rig.LIMIT_NS);
    }

    RawStream begin(final long id, final int attempt, final int protocolVersion)
    {
        final KvLayout layout = Rig.LAYOUT;
        attempts.keySet().removeIf(key -> key / layout.layers() == id);
        if (!rig.sent.containsKey(id))
        {
            rig.fill(id);
        }
        final TransferBeginEncoder begin = new TransferBeginEncoder().wrapAndApplyHeader(buffer, 0, header)
            .transferId(id).requestId(id)
            .totalBytes(layout.totalBytes(Rig.BLOCKS)).timeoutNs(Rig.LIMIT_NS).resumeTimeoutNs(0)
            .blockCount(Rig.BLOCKS).blockBytes(layout.blockBytesPerLayer()).tokenCount(0)
            .layers(layout.layers()).kvHeads(layout.kvHeads()).headDim(layout.headDim())
            .tokensPerBlock(layout.tokensPerBlock()).tpRank(0).tpSize(1).ppRank(0).ppSize(1)
            .protocolVersion(protocolVersion).attempt(attempt)
            .dtype(CacheType.get((short)layout.dtype().ordinal())).checksumKind(ChecksumKind.CRC32C)
            .parts((short)layout.parts()).failurePolicy(FailurePolicy.FAIL);
        begin.flags().clear().eager(0 == attempt);
        begin.modelTag("");
        return send(MessageHeaderEncoder.ENCODED_LENGTH + begin.encodedLength());
    }

    /**
     * Send blocks from this one on only, as to a receiver that has those before.
     */
    RawStream from(final int block)
    {
        firstBlock = block;
        return this;
    }

    RawStream layers(final long id, final int... layers)
    {
        for (final int layer : layers)
        {
            layer(id, layer, false);
        }
        return this;
    }

    RawStream layer(final long id, final int layer, final boolean isDamaged)
    {
        final int attempt = attempts.merge(id * Rig.LAYOUT.layers() + layer, 1, Integer::sum) - 1;
        final byte[] bytes = bytes(id, layer);
        final long[] hashes = 0 == layer ?
            Arrays.copyOfRange(Rig.hashes(id), firstBlock, Rig.BLOCKS) : new long[0];
        final BlockDescriptorEncoder descriptor = new BlockDescriptorEncoder().wrapAndApplyHeader(buffer, 0, header)
            .transferId(id).bytes(bytes.length).firstBlock(firstBlock)
            .blockCount(Rig.BLOCKS - firstBlock).layer(layer);
        final BlockDescriptorEncoder.BlockHashesEncoder group = descriptor.blockHashesCount(hashes.length);
        for (final long hash : hashes)
        {
            group.next().hash(hash);
        }
        send(MessageHeaderEncoder.ENCODED_LENGTH + descriptor.encodedLength());
        for (int at = 0; at < bytes.length; at += CHUNK)
        {
            final int length = Math.min(CHUNK, bytes.length - at);
            new KvChunkEncoder().wrapAndApplyHeader(buffer, 0, header)
                .transferId(id).layerOffset(at).payloadLength(length).layer(layer).attempt(attempt);
            buffer.putBytes(KvMessages.CHUNK_HEADER_LENGTH, bytes, at, length);
            if (isDamaged && 0 == at)
            {
                buffer.putByte(KvMessages.CHUNK_HEADER_LENGTH, (byte)(bytes[0] ^ 1));
            }
            send(KvMessages.CHUNK_HEADER_LENGTH + length);
        }
        final LayerCommitEncoder commit = new LayerCommitEncoder().wrapAndApplyHeader(buffer, 0, header)
            .transferId(id).bytes(bytes.length).checksum(crc(bytes) & 0xFFFF_FFFFL).layer(layer).attempt(attempt);
        return send(MessageHeaderEncoder.ENCODED_LENGTH + commit.encodedLength());
    }

    RawStream commit(final long id)
    {
        return commit(id, 0);
    }

    /**
     * Commit what was sent since a begin that went on from a layer.
     */
    RawStream commit(final long id, final int fromLayer)
    {
        final int layers = Rig.LAYOUT.layers() - fromLayer;
        final byte[] checksums = new byte[Integer.BYTES * layers];
        for (int layer = fromLayer; layer < Rig.LAYOUT.layers(); layer++)
        {
            new UnsafeBuffer(checksums).putInt(
                Integer.BYTES * (layer - fromLayer), crc(bytes(id, layer)), ByteOrder.LITTLE_ENDIAN);
        }
        final TransferCommitEncoder commit = new TransferCommitEncoder().wrapAndApplyHeader(buffer, 0, header)
            .transferId(id).bytes(Rig.LAYOUT.layerBytes(Rig.BLOCKS - firstBlock) * layers)
            .checksum(crc(checksums) & 0xFFFF_FFFFL)
            .layers(Rig.LAYOUT.layers()).fromLayer(fromLayer);
        return send(MessageHeaderEncoder.ENCODED_LENGTH + commit.encodedLength());
    }

    KvRecordingInfo stop()
    {
        publication.close();
        return recording.awaitStop(Rig.LIMIT_NS);
    }

    public void close()
    {
        publication.close();
        recording.close();
    }

    private byte[] bytes(final long id, final int layer)
    {
        final KvLayout layout = Rig.LAYOUT;
        final KvBlocks blocks = rig.sent.get(id);
        final int count = Rig.BLOCKS - firstBlock;
        final byte[] bytes = new byte[(int)layout.layerBytes(count)];
        for (int unit = 0; unit < layout.parts() * count; unit++)
        {
            rig.sourceDevice.get(blocks.address(layer, unit / count, firstBlock + unit % count),
                bytes, unit * layout.partBytes(), layout.partBytes());
        }
        return bytes;
    }

    private RawStream send(final int length)
    {
        final long startNs = System.nanoTime();
        while (publication.offer(buffer, 0, KvMessages.alignedLength(length)) < 0)
        {
            assertThat(System.nanoTime() - startNs).as("no room to publish").isLessThan(Rig.LIMIT_NS);
            LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(100));
        }
        return this;
    }

    private static int crc(final byte[] bytes)
    {
        final CRC32C crc = new CRC32C();
        crc.update(bytes);
        return (int)crc.getValue();
    }
}
