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
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

import io.aeron.protocol.DataHeaderFlyweight;
import io.aeron.protocol.HeaderFlyweight;
import io.millrace.codecs.kv.KvChunkDecoder;
import io.millrace.codecs.kv.KvMessages;
import io.millrace.codecs.kv.TransferBeginDecoder;
import org.agrona.BitUtil;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Reads and damages segment files. Recordings start at position 0 here, so a file's name is its base position.
 */
final class Frames
{
    private static final int CHUNK_PAYLOAD_OFFSET = 64;

    private Frames()
    {
    }

    record Frame(long position, int templateId)
    {
    }

    static Path segment(final Path archiveDirectory, final KvRecordingInfo info, final long position)
    {
        return archiveDirectory.resolve(
            info.recordingId() + "-" + (position - position % Rig.SEGMENT_LENGTH) + ".rec");
    }

    static long[] transferBegins(final Path archiveDirectory, final KvRecordingInfo info)
    {
        return frames(archiveDirectory, info).stream()
            .filter(frame -> TransferBeginDecoder.TEMPLATE_ID == frame.templateId())
            .mapToLong(Frame::position).toArray();
    }

    /**
     * Flip a bit in the payload of the first chunk from a position on.
     *
     * @return the segment file.
     */
    static Path damage(final Path archiveDirectory, final KvRecordingInfo info, final long fromPosition)
    {
        final long position = frames(archiveDirectory, info).stream()
            .filter(frame -> KvChunkDecoder.TEMPLATE_ID == frame.templateId() && frame.position() >= fromPosition)
            .findFirst().orElseThrow().position();
        final Path segment = segment(archiveDirectory, info, position);
        flip(segment, position % Rig.SEGMENT_LENGTH + DataHeaderFlyweight.HEADER_LENGTH + CHUNK_PAYLOAD_OFFSET);
        return segment;
    }

    private static List<Frame> frames(final Path archiveDirectory, final KvRecordingInfo info)
    {
        final List<Frame> frames = new ArrayList<>();
        long position = info.startPosition();
        while (position < info.stopPosition())
        {
            final UnsafeBuffer file = new UnsafeBuffer(bytes(segment(archiveDirectory, info, position)));
            int offset = (int)(position % Rig.SEGMENT_LENGTH);
            while (offset < Rig.SEGMENT_LENGTH && position < info.stopPosition())
            {
                final int length = file.getInt(offset, ByteOrder.LITTLE_ENDIAN);
                final int type = file.getShort(offset + HeaderFlyweight.TYPE_FIELD_OFFSET, ByteOrder.LITTLE_ENDIAN);
                if (HeaderFlyweight.HDR_TYPE_DATA == type)
                {
                    frames.add(new Frame(position, KvMessages.check(file,
                        offset + DataHeaderFlyweight.HEADER_LENGTH, length - DataHeaderFlyweight.HEADER_LENGTH)));
                }
                final int aligned = BitUtil.align(length, 32);
                offset += aligned;
                position += aligned;
            }
        }
        return frames;
    }

    static void flip(final Path file, final long offset)
    {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE))
        {
            final ByteBuffer one = ByteBuffer.allocate(1);
            channel.read(one, offset);
            one.put(0, (byte)(one.get(0) ^ 1)).flip();
            channel.write(one, offset);
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }

    static void truncate(final Path file, final long length)
    {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE))
        {
            channel.truncate(length);
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }

    private static byte[] bytes(final Path file)
    {
        try
        {
            return Files.readAllBytes(file);
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }
}
