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
package io.millrace.codecs.kv;

import java.nio.ByteOrder;

import io.millrace.codecs.FrameCheck;
import org.agrona.DirectBuffer;

/**
 * Header checks of the {@code kv-stream} schema: what {@link #check} passes can be wrapped by its decoder and read to
 * the last field without leaving the message.
 */
public final class KvMessages
{
    /**
     * Version of the message flow, carried by Hello and TransferBegin. The schema's version grows with new fields, this
     * one with new rules.
     */
    public static final int PROTOCOL_VERSION = 2;

    /**
     * Oldest version of the message flow that still works.
     */
    public static final int MIN_PROTOCOL_VERSION = 1;

    /**
     * From which on a TransferCommit comes right behind the last layer, and again when layers were sent again.
     */
    public static final int EARLY_COMMIT_PROTOCOL_VERSION = 2;

    /**
     * Bytes before the payload of a KvChunk in this version: header and root block.
     */
    public static final int CHUNK_HEADER_LENGTH = FrameCheck.HEADER_LENGTH + KvChunkDecoder.BLOCK_LENGTH;

    /**
     * Longest text in bytes.
     */
    public static final int MAX_TEXT_LENGTH = 512;

    /**
     * Frames are padded to this many bytes, Aeron's header of 32 bytes included.
     */
    public static final int FRAME_ALIGNMENT = 64;

    private static final int AERON_HEADER_LENGTH = 32;

    private KvMessages()
    {
    }

    /**
     * Check a received message.
     *
     * @param buffer with the message.
     * @param offset of the message header.
     * @param length of the message in bytes.
     * @return the template id, or a negative result of {@link FrameCheck}.
     */
    public static int check(final DirectBuffer buffer, final int offset, final int length)
    {
        final int templateId = FrameCheck.templateId(buffer, offset, length, MessageHeaderDecoder.SCHEMA_ID);
        if (templateId < 0)
        {
            return templateId;
        }

        final int minBlockLength = minBlockLength(templateId, FrameCheck.version(buffer, offset));
        if (minBlockLength < 0)
        {
            return FrameCheck.UNKNOWN_TEMPLATE;
        }

        final int limit = offset + length;
        final int rootEnd = FrameCheck.skipRoot(buffer, offset, limit, minBlockLength);
        final int end = switch (templateId)
        {
            case TransferBeginDecoder.TEMPLATE_ID, HelloAckDecoder.TEMPLATE_ID, RejectDecoder.TEMPLATE_ID,
                CancelDecoder.TEMPLATE_ID -> FrameCheck.skipData(buffer, rootEnd, limit, MAX_TEXT_LENGTH);
            case BlockDescriptorDecoder.TEMPLATE_ID -> FrameCheck.skipGroup(
                buffer, rootEnd, limit, BlockDescriptorDecoder.BlockHashesDecoder.sbeBlockLength(), -1);
            case AllocateDecoder.TEMPLATE_ID -> FrameCheck.skipGroup(
                buffer, rootEnd, limit, AllocateDecoder.MissingDecoder.sbeBlockLength(), -1);
            case KvChunkDecoder.TEMPLATE_ID -> skipPayload(buffer, offset, rootEnd, limit);
            default -> rootEnd;
        };

        return end < 0 ? FrameCheck.TOO_SHORT : templateId;
    }

    /**
     * Say why a message was not passed.
     *
     * @param result of {@link #check}, negative.
     * @param buffer with the message.
     * @param offset of the message header.
     * @param length of the message in bytes.
     * @return a sentence with the numbers.
     */
    public static String describe(final int result, final DirectBuffer buffer, final int offset, final int length)
    {
        return FrameCheck.describe(result, buffer, offset, length, MessageHeaderDecoder.SCHEMA_ID);
    }

    /**
     * Pad a message length so that the frame that holds it is a multiple of {@link #FRAME_ALIGNMENT}.
     *
     * @param length of the encoded message in bytes.
     * @return bytes to claim.
     */
    public static int alignedLength(final int length)
    {
        return ((length + AERON_HEADER_LENGTH + FRAME_ALIGNMENT - 1) & -FRAME_ALIGNMENT) - AERON_HEADER_LENGTH;
    }

    /**
     * The most payload bytes of a chunk: a multiple of 64 bytes that fits one frame.
     *
     * @param maxPayloadLength of the publication in bytes.
     * @return payload bytes per chunk.
     */
    public static int maxChunkPayload(final int maxPayloadLength)
    {
        return (maxPayloadLength - CHUNK_HEADER_LENGTH) & -FRAME_ALIGNMENT;
    }

    private static int skipPayload(
        final DirectBuffer buffer, final int offset, final int rootEnd, final int limit)
    {
        if (rootEnd < 0)
        {
            return rootEnd;
        }

        final int payloadLength = buffer.getInt(
            offset + FrameCheck.HEADER_LENGTH + KvChunkDecoder.payloadLengthEncodingOffset(), ByteOrder.LITTLE_ENDIAN);

        return payloadLength < 1 || payloadLength > limit - rootEnd ? FrameCheck.TOO_SHORT : rootEnd + payloadLength;
    }

    private static int minBlockLength(final int templateId, final int version)
    {
        return switch (templateId)
        {
            case HelloDecoder.TEMPLATE_ID -> HelloDecoder.BLOCK_LENGTH;
            case HelloAckDecoder.TEMPLATE_ID -> version < HelloAckDecoder.eagerBytesSinceVersion() ?
                HelloAckDecoder.eagerBytesEncodingOffset() : HelloAckDecoder.BLOCK_LENGTH;
            case TransferBeginDecoder.TEMPLATE_ID -> TransferBeginDecoder.BLOCK_LENGTH;
            case BlockDescriptorDecoder.TEMPLATE_ID -> BlockDescriptorDecoder.BLOCK_LENGTH;
            case KvChunkDecoder.TEMPLATE_ID -> KvChunkDecoder.BLOCK_LENGTH;
            case LayerCommitDecoder.TEMPLATE_ID -> LayerCommitDecoder.BLOCK_LENGTH;
            case TransferCommitDecoder.TEMPLATE_ID -> TransferCommitDecoder.BLOCK_LENGTH;
            case AllocateDecoder.TEMPLATE_ID -> AllocateDecoder.BLOCK_LENGTH;
            case LayerAckDecoder.TEMPLATE_ID -> LayerAckDecoder.BLOCK_LENGTH;
            case TransferAckDecoder.TEMPLATE_ID -> TransferAckDecoder.BLOCK_LENGTH;
            case ResumeDecoder.TEMPLATE_ID -> ResumeDecoder.BLOCK_LENGTH;
            case RejectDecoder.TEMPLATE_ID -> RejectDecoder.BLOCK_LENGTH;
            case CancelDecoder.TEMPLATE_ID -> version < CancelDecoder.receiverIdSinceVersion() ?
                CancelDecoder.receiverIdEncodingOffset() : CancelDecoder.BLOCK_LENGTH;
            case CreditDecoder.TEMPLATE_ID -> CreditDecoder.BLOCK_LENGTH;
            default -> -1;
        };
    }
}
