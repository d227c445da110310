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
import java.nio.charset.Charset;
import java.nio.file.Path;
import java.util.Arrays;

import com.sun.jna.LastErrorException;
import com.sun.jna.Native;
import com.sun.jna.Platform;
import org.agrona.SystemUtil;

/**
 * Asks the kernel for what will be read. For 64-bit Linux.
 */
final class PageCache
{
    /**
     * The kernel cuts requests off at the greater of a disk's read-ahead (128 KiB unless set otherwise) and what the
     * disk takes at once.
     */
    private static final int PIECE = 128 << 10;
    private static final int O_RDONLY_CLOEXEC = 0x80000;
    private static final int POSIX_FADV_WILLNEED = 3;

    private PageCache()
    {
    }

    /**
     * Have part of a file read, without waiting for it unless the disk's queue is full.
     *
     * @param offset of the first byte.
     * @param length in bytes; what is after the file's end is passed over.
     * @throws IOException when the file is gone, or the machine has no such call.
     */
    static void willNeed(final Path file, final long offset, final long length) throws IOException
    {
        if (!SystemUtil.isLinux())
        {
            throw new IOException("files are read ahead on Linux only: " + file);
        }
        final int descriptor = open(file);
        try
        {
            for (long at = offset; at < offset + length; at += PIECE)
            {
                final int error = LibC.posix_fadvise(
                    descriptor, at, Math.min(PIECE, offset + length - at), POSIX_FADV_WILLNEED);
                if (0 != error)
                {
                    throw new IOException(file + ": posix_fadvise ended with error " + error);
                }
            }
        }
        finally
        {
            LibC.close(descriptor);
        }
    }

    private static int open(final Path file) throws IOException
    {
        try
        {
            final byte[] name = file.toString().getBytes(Charset.forName(Native.getDefaultStringEncoding()));
            return LibC.open(Arrays.copyOf(name, name.length + 1), O_RDONLY_CLOEXEC);
        }
        catch (final LastErrorException ex)
        {
            throw new IOException(file + ": " + ex.getMessage(), ex);
        }
    }

    @SuppressWarnings("checkstyle:MethodName")
    private static final class LibC
    {
        static
        {
            Native.register(LibC.class, Platform.C_LIBRARY_NAME);
        }

        static native int open(byte[] path, int flags) throws LastErrorException;

        static native int close(int descriptor);

        static native int posix_fadvise(int descriptor, long offset, long length, int advice);
    }
}
