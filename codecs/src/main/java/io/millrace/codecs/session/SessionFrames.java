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
package io.millrace.codecs.session;

import io.millrace.codecs.FrameCheck;
import org.agrona.DirectBuffer;

/**
 * Header checks of the {@code kv-session} schema: what {@link #check} passes can be wrapped by its decoder and read to
 * the last field without leaving the message.
 */
public final class SessionFrames
{
    /**
     * Newest protocol version.
     */
    public static final int PROTOCOL_VERSION = 1;

    /**
     * Oldest protocol version that is understood.
     */
    public static final int MIN_PROTOCOL_VERSION = 1;

    /**
     * Longest text in bytes.
     */
    public static final int MAX_TEXT_LENGTH = 384;

    private static final int HELLO_TEXTS = 5;

    private SessionFrames()
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
        int end;
        switch (templateId)
        {
            case HelloDecoder.TEMPLATE_ID ->
            {
                end = FrameCheck.skipRoot(buffer, offset, limit, HelloDecoder.BLOCK_LENGTH);
                for (int i = 0; i < HELLO_TEXTS; i++)
                {
                    end = FrameCheck.skipData(buffer, end, limit, MAX_TEXT_LENGTH);
                }
            }
            case ProbeDecoder.TEMPLATE_ID ->
                end = FrameCheck.skipRoot(buffer, offset, limit, ProbeDecoder.BLOCK_LENGTH);
            case ByeDecoder.TEMPLATE_ID -> end = FrameCheck.skipData(buffer,
                FrameCheck.skipRoot(buffer, offset, limit, ByeDecoder.BLOCK_LENGTH), limit, MAX_TEXT_LENGTH);
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
