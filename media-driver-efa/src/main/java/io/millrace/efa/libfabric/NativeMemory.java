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
import org.agrona.concurrent.UnsafeBuffer;

import java.lang.foreign.MemorySegment;

/**
 * Zeroed memory outside the heap in whole pages, so that registering it pins nothing else. Close it after its
 * {@link MemoryRegion}.
 */
public final class NativeMemory implements AutoCloseable
{
    /** Alignment and granularity in bytes. */
    public static final int PAGE_SIZE = LibC.INSTANCE.getpagesize();

    private final long address;
    private final long length;
    private boolean closed;

    private NativeMemory(final long address, final long length)
    {
        this.address = address;
        this.length = length;
    }

    /**
     * Allocate memory.
     *
     * @param lengthBytes needed, rounded up to whole pages.
     * @return memory to close.
     */
    public static NativeMemory allocate(final long lengthBytes)
    {
        return new NativeMemory(allocateAligned(lengthBytes), pages(lengthBytes));
    }

    /**
     * Allocate memory that is given back with {@link #free(long, long)}.
     *
     * @param lengthBytes needed, rounded up to whole pages.
     * @return address, a multiple of {@link #PAGE_SIZE}.
     */
    public static long allocateAligned(final long lengthBytes)
    {
        if (lengthBytes <= 0)
        {
            throw new IllegalArgumentException("length " + lengthBytes + " of native memory is not positive");
        }
        try
        {
            final long result = LibC.INSTANCE.mmap(
                0, pages(lengthBytes), LibC.PROT_READ_WRITE, LibC.MAP_PRIVATE_ANONYMOUS, -1, 0);
            if (LibC.MAP_FAILED != result)
            {
                return result;
            }
        }
        catch (final LastErrorException ex)
        {
            throw new IllegalStateException("cannot map " + lengthBytes + " bytes: " + ex.getMessage(), ex);
        }
        throw new IllegalStateException("cannot map " + lengthBytes + " bytes of memory");
    }

    /**
     * Give memory back.
     *
     * @param address     of {@link #allocateAligned(long)}.
     * @param lengthBytes that was asked for.
     */
    public static void free(final long address, final long lengthBytes)
    {
        LibC.INSTANCE.munmap(address, pages(lengthBytes));
    }

    private static long pages(final long lengthBytes)
    {
        return lengthBytes + PAGE_SIZE - 1 & -PAGE_SIZE;
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
     * Size.
     *
     * @return bytes, a multiple of {@link #PAGE_SIZE}.
     */
    public long length()
    {
        return length;
    }

    /**
     * View over a part, at most 2 GiB.
     *
     * @param offset      of the part.
     * @param lengthBytes of the part.
     * @return a buffer, not to be used after {@link #close()}.
     */
    public UnsafeBuffer buffer(final long offset, final int lengthBytes)
    {
        if (offset < 0 || lengthBytes < 0 || offset + lengthBytes > length)
        {
            throw new IndexOutOfBoundsException(
                "part " + offset + "+" + lengthBytes + " is not within " + length + " bytes");
        }
        return new UnsafeBuffer(MemorySegment.ofAddress(address + offset).reinterpret(lengthBytes).asByteBuffer());
    }

    @Override
    public void close()
    {
        if (!closed)
        {
            closed = true;
            LibC.INSTANCE.munmap(address, length);
        }
    }
}
