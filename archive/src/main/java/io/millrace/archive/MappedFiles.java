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
import java.util.Arrays;

import io.aeron.archive.Archive;
import io.aeron.archive.ArchiveMarkFile;
import org.agrona.BitUtil;
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

    private final File[] files;
    private final long[] allocated = new long[2];

    /**
     * Take the space of what the files of an archive that does not run lack. Takes none on a disk that is full when
     * they lack none.
     *
     * @param ctx of the archive, before it is launched.
     * @throws KvArchiveException with {@link KvArchiveError#DISK_FULL}.
     */
    MappedFiles(final Archive.Context ctx)
    {
        files = new File[] {new File(archiveDir(ctx), CATALOG), markFile(ctx)};
        for (int i = 0; i < files.length && !ctx.deleteArchiveOnStart(); i++)
        {
            if (files[i].exists())
            {
                allocated[i] = fillHoles(files[i]);
            }
        }
    }

    static File archiveDir(final Archive.Context ctx)
    {
        return null != ctx.archiveDir() ? ctx.archiveDir() : new File(ctx.archiveDirectoryName());
    }

    static File markFile(final Archive.Context ctx)
    {
        final String directory = Archive.Configuration.markFileDir();
        return new File(null != ctx.markFileDir() ? ctx.markFileDir() :
            null != directory && !directory.isEmpty() ? new File(directory) : archiveDir(ctx),
            ArchiveMarkFile.FILENAME);
    }

    /**
     * Take the space of what the files have more now that the archive runs.
     *
     * @throws KvArchiveException with {@link KvArchiveError#DISK_FULL}.
     */
    void allocateRest()
    {
        for (int i = 0; i < files.length; i++)
        {
            allocate(files[i], allocated[i]);
        }
    }

    /**
     * Zeros are written over pages of zeros, which may be holes: no room for one is an error here.
     */
    private static long fillHoles(final File file)
    {
        try (RandomAccessFile opened = new RandomAccessFile(file, "rw"))
        {
            final long length = opened.length();
            final byte[] zeros = new byte[PAGE];
            final byte[] page = new byte[PAGE];
            for (long offset = 0; offset < length; offset += PAGE)
            {
                final int bytes = (int)Math.min(PAGE, length - offset);
                opened.seek(offset);
                opened.readFully(page, 0, bytes);
                if (Arrays.equals(page, 0, bytes, zeros, 0, bytes))
                {
                    opened.seek(offset);
                    opened.write(zeros, 0, bytes);
                }
            }
            return length;
        }
        catch (final IOException ex)
        {
            throw ArchiveErrors.exception(
                ArchiveErrors.ofText(String.valueOf(ex.getMessage())), file + ": " + ex.getMessage(), ex);
        }
    }

    private static void allocate(final File file, final long allocated)
    {
        try (RandomAccessFile opened = new RandomAccessFile(file, "rw"))
        {
            final long length = opened.length();
            if (file.getUsableSpace() < length - allocated)
            {
                throw ArchiveErrors.exception(KvArchiveError.DISK_FULL, file + " takes " + (length - allocated) +
                    " bytes more, and " + file.getUsableSpace() + " are left", null);
            }
            final MappedByteBuffer mapped = opened.getChannel().map(FileChannel.MapMode.READ_WRITE, 0, length);
            final UnsafeBuffer buffer = new UnsafeBuffer(mapped);
            // Written, and atomically so that what the archive writes meanwhile is not lost.
            for (long offset = BitUtil.align(allocated, PAGE); offset < length; offset += PAGE)
            {
                buffer.getAndAddInt((int)offset, 0);
            }
            IoUtil.unmap(mapped);
        }
        catch (final IOException ex)
        {
            throw ArchiveErrors.exception(KvArchiveError.REFUSED, file + ": " + ex.getMessage(), ex);
        }
    }
}
