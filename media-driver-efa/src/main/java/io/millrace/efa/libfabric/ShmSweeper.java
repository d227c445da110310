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
 * A process is known by its pid in this pid namespace. A container may share {@code /dev/shm} with others whose
 * processes it cannot see, so nothing is swept outside of the first pid namespace.
 */
public final class ShmSweeper
{
    private static final Pattern NAME = Pattern.compile("(\\d{1,10}):(\\d{1,10}):\\d{1,10}(:\\d{1,10})?");

    /**
     * What {@code /proc/self/ns/pid} links to in the first pid namespace: PROC_PID_INIT_INO of the kernel's
     * {@code include/linux/proc_ns.h}.
     */
    private static final String FIRST_PID_NAMESPACE = "pid:[4026531836]";

    private ShmSweeper()
    {
    }

    /**
     * Remove files of this user's dead processes, if all processes can be seen.
     *
     * @return how many were removed.
     */
    public static int sweep()
    {
        return !seesAllProcesses() ? 0 : sweep(ShmRegionFile.DIRECTORY, LibC.INSTANCE.geteuid(), Path.of("/proc"));
    }

    private static boolean seesAllProcesses()
    {
        try
        {
            return FIRST_PID_NAMESPACE.equals(Files.readSymbolicLink(Path.of("/proc/self/ns/pid")).toString());
        }
        catch (final IOException ex)
        {
            return false;
        }
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
