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

import io.aeron.Subscription;
import io.aeron.archive.client.AeronArchive;
import io.aeron.archive.client.ReplayParams;
import io.aeron.logbuffer.FrameDescriptor;
import io.millrace.bridge.KvReceiver;
import org.agrona.CloseHelper;

/**
 * Starts replays.
 */
final class Replays
{
    private Replays()
    {
    }

    static KvReplay start(
        final ArchiveSession session,
        final FrameGuard frames,
        final KvArchive.Context ctx,
        final long recordingId,
        final long fromPosition,
        final long lengthBytes,
        final long timeoutNs,
        final KvReceiver.Context receiverCtx)
    {
        final KvRecordingInfo info = Recordings.find(session, recordingId);
        final long from = AeronArchive.NULL_POSITION == fromPosition ? info.startPosition() : fromPosition;
        final long length = AeronArchive.NULL_LENGTH == lengthBytes ? info.position() - from : lengthBytes;
        checkRange(info, from, length);
        if (timeoutNs <= 0)
        {
            throw new IllegalArgumentException("timeoutNs=" + timeoutNs + " must be over 0");
        }

        final RangeLook look =
            frames.look(recordingId, from, from + length, FrameGuard::isInterrupted, timeoutNs);
        if (from == look.end())
        {
            throw ArchiveErrors.exception(KvArchiveError.BAD_FRAME, FrameGuard.at(recordingId, from), null);
        }
        ArchiveSession replaySession = null;
        Subscription subscription = null;
        try
        {
            // A session of its own keeps the errors of this replay apart, and ends the replay with its connection.
            replaySession = new ArchiveSession(ctx.aeron(), ctx.archiveContext());
            final ReplayParams params = look.replayParams();
            subscription = replaySession.call("replay recording " + recordingId + " from " + from,
                client -> client.replay(recordingId, ctx.replayChannel(), ctx.replayStreamId(), params));
            final ReplayFeed feed = new ReplayFeed(
                replaySession, subscription, receiverCtx.listener(), recordingId, from, look, from + length, timeoutNs);
            final FedReceiver receiver = new FedReceiver(ctx.aeron(), receiverCtx
                .channel(ctx.replayChannel())
                .streamId(ctx.replayStreamId())
                .listener(feed), feed);
            return new KvReplay(replaySession, feed, receiver);
        }
        catch (final RuntimeException ex)
        {
            CloseHelper.quietCloseAll(subscription, replaySession, look);
            throw ex;
        }
    }

    private static void checkRange(final KvRecordingInfo info, final long from, final long length)
    {
        if (from < info.startPosition() || from >= info.position() || 0 != from % FrameDescriptor.FRAME_ALIGNMENT)
        {
            throw new KvArchiveException(KvArchiveError.OUT_OF_RANGE, "fromPosition=" + from + " of recording " +
                info.recordingId() + " must be the start of a frame from " + info.startPosition() + " and under " +
                info.position() + ", which is what is recorded");
        }
        if (length <= 0 || length > info.position() - from)
        {
            throw new KvArchiveException(KvArchiveError.OUT_OF_RANGE, "lengthBytes=" + length + " from position " +
                from + " of recording " + info.recordingId() + " must be 1 to " + (info.position() - from) +
                ", up to what is recorded");
        }
    }
}
