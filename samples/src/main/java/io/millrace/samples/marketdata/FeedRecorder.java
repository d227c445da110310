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
package io.millrace.samples.marketdata;

import io.aeron.Aeron;
import io.aeron.Publication;
import io.aeron.archive.Archive;
import io.aeron.archive.ArchiveThreadingMode;
import io.aeron.archive.client.AeronArchive;
import io.aeron.archive.status.RecordingPos;
import io.millrace.archive.MillraceArchive;
import org.agrona.CloseHelper;
import org.agrona.concurrent.status.CountersReader;

import java.io.File;

/**
 * Archive beside the normaliser's driver: what the strategies are sent is recorded as it leaves.
 */
final class FeedRecorder implements AutoCloseable
{
    private final StageNode node;
    private final MillraceArchive archive;
    private final AeronArchive client;

    FeedRecorder(final StageNode node, final StageOrders orders)
    {
        this.node = node;
        archive = MillraceArchive.attach(orders.aeronDirectory(), context(orders.archiveDirectory())
            .controlChannel(orders.archiveChannel()));
        try
        {
            client = connect(archive, node.aeron());
        }
        catch (final RuntimeException ex)
        {
            CloseHelper.quietClose(archive);
            throw ex;
        }
    }

    static Archive.Context context(final String directory)
    {
        return new Archive.Context()
            .archiveDir(new File(directory))
            .threadingMode(ArchiveThreadingMode.SHARED)
            .idleStrategySupplier(StageNode::newIdleStrategy);
    }

    static AeronArchive connect(final MillraceArchive archive, final Aeron aeron)
    {
        return AeronArchive.connect(new AeronArchive.Context()
            .aeron(aeron)
            .controlRequestChannel(archive.archiveContext().localControlChannel())
            .controlRequestStreamId(archive.archiveContext().localControlStreamId())
            .controlResponseChannel("aeron:ipc"));
    }

    Publication publish(final String channel)
    {
        return client.addRecordedPublication(channel, StageOrders.FEED_STREAM_ID);
    }

    /**
     * Wait until all of a publication is on disk, and end its recording.
     *
     * @return id of the recording.
     */
    long finish(final Publication publication)
    {
        final CountersReader counters = node.aeron().countersReader();
        final int counterId = RecordingPos.findCounterIdBySession(
            counters, publication.sessionId(), client.archiveId());
        final long recordingId = RecordingPos.getRecordingId(counters, counterId);
        node.await("recorded feed", () -> counters.getCounterValue(counterId) >= publication.position());
        client.stopRecording(publication);
        return recordingId;
    }

    /**
     * {@inheritDoc}
     */
    public void close()
    {
        CloseHelper.quietCloseAll(client, archive);
    }
}
