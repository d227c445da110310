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
package io.millrace.samples.demo;

import io.millrace.samples.failure.CommandFailure;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Chooses the length of the term buffers by the space that the drivers' directory has. Aeron's buffers are mapped
 * files: where the file system fills up while they are in use, the process is killed, so space is checked beforehand.
 */
public final class StorageCheck
{
    /**
     * Longest term buffer used, bytes.
     */
    static final int MAX_TERM_LENGTH = 16 << 20;

    /**
     * Shortest term buffer used, bytes. Eight frames of the longest MTU must fit.
     */
    static final int MIN_TERM_LENGTH = 1 << 20;

    /**
     * Term buffer of the streams that carry acknowledgements only, bytes.
     */
    static final int REVERSE_TERM_LENGTH = 1 << 20;

    // A log has three terms, and both sides of a stream have one: publication and image.
    private static final int TERMS_OF_A_STREAM = 6;
    // Counters, command rings and loss report of both drivers.
    private static final long DRIVER_FILES_BYTES = 2 * (12L << 20);
    // A replay has a log of its own, with terms as long as those recorded; the archive's control logs are small.
    private static final int TERMS_OF_A_REPLAY = 3;
    private static final long CONTROL_LOGS_BYTES = 1L << 20;
    // libfabric's shm provider has one file for each endpoint (13 to 17 MB); two agents a driver, two drivers.
    private static final long PROVIDER_FILE_BYTES = 18L << 20;
    private static final int ENDPOINTS_PER_RAIL = 4;

    // Headers of frames and chunks are less than a fiftieth of what is recorded, and segment files are 128 MiB long.
    private static final int FRAMING_SHARE = 50;
    private static final long ARCHIVE_FILES_BYTES = 2 * (128L << 20);
    private static final String ENLARGE = "make room, enlarge it (mount -o remount,size=... for tmpfs, docker run " +
        "--shm-size=1g for /dev/shm), or ";
    private static final Path SHARED_MEMORY = Path.of("/dev/shm");

    private StorageCheck()
    {
    }

    /**
     * Choose the longest term buffer that fits.
     *
     * @param directory  of the drivers.
     * @param shmRails   rails of libfabric's shm provider, 0 for any other.
     * @param isArchived whether the stream is recorded and replayed.
     * @return length of a term in bytes.
     * @throws CommandFailure if not even the shortest fits.
     */
    static int termLength(final Path directory, final int shmRails, final boolean isArchived)
    {
        final long providerBytes = (long)ENDPOINTS_PER_RAIL * shmRails * PROVIDER_FILE_BYTES;
        final boolean together = shmRails > 0 && isSameStore(directory, SHARED_MEMORY);
        if (!together && shmRails > 0)
        {
            require(SHARED_MEMORY, providerBytes, ENLARGE + "use another provider with --protocol tcp");
        }
        final long freeBytes = usableBytes(directory) - (together ? providerBytes : 0);
        int length = MAX_TERM_LENGTH;
        while (length > MIN_TERM_LENGTH && requiredBytes(length, isArchived) > freeBytes)
        {
            length >>= 1;
        }
        require(directory, requiredBytes(length, isArchived) + (together ? providerBytes : 0),
            ENLARGE + "name another directory with --dir");
        return length;
    }

    /**
     * Space that a file system has.
     *
     * @param directory on it.
     * @return bytes that this process may still use.
     */
    static long usableBytes(final Path directory)
    {
        try
        {
            return Files.getFileStore(directory).getUsableSpace();
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }

    /**
     * Check that there is room for a recording.
     *
     * @param directory    of the archive.
     * @param payloadBytes to record.
     * @throws CommandFailure if there is not.
     */
    public static void recording(final Path directory, final long payloadBytes)
    {
        require(directory, payloadBytes + payloadBytes / FRAMING_SHARE + ARCHIVE_FILES_BYTES,
            "use fewer --requests, or name another directory with --archive-dir");
    }

    private static boolean isSameStore(final Path one, final Path other)
    {
        try
        {
            return Files.getFileStore(one).equals(Files.getFileStore(other));
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }

    private static void require(final Path directory, final long requiredBytes, final String remedy)
    {
        final long freeBytes = usableBytes(directory);
        if (freeBytes < requiredBytes)
        {
            throw CommandFailure.failed(directory + " has " + (freeBytes >> 20) + " MiB free: the demonstration " +
                "needs " + (requiredBytes >> 20) + " MiB there; " + remedy);
        }
    }

    private static long requiredBytes(final int termLength, final boolean isArchived)
    {
        final long archiveBytes = isArchived ? (long)TERMS_OF_A_REPLAY * termLength + CONTROL_LOGS_BYTES : 0;
        return (long)TERMS_OF_A_STREAM * (termLength + REVERSE_TERM_LENGTH) + DRIVER_FILES_BYTES + archiveBytes;
    }
}
