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

import io.aeron.archive.client.PersistentSubscription;
import io.aeron.archive.client.PersistentSubscriptionListener;
import io.aeron.logbuffer.ControlledFragmentHandler;
import io.aeron.logbuffer.FrameDescriptor;
import io.aeron.logbuffer.Header;
import io.aeron.protocol.DataHeaderFlyweight;
import io.millrace.bridge.KvReceiver;
import io.millrace.bridge.KvSource;
import org.agrona.CloseHelper;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A receiver that comes to a stream late: it gets what an active recording holds, then the live stream, without a gap
 * or duplicate, and what it missed again when the live stream was lost. The sender does not hear it. A transfer in
 * flight at such a change goes on; one whose sender ended without a word ends at the receiver's replay timeout. May be
 * used by any thread.
 */
public final class KvLateJoin implements AutoCloseable
{
    private static final Logger LOGGER = LoggerFactory.getLogger(KvLateJoin.class);

    private final PersistentSubscription subscription;
    private final FedReceiver receiver;
    private final Feed feed;

    private KvLateJoin(final PersistentSubscription subscription, final FedReceiver receiver, final Feed feed)
    {
        this.subscription = subscription;
        this.receiver = receiver;
        this.feed = feed;
    }

    /**
     * Start, from the recording's start on.
     *
     * @param archive      client of the archive that records the stream.
     * @param recordingId  of the stream.
     * @param liveChannel  of the stream.
     * @param liveStreamId of the stream.
     * @param receiverCtx  with device and allocator, listener and staging as wished. Where the receiver takes data from
     *                     is set here, and the Aeron client when there is none.
     * @return the running receiver, to be closed.
     * @throws KvArchiveException with {@link KvArchiveError#UNKNOWN_RECORDING}.
     */
    public static KvLateJoin start(
        final KvArchive archive,
        final long recordingId,
        final String liveChannel,
        final int liveStreamId,
        final KvReceiver.Context receiverCtx)
    {
        final Feed feed = new Feed();
        final PersistentSubscription subscription = subscribe(
            archive, recordingId, PersistentSubscription.FROM_START, liveChannel, liveStreamId, feed);
        try
        {
            feed.subscription = subscription;
            return new KvLateJoin(subscription, new FedReceiver(archive.context().aeron(), receiverCtx
                .channel(liveChannel)
                .streamId(liveStreamId), feed), feed);
        }
        catch (final RuntimeException ex)
        {
            CloseHelper.quietClose(subscription);
            throw ex;
        }
    }

    /**
     * Subscribe late to a stream of any kind that is being recorded: its history, then the live stream, without a gap
     * or duplicate.
     *
     * @param archive      client of the archive that records the stream.
     * @param recordingId  of the stream.
     * @param fromPosition the start of a frame, or {@link PersistentSubscription#FROM_START}.
     * @param liveChannel  of the stream.
     * @param liveStreamId of the stream.
     * @param listener     of changes and errors, called by the polls, or null.
     * @return the subscription, to be polled by one thread and closed before the archive's client.
     * @throws KvArchiveException with {@link KvArchiveError#UNKNOWN_RECORDING}, or with
     *                            {@link KvArchiveError#BAD_FRAME} when history is damaged so that it cannot be
     *                            replayed.
     */
    public static PersistentSubscription subscribe(
        final KvArchive archive,
        final long recordingId,
        final long fromPosition,
        final String liveChannel,
        final int liveStreamId,
        final PersistentSubscriptionListener listener)
    {
        final KvRecordingInfo info = archive.find(recordingId);
        if (PersistentSubscription.FROM_LIVE != fromPosition)
        {
            archive.frames().check(recordingId, PersistentSubscription.FROM_START == fromPosition ?
                info.startPosition() : fromPosition, info.position());
        }
        final KvArchive.Context ctx = archive.context();
        return PersistentSubscription.create(new PersistentSubscription.Context()
            .aeron(ctx.aeron())
            .ownsAeronClient(false)
            .aeronArchiveContext(ctx.archiveContext().clone())
            .recordingId(recordingId)
            .startPosition(fromPosition)
            .liveChannel(liveChannel)
            .liveStreamId(liveStreamId)
            .replayChannel(ctx.replayChannel())
            .replayStreamId(ctx.replayStreamId())
            .listener(listener));
    }

    /**
     * Was all that is recorded received, and does the live stream follow.
     *
     * @return false while history is replayed, also again after the live stream was lost.
     */
    public boolean isLive()
    {
        return feed.isLive;
    }

    /**
     * Can nothing come any more.
     *
     * @return true after an error that {@link #errorText()} tells, false after one that is tried again.
     */
    public boolean hasFailed()
    {
        return feed.hasFailed;
    }

    /**
     * The last error of the archive or the subscription.
     *
     * @return null when there was none.
     */
    public String errorText()
    {
        return feed.errorText;
    }

    /**
     * The receiver, for its counters.
     *
     * @return the receiver, closed with this.
     */
    public KvReceiver receiver()
    {
        return receiver.receiver();
    }

    /**
     * Close the receiver, then what it takes data from.
     */
    public void close()
    {
        CloseHelper.closeAll(receiver, subscription);
    }

    /**
     * Hands messages to the receiver as of one stream that has no image: a replay's image ends while its transfers go
     * on, and a replay has a session of its own.
     */
    private static final class Feed implements KvSource, ControlledFragmentHandler, PersistentSubscriptionListener
    {
        private final UnsafeBuffer frame = new UnsafeBuffer(new byte[DataHeaderFlyweight.HEADER_LENGTH]);
        private PersistentSubscription subscription;
        private ControlledFragmentHandler receiver;
        private Header header;
        private int sessionId;
        private volatile boolean isLive;
        private volatile boolean hasFailed;
        private volatile String errorText;

        public int controlledPoll(final ControlledFragmentHandler handler, final int fragmentLimit)
        {
            receiver = handler;
            return subscription.controlledPoll(this, fragmentLimit);
        }

        public Action onFragment(
            final DirectBuffer buffer, final int offset, final int length, final Header fragmentHeader)
        {
            if (null == header)
            {
                sessionId = fragmentHeader.sessionId();
                header = new Header(fragmentHeader.initialTermId(), fragmentHeader.positionBitsToShift());
                header.buffer(frame);
                header.offset(0);
            }
            frame.putBytes(0, fragmentHeader.buffer(), fragmentHeader.offset(), DataHeaderFlyweight.HEADER_LENGTH);
            FrameDescriptor.frameSessionId(frame, 0, sessionId);
            return receiver.onFragment(buffer, offset, length, header);
        }

        public void onLiveJoined()
        {
            isLive = true;
        }

        public void onLiveLeft()
        {
            isLive = false;
        }

        public void onError(final Exception ex)
        {
            errorText = ex.getMessage();
            hasFailed = subscription.hasFailed();
            LOGGER.warn("late join: {}", errorText);
        }
    }
}
