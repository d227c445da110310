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

import java.io.File;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.util.ArrayList;
import java.util.List;

import io.aeron.archive.client.AeronArchive;
import io.aeron.archive.codecs.CatalogHeaderDecoder;
import io.aeron.archive.codecs.RecordingDescriptorDecoder;
import io.aeron.archive.codecs.RecordingDescriptorHeaderDecoder;
import io.aeron.archive.codecs.RecordingState;
import org.agrona.BitUtil;
import org.agrona.IoUtil;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * A recording that was not stopped when its archive ended, as the catalog on disk has it, with its last segment.
 *
 * @param segment       its last segment file.
 * @param segmentBase   position at which the file begins.
 * @param segmentLength bytes of a segment file.
 * @param startPosition of the first recorded byte.
 * @param streamId      of the stream.
 * @param initialTermId of the stream.
 * @param termLength    bytes of a term of the stream.
 * @param mtuLength     bytes of a frame at most.
 */
record UnstoppedRecording(
    File segment,
    long segmentBase,
    int segmentLength,
    long startPosition,
    int streamId,
    int initialTermId,
    int termLength,
    int mtuLength)
{
    private static final String SUFFIX = ".rec";

    /**
     * Those of an archive that does not run. Ones without a segment file are left out.
     */
    static List<UnstoppedRecording> list(final File archiveDir)
    {
        final List<UnstoppedRecording> recordings = new ArrayList<>();
        final File file = new File(archiveDir, MappedFiles.CATALOG);
        if (file.length() < CatalogHeaderDecoder.BLOCK_LENGTH)
        {
            return recordings;
        }
        final MappedByteBuffer mapped = IoUtil.mapExistingFile(file, MappedFiles.CATALOG);
        try
        {
            read(archiveDir, mapped, recordings);
        }
        finally
        {
            IoUtil.unmap(mapped);
        }
        return recordings;
    }

    private static void read(
        final File archiveDir, final ByteBuffer mapped, final List<UnstoppedRecording> recordings)
    {
        final UnsafeBuffer catalog = new UnsafeBuffer(mapped);
        final int alignment = new CatalogHeaderDecoder().wrap(
            catalog, 0, CatalogHeaderDecoder.BLOCK_LENGTH, CatalogHeaderDecoder.SCHEMA_VERSION).alignment();
        final RecordingDescriptorHeaderDecoder header = new RecordingDescriptorHeaderDecoder();
        final RecordingDescriptorDecoder descriptor = new RecordingDescriptorDecoder();
        int offset = CatalogHeaderDecoder.BLOCK_LENGTH;
        // Of a catalog that has another format, Aeron's archive speaks itself.
        while (BitUtil.isPowerOfTwo(alignment) && offset < catalog.capacity() - RecordingDescriptorDecoder.BLOCK_LENGTH)
        {
            header.wrap(catalog, offset, RecordingDescriptorHeaderDecoder.BLOCK_LENGTH,
                RecordingDescriptorHeaderDecoder.SCHEMA_VERSION);
            if (header.length() <= 0)
            {
                break;
            }
            descriptor.wrap(catalog, offset + RecordingDescriptorHeaderDecoder.BLOCK_LENGTH,
                RecordingDescriptorDecoder.BLOCK_LENGTH, RecordingDescriptorDecoder.SCHEMA_VERSION);
            if (RecordingState.VALID == header.state() && AeronArchive.NULL_POSITION == descriptor.stopPosition())
            {
                final long base = lastSegment(archiveDir, descriptor.recordingId());
                if (AeronArchive.NULL_POSITION != base)
                {
                    recordings.add(new UnstoppedRecording(
                        new File(archiveDir, descriptor.recordingId() + "-" + base + SUFFIX), base,
                        descriptor.segmentFileLength(), descriptor.startPosition(), descriptor.streamId(),
                        descriptor.initialTermId(), descriptor.termBufferLength(), descriptor.mtuLength()));
                }
            }
            offset += BitUtil.align(header.length() + RecordingDescriptorHeaderDecoder.BLOCK_LENGTH, alignment);
        }
    }

    private static long lastSegment(final File archiveDir, final long recordingId)
    {
        final String prefix = recordingId + "-";
        final String[] names = archiveDir.list((dir, name) -> name.startsWith(prefix) && name.endsWith(SUFFIX));
        long last = AeronArchive.NULL_POSITION;
        for (final String name : null == names ? new String[0] : names)
        {
            last = Math.max(last, base(archiveDir, name, prefix.length()));
        }
        return last;
    }

    private static long base(final File archiveDir, final String name, final int start)
    {
        try
        {
            return Long.parseLong(name.substring(start, name.length() - SUFFIX.length()));
        }
        catch (final NumberFormatException ex)
        {
            // Aeron's archive does not start with such a file either.
            throw new KvArchiveException(KvArchiveError.REFUSED, new File(archiveDir, name) + " has no position in " +
                "its name, as the segment files of a recording have: move it to another directory", ex);
        }
    }

    /**
     * Offset in the segment file at which frames begin.
     */
    int firstOffset()
    {
        final int offset = (int)(startPosition & (termLength - 1));
        return segmentBase == startPosition - offset ? offset : 0;
    }
}
