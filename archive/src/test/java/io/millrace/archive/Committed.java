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
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.MappedByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;

import io.aeron.AeronCounters;
import io.aeron.CncFileDescriptor;
import io.aeron.protocol.DataHeaderFlyweight;
import io.aeron.protocol.HeaderFlyweight;
import io.millrace.codecs.kv.KvMessages;
import io.millrace.codecs.kv.MessageHeaderDecoder;
import io.millrace.codecs.kv.TransferBeginDecoder;
import io.millrace.codecs.kv.TransferCommitDecoder;
import org.agrona.BitUtil;
import org.agrona.IoUtil;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.CountersReader;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

/**
 * What is committed, found without the code under test: recorded positions from the counters of a driver, dead or
 * alive, and transfers in the segment files before them.
 */
final class Committed implements AutoCloseable
{
    private final MappedByteBuffer cnc;
    private final CountersReader counters;

    Committed(final String aeronDirectory)
    {
        cnc = IoUtil.mapExistingFile(new File(aeronDirectory, CncFileDescriptor.CNC_FILE), "cnc");
        final UnsafeBuffer meta = CncFileDescriptor.createMetaDataBuffer(cnc);
        counters = new CountersReader(CncFileDescriptor.createCountersMetaDataBuffer(cnc, meta),
            CncFileDescriptor.createCountersValuesBuffer(cnc, meta), StandardCharsets.US_ASCII);
    }

    /**
     * Recorded positions by recording id.
     */
    Map<Long, Long> positions()
    {
        final Map<Long, Long> positions = new HashMap<>();
        counters.forEach((counterId, typeId, key, label) ->
        {
            if (AeronCounters.ARCHIVE_RECORDING_POSITION_TYPE_ID == typeId)
            {
                positions.put(key.getLong(0), counters.getCounterValue(counterId));
            }
        });
        return positions;
    }

    /**
     * Transfers of a recording whose commit ends at or before a position.
     *
     * @return position of the begin by request id.
     */
    static Map<Long, Long> transfers(final Path archiveDirectory, final long recordingId, final long limit)
    {
        final Map<Long, long[]> begun = new HashMap<>();
        final Map<Long, Long> committed = new HashMap<>();
        final MessageHeaderDecoder header = new MessageHeaderDecoder();
        final TransferBeginDecoder begin = new TransferBeginDecoder();
        final TransferCommitDecoder commit = new TransferCommitDecoder();
        for (long base = firstSegment(archiveDirectory, recordingId); base < limit; base += Rig.SEGMENT_LENGTH)
        {
            final byte[] bytes = segment(archiveDirectory, recordingId, base);
            final UnsafeBuffer file = new UnsafeBuffer(bytes);
            final int end = (int)Math.min(bytes.length, limit - base);
            int offset = 0;
            while (offset < end)
            {
                final int length = file.getInt(offset, LITTLE_ENDIAN);
                if (HeaderFlyweight.HDR_TYPE_DATA ==
                    file.getShort(offset + HeaderFlyweight.TYPE_FIELD_OFFSET, LITTLE_ENDIAN))
                {
                    final int message = offset + DataHeaderFlyweight.HEADER_LENGTH;
                    switch (KvMessages.check(file, message, length - DataHeaderFlyweight.HEADER_LENGTH))
                    {
                        case TransferBeginDecoder.TEMPLATE_ID ->
                        {
                            begin.wrapAndApplyHeader(file, message, header);
                            begun.putIfAbsent(begin.transferId(), new long[]{ begin.requestId(), base + offset });
                        }
                        case TransferCommitDecoder.TEMPLATE_ID ->
                        {
                            final long[] one =
                                begun.get(commit.wrapAndApplyHeader(file, message, header).transferId());
                            if (null != one)
                            {
                                committed.put(one[0], one[1]);
                            }
                        }
                        default ->
                        {
                        }
                    }
                }
                offset += BitUtil.align(length, 32);
            }
        }
        return committed;
    }

    private static long firstSegment(final Path archiveDirectory, final long recordingId)
    {
        final String prefix = recordingId + "-";
        try (Stream<Path> files = Files.list(archiveDirectory))
        {
            return files.map(file -> file.getFileName().toString())
                .filter(name -> name.startsWith(prefix) && name.endsWith(".rec"))
                .mapToLong(name -> Long.parseLong(name.substring(prefix.length(), name.length() - 4)))
                .min().orElse(Long.MAX_VALUE);
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }

    private static byte[] segment(final Path archiveDirectory, final long recordingId, final long base)
    {
        try
        {
            return Files.readAllBytes(archiveDirectory.resolve(recordingId + "-" + base + ".rec"));
        }
        catch (final NoSuchFileException ignore)
        {
            // Purged just now, by the archive that lives on.
            return new byte[0];
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }

    public void close()
    {
        IoUtil.unmap(cnc);
    }
}
