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

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

import io.aeron.archive.checksum.Checksum;
import io.aeron.logbuffer.FrameDescriptor;
import io.aeron.protocol.DataHeaderFlyweight;
import io.aeron.protocol.HeaderFlyweight;
import org.agrona.BitUtil;
import org.agrona.IoUtil;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * The last frame of a recording that was not stopped, found as Aeron's archive finds it when it starts: frame by frame
 * through the last segment, up to a length of 0.
 */
final class LastFrame implements AutoCloseable
{
    /**
     * Of which Aeron's archive looks at the last frame only if it crosses one.
     */
    private static final int PAGE = 4096;

    private final UnstoppedRecording recording;
    private final MappedByteBuffer mapped;
    private final UnsafeBuffer segment;
    private final int limit;
    private final int offset;
    private final long end;

    /**
     * Walk.
     *
     * @param recording whose last segment is walked.
     */
    LastFrame(final UnstoppedRecording recording)
    {
        this.recording = recording;
        mapped = IoUtil.mapExistingFile(recording.segment(), "segment");
        segment = new UnsafeBuffer(mapped);
        limit = Math.min(segment.capacity(), recording.segmentLength());
        int last = recording.firstOffset();
        long next = last;
        while (next + Integer.BYTES <= limit && length((int)next) > 0)
        {
            last = (int)next;
            next += alignedLength(last);
        }
        offset = last;
        end = next;
        if (end > limit)
        {
            close();
            throw new KvArchiveException(KvArchiveError.BAD_FRAME, recording.segment() + ": the frame at " + offset +
                " reaches past the end of its segment of " + limit + " bytes: restore the file from a copy");
        }
    }

    int offset()
    {
        return offset;
    }

    /**
     * May Aeron's archive look at it, when it reads the segment in chunks? It seeks the frame in the last chunk that it
     * read: one that crosses the end of a chunk, or ends there, is sought before the chunk, at a negative index.
     *
     * @param chunkLength bytes of a chunk.
     */
    boolean isInLastChunk(final int chunkLength)
    {
        if (offset / PAGE == (end - 1) / PAGE)
        {
            return true;
        }
        long chunk = recording.firstOffset();
        for (long next = chunk; next < end; next += alignedLength((int)next))
        {
            if (next >= chunk + chunkLength)
            {
                chunk = next;
            }
        }
        return end < chunk + chunkLength || end == chunk + chunkLength && end == limit;
    }

    /**
     * Is it a frame that a killed archive left unfinished, with nothing after it that was ever recorded? Otherwise
     * something is damaged, such as a length, and frames that count may follow.
     *
     * @param checksum that frames are recorded with.
     */
    boolean isTorn(final Checksum checksum)
    {
        final int length = length(offset);
        if (length <= 0 || !isZero((int)end, limit))
        {
            return false;
        }
        final boolean isHeaderMissing = isZero(offset + 2 * Integer.BYTES, (int)end);
        return isHeaderMissing ? isTypeAndLengthPlausible(offset) : isPlausible(offset) &&
            !hasChecksum(checksum) && !holdsFrame();
    }

    /**
     * Copy it next to its segment, then erase it there.
     *
     * @return the copy.
     */
    Path cut() throws IOException
    {
        final Path file = recording.segment().toPath();
        final Path copy = Files.createTempFile(
            file.toAbsolutePath().getParent(), file.getFileName() + "." + offset + ".", ".torn");
        try (FileChannel to = FileChannel.open(copy, StandardOpenOption.WRITE))
        {
            final ByteBuffer bytes = ByteBuffer.allocate((int)end - offset);
            segment.getBytes(offset, bytes, bytes.capacity());
            bytes.flip();
            while (bytes.hasRemaining())
            {
                to.write(bytes);
            }
            to.force(true);
        }
        try (RandomAccessFile segmentFile = new RandomAccessFile(recording.segment(), "rw"))
        {
            final long length = segmentFile.length();
            segmentFile.setLength(offset);
            segmentFile.setLength(length);
        }
        return copy;
    }

    private boolean hasChecksum(final Checksum checksum)
    {
        return FrameDescriptor.frameSessionId(segment, offset) == checksum.compute(segment.addressOffset(),
            offset + DataHeaderFlyweight.HEADER_LENGTH, (int)end - offset - DataHeaderFlyweight.HEADER_LENGTH);
    }

    private boolean holdsFrame()
    {
        for (int at = offset + FrameDescriptor.FRAME_ALIGNMENT; at < end; at += FrameDescriptor.FRAME_ALIGNMENT)
        {
            if (isPlausible(at))
            {
                return true;
            }
        }
        return false;
    }

    private boolean isPlausible(final int at)
    {
        final long position = recording.segmentBase() + at;
        return isTypeAndLengthPlausible(at) &&
            segment.getInt(at + DataHeaderFlyweight.TERM_OFFSET_FIELD_OFFSET, ByteOrder.LITTLE_ENDIAN) ==
            termOffset(at) &&
            segment.getInt(at + DataHeaderFlyweight.TERM_ID_FIELD_OFFSET, ByteOrder.LITTLE_ENDIAN) ==
            recording.initialTermId() + (int)(position / recording.termLength()) &&
            segment.getInt(at + DataHeaderFlyweight.STREAM_ID_FIELD_OFFSET, ByteOrder.LITTLE_ENDIAN) ==
            recording.streamId();
    }

    private boolean isTypeAndLengthPlausible(final int at)
    {
        final int length = length(at);
        final int type = segment.getShort(at + HeaderFlyweight.TYPE_FIELD_OFFSET, ByteOrder.LITTLE_ENDIAN) & 0xFFFF;
        return length > 0 && length <= recording.termLength() - termOffset(at) &&
            (HeaderFlyweight.HDR_TYPE_DATA == type && length <= recording.mtuLength() ||
            HeaderFlyweight.HDR_TYPE_PAD == type);
    }

    private int termOffset(final int at)
    {
        return (int)(recording.segmentBase() + at) & (recording.termLength() - 1);
    }

    private int length(final int at)
    {
        return segment.getInt(at, ByteOrder.LITTLE_ENDIAN);
    }

    private long alignedLength(final int at)
    {
        return BitUtil.align((long)length(at), FrameDescriptor.FRAME_ALIGNMENT);
    }

    private boolean isZero(final int from, final int to)
    {
        for (int i = from; i < to; i += Integer.BYTES)
        {
            if (0 != segment.getInt(i))
            {
                return false;
            }
        }
        return true;
    }

    public void close()
    {
        IoUtil.unmap(mapped);
    }
}
