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
package io.millrace.samples.bench;

import io.aeron.AeronCounters;
import io.aeron.archive.Archive;
import io.aeron.archive.ArchiveThreadingMode;
import io.aeron.archive.status.RecordingPos;
import io.aeron.driver.status.StreamCounter;
import io.millrace.archive.KvArchive;
import io.millrace.archive.MillraceArchive;
import org.agrona.CloseHelper;
import org.agrona.concurrent.status.CountersReader;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * An archive on the driver of a node, and a client of it.
 */
final class ArchiveSite implements AutoCloseable
{
    private static final int SEGMENT_LENGTH = 64 << 20;
    private static final long POLL_NS = TimeUnit.MICROSECONDS.toNanos(100);

    private final TraceNode node;
    private final Path directory;
    private final MillraceArchive archive;
    private final KvArchive client;

    ArchiveSite(final TraceNode node, final Path directory)
    {
        this.node = node;
        this.directory = directory;
        archive = MillraceArchive.attach(node.aeron().context().aeronDirectoryName(), new Archive.Context()
            .archiveDir(directory.toFile())
            .deleteArchiveOnStart(true)
            .threadingMode(ArchiveThreadingMode.SHARED)
            .idleStrategySupplier(TraceNode::idleStrategy)
            .segmentFileLength(SEGMENT_LENGTH));
        client = KvArchive.connect(archive.clientContext().aeron(node.aeron()));
    }

    Path directory()
    {
        return directory;
    }

    int segmentLength()
    {
        return SEGMENT_LENGTH;
    }

    KvArchive client()
    {
        return client;
    }

    /**
     * Wait until all that a node has published on a stream is recorded.
     *
     * @return bytes recorded.
     */
    long awaitRecorded(final long recordingId, final TraceNode source, final int streamId, final long timeoutNs)
    {
        final CountersReader recorded = node.aeron().countersReader();
        final int recordedId = RecordingPos.findCounterIdByRecording(
            recorded, recordingId, archive.archiveContext().archiveId());
        final CountersReader published = source.aeron().countersReader();
        final int publishedId = publisherPosition(published, streamId);
        final long deadlineNs = System.nanoTime() + timeoutNs;
        while (recorded.getCounterValue(recordedId) < published.getCounterValue(publishedId))
        {
            if (System.nanoTime() - deadlineNs > 0)
            {
                throw new IllegalStateException("recording " + recordingId + " is at position " +
                    recorded.getCounterValue(recordedId) + " of " + published.getCounterValue(publishedId));
            }
            LockSupport.parkNanos(POLL_NS);
        }
        return recorded.getCounterValue(recordedId);
    }

    private static int publisherPosition(final CountersReader counters, final int streamId)
    {
        for (int id = 0; id <= counters.maxCounterId(); id++)
        {
            if (CountersReader.RECORD_ALLOCATED == counters.getCounterState(id) &&
                AeronCounters.DRIVER_PUBLISHER_POS_TYPE_ID == counters.getCounterTypeId(id) &&
                streamId == counters.metaDataBuffer().getInt(CountersReader.metaDataOffset(id) +
                CountersReader.KEY_OFFSET + StreamCounter.STREAM_ID_OFFSET))
            {
                return id;
            }
        }
        throw new IllegalStateException("stream " + streamId + " has no publication");
    }

    /**
     * {@inheritDoc}
     */
    public void close()
    {
        CloseHelper.quietCloseAll(client, archive);
    }
}
