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
import java.io.RandomAccessFile;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;

import io.aeron.archive.Archive;
import io.aeron.archive.ArchiveMarkFile;
import org.agrona.IoUtil;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * Takes the disk space of the files that an archive maps. They are sparse: where the disk is full when one of their
 * pages is written for the first time, such as to note that very error, the archive would end with a fault.
 */
final class MappedFiles
{
    static final String CATALOG = "archive.catalog";
    private static final int PAGE = 4096;

    private MappedFiles()
    {
    }

    /**
     * Take the space.
     *
     * @param ctx of an archive that runs.
     * @throws KvArchiveException with {@link KvArchiveError#DISK_FULL}.
     */
    static void allocate(final Archive.Context ctx)
    {
        allocate(new File(ctx.archiveDir(), CATALOG));
        allocate(new File(ctx.markFileDir(), ArchiveMarkFile.FILENAME));
    }

    private static void allocate(final File file)
    {
        try (RandomAccessFile opened = new RandomAccessFile(file, "rw"))
        {
            final long length = opened.length();
            if (file.getUsableSpace() < length)
            {
                throw ArchiveErrors.exception(KvArchiveError.DISK_FULL, file + " takes " + length + " bytes, and " +
                    file.getUsableSpace() + " are left", null);
            }
            final MappedByteBuffer mapped = opened.getChannel().map(FileChannel.MapMode.READ_WRITE, 0, length);
            final UnsafeBuffer buffer = new UnsafeBuffer(mapped);
            // Written, and atomically so that what the archive writes meanwhile is not lost.
            for (int offset = 0; offset < length; offset += PAGE)
            {
                buffer.getAndAddInt(offset, 0);
            }
            IoUtil.unmap(mapped);
        }
        catch (final IOException ex)
        {
            throw ArchiveErrors.exception(KvArchiveError.REFUSED, file + ": " + ex.getMessage(), ex);
        }
    }
}
