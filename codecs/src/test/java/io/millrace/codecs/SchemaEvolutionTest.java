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

import java.nio.ByteOrder;

import io.millrace.codecs.kv.BlockDescriptorDecoder;
import io.millrace.codecs.kv.CancelDecoder;
import io.millrace.codecs.kv.CancelEncoder;
import io.millrace.codecs.kv.KvChunkDecoder;
import io.millrace.codecs.kv.KvMessages;
import io.millrace.codecs.kv.MessageHeaderDecoder;
import io.millrace.codecs.kv.MessageHeaderEncoder;
import io.millrace.codecs.kv.RejectDecoder;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What a later version writes: longer root blocks, longer group entries, new groups and data at the end; and what
 * version 0 wrote.
 */
class SchemaEvolutionTest
{
    private static final ByteOrder LE = ByteOrder.LITTLE_ENDIAN;
    private static final int NEW_FIELD_BYTES = 16;

    private final UnsafeBuffer buffer = new UnsafeBuffer(new byte[512]);
    private final MessageHeaderDecoder header = new MessageHeaderDecoder();

    private void header(final int templateId, final int blockLength)
    {
        new MessageHeaderEncoder().wrap(buffer, 0)
            .blockLength(blockLength + NEW_FIELD_BYTES).templateId(templateId).schemaId(9102).version(7);
        buffer.setMemory(8, blockLength + NEW_FIELD_BYTES, (byte)0xEE);
    }

    @Test
    void olderReaderFindsThePayloadBehindNewFields()
    {
        header(KvChunkDecoder.TEMPLATE_ID, KvChunkDecoder.BLOCK_LENGTH);
        buffer.putLong(8, 77, LE);
        buffer.putInt(24, 4, LE);
        final int payload = 8 + KvChunkDecoder.BLOCK_LENGTH + NEW_FIELD_BYTES;
        buffer.putInt(payload, 0x12345678, LE);

        assertThat(KvMessages.check(buffer, 0, payload + 4)).isEqualTo(KvChunkDecoder.TEMPLATE_ID);
        assertThat(KvMessages.check(buffer, 0, payload + 3)).isEqualTo(FrameCheck.TOO_SHORT);
        final KvChunkDecoder decoder = new KvChunkDecoder().wrapAndApplyHeader(buffer, 0, header);
        assertThat(decoder.transferId()).isEqualTo(77);
        assertThat(decoder.limit()).isEqualTo(payload);
        assertThat(buffer.getInt(decoder.limit(), LE)).isEqualTo(0x12345678);
    }

    @Test
    void olderReaderSkipsNewFieldsOfEntriesAndNewGroups()
    {
        header(BlockDescriptorDecoder.TEMPLATE_ID, BlockDescriptorDecoder.BLOCK_LENGTH);
        buffer.putInt(28, 2, LE);
        int at = 8 + BlockDescriptorDecoder.BLOCK_LENGTH + NEW_FIELD_BYTES;
        buffer.putShort(at, (short)12, LE);
        buffer.putShort(at + 2, (short)2, LE);
        buffer.putLong(at + 4, 1111, LE);
        buffer.putLong(at + 16, 2222, LE);
        at += 4 + 2 * 12;
        buffer.putShort(at, (short)8, LE);
        buffer.putShort(at + 2, (short)3, LE);
        at += 4 + 3 * 8;

        assertThat(KvMessages.check(buffer, 0, at)).isEqualTo(BlockDescriptorDecoder.TEMPLATE_ID);
        final BlockDescriptorDecoder decoder = new BlockDescriptorDecoder().wrapAndApplyHeader(buffer, 0, header);
        assertThat(decoder.blockCount()).isEqualTo(2);
        final BlockDescriptorDecoder.BlockHashesDecoder hashes = decoder.blockHashes();
        assertThat(hashes.next().hash()).isEqualTo(1111);
        assertThat(hashes.next().hash()).isEqualTo(2222);
        assertThat(hashes.hasNext()).isFalse();
    }

    @Test
    void cancelOfVersion0IsForAllReceivers()
    {
        new MessageHeaderEncoder().wrap(buffer, 0)
            .blockLength(9).templateId(CancelDecoder.TEMPLATE_ID).schemaId(9102).version(0);
        buffer.putLong(8, 77, LE);
        buffer.putByte(16, (byte)13);
        buffer.putInt(17, 3, LE);
        buffer.putStringWithoutLengthAscii(21, "end");

        assertThat(KvMessages.check(buffer, 0, 24)).isEqualTo(CancelDecoder.TEMPLATE_ID);
        final CancelDecoder decoder = new CancelDecoder().wrapAndApplyHeader(buffer, 0, header);
        assertThat(decoder.transferId()).isEqualTo(77);
        assertThat(decoder.receiverId()).isZero();
        assertThat(decoder.text()).isEqualTo("end");

        new MessageHeaderEncoder().wrap(buffer, 0).version(1);
        assertThat(KvMessages.check(buffer, 0, 24)).isEqualTo(FrameCheck.TOO_SHORT);
    }

    @Test
    void readerOfVersion0FindsTheTextOfAnAddressedCancel()
    {
        new CancelEncoder().wrapAndApplyHeader(buffer, 0, new MessageHeaderEncoder())
            .transferId(77).receiverId(5).text("end");

        final CancelDecoder decoder = new CancelDecoder().wrap(buffer, 8, header.wrap(buffer, 0).blockLength(), 0);
        assertThat(decoder.transferId()).isEqualTo(77);
        assertThat(decoder.text()).isEqualTo("end");
    }

    @Test
    void refusesWhatItCannotRead()
    {
        header(RejectDecoder.TEMPLATE_ID, RejectDecoder.BLOCK_LENGTH);
        final int text = 8 + RejectDecoder.BLOCK_LENGTH + NEW_FIELD_BYTES;
        buffer.putInt(text, -1, LE);
        assertThat(KvMessages.check(buffer, 0, 500)).isEqualTo(FrameCheck.TOO_SHORT);
        buffer.putInt(text, 513, LE);
        assertThat(KvMessages.check(buffer, 0, 512)).isEqualTo(FrameCheck.TOO_SHORT);
        buffer.putInt(text, 10, LE);
        assertThat(KvMessages.check(buffer, 0, text + 14)).isEqualTo(RejectDecoder.TEMPLATE_ID);

        final MessageHeaderEncoder encoder = new MessageHeaderEncoder().wrap(buffer, 0);
        encoder.blockLength(RejectDecoder.BLOCK_LENGTH - 1);
        assertThat(KvMessages.check(buffer, 0, 500)).isEqualTo(FrameCheck.TOO_SHORT);
        encoder.templateId(15);
        assertThat(KvMessages.check(buffer, 0, 500)).isEqualTo(FrameCheck.UNKNOWN_TEMPLATE);
        encoder.schemaId(9101);
        assertThat(KvMessages.check(buffer, 0, 500)).isEqualTo(FrameCheck.UNKNOWN_SCHEMA);
        assertThat(KvMessages.describe(FrameCheck.UNKNOWN_SCHEMA, buffer, 0, 500)).contains("schema is not 9102");
        assertThat(KvMessages.check(buffer, 0, 7)).isEqualTo(FrameCheck.TOO_SHORT);
    }
}
