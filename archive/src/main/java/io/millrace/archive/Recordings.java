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

import java.util.ArrayList;
import java.util.List;

import io.aeron.archive.client.AeronArchive;
import io.aeron.archive.client.RecordingDescriptorConsumer;

/**
 * Look-ups in the archive's catalog.
 */
final class Recordings
{
    private Recordings()
    {
    }

    static KvRecordingInfo find(final ArchiveSession session, final long recordingId)
    {
        final KvRecordingInfo found =
            session.call("find recording " + recordingId, client -> describe(client, recordingId));
        if (null == found)
        {
            throw ArchiveErrors.exception(
                KvArchiveError.UNKNOWN_RECORDING, "the archive has no recording " + recordingId, null);
        }
        return located(session, found);
    }

    /**
     * What the catalog has, with the start position for the position of an active recording.
     *
     * @return the recording, or null when there is none.
     */
    static KvRecordingInfo describe(final AeronArchive client, final long recordingId)
    {
        final List<KvRecordingInfo> found = new ArrayList<>(1);
        client.listRecording(recordingId, collector(found));
        return found.isEmpty() ? null : found.get(0);
    }

    /**
     * Recordings in the order of their ids, asked for by pages.
     *
     * @param channelFragment that a channel must contain, or null for every channel and stream.
     */
    static List<KvRecordingInfo> list(
        final ArchiveSession session,
        final long fromRecordingId,
        final int limit,
        final String channelFragment,
        final int streamId)
    {
        final List<KvRecordingInfo> found = new ArrayList<>();
        long nextId = fromRecordingId;
        while (found.size() < limit)
        {
            final long firstId = nextId;
            final int count = Math.min(limit - found.size(), KvArchiveConfiguration.LIST_PAGE);
            final int listed = session.call("list recordings", client -> null == channelFragment ?
                client.listRecordings(firstId, count, collector(found)) :
                client.listRecordingsForUri(firstId, count, channelFragment, streamId, collector(found)));
            if (listed < count)
            {
                break;
            }
            nextId = found.get(found.size() - 1).recordingId() + 1;
        }
        found.replaceAll(info -> located(session, info));
        return found;
    }

    private static KvRecordingInfo located(final ArchiveSession session, final KvRecordingInfo info)
    {
        return info.isActive() ? info.withPosition(session.call("position of recording " + info.recordingId(),
            client -> client.getMaxRecordedPosition(info.recordingId()))) : info;
    }

    private static RecordingDescriptorConsumer collector(final List<KvRecordingInfo> target)
    {
        return (controlSessionId, correlationId, recordingId, startTimestamp, stopTimestamp, startPosition,
            stopPosition, initialTermId, segmentFileLength, termBufferLength, mtuLength, sessionId, streamId,
            strippedChannel, originalChannel, sourceIdentity) -> target.add(new KvRecordingInfo(recordingId,
            originalChannel, streamId, sessionId, sourceIdentity, startPosition,
            stopPosition, AeronArchive.NULL_POSITION == stopPosition ? startPosition : stopPosition,
            startTimestamp, stopTimestamp, segmentFileLength, termBufferLength, initialTermId, mtuLength));
    }
}
