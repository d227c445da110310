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
package io.millrace.codecs;

import java.util.HexFormat;

import io.millrace.codecs.kv.AllocateEncoder;
import io.millrace.codecs.kv.BlockDescriptorEncoder;
import io.millrace.codecs.kv.CacheType;
import io.millrace.codecs.kv.CancelDecoder;
import io.millrace.codecs.kv.CancelEncoder;
import io.millrace.codecs.kv.ChecksumKind;
import io.millrace.codecs.kv.CreditEncoder;
import io.millrace.codecs.kv.FailurePolicy;
import io.millrace.codecs.kv.HelloAckDecoder;
import io.millrace.codecs.kv.HelloAckEncoder;
import io.millrace.codecs.kv.HelloEncoder;
import io.millrace.codecs.kv.KvChunkEncoder;
import io.millrace.codecs.kv.KvMessages;
import io.millrace.codecs.kv.LayerAckEncoder;
import io.millrace.codecs.kv.LayerCommitEncoder;
import io.millrace.codecs.kv.MessageHeaderDecoder;
import io.millrace.codecs.kv.MessageHeaderEncoder;
import io.millrace.codecs.kv.Reason;
import io.millrace.codecs.kv.RejectEncoder;
import io.millrace.codecs.kv.ResumeEncoder;
import io.millrace.codecs.kv.TransferAckEncoder;
import io.millrace.codecs.kv.TransferBeginEncoder;
import io.millrace.codecs.kv.TransferCommitEncoder;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The bytes of every message of schema 9102. A change here breaks every peer that is deployed.
 */
class KvStreamGoldenTest
{
    private static final String ID = "0807060504030201";
    private static final long TRANSFER_ID = 0x0102030405060708L;

    private final UnsafeBuffer buffer = new UnsafeBuffer(new byte[512]);
    private final MessageHeaderEncoder header = new MessageHeaderEncoder();

    private void check(final int bodyLength, final int templateId, final String... fields)
    {
        final int length = MessageHeaderEncoder.ENCODED_LENGTH + bodyLength;
        assertThat(Hex.of(buffer, length)).isEqualTo(Hex.join(fields));
        assertThat(KvMessages.check(buffer, 0, length)).isEqualTo(templateId);
        for (int cut = 0; cut < length; cut++)
        {
            assertThat(KvMessages.check(buffer, 0, cut)).as("cut to %d bytes", cut).isEqualTo(FrameCheck.TOO_SHORT);
        }
    }

    @Test
    void hello()
    {
        final HelloEncoder encoder = new HelloEncoder().wrapAndApplyHeader(buffer, 0, header)
            .senderId(TRANSFER_ID).protocolVersion(3).minProtocolVersion(2);
        check(encoder.encodedLength(), 1,
            "0c00 0100 8e23 0200",              // 0 header: block length, template, schema 9102, version
            ID,                                 // 8 senderId
            "0300",                             // 16 protocolVersion
            "0200");                            // 18 minProtocolVersion
    }

    @Test
    void helloAck()
    {
        final HelloAckEncoder encoder = new HelloAckEncoder().wrapAndApplyHeader(buffer, 0, header)
            .senderId(TRANSFER_ID).receiverId(5).protocolVersion(3).minProtocolVersion(2)
            .reason(Reason.VERSION_MISMATCH).eagerBytes(0x20000).text("no");
        check(encoder.encodedLength(), 2,
            "1900 0200 8e23 0200",
            ID,                                 // 8 senderId
            "0500000000000000",                 // 16 receiverId
            "0300",                             // 24 protocolVersion
            "0200",                             // 26 minProtocolVersion
            "01",                               // 28 reason
            "00000200",                         // 29 eagerBytes
            "02000000 6e6f");                   // 33 text
    }

    @Test
    void helloAckBeforeVersionTwo()
    {
        final byte[] bytes = HexFormat.of().parseHex(Hex.join(
            "1500 0200 8e23 0100", ID, "0500000000000000", "0300", "0200", "01", "02000000 6e6f"));
        buffer.putBytes(0, bytes);
        assertThat(KvMessages.check(buffer, 0, bytes.length)).isEqualTo(2);
        assertThat(KvMessages.check(buffer, 0, bytes.length - 1)).isEqualTo(FrameCheck.TOO_SHORT);
        final HelloAckDecoder decoder =
            new HelloAckDecoder().wrapAndApplyHeader(buffer, 0, new MessageHeaderDecoder());
        assertThat(decoder.eagerBytes()).isZero();
        assertThat(decoder.text()).isEqualTo("no");
    }

    @Test
    void cancelBeforeVersionOne()
    {
        final byte[] bytes = HexFormat.of().parseHex(Hex.join("0900 0d00 8e23 0000", ID, "0d", "01000000 78"));
        buffer.putBytes(0, bytes);
        assertThat(KvMessages.check(buffer, 0, bytes.length)).isEqualTo(13);
        final CancelDecoder decoder = new CancelDecoder().wrapAndApplyHeader(buffer, 0, new MessageHeaderDecoder());
        assertThat(decoder.receiverId()).isZero();
        assertThat(decoder.text()).isEqualTo("x");
    }

    @Test
    void transferBegin()
    {
        final TransferBeginEncoder encoder = new TransferBeginEncoder().wrapAndApplyHeader(buffer, 0, header)
            .transferId(TRANSFER_ID).requestId(-1).totalBytes(0x30000).timeoutNs(1_000_000_000L)
            .resumeTimeoutNs(5).blockCount(3)
            .blockBytes(8192).tokenCount(40).layers(24).kvHeads(2).headDim(64).tokensPerBlock(16)
            .tpRank(1).tpSize(2).ppRank(0).ppSize(1).protocolVersion(1).attempt(4)
            .dtype(CacheType.FP8_E4M3).checksumKind(ChecksumKind.CRC32C).parts((short)2)
            .failurePolicy(FailurePolicy.RECOMPUTE);
        encoder.flags().clear().layerwise(true).eager(true);
        encoder.modelTag("qwen");
        check(encoder.encodedLength(), 3,
            "5000 0300 8e23 0200",
            ID,                                 // 8 transferId
            "ffffffffffffffff",                 // 16 requestId
            "0000030000000000",                 // 24 totalBytes
            "00ca9a3b00000000",                 // 32 timeoutNs
            "0500000000000000",                 // 40 resumeTimeoutNs
            "03000000",                         // 48 blockCount
            "00200000",                         // 52 blockBytes
            "28000000",                         // 56 tokenCount
            "1800",                             // 60 layers
            "0200",                             // 62 kvHeads
            "4000",                             // 64 headDim
            "1000",                             // 66 tokensPerBlock
            "0100 0200",                        // 68 tpRank, 70 tpSize
            "0000 0100",                        // 72 ppRank, 74 ppSize
            "0100",                             // 76 protocolVersion
            "0400",                             // 78 attempt
            "03",                               // 80 dtype
            "01",                               // 81 checksumKind
            "0a000000",                         // 82 flags
            "02",                               // 86 parts
            "01",                               // 87 failurePolicy
            "04000000 7177656e");               // 88 modelTag
    }

    @Test
    void blockDescriptor()
    {
        final BlockDescriptorEncoder encoder = new BlockDescriptorEncoder().wrapAndApplyHeader(buffer, 0, header)
            .transferId(TRANSFER_ID).bytes(16384).firstBlock(5).blockCount(2).layer(9);
        encoder.blockHashesCount(2).next().hash(0x11).next().hash(-2);
        check(encoder.encodedLength(), 4,
            "1a00 0400 8e23 0200",
            ID,                                 // 8 transferId
            "0040000000000000",                 // 16 bytes
            "05000000",                         // 24 firstBlock
            "02000000",                         // 28 blockCount
            "0900",                             // 32 layer
            "0800 0200",                        // 34 blockHashes: entry length, entries
            "1100000000000000",                 // 38 hash
            "feffffffffffffff");                // 46 hash
    }

    @Test
    void kvChunk()
    {
        new KvChunkEncoder().wrapAndApplyHeader(buffer, 0, header)
            .transferId(TRANSFER_ID).layerOffset(65408).payloadLength(2).layer(3).attempt(1);
        buffer.putShort(KvMessages.CHUNK_HEADER_LENGTH, (short)0x5a5a);
        assertThat(KvMessages.CHUNK_HEADER_LENGTH).isEqualTo(32);
        check(KvChunkEncoder.BLOCK_LENGTH + 2, 5,
            "1800 0500 8e23 0200",
            ID,                                 // 8 transferId
            "80ff000000000000",                 // 16 layerOffset
            "02000000",                         // 24 payloadLength
            "0300",                             // 28 layer
            "0100",                             // 30 attempt
            "5a5a");                            // 32 payload
    }

    @Test
    void layerCommit()
    {
        final LayerCommitEncoder encoder = new LayerCommitEncoder().wrapAndApplyHeader(buffer, 0, header)
            .transferId(TRANSFER_ID).bytes(4096).checksum(0xE3069283L).layer(3).attempt(1);
        check(encoder.encodedLength(), 6,
            "1800 0600 8e23 0200",
            ID,                                 // 8 transferId
            "0010000000000000",                 // 16 bytes
            "839206e3",                         // 24 checksum
            "0300",                             // 28 layer
            "0100");                            // 30 attempt
    }

    @Test
    void transferCommit()
    {
        final TransferCommitEncoder encoder = new TransferCommitEncoder().wrapAndApplyHeader(buffer, 0, header)
            .transferId(TRANSFER_ID).bytes(4096).checksum(0xE3069283L).layers(24).fromLayer(2);
        check(encoder.encodedLength(), 7,
            "1800 0700 8e23 0200", ID, "0010000000000000", "839206e3", // 8 transferId, 16 bytes, 24 checksum
            "1800 0200");                       // 28 layers, 30 fromLayer
    }

    @Test
    void allocate()
    {
        final AllocateEncoder encoder = new AllocateEncoder().wrapAndApplyHeader(buffer, 0, header)
            .transferId(TRANSFER_ID).creditLimit(1 << 24).blocksGranted(3).fromLayer(2).attempt(1)
            .isPartial((short)1);
        encoder.missingCount(1).next().firstBlock(1).blockCount(2);
        check(encoder.encodedLength(), 8,
            "1900 0800 8e23 0200", ID, "0000000100000000",  // 8 transferId, 16 creditLimit
            "03000000",                         // 24 blocksGranted
            "0200 0100 01",                     // 28 fromLayer, 30 attempt, 32 isPartial
            "0800 0100",                        // 33 missing: entry length, entries
            "01000000 02000000");               // 37 firstBlock, 41 blockCount
    }

    @Test
    void layerAck()
    {
        final LayerAckEncoder encoder = new LayerAckEncoder().wrapAndApplyHeader(buffer, 0, header)
            .transferId(TRANSFER_ID).creditLimit(1 << 24).layer(7).layersLanded(8).attempt(1);
        check(encoder.encodedLength(), 9,
            "1600 0900 8e23 0200", ID, "0000000100000000",  // 8 transferId, 16 creditLimit
            "0700 0800 0100");                  // 24 layer, 26 layersLanded, 28 attempt
    }

    @Test
    void transferAck()
    {
        final TransferAckEncoder encoder = new TransferAckEncoder().wrapAndApplyHeader(buffer, 0, header)
            .transferId(TRANSFER_ID).bytes(4096).checksum(1).retries(2);
        check(encoder.encodedLength(), 10,
            "1600 0a00 8e23 0200", ID, "0010000000000000", "01000000", // 8 transferId, 16 bytes, 24 checksum
            "0200");                            // 28 retries
    }

    @Test
    void resume()
    {
        final ResumeEncoder encoder = new ResumeEncoder().wrapAndApplyHeader(buffer, 0, header)
            .transferId(TRANSFER_ID).fromLayer(4).layerCount(1).attempt(2).beginAttempt(1)
            .reason(Reason.CHECKSUM_MISMATCH);
        check(encoder.encodedLength(), 11,
            "1100 0b00 8e23 0200", ID,          // 8 transferId
            "0400 0100 0200",                   // 16 fromLayer, 18 layerCount, 20 attempt
            "0100",                             // 22 beginAttempt
            "0a");                              // 24 reason
    }

    @Test
    void reject()
    {
        final RejectEncoder encoder = new RejectEncoder().wrapAndApplyHeader(buffer, 0, header)
            .transferId(TRANSFER_ID).expected(2).actual(1).reason(Reason.NO_BLOCKS).text("few");
        check(encoder.encodedLength(), 12,
            "1900 0c00 8e23 0200", ID,          // 8 transferId
            "0200000000000000",                 // 16 expected
            "0100000000000000",                 // 24 actual
            "04",                               // 32 reason
            "03000000 666577");                 // 33 text
    }

    @Test
    void cancel()
    {
        final CancelEncoder encoder = new CancelEncoder().wrapAndApplyHeader(buffer, 0, header)
            .transferId(TRANSFER_ID).reason(Reason.CANCELED).receiverId(7).text("x");
        check(encoder.encodedLength(), 13,
            "1100 0d00 8e23 0200", ID,          // 8 transferId
            "0d",                               // 16 reason
            "0700000000000000",                 // 17 receiverId
            "01000000 78");                     // 25 text
    }

    @Test
    void credit()
    {
        final CreditEncoder encoder = new CreditEncoder().wrapAndApplyHeader(buffer, 0, header)
            .transferId(TRANSFER_ID).creditLimit(255).attempt(1);
        check(encoder.encodedLength(), 14,
            "1200 0e00 8e23 0200", ID, "ff00000000000000",  // 8 transferId, 16 creditLimit
            "0100");                            // 24 attempt
    }

    @Test
    void framesAndPayloadsStandOn64Bytes()
    {
        for (int length = 1; length < 2000; length++)
        {
            final int claimed = KvMessages.alignedLength(length);
            assertThat(claimed).isBetween(length, length + 63);
            assertThat((claimed + 32) % 64).isZero();
        }
        assertThat(KvMessages.maxChunkPayload(65472 - 32)).isEqualTo(65408);
        assertThat(KvMessages.maxChunkPayload(1408 - 32)).isEqualTo(1344);
    }
}
