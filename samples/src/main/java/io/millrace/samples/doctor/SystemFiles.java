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
package io.millrace.samples.doctor;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Files by which the kernel tells about the machine, below a root that tests replace.
 *
 * @param root {@code /}, or a copy of what some machine has.
 */
public record SystemFiles(Path root)
{
    private static final int MOUNT_OPTIONS = 3;
    private static final String SMALL_PAGES = "huge=never";

    /**
     * Those of this machine.
     *
     * @return the files.
     */
    public static SystemFiles ofThisMachine()
    {
        return new SystemFiles(Path.of("/"));
    }

    /**
     * Pages that files of {@code /dev/shm} lie on.
     *
     * @return mount option, {@code huge=never} if there is none.
     */
    public String sharedMemoryPages()
    {
        // Mounts of one place lie on each other: the last one counts.
        return lines("/proc/mounts").stream().map((line) -> line.split(" "))
            .filter((cells) -> cells.length > MOUNT_OPTIONS && "/dev/shm".equals(cells[1]))
            .map((cells) -> Arrays.stream(cells[MOUNT_OPTIONS].split(","))
                .filter((option) -> option.startsWith("huge=")).findFirst().orElse(SMALL_PAGES))
            .reduce(SMALL_PAGES, (first, last) -> last);
    }

    Path path(final String absolute)
    {
        return root.resolve(absolute.substring(1));
    }

    /**
     * The text of a small file.
     *
     * @return without blanks around it, null if it is absent, empty, or not ours to read.
     */
    String text(final String absolute)
    {
        // In one read: some kernels answer a second one of such a file with its end.
        final List<String> lines = lines(absolute);
        return lines.isEmpty() ? null : String.join("\n", lines).trim();
    }

    /**
     * The first number in a file.
     *
     * @return the number, -1 if there is none.
     */
    long number(final String absolute)
    {
        return firstNumber(text(absolute));
    }

    /**
     * A number of a file of lines such as {@code HugePages_Total:  0}.
     *
     * @return the number, -1 if there is none.
     */
    long number(final String absolute, final String name)
    {
        final String text = text(absolute);
        return null == text ? -1 : text.lines().filter((line) -> line.startsWith(name + ":"))
            .mapToLong((line) -> firstNumber(line.substring(name.length() + 1).trim())).findFirst().orElse(-1);
    }

    List<String> lines(final String absolute)
    {
        try (Stream<String> lines = Files.lines(path(absolute)))
        {
            return lines.toList();
        }
        catch (final IOException | UncheckedIOException ex)
        {
            // Processes end and files of others are not ours to read.
            return List.of();
        }
    }

    List<Path> list(final String directory, final String glob)
    {
        final List<Path> found = new ArrayList<>();
        if (Files.isDirectory(path(directory)))
        {
            try (DirectoryStream<Path> stream = Files.newDirectoryStream(path(directory), glob))
            {
                stream.forEach(found::add);
            }
            catch (final IOException ex)
            {
                return List.of();
            }
        }
        found.sort(null);
        return found;
    }

    private static long firstNumber(final String text)
    {
        final String digits = null == text ? "" : text.split("\\s", 2)[0];
        return digits.matches("\\d{1,18}") ? Long.parseLong(digits) : -1;
    }
}
