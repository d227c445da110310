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

import io.aeron.archive.client.AeronArchive;
import io.aeron.archive.codecs.SourceLocation;
import io.aeron.exceptions.ConfigurationException;
import io.millrace.bridge.KvCounters;
import io.millrace.bridge.KvReceiver;
import org.agrona.CloseHelper;

/**
 * Client of an archive for KV streams: records them, lists recordings, replays them into receivers. May be used by any
 * thread. Requests throw {@link KvArchiveException}.
 */
public final class KvArchive implements AutoCloseable
{
    private final Context ctx;
    private final ArchiveSession session;
    private final Resumption resumption;
    private final SessionPool sessions;
    private final ReadAhead readAhead;
    private final FrameGuard frames;
    private KvCounters fetchCounters;

    private KvArchive(final Context ctx)
    {
        this.ctx = ctx;
        ctx.conclude();
        ArchiveSession newSession = null;
        Resumption newResumption = null;
        try
        {
            newSession = new ArchiveSession(ctx.aeron(), ctx.archiveContext());
            newResumption = new Resumption(newSession, ctx.aeron());
            readAhead = new ReadAhead(ctx.aeron(), ctx.readAheadLength());
        }
        catch (final RuntimeException ex)
        {
            CloseHelper.quietCloseAll(newSession, newResumption);
            ctx.closeOwned();
            throw ex;
        }
        session = newSession;
        resumption = newResumption;
        sessions = new SessionPool(ctx);
        frames = new FrameGuard(session, ctx, readAhead);
    }

    /**
     * Connect to an archive.
     *
     * @param ctx to conclude and use.
     * @return the connected client.
     * @throws KvArchiveException with {@link KvArchiveError#ARCHIVE_GONE} when none answers in time.
     */
    public static KvArchive connect(final Context ctx)
    {
        return new KvArchive(ctx);
    }

    /**
     * Record the next publication on a channel and stream, from its beginning when this returns before it is added.
     *
     * @param channel        of the KV stream.
     * @param streamId       of the KV stream.
     * @param sourceLocation LOCAL for a publication on the archive's own driver, which is spied upon: with no other
     *                       subscriber, UDP channels need {@code ssc=true}. REMOTE to subscribe like any receiver.
     * @return the recording, that starts when the publication is seen.
     */
    public KvRecording record(final String channel, final int streamId, final SourceLocation sourceLocation)
    {
        return session.startRecording(channel, streamId, sourceLocation);
    }

    /**
     * Record a stream on in its newest recording, when it goes on where that one stopped: the publication was not
     * closed, or is {@link KvRecordingInfo#continuation()}. Else the stream goes to a new recording, as when there is
     * none; that is counted, and its reason logged.
     *
     * @param channel        as given to {@link #record}.
     * @param streamId       of the stream.
     * @param sourceLocation as for {@link #record}.
     * @param timeoutNs      nanoseconds for the stream to be seen.
     * @return the recording.
     */
    public KvRecording resume(
        final String channel, final int streamId, final SourceLocation sourceLocation, final long timeoutNs)
    {
        return resumption.resume(channel, streamId, sourceLocation, timeoutNs);
    }

    /**
     * List recordings by rising id.
     *
     * @param fromRecordingId the least id to list, 0 for all.
     * @param limit           recordings to list at most.
     * @return snapshots, of active recordings too.
     */
    public List<KvRecordingInfo> list(final long fromRecordingId, final int limit)
    {
        return Recordings.list(session, fromRecordingId, limit, null, 0);
    }

    /**
     * List recordings of a stream by rising id.
     *
     * @param fromRecordingId the least id to list, 0 for all.
     * @param limit           recordings to list at most.
     * @param channelFragment that the channel contains.
     * @param streamId        of the stream.
     * @return snapshots, of active recordings too.
     */
    public List<KvRecordingInfo> list(
        final long fromRecordingId, final int limit, final String channelFragment, final int streamId)
    {
        return Recordings.list(session, fromRecordingId, limit, channelFragment, streamId);
    }

    /**
     * Look a recording up.
     *
     * @param recordingId to find.
     * @return a snapshot.
     * @throws KvArchiveException with {@link KvArchiveError#UNKNOWN_RECORDING} when there is none.
     */
    public KvRecordingInfo find(final long recordingId)
    {
        return Recordings.find(session, recordingId);
    }

    /**
     * Replay what is recorded up to now, within {@link Context#replayTimeoutNs()}.
     *
     * @param recordingId of the recording.
     * @param receiverCtx as for {@link #replay(long, long, long, long, KvReceiver.Context)}.
     * @return the running replay.
     */
    public KvReplay replay(final long recordingId, final KvReceiver.Context receiverCtx)
    {
        return replay(
            recordingId, AeronArchive.NULL_POSITION, AeronArchive.NULL_LENGTH, ctx.replayTimeoutNs(), receiverCtx);
    }

    /**
     * Replay a range of a recording into a receiver of its own.
     *
     * @param recordingId  of the recording.
     * @param fromPosition where to start: the start of a frame, or {@link AeronArchive#NULL_POSITION} for the start of
     *                     the recording.
     * @param lengthBytes  to replay, or {@link AeronArchive#NULL_LENGTH} for all up to what is recorded now.
     * @param timeoutNs    nanoseconds that the replay may take.
     * @param receiverCtx  with device and allocator, listener and staging as wished. Where the receiver takes data from
     *                     is set here, and the Aeron client when there is none.
     * @return the running replay, to be closed.
     */
    public KvReplay replay(
        final long recordingId,
        final long fromPosition,
        final long lengthBytes,
        final long timeoutNs,
        final KvReceiver.Context receiverCtx)
    {
        return Replays.start(session, frames, ctx, recordingId, fromPosition, lengthBytes, timeoutNs, receiverCtx);
    }

    /**
     * Settings.
     *
     * @return the concluded context.
     */
    public Context context()
    {
        return ctx;
    }

    ArchiveSession session()
    {
        return session;
    }

    SessionPool sessions()
    {
        return sessions;
    }

    FrameGuard frames()
    {
        return frames;
    }

    /**
     * Counters that all fetches of this client share: to allocate some takes longer than to read some blocks.
     */
    synchronized KvCounters fetchCounters()
    {
        if (null == fetchCounters)
        {
            fetchCounters = KvCounters.allocate(ctx.aeron(), "fetches from archive stream=" + ctx.replayStreamId() +
                " " + ctx.replayChannel());
        }
        return fetchCounters;
    }

    /**
     * End the session. Recordings go on; replays that were not closed end when their Aeron client does.
     */
    public void close()
    {
        CloseHelper.closeAll(sessions, fetchCounters, session, resumption, readAhead);
        ctx.closeOwned();
    }

    /**
     * Settings of a {@link KvArchive}.
     */
    public static final class Context extends ArchiveClientContext<Context>
    {
        private String replayChannel = KvArchiveConfiguration.replayChannel();
        private int replayStreamId = KvArchiveConfiguration.replayStreamId();
        private long replayTimeoutNs = KvArchiveConfiguration.replayTimeoutNs();
        private long readAheadLength = KvArchiveConfiguration.readAheadLength();

        /**
         * With the settings of {@link KvArchiveConfiguration}.
         */
        public Context()
        {
        }

        void conclude()
        {
            if (replayTimeoutNs <= 0)
            {
                throw new ConfigurationException("replayTimeoutNs=" + replayTimeoutNs + " must be over 0");
            }
            if (readAheadLength < 0)
            {
                throw new ConfigurationException("readAheadLength=" + readAheadLength + " must be 0 or more");
            }
            connect();
        }

        @Override
        protected Context self()
        {
            return this;
        }

        /**
         * Set the channel of replays.
         *
         * @param channel to which the archive publishes and that this client's driver can subscribe to.
         * @return this for a fluent API.
         */
        public Context replayChannel(final String channel)
        {
            replayChannel = channel;
            return this;
        }

        /**
         * Get the channel of replays.
         *
         * @return the channel.
         */
        public String replayChannel()
        {
            return replayChannel;
        }

        /**
         * Set the stream id of replays.
         *
         * @param streamId that the replays share; session ids tell them apart.
         * @return this for a fluent API.
         */
        public Context replayStreamId(final int streamId)
        {
            replayStreamId = streamId;
            return this;
        }

        /**
         * Get the stream id of replays.
         *
         * @return the stream id.
         */
        public int replayStreamId()
        {
            return replayStreamId;
        }

        /**
         * Set the time that a replay may take.
         *
         * @param timeoutNs nanoseconds, over 0.
         * @return this for a fluent API.
         */
        public Context replayTimeoutNs(final long timeoutNs)
        {
            replayTimeoutNs = timeoutNs;
            return this;
        }

        /**
         * Get the time that a replay may take.
         *
         * @return nanoseconds.
         */
        public long replayTimeoutNs()
        {
            return replayTimeoutNs;
        }

        /**
         * Set how far ahead of a replay its segment files are read, on the machine of the archive.
         *
         * @param lengthBytes bytes; 0 for no read-ahead.
         * @return this for a fluent API.
         */
        public Context readAheadLength(final long lengthBytes)
        {
            readAheadLength = lengthBytes;
            return this;
        }

        /**
         * Get how far ahead of a replay its segment files are read.
         *
         * @return bytes; 0 for no read-ahead.
         */
        public long readAheadLength()
        {
            return readAheadLength;
        }
    }
}
