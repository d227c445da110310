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
package io.millrace.samples.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/**
 * Files read and written in a row, as plainly as can be.
 */
final class PlainDisk
{
    private static final int BUFFER_LENGTH = 1 << 20;
    private static final int O_RDONLY = 0;
    private static final int POSIX_FADV_DONTNEED = 4;

    private PlainDisk()
    {
    }

    /**
     * Write files of a length and force them.
     */
    static void write(final Path directory, final long bytes, final int fileLength)
    {
        final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_LENGTH);
        final byte[] content = new byte[BUFFER_LENGTH];
        new Random(1).nextBytes(content);
        buffer.put(content);
        for (long from = 0; from < bytes; from += fileLength)
        {
            try (FileChannel channel = FileChannel.open(directory.resolve(from + ".bin"),
                StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE))
            {
                final long end = Math.min(fileLength, bytes - from);
                long offset = 0;
                while (offset < end)
                {
                    buffer.clear().limit((int)Math.min(BUFFER_LENGTH, end - offset));
                    offset += channel.write(buffer, offset);
                }
            }
            catch (final IOException ex)
            {
                throw new UncheckedIOException(ex);
            }
        }
        force(directory, ".bin");
    }

    /**
     * Read files.
     *
     * @return bytes read.
     */
    static long read(final Path directory, final String suffix)
    {
        final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_LENGTH);
        long bytes = 0;
        for (final Path file : files(directory, suffix))
        {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ))
            {
                for (int read = channel.read(buffer.clear()); read > 0; read = channel.read(buffer.clear()))
                {
                    bytes += read;
                }
            }
            catch (final IOException ex)
            {
                throw new UncheckedIOException(ex);
            }
        }
        return bytes;
    }

    /**
     * Put what was written on the disk.
     */
    static void force(final Path directory, final String suffix)
    {
        for (final Path file : files(directory, suffix))
        {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE))
            {
                channel.force(true);
            }
            catch (final IOException ex)
            {
                throw new UncheckedIOException(ex);
            }
        }
    }

    /**
     * Have the page cache forget files that were forced.
     */
    static void forget(final Path directory, final String suffix)
    {
        files(directory, suffix).forEach(PlainDisk::forget);
    }

    /**
     * Remove files.
     */
    static void remove(final Path directory, final String suffix)
    {
        for (final Path file : files(directory, suffix))
        {
            try
            {
                Files.delete(file);
            }
            catch (final IOException ex)
            {
                throw new UncheckedIOException(ex);
            }
        }
    }

    private static List<Path> files(final Path directory, final String suffix)
    {
        try (Stream<Path> files = Files.list(directory))
        {
            return new ArrayList<>(files.filter((file) -> file.toString().endsWith(suffix)).sorted().toList());
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }

    private static void forget(final Path file)
    {
        final Linker linker = Linker.nativeLinker();
        final MethodHandle open = linker.downcallHandle(linker.defaultLookup().findOrThrow("open"),
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
            Linker.Option.firstVariadicArg(2));
        final MethodHandle advise = linker.downcallHandle(linker.defaultLookup().findOrThrow("posix_fadvise"),
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG,
            ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));
        final MethodHandle close = linker.downcallHandle(linker.defaultLookup().findOrThrow("close"),
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
        try (Arena arena = Arena.ofConfined())
        {
            final MemorySegment name = arena.allocateFrom(file.toString());
            final int descriptor = (int)open.invokeExact(name, O_RDONLY);
            final int result = (int)advise.invokeExact(descriptor, 0L, 0L, POSIX_FADV_DONTNEED);
            final int ignored = (int)close.invokeExact(descriptor);
            if (descriptor < 0 || 0 != result)
            {
                throw new IllegalStateException("the page cache does not forget " + file + ": error " + result +
                    ", descriptor " + descriptor + ", close " + ignored);
            }
        }
        catch (final RuntimeException ex)
        {
            throw ex;
        }
        catch (final Throwable ex)
        {
            throw new IllegalStateException(ex);
        }
    }
}
