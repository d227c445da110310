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
package io.millrace.efa.libfabric;

import com.sun.jna.LastErrorException;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileStore;
import java.nio.file.Files;

/**
 * A whole file mapped shared and writable. The pages stay when the file is deleted. Close it after its
 * {@link MemoryRegion}s.
 */
public final class MappedFile implements AutoCloseable
{
    private final File file;
    private final long address;
    private final long length;
    private final long pageSize;
    private boolean isDetached;
    private boolean isClosed;

    private MappedFile(final File file, final long address, final long length, final long pageSize)
    {
        this.file = file;
        this.address = address;
        this.length = length;
        this.pageSize = pageSize;
    }

    /**
     * Map a file.
     *
     * @param file to map.
     * @return the mapping.
     * @throws UncheckedIOException naming the file when it is empty or cannot be mapped.
     */
    public static MappedFile map(final File file)
    {
        final int fd = LibC.INSTANCE.open(file.getPath(), LibC.O_RDWR_CLOEXEC);
        if (fd < 0)
        {
            throw new UncheckedIOException(new IOException("cannot open " + file));
        }

        try
        {
            final long length = file.length();
            // before the mapping, which nobody would undo if the file were gone by now
            final long pageSize = pageSize(file);
            final long address = LibC.INSTANCE.mmap(
                0, length, LibC.PROT_READ_WRITE, LibC.MAP_SHARED, fd, 0);
            return new MappedFile(file, address, length, pageSize);
        }
        catch (final LastErrorException | IOException ex)
        {
            throw new UncheckedIOException(new IOException("cannot map " + file + ": " + ex.getMessage(), ex));
        }
        finally
        {
            LibC.INSTANCE.close(fd);
        }
    }

    /**
     * Size of the pages that files of a directory are mapped with.
     *
     * @param directory     to look at.
     * @param unknownLength when it cannot be known, bytes.
     * @return bytes.
     */
    public static long pageSize(final File directory, final long unknownLength)
    {
        try
        {
            return pageSize(directory);
        }
        catch (final IOException ex)
        {
            return unknownLength;
        }
    }

    private static long pageSize(final File file) throws IOException
    {
        final FileStore store = Files.getFileStore(file.toPath());
        return "hugetlbfs".equals(store.type()) ? store.getBlockSize() : LibC.INSTANCE.getpagesize();
    }

    /**
     * First byte.
     *
     * @return address.
     */
    public long address()
    {
        return address;
    }

    /**
     * Size of the file.
     *
     * @return bytes.
     */
    public long length()
    {
        return length;
    }

    /**
     * Size of the pages that the mapping is made of.
     *
     * @return bytes.
     */
    public long pageSize()
    {
        return pageSize;
    }

    /**
     * Put memory of nobody in place of the file: who still writes to the address does no harm. The address is not used
     * for anything else until {@link #close()}.
     */
    public void detach()
    {
        if (!isClosed && !isDetached)
        {
            isDetached = true;
            LibC.INSTANCE.mmap(address, length, LibC.PROT_READ_WRITE,
                LibC.MAP_PRIVATE_ANONYMOUS | LibC.MAP_FIXED | LibC.MAP_NORESERVE, -1, 0);
        }
    }

    @Override
    public void close()
    {
        if (!isClosed)
        {
            isClosed = true;
            LibC.INSTANCE.munmap(address, length);
        }
    }

    @Override
    public String toString()
    {
        return "MappedFile{" + file + ", length=" + length + ", pageSize=" + pageSize + '}';
    }
}
