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
package io.millrace.archive.index;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

import org.agrona.BitUtil;

/**
 * Layout of the index's file, little-endian throughout; docs/archive.md describes it byte by byte.
 */
final class IndexFormat
{
    static final long MAGIC = 0x3158444952524C4DL;
    static final int VERSION = 2;
    static final int FILE_HEADER_LENGTH = 64;
    static final int VERSION_OFFSET = 8;
    static final int HEADER_LENGTH_OFFSET = 12;
    static final int CREATED_OFFSET = 16;
    static final int FILE_HEADER_CRC_OFFSET = 60;

    static final int LENGTH_OFFSET = 0;
    static final int CRC_OFFSET = 4;
    static final int TYPE_OFFSET = 8;
    static final int COUNT_OFFSET = 12;
    static final int RECORDING_ID_OFFSET = 16;
    static final int POSITION_OFFSET = 24;
    static final int MIN_RECORD_LENGTH = 32;
    static final int MAX_RECORD_LENGTH = 1 << 27;

    static final int TYPE_TRANSFER = 1;
    static final int TRANSFER_LENGTH_OFFSET = 32;
    static final int TRANSFER_ID_OFFSET = 40;
    static final int SCOPE_OFFSET = 48;
    static final int TIME_OFFSET = 56;
    static final int LAYERS_OFFSET = 64;
    static final int BLOCK_BYTES_OFFSET = 68;
    static final int CHECKSUM_OFFSET = 72;
    static final int HASHES_OFFSET = 80;

    static final int TYPE_DROP = 2;
    static final int DROP_TO_OFFSET = 32;
    static final int DROP_LENGTH = 40;

    static final int TYPE_PROGRESS = 3;
    static final int IDENTITY_OFFSET = 32;
    static final int PROGRESS_LENGTH = 40;

    static final int TYPE_TAG = 4;
    static final int TAG_OFFSET = 32;
    static final int MAX_TAG_LENGTH = 1 << 16;

    private IndexFormat()
    {
    }

    static ByteBuffer allocate(final int length)
    {
        return ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    }

    static ByteBuffer fileHeader(final long nowMs)
    {
        final ByteBuffer header = allocate(FILE_HEADER_LENGTH)
            .putLong(0, MAGIC)
            .putInt(VERSION_OFFSET, VERSION)
            .putInt(HEADER_LENGTH_OFFSET, FILE_HEADER_LENGTH)
            .putLong(CREATED_OFFSET, nowMs);
        return header.putInt(FILE_HEADER_CRC_OFFSET, crc(header, 0, FILE_HEADER_CRC_OFFSET));
    }

    /**
     * Why a file with this header cannot be used.
     *
     * @return null when it can.
     */
    static String fault(final ByteBuffer header)
    {
        if (MAGIC != header.getLong(0) ||
            crc(header, 0, FILE_HEADER_CRC_OFFSET) != header.getInt(FILE_HEADER_CRC_OFFSET))
        {
            return "its header is damaged";
        }
        return VERSION == header.getInt(VERSION_OFFSET) ? null :
            "it has format version " + header.getInt(VERSION_OFFSET) + ", this is version " + VERSION;
    }

    static ByteBuffer transfer(final StoredTransfer transfer, final long[] hashes)
    {
        final ByteBuffer record = record(
            TYPE_TRANSFER, HASHES_OFFSET + hashes.length * Long.BYTES, transfer.recordingId(), transfer.position())
            .putInt(COUNT_OFFSET, hashes.length)
            .putLong(TRANSFER_LENGTH_OFFSET, transfer.length())
            .putLong(TRANSFER_ID_OFFSET, transfer.transferId())
            .putLong(SCOPE_OFFSET, transfer.scope())
            .putLong(TIME_OFFSET, transfer.timeMs())
            .putInt(LAYERS_OFFSET, transfer.layers())
            .putInt(BLOCK_BYTES_OFFSET, transfer.blockBytes())
            .putInt(CHECKSUM_OFFSET, transfer.checksum());
        for (int i = 0; i < hashes.length; i++)
        {
            record.putLong(HASHES_OFFSET + i * Long.BYTES, hashes[i]);
        }
        return sealed(record);
    }

    static ByteBuffer drop(final long recordingId, final long from, final long to)
    {
        return sealed(record(TYPE_DROP, DROP_LENGTH, recordingId, from).putLong(DROP_TO_OFFSET, to));
    }

    static ByteBuffer progress(final long recordingId, final long position, final long identity)
    {
        return sealed(record(TYPE_PROGRESS, PROGRESS_LENGTH, recordingId, position).putLong(IDENTITY_OFFSET, identity));
    }

    /**
     * The scope stands where others have the recording, the tag's length where others have the position.
     */
    static ByteBuffer tag(final long scope, final String tag)
    {
        final byte[] bytes = tag.getBytes(StandardCharsets.UTF_8);
        final int length = Math.min(bytes.length, MAX_TAG_LENGTH);
        return sealed(record(TYPE_TAG, TAG_OFFSET + BitUtil.align(length, Long.BYTES), scope, length)
            .put(TAG_OFFSET, bytes, 0, length));
    }

    static String tag(final ByteBuffer file, final int offset)
    {
        final byte[] bytes = new byte[(int)file.getLong(offset + POSITION_OFFSET)];
        file.get(offset + TAG_OFFSET, bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    static StoredTransfer transfer(final ByteBuffer file, final int offset)
    {
        return new StoredTransfer(
            file.getLong(offset + RECORDING_ID_OFFSET),
            file.getLong(offset + POSITION_OFFSET),
            file.getLong(offset + TRANSFER_LENGTH_OFFSET),
            file.getLong(offset + TRANSFER_ID_OFFSET),
            file.getLong(offset + SCOPE_OFFSET),
            file.getLong(offset + TIME_OFFSET),
            file.getInt(offset + LAYERS_OFFSET),
            file.getInt(offset + BLOCK_BYTES_OFFSET),
            file.getInt(offset + COUNT_OFFSET),
            file.getInt(offset + CHECKSUM_OFFSET));
    }

    static long hash(final ByteBuffer file, final int offset, final int ordinal)
    {
        return file.getLong(offset + HASHES_OFFSET + ordinal * Long.BYTES);
    }

    /**
     * Length of a whole and undamaged record.
     *
     * @param limit of the bytes that are there.
     * @return 0 when there is none.
     */
    static int recordLength(final ByteBuffer file, final int offset, final int limit)
    {
        if (limit - offset < MIN_RECORD_LENGTH)
        {
            return 0;
        }
        final int length = file.getInt(offset + LENGTH_OFFSET);
        if (length < MIN_RECORD_LENGTH || length > limit - offset || recordCrc(file, offset, length) !=
            file.getInt(offset + CRC_OFFSET))
        {
            return 0;
        }
        final long count = file.getInt(offset + COUNT_OFFSET);
        final long expected = switch (file.getInt(offset + TYPE_OFFSET))
        {
            case TYPE_TRANSFER -> HASHES_OFFSET + count * Long.BYTES;
            case TYPE_DROP -> DROP_LENGTH;
            case TYPE_PROGRESS -> PROGRESS_LENGTH;
            case TYPE_TAG -> tagRecordLength(file.getLong(offset + POSITION_OFFSET));
            default -> 0;
        };
        return expected == length ? length : 0;
    }

    private static long tagRecordLength(final long tagLength)
    {
        return tagLength < 0 || tagLength > MAX_TAG_LENGTH ? 0 : TAG_OFFSET + BitUtil.align(tagLength, Long.BYTES);
    }

    private static ByteBuffer record(final int type, final int length, final long recordingId, final long position)
    {
        return allocate(length)
            .putInt(LENGTH_OFFSET, length)
            .putInt(TYPE_OFFSET, type)
            .putLong(RECORDING_ID_OFFSET, recordingId)
            .putLong(POSITION_OFFSET, position);
    }

    private static ByteBuffer sealed(final ByteBuffer record)
    {
        return record.putInt(CRC_OFFSET, recordCrc(record, 0, record.capacity()));
    }

    private static int recordCrc(final ByteBuffer file, final int offset, final int length)
    {
        final CRC32C crc = new CRC32C();
        crc.update(file.duplicate().limit(offset + CRC_OFFSET).position(offset));
        crc.update(file.duplicate().limit(offset + length).position(offset + TYPE_OFFSET));
        return (int)crc.getValue();
    }

    private static int crc(final ByteBuffer file, final int offset, final int length)
    {
        final CRC32C crc = new CRC32C();
        crc.update(file.duplicate().limit(offset + length).position(offset));
        return (int)crc.getValue();
    }
}
