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

import io.aeron.archive.Archive;
import io.aeron.archive.ArchiveThreadingMode;
import io.aeron.archive.codecs.SourceLocation;
import io.millrace.archive.KvArchive;
import io.millrace.archive.KvRecording;
import io.millrace.archive.KvRecordingInfo;
import io.millrace.archive.KvReplay;
import io.millrace.archive.MillraceArchive;
import io.millrace.bridge.KvReceiver;
import org.agrona.CloseHelper;

import java.io.File;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Records the KV stream as it arrives from the other driver, with an archive on this side's driver, and replays it.
 */
final class Recorder implements AutoCloseable
{
    /**
     * Longest wait for the end of the recording, milliseconds. Where the last frame of the publication is lost with its
     * driver, the stream's image ends by Aeron's image liveness timeout of 10 s.
     */
    static final long END_DEADLINE_MS = 20_000;

    private static final int MAX_RECORDINGS = 100;

    private final MillraceArchive archive;
    private final KvArchive client;
    private final KvRecording recording;

    /**
     * Start an archive and ask it to record the stream. Comes before anything else subscribes to it.
     *
     * @param orders of the child.
     * @param node   with the driver.
     */
    Recorder(final Orders orders, final DemoNode node)
    {
        archive = MillraceArchive.attach(orders.aeronDirectory(), new Archive.Context()
            .archiveDir(new File(orders.archiveDirectory()))
            .threadingMode(ArchiveThreadingMode.SHARED)
            .idleStrategySupplier(DemoNode::idleStrategy));
        try
        {
            client = KvArchive.connect(archive.clientContext().aeron(node.aeron()));
            recording = client.record(orders.channel(), Orders.STREAM_ID, SourceLocation.REMOTE);
        }
        catch (final RuntimeException ex)
        {
            CloseHelper.quietClose(archive);
            throw ex;
        }
    }

    /**
     * Wait until all of the stream is recorded, once its publication is closed.
     *
     * @return what the archive lists about it.
     */
    KvRecordingInfo awaitEnd()
    {
        final KvRecordingInfo info = recording.awaitStop(TimeUnit.MILLISECONDS.toNanos(END_DEADLINE_MS));
        final List<KvRecordingInfo> listed = client.list(0, MAX_RECORDINGS);
        if (!listed.contains(info))
        {
            throw new IllegalStateException("the archive does not list recording " + info + ", only " + listed);
        }
        return info;
    }

    /**
     * Replay a recording.
     *
     * @param info      of the recording.
     * @param timeoutMs milliseconds that the replay may take.
     * @param receiver  settings of the receiver, without a channel.
     * @return the running replay.
     */
    KvReplay replay(final KvRecordingInfo info, final long timeoutMs, final KvReceiver.Context receiver)
    {
        return client.replay(
            info.recordingId(),
            info.startPosition(),
            info.bytes(),
            TimeUnit.MILLISECONDS.toNanos(timeoutMs),
            receiver);
    }

    /**
     * {@inheritDoc}
     */
    public void close()
    {
        CloseHelper.quietCloseAll(client, archive);
    }
}
