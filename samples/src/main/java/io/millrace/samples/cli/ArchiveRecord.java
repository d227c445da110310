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
package io.millrace.samples.cli;

import io.aeron.archive.codecs.SourceLocation;
import io.millrace.archive.KvArchiveError;
import io.millrace.archive.KvArchiveException;
import io.millrace.archive.KvRecording;
import io.millrace.archive.KvRecordingInfo;
import io.millrace.samples.demo.ProgressDisplay;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/**
 * {@code ./millrace archive record}.
 */
@Command(
    name = "record",
    sortOptions = false,
    description = "Records the next stream on a channel, and waits until it ends.",
    footer = { "", "Ended by a signal, the command leaves the recording to go on." })
public final class ArchiveRecord implements Callable<Integer>
{
    private static final long INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(500);

    @Parameters(index = "0", paramLabel = "CHANNEL", description = "Of the stream, such as aeron:udp?endpoint=a:9000.")
    private String channel;

    @Parameters(index = "1", paramLabel = "STREAM", description = "Stream id.")
    private int streamId;

    @Option(names = "--remote",
        description = "Subscribe like a receiver; else a publication on the archive's driver is spied upon.")
    private boolean remote;

    @Option(names = "--resume",
        description = "Go on in the newest recording of the stream, if the stream goes on where that one stopped.")
    private boolean resume;

    @Option(names = "--timeout", paramLabel = "SECONDS", defaultValue = "60",
        description = "Time for the stream to appear. Default: 60.")
    private long timeoutSeconds;

    @Mixin
    private ArchiveClient client;

    @Mixin
    private Common common;

    /**
     * {@inheritDoc}
     */
    public Integer call()
    {
        ChannelCheck.require("CHANNEL", channel);
        return client.run(archive ->
        {
            final SourceLocation location = remote ? SourceLocation.REMOTE : SourceLocation.LOCAL;
            final long timeoutNs = TimeUnit.SECONDS.toNanos(timeoutSeconds);
            final KvRecording recording;
            try
            {
                recording = resume ? archive.resume(channel, streamId, location, timeoutNs) :
                    archive.record(channel, streamId, location);
                awaitStart(recording, timeoutNs);
            }
            catch (final KvArchiveException ex)
            {
                throw ArchiveClient.ofTimeout(ex, timeoutSeconds);
            }
            final KvRecordingInfo info = awaitStop(recording);
            if (client.json())
            {
                Json.print(info);
            }
            else
            {
                Output.print("recording " + info.recordingId() + ": " + info.bytes() + " bytes\n");
            }
            return 0;
        });
    }

    // What did not start would do so with a later publication, unseen; until then the archive refuses the same again.
    private static void awaitStart(final KvRecording recording, final long timeoutNs)
    {
        try
        {
            recording.awaitStart(timeoutNs);
        }
        catch (final KvArchiveException ex)
        {
            try
            {
                recording.close();
            }
            catch (final KvArchiveException notClosed)
            {
                ex.addSuppressed(notClosed);
            }
            throw ex;
        }
    }

    /**
     * A stream may go on for days: there is no deadline.
     */
    private static KvRecordingInfo awaitStop(final KvRecording recording)
    {
        try (ProgressDisplay bar = ArchiveProgress.endless("recording " + recording.recordingId()))
        {
            while (true)
            {
                try
                {
                    return recording.awaitStop(INTERVAL_NS);
                }
                catch (final KvArchiveException ex)
                {
                    if (KvArchiveError.DEADLINE != ex.error())
                    {
                        throw ex;
                    }
                }
                bar.stepTo(recording.position());
            }
        }
    }
}
