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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

import static io.millrace.efa.TwoDrivers.await;
import static io.millrace.efa.TwoDrivers.sum;

/**
 * What registered logs leave behind.
 */
final class LogLeaks
{
    private static final Path MAPS = Path.of("/proc/self/maps");
    private static final Path FILES = Path.of("/proc/self/fd");

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
     * Wait until nothing of any log is mapped, registered or offered, Aeron's own mappings included.
     */
    static void awaitNone(final Aeron... clients)
    {
        awaitNoneRegistered(clients);
        for (final Aeron aeron : clients)
        {
            final String directory = aeron.context().aeronDirectoryName();
            await("nothing mapped", () -> mappedLogs(directory).isEmpty(), () -> mappedLogs(directory).toString());
        }
    }

    static long openFiles()
    {
        try (var files = Files.list(FILES))
        {
            return files.count();
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
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
            return lines.filter((line) -> line.contains(directory) && line.contains(".logbuffer")).toList();
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }
}
