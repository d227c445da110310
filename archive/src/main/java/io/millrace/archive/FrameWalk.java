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
    private final Path archiveDirectory;
    private final ByteBuffer header =
        ByteBuffer.allocate(DataHeaderFlyweight.HEADER_LENGTH).order(ByteOrder.LITTLE_ENDIAN);

    FrameWalk(final Path archiveDirectory)
    {
        this.archiveDirectory = archiveDirectory;
    }

    /**
     * Find the first frame of a type that no recording has.
     *
     * @param from position of the start of a frame, else the archive refuses to replay and this finds nothing.
     * @param to   position at which to end.
     * @return its position, or {@code to} when there is none up to what the archive itself finds damaged or missing.
     */
    long firstBad(final KvRecordingInfo info, final long from, final long to)
    {
        long position = from;
        boolean isFirst = true;
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
                while (position < to && info.segmentBase(position) == base)
                {
                    header.clear();
                    if (channel.read(header, position - base) < header.capacity())
                    {
                        return to;
                    }
                    final int length = header.getInt(HeaderFlyweight.FRAME_LENGTH_FIELD_OFFSET);
                    final int type = header.getShort(HeaderFlyweight.TYPE_FIELD_OFFSET) & 0xFFFF;
                    if (length <= 0 || isFirst && !isFrameAt(info, position))
                    {
                        return to;
                    }
                    isFirst = false;
                    if (HeaderFlyweight.HDR_TYPE_DATA != type && HeaderFlyweight.HDR_TYPE_PAD != type)
                    {
                        return position;
                    }
                    position += BitUtil.align(length, FrameDescriptor.FRAME_ALIGNMENT);
                }
            }
            catch (final IOException ex)
            {
                throw new KvArchiveException(KvArchiveError.REFUSED, "segment file " + file + " cannot be read: " +
                    ex.getMessage() + ": name the archive's own directory, with leave to read it", ex);
            }
        }
        return to;
    }

    private boolean isFrameAt(final KvRecordingInfo info, final long position)
    {
        final long termOffset = position & (info.termBufferLength() - 1);
        final long termId = info.initialTermId() + position / info.termBufferLength();
        return header.getInt(DataHeaderFlyweight.TERM_OFFSET_FIELD_OFFSET) == termOffset &&
            header.getInt(DataHeaderFlyweight.TERM_ID_FIELD_OFFSET) == (int)termId;
    }
}
