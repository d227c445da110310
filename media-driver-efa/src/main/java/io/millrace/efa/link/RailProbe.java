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
package io.millrace.efa.link;

import io.aeron.protocol.HeaderFlyweight;
import org.agrona.UnsafeApi;
import org.agrona.concurrent.UnsafeBuffer;

import java.nio.ByteBuffer;

import static io.aeron.protocol.HeaderFlyweight.HDR_TYPE_EXT;

/**
 * First message on a path of a link, and the answer to it. An extension frame, so that it is nothing that Aeron knows.
 */
final class RailProbe
{
    /**
     * Short enough to be injected by every provider.
     */
    static final int LENGTH = 24;

    private static final int ANSWER_FLAG = 0x01;
    private static final int TYPE_OFFSET = HeaderFlyweight.TYPE_FIELD_OFFSET;
    private static final int FLAGS_OFFSET = HeaderFlyweight.FLAGS_FIELD_OFFSET;
    private static final int TOKEN_OFFSET = HeaderFlyweight.MIN_HEADER_LENGTH;
    private static final int PATH_OFFSET = TOKEN_OFFSET + 8;

    private final UnsafeBuffer buffer = new UnsafeBuffer(ByteBuffer.allocateDirect(LENGTH));

    /**
     * Write a probe or an answer.
     *
     * @return its address, {@link #LENGTH} bytes long.
     */
    long encode(final boolean isAnswer, final long token, final int path)
    {
        buffer.putInt(HeaderFlyweight.FRAME_LENGTH_FIELD_OFFSET, LENGTH);
        buffer.putByte(HeaderFlyweight.VERSION_FIELD_OFFSET, HeaderFlyweight.CURRENT_VERSION);
        buffer.putByte(FLAGS_OFFSET, (byte)(isAnswer ? ANSWER_FLAG : 0));
        buffer.putShort(TYPE_OFFSET, (short)HDR_TYPE_EXT);
        buffer.putLong(TOKEN_OFFSET, token);
        buffer.putInt(PATH_OFFSET, path);
        buffer.putInt(PATH_OFFSET + 4, 0);
        return buffer.addressOffset();
    }

    /**
     * Is a message none of Aeron's? Cheap, for each message that arrives.
     */
    static boolean isProbe(final long address, final int length)
    {
        return LENGTH == length && (short)HDR_TYPE_EXT == UnsafeApi.getShort(address + TYPE_OFFSET);
    }

    static boolean isAnswer(final long address)
    {
        return 0 != (UnsafeApi.getByte(address + FLAGS_OFFSET) & ANSWER_FLAG);
    }

    static long token(final long address)
    {
        return UnsafeApi.getLong(address + TOKEN_OFFSET);
    }

    static int path(final long address)
    {
        return UnsafeApi.getInt(address + PATH_OFFSET);
    }
}
