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
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Removes the files that shm endpoints leave in {@code /dev/shm} when their process is killed: 13 to 17 MB each, named
 * {@code <pid>:<uid>:<index>} by libfabric 1.17 and 2.x, and {@code :<number>} more by 2.x where that name was taken.
 * <p>
 * A process is known by its pid in this pid namespace: containers that share {@code /dev/shm} but not pids must not
 * sweep.
 */
public final class ShmSweeper
{
    private static final Pattern NAME = Pattern.compile("(\\d{1,10}):(\\d{1,10}):\\d{1,10}(:\\d{1,10})?");

    private ShmSweeper()
    {
    }

    /**
     * Remove files of this user's dead processes.
     *
     * @return how many were removed.
     */
    public static int sweep()
    {
        return sweep(ShmRegionFile.DIRECTORY, LibC.INSTANCE.geteuid(), Path.of("/proc"));
    }

    static int sweep(final Path directory, final int uid, final Path proc)
    {
        int removed = 0;
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory))
        {
            for (final Path file : files)
            {
                final Matcher matcher = NAME.matcher(file.getFileName().toString());
                if (matcher.matches() &&
                    Long.parseLong(matcher.group(2)) == Integer.toUnsignedLong(uid) &&
                    Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) &&
                    Files.isDirectory(proc.resolve("self")) &&
                    Files.notExists(proc.resolve(matcher.group(1))) &&
                    Files.deleteIfExists(file))
                {
                    removed++;
                }
            }
        }
        catch (final IOException | DirectoryIteratorException ex)
        {
            // Cleaning for others is no reason to fail: what could not be removed is there for the next time.
            return removed;
        }
        return removed;
    }
}
