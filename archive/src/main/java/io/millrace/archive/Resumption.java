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

import java.util.List;

import io.aeron.Aeron;
import io.aeron.Counter;
import io.aeron.archive.codecs.SourceLocation;
import org.agrona.CloseHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Goes on with a stopped recording where its stream allows it, else begins a new one.
 */
final class Resumption implements AutoCloseable
{
    private static final Logger LOGGER = LoggerFactory.getLogger(Resumption.class);

    private final ArchiveSession session;
    private final Counter refused;

    Resumption(final ArchiveSession session, final Aeron aeron)
    {
        this.session = session;
        refused = aeron.addCounter(
            ArchiveCounters.EXTENSIONS_REFUSED_TYPE_ID, "archive: recordings that could not be extended");
    }

    KvRecording resume(
        final String channel, final int streamId, final SourceLocation sourceLocation, final long timeoutNs)
    {
        final List<KvRecordingInfo> recordings =
            Recordings.list(session, 0, Integer.MAX_VALUE, channel, streamId).stream()
            .filter(info -> info.channel().equals(channel) && !info.isActive()).toList();
        if (recordings.isEmpty())
        {
            return session.startRecording(channel, streamId, sourceLocation);
        }

        final KvRecordingInfo last = recordings.get(recordings.size() - 1);
        final KvRecording extension =
            session.extendRecording(last.recordingId(), channel, streamId, sourceLocation);
        try
        {
            extension.awaitStart(timeoutNs);
            return extension;
        }
        catch (final KvArchiveException ex)
        {
            extension.close();
            if (KvArchiveError.REFUSED != ex.error() && KvArchiveError.STOPPED != ex.error())
            {
                throw ex;
            }
            refused.incrementRelease();
            LOGGER.warn("stream {} of {} goes to a new recording: {}", streamId, channel, ex.getMessage());
            return session.startRecording(channel, streamId, sourceLocation);
        }
    }

    public void close()
    {
        CloseHelper.close(refused);
    }
}
