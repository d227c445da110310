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
import io.millrace.samples.failure.CommandFailure;
import org.agrona.BufferUtil;
import org.agrona.IoUtil;
import org.agrona.SemanticVersion;
import org.agrona.concurrent.AtomicBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.errors.ErrorLogReader;
import org.agrona.concurrent.ringbuffer.ManyToOneRingBuffer;
import org.agrona.concurrent.status.CountersReader;

import java.io.File;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * A driver's {@code cnc.dat}, mapped for reading only: the driver does not notice.
 */
public final class CncFile implements AutoCloseable
{
    /**
     * Silence of a driver after which Aeron's clients take it for dead.
     */
    public static final long DRIVER_TIMEOUT_MS = 10_000;

    private static final long START_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(5);
    private static final long START_POLL_INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(10);
    private static final String EVENT_PREFIX = "io.aeron.exceptions.AeronEvent: ";

    private final Path directory;
    private final Supplier<String> hint;
    private final MappedByteBuffer mapping;
    private final ManyToOneRingBuffer toDriver;
    private final CountersReader counters;
    private final AtomicBuffer errorLog;
    private final long pid;
    private final long startMs;

    private CncFile(
        final Path directory,
        final MappedByteBuffer mapping,
        final UnsafeBuffer metaData,
        final Supplier<String> hint)
    {
        this.hint = hint;
        this.directory = directory;
        this.mapping = mapping;
        toDriver = new ManyToOneRingBuffer(CncFileDescriptor.createToDriverBuffer(mapping, metaData));
        counters = new CountersReader(
            CncFileDescriptor.createCountersMetaDataBuffer(mapping, metaData),
            CncFileDescriptor.createCountersValuesBuffer(mapping, metaData));
        errorLog = CncFileDescriptor.createErrorLogBuffer(mapping, metaData);
        pid = CncFileDescriptor.pid(metaData);
        startMs = CncFileDescriptor.startTimestampMs(metaData);
    }

    /**
     * Open the file of a driver.
     *
     * @param directory of the driver.
     * @return the file.
     * @throws CommandFailure when there is no driver, or one that cannot be read.
     */
    public static CncFile open(final Path directory)
    {
        return open(directory, START_TIMEOUT_NS, Drivers::hint);
    }

    /**
     * Open the file of a driver without waiting for one that starts, nor looking for others to name in a message.
     *
     * @param directory of the driver.
     * @return the file.
     * @throws CommandFailure when there is no driver, one that is starting, or one that cannot be read.
     */
    public static CncFile openNow(final Path directory)
    {
        return open(directory, 0, () -> "");
    }

    private static CncFile open(final Path directory, final long startTimeoutNs, final Supplier<String> hint)
    {
        final File file = directory.resolve(CncFileDescriptor.CNC_FILE).toFile();
        if (!file.exists())
        {
            throw CommandFailure.failed("no media driver in " + directory + ": " + (directory.toFile().exists() ?
                "there is no " + CncFileDescriptor.CNC_FILE + " in it" : "the directory does not exist") +
                "; name the directory of one that runs with --dir" + hint.get());
        }
        if (!file.canRead())
        {
            throw CommandFailure.failed(file + " cannot be read by this user: run as the driver's user");
        }

        final MappedByteBuffer mapping = map(file, hint);
        try
        {
            return new CncFile(directory, mapping, metaData(file, mapping, startTimeoutNs, hint), hint);
        }
        catch (final IllegalArgumentException | IllegalStateException ex)
        {
            BufferUtil.free(mapping);
            throw notOfADriver(file, ex.getMessage(), hint);
        }
        catch (final RuntimeException ex)
        {
            BufferUtil.free(mapping);
            throw ex;
        }
    }

    private static MappedByteBuffer map(final File file, final Supplier<String> hint)
    {
        if (file.length() <= CncFileDescriptor.META_DATA_LENGTH)
        {
            throw notOfADriver(file, "it has " + file.length() + " bytes", hint);
        }
        try
        {
            return IoUtil.mapExistingFile(file, FileChannel.MapMode.READ_ONLY, CncFileDescriptor.CNC_FILE);
        }
        catch (final RuntimeException ex)
        {
            throw CommandFailure.failed(file + " cannot be mapped: " + ex.getMessage() + "; is the driver ending?", ex);
        }
    }

    private static UnsafeBuffer metaData(
        final File file, final MappedByteBuffer mapping, final long startTimeoutNs, final Supplier<String> hint)
    {
        final UnsafeBuffer metaData = CncFileDescriptor.createMetaDataBuffer(mapping);
        final int version = awaitVersion(file, metaData, startTimeoutNs);
        if (SemanticVersion.major(version) != SemanticVersion.major(CncFileDescriptor.CNC_VERSION) ||
            SemanticVersion.minor(version) < SemanticVersion.minor(CncFileDescriptor.CNC_VERSION))
        {
            throw CommandFailure.failed(file + " has version " + SemanticVersion.toString(version) +
                ", this tool reads " + SemanticVersion.toString(CncFileDescriptor.CNC_VERSION) +
                ": use the tool of that driver's Aeron version");
        }
        if (!isComplete(metaData, mapping.capacity()))
        {
            throw notOfADriver(file, "it is shorter than its header says", hint);
        }
        return metaData;
    }

    /**
     * As Aeron's own check, for lengths that may be anything.
     */
    private static boolean isComplete(final UnsafeBuffer metaData, final long fileLength)
    {
        long needed = CncFileDescriptor.META_DATA_LENGTH;
        for (final int offset : new int[]{
            CncFileDescriptor.toDriverBufferLengthOffset(0),
            CncFileDescriptor.toClientsBufferLengthOffset(0),
            CncFileDescriptor.countersMetaDataBufferLengthOffset(0),
            CncFileDescriptor.countersValuesBufferLengthOffset(0),
            CncFileDescriptor.ERROR_LOG_BUFFER_LENGTH_FIELD_OFFSET })
        {
            final int length = metaData.getInt(offset);
            if (length <= 0)
            {
                return false;
            }
            needed += length;
        }
        return needed <= fileLength;
    }

    /**
     * A driver writes the version when all else is in place.
     */
    private static int awaitVersion(final File file, final UnsafeBuffer metaData, final long timeoutNs)
    {
        final long deadlineNs = System.nanoTime() + timeoutNs;
        int version = metaData.getIntVolatile(CncFileDescriptor.cncVersionOffset(0));
        while (0 == version)
        {
            if (System.nanoTime() - deadlineNs >= 0)
            {
                throw CommandFailure.failed("the driver of " + file.getParent() + " has not finished its start " +
                    "within " + TimeUnit.NANOSECONDS.toSeconds(timeoutNs) + " s: see what it says, or remove " +
                    "the directory if it was killed");
            }
            LockSupport.parkNanos(START_POLL_INTERVAL_NS);
            version = metaData.getIntVolatile(CncFileDescriptor.cncVersionOffset(0));
        }
        return version;
    }

    private static CommandFailure notOfADriver(final File file, final String why, final Supplier<String> hint)
    {
        return CommandFailure.failed(file + " is not that of a media driver: " + why +
            "; name the directory of a driver with --dir" + hint.get());
    }

    Path directory()
    {
        return directory;
    }

    /**
     * Process of the driver.
     *
     * @return its id.
     */
    public long pid()
    {
        return pid;
    }

    /**
     * When the driver started.
     *
     * @return milliseconds since the epoch.
     */
    public long startMs()
    {
        return startMs;
    }

    /**
     * Time since the driver's last sign of life.
     *
     * @return milliseconds, negative when the driver has said that it ends.
     */
    long heartbeatAgeMs()
    {
        final long heartbeatMs = toDriver.consumerHeartbeatTime();
        return heartbeatMs < 0 ? -1 : Math.max(0, System.currentTimeMillis() - heartbeatMs);
    }

    /**
     * Read everything.
     *
     * @return a copy.
     * @throws CommandFailure when the file holds what no driver writes.
     */
    public Snapshot read()
    {
        try
        {
            return snapshot();
        }
        catch (final IndexOutOfBoundsException | IllegalArgumentException ex)
        {
            throw notOfADriver(directory.resolve(CncFileDescriptor.CNC_FILE).toFile(), "it is damaged", hint);
        }
    }

    private Snapshot snapshot()
    {
        final List<Counter> found = new ArrayList<>();
        final long timeNs = System.nanoTime();
        counters.forEach(
            (id, typeId, keyBuffer, label) ->
            {
                final UnsafeBuffer key = new UnsafeBuffer(new byte[CountersReader.MAX_KEY_LENGTH]);
                key.putBytes(0, keyBuffer, 0, Math.min(keyBuffer.capacity(), key.capacity()));
                found.add(new Counter(id, typeId, counters.getCounterRegistrationId(id),
                    counters.getCounterReferenceId(id), key, label, counters.getCounterValue(id)));
            });

        final List<DriverSample.DistinctError> errors = new ArrayList<>();
        ErrorLogReader.read(errorLog, (count, firstMs, lastMs, text) ->
            errors.add(new DriverSample.DistinctError(count, firstMs, lastMs, firstLine(text))));
        errors.sort(Comparator.comparingLong(DriverSample.DistinctError::lastMs));
        return new Snapshot(timeNs, System.currentTimeMillis(), heartbeatAgeMs(), found, errors);
    }

    private static String firstLine(final String text)
    {
        final String line = text.lines().findFirst().orElse("");
        return line.startsWith(EVENT_PREFIX) ? line.substring(EVENT_PREFIX.length()) : line;
    }

    /**
     * Unmap the file.
     */
    @Override
    public void close()
    {
        BufferUtil.free(mapping);
    }
}
