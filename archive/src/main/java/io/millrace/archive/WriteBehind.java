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
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

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
    private static final long INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(20);
    private static final long CLOSE_TIMEOUT_MS = TimeUnit.SECONDS.toMillis(10);
    // Of a recording position's key: recording id, session id, length of the source's identity, that, archive id.
    private static final int IDENTITY_LENGTH_OFFSET = BitUtil.SIZE_OF_LONG + BitUtil.SIZE_OF_INT;
    private static final int IDENTITY_OFFSET = IDENTITY_LENGTH_OFFSET + BitUtil.SIZE_OF_INT;

    private final SegmentForcer segments;
    private final long archiveId;
    private final ErrorHandler errorHandler;
    private final long flushLength;
    private final MappedByteBuffer cnc;
    private final CountersReader counters;
    private final Long2ObjectHashMap<Progress> recordings = new Long2ObjectHashMap<>();
    private final LongHashSet active = new LongHashSet();
    private final Thread thread;
    private volatile boolean isClosed;

    /**
     * Start the thread, for an archive that runs.
     *
     * @param ctx         of the archive.
     * @param segments    made before the archive was launched.
     * @param flushLength bytes by which a recording has to grow.
     */
    WriteBehind(final Archive.Context ctx, final SegmentForcer segments, final long flushLength)
    {
        this.segments = segments;
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

    private void run()
    {
        while (!isClosed)
        {
            boolean hasForced = false;
            try
            {
                hasForced = forceRecordings();
            }
            catch (final RuntimeException ex)
            {
                tell("recordings are looked for again", ex);
            }
            if (!hasForced)
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
            final int state = counters.getCounterState(id);
            if (CountersReader.RECORD_UNUSED == state)
            {
                break;
            }
            if (CountersReader.RECORD_ALLOCATED == state &&
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
        // Closed amid the counters, the active ones are not all known.
        if (!isClosed)
        {
            recordings.keySet().removeIf(recordingId -> !active.contains((long)recordingId) && forceTail(recordingId));
        }
        return hasForced;
    }

    private boolean force(final long recordingId, final long position)
    {
        Progress progress = recordings.get(recordingId);
        if (null == progress || position < progress.segmentBase)
        {
            progress = new Progress(segments.begin(recordingId, position));
            recordings.put(recordingId, progress);
        }
        return !progress.isFailed && position - progress.position >= flushLength &&
            force(recordingId, progress, position);
    }

    private boolean forceTail(final long recordingId)
    {
        final Progress progress = recordings.get(recordingId);
        if (!progress.isFailed && force(recordingId, progress, Long.MAX_VALUE))
        {
            segments.stopped(recordingId, progress.segmentBase);
        }
        return true;
    }

    private boolean force(final long recordingId, final Progress progress, final long position)
    {
        try
        {
            progress.segmentBase = segments.force(recordingId, progress.segmentBase, position);
            progress.position = position;
        }
        catch (final IOException | RuntimeException ex)
        {
            progress.isFailed = true;
            tell("recording " + recordingId + " from position " + progress.position +
                " may not be on the disk, and what follows is left to the kernel: " + ex +
                ": check the disk, then run archive verify", ex);
        }
        return !progress.isFailed;
    }

    /**
     * Once closed, the error counter may be unmapped with the driver.
     */
    private synchronized void tell(final String text, final Exception ex)
    {
        if (isClosed)
        {
            LOGGER.warn(text, ex);
            return;
        }
        try
        {
            errorHandler.onError(ArchiveErrors.exception(
                ArchiveErrors.ofText(String.valueOf(ex.getMessage())), text, ex));
        }
        catch (final RuntimeException fromHandler)
        {
            LOGGER.error("error handler, told: {}", text, fromHandler);
        }
    }

    /**
     * End the thread. What was recorded last is left to the kernel.
     */
    public void close()
    {
        synchronized (this)
        {
            isClosed = true;
        }
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
        private long segmentBase;
        private long position;
        private boolean isFailed;

        Progress(final long segmentBase)
        {
            this.segmentBase = segmentBase;
            position = segmentBase;
        }
    }
}
