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

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

import org.agrona.CloseHelper;
import org.agrona.IoUtil;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The append-only file of an index: read through a mapping, written at its end.
 */
final class IndexFile implements AutoCloseable
{
    private static final Logger LOGGER = LoggerFactory.getLogger(BlockIndex.class);
    private static final long WINDOW = 1L << 28;

    private final Path path;
    private final FileChannel channel;
    private long size;
    private long discardedBytes;
    private String freshReason;

    /**
     * Takes a record of the file.
     */
    @FunctionalInterface
    interface RecordHandler
    {
        void onRecord(ByteBuffer file, int offset, long fileOffset);
    }

    /**
     * Open or create. A file that cannot be used is emptied: all it held can be found again.
     */
    IndexFile(final Path path, final long nowMs)
    {
        this.path = path;
        FileChannel opened = null;
        try
        {
            opened = FileChannel.open(
                path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            lock(opened);
            freshReason = fault(opened);
            if (null != freshReason)
            {
                checkOurs(opened);
                discardedBytes = opened.size();
                opened.truncate(0);
                write(opened, IndexFormat.fileHeader(nowMs), 0);
            }
            size = opened.size();
            channel = opened;
        }
        catch (final FileSystemException ex)
        {
            throw new IndexException("index " + path + " cannot be opened (" + (ex instanceof NoSuchFileException ?
                "its directory does not exist" : ex instanceof AccessDeniedException ? "this user may not write it" :
                String.valueOf(ex.getReason())) + "): name a file that can be written, in a directory that exists", ex);
        }
        catch (final IOException ex)
        {
            CloseHelper.quietClose(opened);
            throw failure("cannot be opened", ex);
        }
        catch (final RuntimeException ex)
        {
            CloseHelper.quietClose(opened);
            throw ex;
        }
    }

    /**
     * Read all records. The first one that is cut off or damaged ends the file: it and what follows are cut off.
     */
    void read(final RecordHandler handler)
    {
        final long end = scan(handler);
        if (end < size)
        {
            try
            {
                channel.truncate(end);
            }
            catch (final IOException ex)
            {
                throw failure("cannot be cut off at its damaged end, byte " + end, ex);
            }
            discardedBytes += size - end;
            size = end;
        }
    }

    /**
     * Read records up to the first one that is cut off or damaged.
     *
     * @return where that is, or the size of the file.
     */
    long scan(final RecordHandler handler)
    {
        long windowStart = IndexFormat.FILE_HEADER_LENGTH;
        while (windowStart < size)
        {
            final long length = Math.min(WINDOW, size - windowStart);
            int offset = 0;
            MappedByteBuffer window = null;
            try
            {
                window = channel.map(FileChannel.MapMode.READ_ONLY, windowStart, length);
                window.order(ByteOrder.LITTLE_ENDIAN);
                int recordLength = IndexFormat.recordLength(window, 0, (int)length);
                while (recordLength > 0)
                {
                    handler.onRecord(window, offset, windowStart + offset);
                    offset += recordLength;
                    recordLength = IndexFormat.recordLength(window, offset, (int)length);
                }
            }
            catch (final IOException ex)
            {
                throw failure("cannot be mapped", ex);
            }
            finally
            {
                IoUtil.unmap(window);
            }
            windowStart += offset;
            if (0 == offset)
            {
                break;
            }
        }
        return windowStart;
    }

    /**
     * Append a record, or leave the file as it was.
     *
     * @return where in the file it is.
     */
    long append(final ByteBuffer record)
    {
        final long offset = size;
        try
        {
            write(channel, record, offset);
        }
        catch (final IOException ex)
        {
            try
            {
                channel.truncate(offset);
            }
            catch (final IOException suppressed)
            {
                ex.addSuppressed(suppressed);
            }
            throw failure("cannot be written at byte " + offset + ": see whether its disk is full", ex);
        }
        size += record.capacity();
        return offset;
    }

    /**
     * Read a record that was appended, or seen by a scan.
     */
    ByteBuffer record(final long offset)
    {
        try
        {
            final ByteBuffer length = IndexFormat.allocate(Integer.BYTES);
            read(length, offset);
            final ByteBuffer record = IndexFormat.allocate(length.getInt(0));
            read(record, offset);
            return record;
        }
        catch (final IOException ex)
        {
            throw failure("cannot be read at byte " + offset, ex);
        }
    }

    /**
     * @return where the first damaged record is, or -1 when all are whole.
     */
    long firstDamage()
    {
        final long end = scan((buffer, offset, fileOffset) ->
        {
        });
        return end < size ? end : -1;
    }

    void logState()
    {
        if (null != freshReason)
        {
            LOGGER.info("index {} begins empty: {}", path, freshReason);
        }
        else if (discardedBytes > 0)
        {
            LOGGER.warn("index {}: {} bytes of a torn or damaged end were cut off at byte {}, what they told " +
                "is read from the recordings again", path, discardedBytes, size);
        }
    }

    void force()
    {
        try
        {
            channel.force(false);
        }
        catch (final IOException ex)
        {
            throw failure("cannot be forced to its disk", ex);
        }
    }

    long size()
    {
        return size;
    }

    long discardedBytes()
    {
        return discardedBytes;
    }

    /**
     * Why the file began empty.
     *
     * @return null when it was used as it was.
     */
    String freshReason()
    {
        return freshReason;
    }

    public void close()
    {
        CloseHelper.close(channel);
    }

    IndexException failure(final String what, final IOException cause)
    {
        return new IndexException("index " + path + " " + what + ": " + cause.getMessage(), cause);
    }

    private void read(final ByteBuffer target, final long offset) throws IOException
    {
        while (target.hasRemaining())
        {
            if (channel.read(target, offset + target.position()) < 0)
            {
                throw new IOException("ended at byte " + (offset + target.position()));
            }
        }
        target.flip();
    }

    private static String fault(final FileChannel channel) throws IOException
    {
        if (channel.size() < IndexFormat.FILE_HEADER_LENGTH)
        {
            return 0 == channel.size() ? "there was none" : "it has only " + channel.size() + " bytes";
        }
        final ByteBuffer header = IndexFormat.allocate(IndexFormat.FILE_HEADER_LENGTH);
        channel.read(header, 0);
        return IndexFormat.fault(header);
    }

    /**
     * A file that never was an index is not ours to empty. One that was never written begins with zeroes, and of one
     * that was damaged half of the magic number is left.
     */
    private void checkOurs(final FileChannel opened) throws IOException
    {
        final ByteBuffer start = IndexFormat.allocate((int)Math.min(Long.BYTES, opened.size()));
        opened.read(start, 0);
        final ByteBuffer magic = IndexFormat.fileHeader(0);
        int same = 0;
        int zeroes = 0;
        for (int i = 0; i < start.capacity(); i++)
        {
            same += start.get(i) == magic.get(i) ? 1 : 0;
            zeroes += 0 == start.get(i) ? 1 : 0;
        }
        if (2 * same < start.capacity() && zeroes < start.capacity())
        {
            throw new IndexException("index " + path + " is another file, which does not begin as an index does, and " +
                "is left as it is: name another file, or remove this one", null);
        }
    }

    private static void write(final FileChannel channel, final ByteBuffer record, final long offset) throws IOException
    {
        final ByteBuffer source = record.duplicate().clear();
        while (source.hasRemaining())
        {
            channel.write(source, offset + source.position());
        }
    }

    private static void lock(final FileChannel opened) throws IOException
    {
        FileLock lock = null;
        try
        {
            lock = opened.tryLock();
        }
        catch (final OverlappingFileLockException ignore)
        {
            // Of this process: refused below like that of another one.
        }
        if (null == lock)
        {
            throw new IOException("it is in use: close what has it open, or name another file");
        }
    }
}
