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

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The file behind an shm endpoint. The provider makes it sparse: on a full {@code /dev/shm} its first use of a page
 * would be a SIGBUS that ends the process, so its pages are reserved first.
 */
final class ShmRegionFile
{
    static final Path DIRECTORY = Path.of("/dev/shm");

    private static final String PREFIX = "fi_shm://";
    /** A region of the default depths takes up to 17 MB; libfabric 1.17 does not list shm with less than one free. */
    static final long NEEDED_BYTES = 24L << 20;

    private ShmRegionFile()
    {
    }

    static void checkSpace()
    {
        if (!hasSpace())
        {
            throw noSpace(
                DIRECTORY.toFile().getUsableSpace() + " bytes are free and " + NEEDED_BYTES + " needed");
        }
    }

    static boolean hasSpace()
    {
        return DIRECTORY.toFile().getUsableSpace() >= NEEDED_BYTES;
    }

    static void reserve(final byte[] name)
    {
        final Path file = DIRECTORY.resolve(name(name));
        final int fd = LibC.INSTANCE.open(file.toString(), LibC.O_RDWR_CLOEXEC);
        if (fd < 0)
        {
            throw new FabricException("fi_enable", FabricErrors.ENOENT, "the endpoint's file " + file + " is missing");
        }
        try
        {
            final int result = LibC.INSTANCE.posix_fallocate(fd, 0, Files.size(file));
            if (0 != result)
            {
                throw noSpace("reserving " + file + " returned " + result);
            }
        }
        catch (final IOException ex)
        {
            throw new FabricException("fi_enable", FabricErrors.ENOENT, file + ": " + ex);
        }
        finally
        {
            LibC.INSTANCE.close(fd);
        }
    }

    /**
     * Name of the file of an endpoint.
     *
     * @param address of the endpoint.
     * @return name without directory.
     */
    static String name(final byte[] address)
    {
        final String text = new String(address, StandardCharsets.US_ASCII).trim().replace("\0", "");
        return text.startsWith(PREFIX) ? text.substring(PREFIX.length()) : text;
    }

    private static FabricException noSpace(final String detail)
    {
        return new FabricException("fi_enable", FabricErrors.ENOSPC,
            detail + ": free or enlarge " + DIRECTORY + " (mount -o remount,size=...)");
    }
}
