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
package io.millrace.samples.stat;

import io.aeron.CncFileDescriptor;
import io.aeron.CommonContext;
import org.agrona.BufferUtil;
import org.agrona.IoUtil;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Directories of running drivers where they usually are, for a user who named another.
 */
final class Drivers
{
    private static final Path SHARED_MEMORY = Path.of("/dev/shm");
    // The demonstration's drivers lie one directory deeper than a driver's own.
    private static final int DEPTH = 3;
    private static final int LIMIT = 5;

    private Drivers()
    {
    }

    /**
     * End of a sentence that names them.
     */
    static String hint()
    {
        final List<String> found = find(SHARED_MEMORY);
        return found.isEmpty() ? ", none is in " + SHARED_MEMORY + ": ./millrace driver starts one" :
            ", in " + SHARED_MEMORY + " are " + String.join(" ", found);
    }

    static List<String> find(final Path root)
    {
        try (Stream<Path> files = Files.find(
            root, DEPTH, (path, attributes) -> path.endsWith(CncFileDescriptor.CNC_FILE), new FileVisitOption[0]))
        {
            return files.filter(Drivers::isAlive).map((file) -> file.getParent().toString())
                .sorted().limit(LIMIT).toList();
        }
        catch (final IOException | UncheckedIOException ex)
        {
            // Directories come and go, and some are not ours to read: a hint may miss some.
            return List.of();
        }
    }

    private static boolean isAlive(final Path file)
    {
        MappedByteBuffer mapping = null;
        try
        {
            if (Files.size(file) <= CncFileDescriptor.META_DATA_LENGTH)
            {
                return false;
            }
            mapping = IoUtil.mapExistingFile(file.toFile(), FileChannel.MapMode.READ_ONLY, file.toString());
            final int version = CncFileDescriptor.createMetaDataBuffer(mapping)
                .getIntVolatile(CncFileDescriptor.cncVersionOffset(0));
            // Aeron would wait for a version that is not there yet.
            return 0 != version && CommonContext.isDriverActive(CncFile.DRIVER_TIMEOUT_MS, (text) -> {}, mapping);
        }
        catch (final IOException | RuntimeException ex)
        {
            // Gone meanwhile, of another version, or not ours to read.
            return false;
        }
        finally
        {
            BufferUtil.free(mapping);
        }
    }
}
