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
package io.millrace.efa;

import io.aeron.Aeron;
import org.agrona.SystemUtil;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

import static io.millrace.efa.TwoDrivers.await;
import static io.millrace.efa.TwoDrivers.sum;

/**
 * What registered logs leave behind.
 */
final class LogLeaks
{
    private static final Path MAPS = Path.of("/proc/self/maps");
    private static final Path FILES = Path.of("/proc/self/fd");

    // struct mallinfo2 of <malloc.h>: ten sizes, of which these are in use
    private static final int MALLINFO_FIELDS = 10;
    private static final int MALLINFO_MAPPED = 4;
    private static final int MALLINFO_USED = 7;
    private static final MethodHandle MALLINFO = Linker.nativeLinker().downcallHandle(
        Linker.nativeLinker().defaultLookup().find("mallinfo2").orElseThrow(),
        FunctionDescriptor.of(MemoryLayout.structLayout(
            MemoryLayout.sequenceLayout(MALLINFO_FIELDS, ValueLayout.JAVA_LONG))));

    private LogLeaks()
    {
    }

    /**
     * Wait until no log is registered or offered.
     */
    static void awaitNoneRegistered(final Aeron... clients)
    {
        for (final Aeron aeron : clients)
        {
            await(
                "nothing registered",
                () -> 0 == sum(aeron, EfaCounters.MAPPED_LOGS_TYPE_ID) &&
                    0 == sum(aeron, EfaCounters.LOG_REGISTERED_BYTES_TYPE_ID) &&
                    0 == sum(aeron, EfaCounters.IMAGE_OFFERS_TYPE_ID),
                () -> TwoDrivers.counters(aeron));
        }
    }

    /**
     * Wait until nothing of any log is open, mapped, registered or offered, by Aeron neither.
     */
    static void awaitNone(final Aeron... clients)
    {
        awaitNoneRegistered(clients);
        for (final Aeron aeron : clients)
        {
            final String directory = aeron.context().aeronDirectoryName();
            await("nothing mapped", () -> mappedLogs(directory).isEmpty(), () -> mappedLogs(directory).toString());
            await("nothing open", () -> files().noneMatch((file) -> file.contains(directory) && isLog(file)));
        }
    }

    /**
     * Open files of this process, without logs, which Aeron's clients and drivers keep for a while.
     */
    static long openFiles()
    {
        return files().filter((file) -> !isLog(file)).count();
    }

    private static Stream<String> files()
    {
        final List<String> names = new ArrayList<>();
        try (var files = Files.list(FILES))
        {
            for (final Path file : (Iterable<Path>)files::iterator)
            {
                try
                {
                    names.add(Files.readSymbolicLink(file).toString());
                }
                catch (final NoSuchFileException ignore)
                {
                    // closed meanwhile
                }
            }
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }

        return names.stream();
    }

    private static boolean isLog(final String name)
    {
        return name.contains(".logbuffer");
    }

    /**
     * Mappings of this process, without those of logs, which Aeron's clients and drivers keep for a while.
     */
    static long mappings()
    {
        try (var lines = Files.lines(MAPS))
        {
            return lines.filter((line) -> !isLog(line)).count();
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }

    /**
     * Bytes of {@code malloc} in use in this process, by libfabric, this driver and the JVM.
     */
    static long nativeBytes()
    {
        try (Arena arena = Arena.ofConfined())
        {
            final MemorySegment info = (MemorySegment)MALLINFO.invokeExact((SegmentAllocator)arena);
            return info.getAtIndex(ValueLayout.JAVA_LONG, MALLINFO_MAPPED) +
                info.getAtIndex(ValueLayout.JAVA_LONG, MALLINFO_USED);
        }
        catch (final Throwable ex)
        {
            throw new AssertionError(ex);
        }
    }

    private static List<String> mappedLogs(final String directory)
    {
        if (!SystemUtil.isLinux())
        {
            return List.of();
        }

        try (var lines = Files.lines(MAPS))
        {
            return lines.filter((line) -> line.contains(directory) && isLog(line)).toList();
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }
}
