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

import org.agrona.DirectBuffer;

/**
 * Walks the header, groups and variable data of an SBE message without a flyweight, so that a short or hostile message
 * is told by a return value and never by an exception. All schemas use the same 8-byte header, 4-byte group dimensions
 * and 32-bit data lengths.
 */
public final class FrameCheck
{
    /**
     * Bytes of the message header.
     */
    public static final int HEADER_LENGTH = 8;

    /**
     * The header names another schema.
     */
    public static final int UNKNOWN_SCHEMA = -1;

    /**
     * The header names a message that this version does not know.
     */
    public static final int UNKNOWN_TEMPLATE = -2;

    /**
     * The message ends before its header, root block, groups or data do, or its root block is shorter than the writer's
     * version has it.
     */
    public static final int TOO_SHORT = -3;

    private static final int GROUP_HEADER_LENGTH = 4;
    private static final int DATA_HEADER_LENGTH = 4;

    private FrameCheck()
    {
    }

    /**
     * Read the template id when the header is of the schema and within the length.
     *
     * @param buffer   with the message.
     * @param offset   of the message header.
     * @param length   of the message in bytes.
     * @param schemaId expected.
     * @return template id, {@link #UNKNOWN_SCHEMA} or {@link #TOO_SHORT}.
     */
    public static int templateId(final DirectBuffer buffer, final int offset, final int length, final int schemaId)
    {
        if (length < HEADER_LENGTH)
        {
            return TOO_SHORT;
        }

        return schemaId == uint16(buffer, offset + 4) ? uint16(buffer, offset + 2) : UNKNOWN_SCHEMA;
    }

    /**
     * Read the schema version of the writer from a header that {@link #templateId} found.
     *
     * @param buffer with the message.
     * @param offset of the message header.
     * @return the version.
     */
    public static int version(final DirectBuffer buffer, final int offset)
    {
        return uint16(buffer, offset + 6);
    }

    /**
     * Find where the root block ends.
     *
     * @param buffer         with the message.
     * @param offset         of the message header.
     * @param limit          index after the message's last byte.
     * @param minBlockLength of the message in bytes, in the writer's version if that is the older one.
     * @return index of the first group or data, or {@link #TOO_SHORT}.
     */
    public static int skipRoot(
        final DirectBuffer buffer, final int offset, final int limit, final int minBlockLength)
    {
        final int blockLength = uint16(buffer, offset);
        final int end = offset + HEADER_LENGTH + blockLength;

        return blockLength < minBlockLength || end > limit ? TOO_SHORT : end;
    }

    /**
     * Find where a variable data field ends.
     *
     * @param buffer        with the message.
     * @param index         of the field's length, or negative to pass an earlier failure on.
     * @param limit         index after the message's last byte.
     * @param maxDataLength that the schema allows in bytes.
     * @return index after the field, or {@link #TOO_SHORT}.
     */
    public static int skipData(final DirectBuffer buffer, final int index, final int limit, final int maxDataLength)
    {
        if (index < 0 || limit - index < DATA_HEADER_LENGTH)
        {
            return TOO_SHORT;
        }

        final int dataLength = buffer.getInt(index, ByteOrder.LITTLE_ENDIAN);
        final int start = index + DATA_HEADER_LENGTH;

        return dataLength < 0 || dataLength > maxDataLength || dataLength > limit - start ?
            TOO_SHORT : start + dataLength;
    }

    /**
     * Find where a repeating group ends.
     *
     * @param buffer         with the message.
     * @param index          of the group's dimensions, or negative to pass an earlier failure on.
     * @param limit          index after the message's last byte.
     * @param minEntryLength of version 0 of an entry in bytes.
     * @param maxDataLength  of the one data field in each entry in bytes, negative when entries have none.
     * @return index after the group, or {@link #TOO_SHORT}.
     */
    public static int skipGroup(
        final DirectBuffer buffer, final int index, final int limit, final int minEntryLength, final int maxDataLength)
    {
        if (index < 0 || limit - index < GROUP_HEADER_LENGTH)
        {
            return TOO_SHORT;
        }

        final int entryLength = uint16(buffer, index);
        final int entries = uint16(buffer, index + 2);
        if (entries > 0 && entryLength < minEntryLength)
        {
            return TOO_SHORT;
        }

        int end = index + GROUP_HEADER_LENGTH;
        for (int i = 0; i < entries; i++)
        {
            if (entryLength > limit - end)
            {
                return TOO_SHORT;
            }
            end += entryLength;

            if (maxDataLength >= 0)
            {
                end = skipData(buffer, end, limit, maxDataLength);
                if (end < 0)
                {
                    return TOO_SHORT;
                }
            }
        }

        return end;
    }

    /**
     * Say what a negative result means, with the numbers of the message. Allocates: for logs, not for duty cycles.
     *
     * @param result   of a check, negative.
     * @param buffer   with the message.
     * @param offset   of the message header.
     * @param length   of the message in bytes.
     * @param schemaId expected.
     * @return a sentence.
     */
    public static String describe(
        final int result, final DirectBuffer buffer, final int offset, final int length, final int schemaId)
    {
        if (length < HEADER_LENGTH)
        {
            return "message of " + length + " bytes is shorter than its header of " + HEADER_LENGTH + " bytes";
        }

        final String header = "schema=" + uint16(buffer, offset + 4) + " template=" + uint16(buffer, offset + 2) +
            " version=" + uint16(buffer, offset + 6) + " blockLength=" + uint16(buffer, offset) + " length=" + length;

        return switch (result)
        {
            case UNKNOWN_SCHEMA -> "schema is not " + schemaId + ", another protocol uses this stream: " + header;
            case UNKNOWN_TEMPLATE -> "message is not known to this version, upgrade the reader: " + header;
            case TOO_SHORT -> "message ends before its fields do: " + header;
            default -> "message is sound: " + header;
        };
    }

    private static int uint16(final DirectBuffer buffer, final int index)
    {
        return buffer.getShort(index, ByteOrder.LITTLE_ENDIAN) & 0xFFFF;
    }
}
