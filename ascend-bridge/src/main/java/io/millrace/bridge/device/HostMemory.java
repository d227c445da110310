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
package io.millrace.bridge.device;

import java.nio.ByteBuffer;
import java.nio.file.Path;

import com.sun.jna.Native;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;

/**
 * Host memory from the kernel: anonymous on pages of a chosen size and a chosen NUMA node, or of a file that processes
 * share. For 64-bit Linux.
 */
public final class HostMemory
{
    /**
     * Length that all mappings are a multiple of, in bytes.
     */
    public static final int BASE_PAGE = 4096;

    /**
     * Length and alignment of transparent huge pages, in bytes.
     */
    public static final int TRANSPARENT_PAGE = 2 << 20;

    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_SHARED = 1;
    private static final int MAP_PRIVATE_ANONYMOUS = 0x22;
    private static final int MAP_HUGETLB = 0x40000;
    private static final int MAP_HUGE_SHIFT = 26;
    private static final int MAP_FAILED = -1;
    private static final int O_RDWR_CLOEXEC = 2 | 0x80000;
    private static final int MPOL_BIND = 2;
    private static final int MADV_HUGEPAGE = 14;
    private static final int MADV_POPULATE_WRITE = 23;
    private static final int EINVAL = 22;
    private static final int MAX_NODES = 1024;

    private HostMemory()
    {
    }

    /**
     * Allocate zeroed memory that is there when this returns.
     *
     * @param lengthBytes 1 and up, a multiple of the page size.
     * @param pageShift   logarithm of the page size: 30, 21 or 12.
     * @param numaNode    to bind it to, negative for none.
     * @return address.
     * @throws NoHostMemoryException when there are no such pages, or the node cannot be had.
     */
    public static long allocate(final long lengthBytes, final int pageShift, final int numaNode)
    {
        final boolean isHuge = 1L << pageShift > BASE_PAGE;
        final long address = LibC.mmap(0, lengthBytes, PROT_READ_WRITE,
            MAP_PRIVATE_ANONYMOUS | (isHuge ? MAP_HUGETLB | pageShift << MAP_HUGE_SHIFT : 0), -1, 0);
        if (MAP_FAILED == address)
        {
            throw error("mmap of " + lengthBytes + " bytes on pages of " + (1L << pageShift) + " bytes");
        }
        try
        {
            if (numaNode >= 0)
            {
                bind(address, lengthBytes, numaNode);
            }
            populate(address, lengthBytes, pageShift);
        }
        catch (final NoHostMemoryException ex)
        {
            LibC.munmap(address, lengthBytes);
            throw ex;
        }
        return address;
    }

    /**
     * Map a part of a file that other processes may map too.
     *
     * @param file        that is there and long enough: access past its end kills the process.
     * @param offset      of the first byte, a multiple of the page size of its file system.
     * @param lengthBytes 1 and up.
     * @return address, until {@link #free}.
     * @throws NoHostMemoryException when the file cannot be opened or mapped.
     */
    public static long map(final Path file, final long offset, final long lengthBytes)
    {
        final int fd = LibC.open(file.toString(), O_RDWR_CLOEXEC);
        if (fd < 0)
        {
            throw error("open of " + file);
        }
        final long address = LibC.mmap(0, lengthBytes, PROT_READ_WRITE, MAP_SHARED, fd, offset);
        final NoHostMemoryException error = MAP_FAILED == address ?
            error("mmap of " + file + " at " + offset + " + " + lengthBytes + " bytes") : null;
        LibC.close(fd);
        if (null != error)
        {
            throw error;
        }
        return address;
    }

    /**
     * Ask for transparent huge pages, which the kernel gives where it has some.
     *
     * @param address     of memory that was not touched, a multiple of {@link #TRANSPARENT_PAGE}.
     * @param lengthBytes 1 and up.
     * @throws NoHostMemoryException when the kernel knows none.
     */
    public static void adviseHugePages(final long address, final long lengthBytes)
    {
        if (0 != LibC.madvise(address, lengthBytes, MADV_HUGEPAGE))
        {
            throw error("madvise for transparent huge pages");
        }
    }

    /**
     * Give memory back.
     *
     * @param address     that {@link #allocate} or {@link #map} returned.
     * @param lengthBytes of it.
     */
    public static void free(final long address, final long lengthBytes)
    {
        if (0 != LibC.munmap(address, lengthBytes))
        {
            throw error("munmap of " + lengthBytes + " bytes at 0x" + Long.toHexString(address));
        }
    }

    /**
     * View memory.
     *
     * @param address     of the first byte.
     * @param lengthBytes of it.
     * @return direct buffer, valid until the memory is freed.
     */
    public static ByteBuffer view(final long address, final int lengthBytes)
    {
        return new Pointer(address).getByteBuffer(0, lengthBytes);
    }

    private static void bind(final long address, final long lengthBytes, final int numaNode)
    {
        if (numaNode >= MAX_NODES)
        {
            throw new NoHostMemoryException("NUMA node " + numaNode + " is out of range: use 0 to " + (MAX_NODES - 1));
        }
        final long[] mask = new long[MAX_NODES / Long.SIZE];
        mask[numaNode / Long.SIZE] = 1L << numaNode;
        // The kernel takes one bit less than it is told.
        if (0 != LibC.syscall(Platform.isARM() ? 235 : 237, address, lengthBytes, MPOL_BIND, mask, MAX_NODES + 1L, 0))
        {
            throw error("mbind of " + lengthBytes + " bytes to NUMA node " + numaNode);
        }
    }

    /**
     * Without this, memory that is not there would be found out by a signal at its first use.
     */
    private static void populate(final long address, final long lengthBytes, final int pageShift)
    {
        if (0 != LibC.madvise(address, lengthBytes, MADV_POPULATE_WRITE))
        {
            if (EINVAL != Native.getLastError())
            {
                throw error("madvise for " + lengthBytes + " bytes on pages of " + (1L << pageShift) + " bytes");
            }
            // Kernels before 5.14: mmap has reserved huge pages, base pages come when touched.
            final Pointer memory = new Pointer(address);
            for (long offset = 0; offset < lengthBytes; offset += 1L << pageShift)
            {
                memory.setByte(offset, (byte)0);
            }
        }
    }

    private static NoHostMemoryException error(final String call)
    {
        final int errno = Native.getLastError();
        return new NoHostMemoryException(call + " failed: errno " + errno + " (" + LibC.strerror(errno) + ")");
    }

    /**
     * Memory, pages or a node that cannot be had.
     */
    public static final class NoHostMemoryException extends RuntimeException
    {
        private static final long serialVersionUID = 1L;

        NoHostMemoryException(final String message)
        {
            super(message);
        }
    }

    private static final class LibC
    {
        static
        {
            Native.register(LibC.class, "c");
        }

        static native long mmap(long address, long length, int protection, int flags, int fd, long offset);

        static native int munmap(long address, long length);

        static native int madvise(long address, long length, int advice);

        static native int open(String path, int flags);

        static native int close(int fd);

        static native long syscall(
            long number, long address, long length, long mode, long[] mask, long maxNode, long flags);

        static native String strerror(int errno);
    }
}
