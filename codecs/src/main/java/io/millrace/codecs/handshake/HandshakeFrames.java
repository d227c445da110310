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
package io.millrace.codecs.handshake;

import io.millrace.codecs.FrameCheck;
import org.agrona.DirectBuffer;

/**
 * Header checks of the {@code fabric-handshake} schema: what {@link #check} passes can be wrapped by its decoder and
 * read to the last field without leaving the message.
 */
public final class HandshakeFrames
{
    /**
     * Longest raw libfabric address in bytes.
     */
    public static final int MAX_ADDRESS_LENGTH = 256;

    /**
     * Longest text in bytes.
     */
    public static final int MAX_TEXT_LENGTH = 1024;

    private HandshakeFrames()
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

        final int limit = offset + length;
        final int end;
        switch (templateId)
        {
            case HelloDecoder.TEMPLATE_ID ->
            {
                final int root = FrameCheck.skipRoot(buffer, offset, limit, HelloDecoder.BLOCK_LENGTH);
                final int rails = FrameCheck.skipGroup(
                    buffer, root, limit, HelloDecoder.RailsDecoder.sbeBlockLength(), MAX_ADDRESS_LENGTH);
                final int provider = FrameCheck.skipData(buffer, rails, limit, MAX_TEXT_LENGTH);
                end = FrameCheck.skipData(buffer, provider, limit, MAX_TEXT_LENGTH);
            }
            case HelloAckDecoder.TEMPLATE_ID ->
            {
                final int root = FrameCheck.skipRoot(buffer, offset, limit, HelloAckDecoder.BLOCK_LENGTH);
                final int rails = FrameCheck.skipGroup(
                    buffer, root, limit, HelloAckDecoder.RailsDecoder.sbeBlockLength(), MAX_ADDRESS_LENGTH);
                end = FrameCheck.skipData(buffer, rails, limit, MAX_TEXT_LENGTH);
            }
            case ByeDecoder.TEMPLATE_ID ->
            {
                final int root = FrameCheck.skipRoot(buffer, offset, limit, ByeDecoder.BLOCK_LENGTH);
                end = FrameCheck.skipData(buffer, root, limit, MAX_TEXT_LENGTH);
            }
            case ImageOfferDecoder.TEMPLATE_ID ->
            {
                final int root = FrameCheck.skipRoot(buffer, offset, limit, ImageOfferDecoder.BLOCK_LENGTH);
                end = FrameCheck.skipGroup(
                    buffer, root, limit, ImageOfferDecoder.RegionsDecoder.sbeBlockLength(), MAX_ADDRESS_LENGTH);
            }
            case OfferEndDecoder.TEMPLATE_ID ->
                end = FrameCheck.skipRoot(buffer, offset, limit, OfferEndDecoder.BLOCK_LENGTH);
            case OfferAckDecoder.TEMPLATE_ID ->
            {
                final int root = FrameCheck.skipRoot(buffer, offset, limit, OfferAckDecoder.BLOCK_LENGTH);
                end = FrameCheck.skipData(buffer, root, limit, MAX_TEXT_LENGTH);
            }
            default ->
            {
                return FrameCheck.UNKNOWN_TEMPLATE;
            }
        }

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
}
