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
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

import io.aeron.archive.client.AeronArchive;
import io.aeron.logbuffer.FrameDescriptor;
import io.aeron.protocol.DataHeaderFlyweight;
import io.aeron.protocol.HeaderFlyweight;
import org.agrona.BitUtil;

/**
 * Walks over the frame headers of segment files. A replay does not check the type of a frame, and never gets past one
 * that is neither data nor padding: its archive hangs. So such a frame has to be found before it is replayed.
 */
final class FrameWalk
{
    /**
     * Headers that are closer to one another are read by blocks.
     */
    private static final int SHORT_FRAME = 4096;
    private static final int BLOCK = 1 << 20;

    private final Path archiveDirectory;
    private final BooleanSupplier isCanceled;
    private final long timeoutNs;
    private final long startNs = System.nanoTime();
    private ByteBuffer bytes =
        ByteBuffer.allocate(DataHeaderFlyweight.HEADER_LENGTH).order(ByteOrder.LITTLE_ENDIAN);
    private long bytesOffset;
    private long reached;

    /**
     * @param isCanceled asked with each read.
     * @param timeoutNs  nanoseconds from now for all that is walked over.
     */
    FrameWalk(final Path archiveDirectory, final BooleanSupplier isCanceled, final long timeoutNs)
    {
        this.archiveDirectory = archiveDirectory;
        this.isCanceled = isCanceled;
        this.timeoutNs = timeoutNs;
    }

    /**
     * Find the first frame of a type that no recording has.
     *
     * @param from position of the start of a frame, else the archive refuses to replay and this finds nothing.
     * @param to   position at which to end.
     * @return its position, or {@code to} when there is none up to what the archive itself finds damaged or missing.
     * @throws KvArchiveException with {@link KvArchiveError#CANCELED} or {@link KvArchiveError#DEADLINE}.
     */
    long firstBad(final KvRecordingInfo info, final long from, final long to)
    {
        return firstBad(info, from, from, to);
    }

    /**
     * As {@link #firstBad(KvRecordingInfo, long, long)} for a part of what is replayed.
     *
     * @param replayFrom position at which the replay starts: only there the archive checks that a frame starts.
     */
    long firstBad(final KvRecordingInfo info, final long replayFrom, final long from, final long to)
    {
        long position = from;
        reached = AeronArchive.NULL_POSITION;
        while (position < to)
        {
            final long base = info.segmentBase(position);
            final Path file = archiveDirectory.resolve(info.segmentFile(position));
            if (!Files.exists(file))
            {
                return to;
            }
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ))
            {
                int frameLength = BLOCK;
                bytes.limit(0);
                while (position < to && info.segmentBase(position) == base)
                {
                    final int at = header(channel, position - base, to - position, frameLength);
                    if (at < 0)
                    {
                        return to;
                    }
                    final int length = bytes.getInt(at + HeaderFlyweight.FRAME_LENGTH_FIELD_OFFSET);
                    final int type = bytes.getShort(at + HeaderFlyweight.TYPE_FIELD_OFFSET) & 0xFFFF;
                    if (length <= 0 || position == replayFrom && !isFrameAt(info, position, at))
                    {
                        return to;
                    }
                    final long end = position + BitUtil.align((long)length, FrameDescriptor.FRAME_ALIGNMENT);
                    // What is recorded ends with a frame, also where it is more by now.
                    final boolean isTooLong = position < info.position() && end > info.position();
                    if (isTooLong || HeaderFlyweight.HDR_TYPE_DATA != type && HeaderFlyweight.HDR_TYPE_PAD != type)
                    {
                        return position;
                    }
                    frameLength = length;
                    position = end;
                }
            }
            catch (final IOException ex)
            {
                throw new KvArchiveException(KvArchiveError.REFUSED, "segment file " + file + " cannot be read: " +
                    ex.getMessage() + ": name the archive's own directory, with leave to read it", ex);
            }
        }
        reached = position;
        return to;
    }

    /**
     * Where the last walk ended that found nothing.
     *
     * @return position after the frames walked over, or {@link AeronArchive#NULL_POSITION} when the archive itself
     *         finds something damaged or missing.
     */
    long position()
    {
        return reached;
    }

    /**
     * @param left        bytes up to where the walk ends.
     * @param frameLength of the frame before.
     * @return index of the header in what was read, or -1 when the file ends before.
     */
    private int header(final FileChannel channel, final long offset, final long left, final int frameLength)
        throws IOException
    {
        if (offset < bytesOffset || offset + DataHeaderFlyweight.HEADER_LENGTH > bytesOffset + bytes.limit())
        {
            checkTime();
            final int wanted = frameLength < SHORT_FRAME ?
                (int)Math.max(DataHeaderFlyweight.HEADER_LENGTH, Math.min(BLOCK, left)) :
                DataHeaderFlyweight.HEADER_LENGTH;
            if (bytes.capacity() < wanted)
            {
                bytes = ByteBuffer.allocate(wanted).order(ByteOrder.LITTLE_ENDIAN);
            }
            bytes.clear().limit(wanted);
            channel.read(bytes, offset);
            bytes.flip();
            bytesOffset = offset;
        }
        final int at = (int)(offset - bytesOffset);
        return at + DataHeaderFlyweight.HEADER_LENGTH > bytes.limit() ? -1 : at;
    }

    private void checkTime()
    {
        if (isCanceled.getAsBoolean())
        {
            throw new KvArchiveException(KvArchiveError.CANCELED, "look at frames on disk was canceled");
        }
        if (System.nanoTime() - startNs >= timeoutNs)
        {
            throw new KvArchiveException(KvArchiveError.DEADLINE, "frames on disk were not looked at within " +
                TimeUnit.NANOSECONDS.toMillis(timeoutNs) + " ms: allow more time, or take a shorter range");
        }
    }

    private boolean isFrameAt(final KvRecordingInfo info, final long position, final int at)
    {
        final long termOffset = position & (info.termBufferLength() - 1);
        final long termId = info.initialTermId() + position / info.termBufferLength();
        return bytes.getInt(at + DataHeaderFlyweight.TERM_OFFSET_FIELD_OFFSET) == termOffset &&
            bytes.getInt(at + DataHeaderFlyweight.TERM_ID_FIELD_OFFSET) == (int)termId;
    }
}
