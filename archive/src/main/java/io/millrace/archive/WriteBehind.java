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
package io.millrace.archive;

import java.io.File;
import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

import io.aeron.Aeron;
import io.aeron.AeronCounters;
import io.aeron.CncFileDescriptor;
import io.aeron.archive.Archive;
import org.agrona.BitUtil;
import org.agrona.DirectBuffer;
import org.agrona.ErrorHandler;
import org.agrona.IoUtil;
import org.agrona.collections.Long2ObjectHashMap;
import org.agrona.collections.LongHashSet;
import org.agrona.concurrent.status.CountersReader;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts what an archive records on its disk while it records, on a thread of its own. Left alone, the kernel begins when
 * a tenth of the memory waits to be written, and then holds up the recorder; Aeron's {@code file.sync.level} has the
 * recorder itself wait for each of its writes. Files that cannot be forced are counted and noted as errors of the
 * archive.
 */
final class WriteBehind implements AutoCloseable
{
    private static final Logger LOGGER = LoggerFactory.getLogger(WriteBehind.class);
    private static final String SUFFIX = ".rec";
    private static final long INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(20);
    private static final long CLOSE_TIMEOUT_MS = TimeUnit.SECONDS.toMillis(10);
    // Of a recording position's key: recording id, session id, length of the source's identity, that, archive id.
    private static final int IDENTITY_LENGTH_OFFSET = BitUtil.SIZE_OF_LONG + BitUtil.SIZE_OF_INT;
    private static final int IDENTITY_OFFSET = IDENTITY_LENGTH_OFFSET + BitUtil.SIZE_OF_INT;

    private final Path directory;
    private final long archiveId;
    private final ErrorHandler errorHandler;
    private final long flushLength;
    private final MappedByteBuffer cnc;
    private final CountersReader counters;
    private final Long2ObjectHashMap<Progress> recordings = new Long2ObjectHashMap<>();
    private final LongHashSet active = new LongHashSet();
    private final Thread thread;
    private volatile boolean isClosed;
    private volatile long forcedBytes;

    WriteBehind(final Archive.Context ctx, final long flushLength)
    {
        directory = ctx.archiveDir().toPath();
        archiveId = ctx.archiveId();
        errorHandler = ctx.countedErrorHandler();
        this.flushLength = flushLength;
        // Its own mapping: that of the archive's client goes with the archive, also when that ends by itself.
        cnc = IoUtil.mapExistingFile(
            new File(ctx.aeronDirectoryName(), CncFileDescriptor.CNC_FILE), FileChannel.MapMode.READ_ONLY, "cnc");
        final DirectBuffer metaData = CncFileDescriptor.createMetaDataBuffer(cnc);
        counters = new CountersReader(
            CncFileDescriptor.createCountersMetaDataBuffer(cnc, metaData),
            CncFileDescriptor.createCountersValuesBuffer(cnc, metaData));
        thread = new Thread(this::run, "archive-write-behind");
        thread.setDaemon(true);
        thread.start();
    }

    /**
     * Start for an archive that runs.
     *
     * @param ctx of the archive.
     * @return what is to be closed before the archive, or null where nothing is to be done:
     * {@link KvArchiveConfiguration#FLUSH_LENGTH_PROP_NAME} is 0, or the recorder forces what it writes.
     */
    static WriteBehind start(final Archive.Context ctx)
    {
        final long flushLength = KvArchiveConfiguration.flushLength();
        return 0 == flushLength || ctx.fileSyncLevel() > 0 ? null : new WriteBehind(ctx, flushLength);
    }

    /**
     * Recorded bytes whose files were forced behind them.
     */
    long forcedBytes()
    {
        return forcedBytes;
    }

    private void run()
    {
        while (!isClosed)
        {
            if (!forceRecordings())
            {
                LockSupport.parkNanos(INTERVAL_NS);
            }
        }
    }

    private boolean forceRecordings()
    {
        boolean hasForced = false;
        active.clear();
        final DirectBuffer metaData = counters.metaDataBuffer();
        for (int id = 0, maxId = counters.maxCounterId(); id <= maxId && !isClosed; id++)
        {
            if (CountersReader.RECORD_ALLOCATED == counters.getCounterState(id) &&
                AeronCounters.ARCHIVE_RECORDING_POSITION_TYPE_ID == counters.getCounterTypeId(id))
            {
                final int key = CountersReader.metaDataOffset(id) + CountersReader.KEY_OFFSET;
                final int identityLength = metaData.getInt(key + IDENTITY_LENGTH_OFFSET);
                if (metaData.getLong(key + IDENTITY_OFFSET + identityLength) == archiveId)
                {
                    final long recordingId = metaData.getLong(key);
                    active.add(recordingId);
                    hasForced |= force(recordingId, counters.getCounterValue(id));
                }
            }
        }
        recordings.keySet().removeIf(recordingId -> !active.contains((long)recordingId));
        return hasForced;
    }

    private boolean force(final long recordingId, final long position)
    {
        Progress progress = recordings.get(recordingId);
        if (null == progress)
        {
            progress = new Progress(position);
            recordings.put(recordingId, progress);
        }
        if (position - progress.position < flushLength)
        {
            return false;
        }
        try
        {
            if (Aeron.NULL_VALUE == progress.segmentBase)
            {
                progress.segmentBase = segmentBase(recordingId, progress.position);
            }
            while (progress.segmentBase < position)
            {
                final long length = force(directory.resolve(recordingId + "-" + progress.segmentBase + SUFFIX));
                if (position - progress.segmentBase < length)
                {
                    break;
                }
                progress.segmentBase += length;
            }
            forcedBytes += position - progress.position;
        }
        catch (final NoSuchFileException ex)
        {
            LOGGER.debug("recording {}: {} was purged", recordingId, ex.getMessage());
            progress.segmentBase = Aeron.NULL_VALUE;
        }
        catch (final IOException ex)
        {
            errorHandler.onError(ArchiveErrors.exception(ArchiveErrors.ofText(String.valueOf(ex.getMessage())),
                "recording " + recordingId + " before position " + position + " may not be on the disk, and what " +
                "follows is left to the kernel: " + ex + ": check the disk, then run archive verify", ex));
            progress.position = Long.MAX_VALUE;
            return false;
        }
        progress.position = position;
        return true;
    }

    /**
     * Segments have their whole length from the start.
     */
    private static long force(final Path file) throws IOException
    {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE))
        {
            channel.force(false);
            return channel.size();
        }
    }

    private long segmentBase(final long recordingId, final long position) throws IOException
    {
        final String prefix = recordingId + "-";
        try (Stream<Path> files = Files.list(directory))
        {
            return files.map(file -> file.getFileName().toString())
                .filter(name -> name.startsWith(prefix) && name.endsWith(SUFFIX))
                .mapToLong(name -> Long.parseLong(name.substring(prefix.length(), name.length() - SUFFIX.length())))
                .filter(base -> base <= position)
                .max().orElseThrow(() -> new NoSuchFileException(prefix + position));
        }
    }

    /**
     * End the thread. What was recorded last is left to the kernel.
     */
    public void close()
    {
        isClosed = true;
        LockSupport.unpark(thread);
        try
        {
            thread.join(CLOSE_TIMEOUT_MS);
        }
        catch (final InterruptedException ex)
        {
            Thread.currentThread().interrupt();
        }
        // A disk that does not answer must not keep the archive from ending: then the mapping stays.
        if (!thread.isAlive())
        {
            IoUtil.unmap(cnc);
        }
    }

    private static final class Progress
    {
        private long segmentBase = Aeron.NULL_VALUE;
        private long position;

        Progress(final long position)
        {
            this.position = position;
        }
    }
}
