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
import java.util.Objects;

import io.aeron.Aeron;
import io.aeron.ChannelUri;
import io.aeron.CommonContext;
import io.aeron.archive.client.AeronArchive;
import io.aeron.archive.client.ArchiveException;
import io.aeron.archive.codecs.RecordingSignal;
import io.aeron.exceptions.AeronException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A recording that this client asked for. It starts with the first publication that is seen on its channel and stream,
 * and stops when that publication is closed and all of it was written, or earlier by {@link #stop()}. May be used by
 * any thread. Waits throw {@link KvArchiveException}: {@link KvArchiveError#DEADLINE} when the time is over,
 * {@link KvArchiveError#STOPPED} when what is waited for cannot come any more, {@link KvArchiveError#ARCHIVE_GONE}.
 * When the session with the archive is lost and made again, a recording that had started goes on being known by its id.
 */
public final class KvRecording implements AutoCloseable
{
    private static final Logger LOGGER = LoggerFactory.getLogger(KvRecording.class);

    private static final List<String> IDENTITY = List.of(CommonContext.ENDPOINT_PARAM_NAME,
        CommonContext.INTERFACE_PARAM_NAME, CommonContext.MDC_CONTROL_PARAM_NAME,
        CommonContext.MDC_CONTROL_MODE_PARAM_NAME, CommonContext.SESSION_ID_PARAM_NAME, CommonContext.TAGS_PARAM_NAME);

    private final ArchiveSession session;
    private final String channel;
    private final int streamId;
    private final long subscriptionId;
    private final long correlationId;
    private volatile long recordingId = Aeron.NULL_VALUE;
    private volatile long stopPosition = AeronArchive.NULL_POSITION;
    private volatile boolean isStopped;
    private volatile boolean isUntold;
    private volatile KvRecordingInfo origin;
    private volatile KvArchiveException failure;

    KvRecording(
        final ArchiveSession session,
        final String channel,
        final int streamId,
        final long subscriptionId,
        final long correlationId)
    {
        this.session = session;
        this.channel = channel;
        this.streamId = streamId;
        this.subscriptionId = subscriptionId;
        this.correlationId = correlationId;
    }

    /**
     * Id of the recording.
     *
     * @return the id, or {@link Aeron#NULL_VALUE} when a wait has not seen its start yet.
     */
    public long recordingId()
    {
        return recordingId;
    }

    /**
     * Wait for the stream to be seen.
     *
     * @param timeoutNs nanoseconds to wait at most.
     * @return id of the recording.
     */
    public long awaitStart(final long timeoutNs)
    {
        session.await("start of " + this, timeoutNs, () ->
        {
            if (Aeron.NULL_VALUE == recordingId)
            {
                checkNotStopped("its stream was seen");
            }
            return Aeron.NULL_VALUE != recordingId;
        });
        return recordingId;
    }

    /**
     * What is recorded up to now.
     *
     * @return position in bytes after the last recorded byte, or {@link AeronArchive#NULL_POSITION} before the start.
     */
    public long position()
    {
        final long id = recordingId;
        if (Aeron.NULL_VALUE == id || AeronArchive.NULL_POSITION != stopPosition)
        {
            return stopPosition;
        }
        return session.call("position of " + this, client -> client.getMaxRecordedPosition(id));
    }

    /**
     * Wait until a position is recorded.
     *
     * @param position  in bytes, such as that of a publication.
     * @param timeoutNs nanoseconds to wait at most.
     * @return recorded position, at least the one asked for.
     */
    public long await(final long position, final long timeoutNs)
    {
        final long[] reached = new long[1];
        session.await("position " + position + " of " + this, timeoutNs, () ->
        {
            reached[0] = position();
            if (reached[0] < position)
            {
                checkNotStopped("position " + position);
            }
            return reached[0] >= position;
        });
        return reached[0];
    }

    /**
     * Wait until the recording stopped, which it does of itself when its publication is closed.
     *
     * @param timeoutNs nanoseconds to wait at most.
     * @return the recording with its stop position.
     */
    public KvRecordingInfo awaitStop(final long timeoutNs)
    {
        session.await("stop of " + this, timeoutNs, this::isEnded);
        return info();
    }

    /**
     * Stop now: what the publication sent and the archive did not write yet is not recorded. Returns when the archive
     * has stopped.
     */
    public void stop()
    {
        if (isStopped || null != failure)
        {
            return;
        }

        // The start is told before the answer, so that it is known now whether a stop will be told.
        final boolean isOwn = session.call("stop " + this, this::stopSubscription);
        if (Aeron.NULL_VALUE == recordingId || !isOwn && isUntold)
        {
            isStopped = true;
            session.forget(this);
        }
        session.await("stop of " + this, session.messageTimeoutNs(), this::isEnded);
    }

    /**
     * Did it stop.
     *
     * @return true once a wait, or {@link #stop()}, has seen the stop.
     */
    public boolean isStopped()
    {
        return isStopped;
    }

    /**
     * What the archive knows of it.
     *
     * @return a snapshot.
     * @throws KvArchiveException when it has not started, or failed.
     */
    public KvRecordingInfo info()
    {
        if (null != failure)
        {
            throw new KvArchiveException(failure.error(), this + " failed: " + failure.getMessage(), failure);
        }
        if (Aeron.NULL_VALUE == recordingId)
        {
            throw new KvArchiveException(KvArchiveError.UNKNOWN_RECORDING, this +
                " has not started: publish on its channel and stream, and wait with awaitStart");
        }
        return Recordings.find(session, recordingId);
    }

    /**
     * {@link #stop()} if it still records and the archive is there.
     */
    public void close()
    {
        if (session.isConnected())
        {
            stop();
        }
    }

    public String toString()
    {
        return "recording " + (Aeron.NULL_VALUE == recordingId ? "" : recordingId + " ") + "of " + channel +
            " stream " + streamId;
    }

    long correlationId()
    {
        return correlationId;
    }

    /**
     * Take a signal of the archive's. Publications after the first one are recordings of their own.
     *
     * @return true when this was the last one of this recording.
     */
    boolean onSignal(final long signalRecordingId, final long position, final RecordingSignal signal)
    {
        if ((RecordingSignal.START == signal || RecordingSignal.EXTEND == signal) && Aeron.NULL_VALUE == recordingId)
        {
            recordingId = signalRecordingId;
            LOGGER.info("{} {} at position {}",
                this, RecordingSignal.START == signal ? "started" : "goes on", position);
        }
        else if (RecordingSignal.STOP == signal && signalRecordingId == recordingId)
        {
            onStopped(position);
        }
        return isStopped;
    }

    /**
     * The archive tells what becomes of a recording to the session that began it only: now it has to be asked.
     */
    void onReconnected(final AeronArchive client)
    {
        try
        {
            isUntold = true;
            if (null == origin)
            {
                // It may have started unseen; what nobody knows of must not keep the stream from being recorded.
                stopSubscription(client);
                onFailed(new KvArchiveException(KvArchiveError.ARCHIVE_GONE, "the session with the archive was lost " +
                    "before its stream was seen, and it was ended: record again"));
            }
            else if (isSame(Recordings.describe(client, recordingId)))
            {
                askForStop(client);
            }
            else
            {
                onFailed(new KvArchiveException(KvArchiveError.UNKNOWN_RECORDING, "the archive that answers now has " +
                    "not this recording " + recordingId + ": record again"));
            }
        }
        catch (final AeronException ex)
        {
            onFailed(ex instanceof ArchiveException ? ArchiveErrors.of(toString(), (ArchiveException)ex) :
                ArchiveErrors.exception(KvArchiveError.ARCHIVE_GONE, ex.getMessage(), ex));
        }
    }

    /**
     * Learn what tells it from a recording of the same id in another archive.
     */
    void identify(final AeronArchive client)
    {
        origin = Recordings.describe(client, recordingId);
    }

    private boolean isSame(final KvRecordingInfo info)
    {
        return null != info && info.startTimestampMs() == origin.startTimestampMs() &&
            info.initialTermId() == origin.initialTermId();
    }

    /**
     * Subscription ids are unique on a driver only: the archive that answers after the session was lost may have given
     * this one to another client.
     *
     * @return true when it was there.
     */
    private boolean stopSubscription(final AeronArchive client)
    {
        final boolean[] isOwn = {!isUntold};
        if (isUntold)
        {
            final ChannelUri uri = ChannelUri.parse(channel);
            client.listRecordingSubscriptions(0, Integer.MAX_VALUE, "", streamId, true,
                (controlSessionId, requestId, id, stream, stripped) -> isOwn[0] |=
                id == subscriptionId && stream == streamId && isSame(uri, ChannelUri.parse(stripped)));
        }
        return isOwn[0] && client.tryStopRecording(subscriptionId);
    }

    /**
     * The archive subscribes to what is left of a channel when all that is only for publications is gone.
     */
    private static boolean isSame(final ChannelUri uri, final ChannelUri stripped)
    {
        return uri.media().equals(stripped.media()) &&
            IDENTITY.stream().allMatch(name -> Objects.equals(uri.get(name), stripped.get(name)));
    }

    private boolean isEnded()
    {
        if (isUntold && !isStopped && null == failure)
        {
            session.call("stop of " + this, this::askForStop);
        }
        return isStopped || null != failure;
    }

    private Void askForStop(final AeronArchive client)
    {
        final long position = client.getStopPosition(recordingId);
        if (AeronArchive.NULL_POSITION != position && !isStopped)
        {
            onStopped(position);
        }
        return null;
    }

    private void onStopped(final long position)
    {
        stopPosition = position;
        isStopped = true;
        LOGGER.info("{} stopped at position {}", this, position);
    }

    void onFailed(final KvArchiveException ex)
    {
        failure = ex;
        LOGGER.warn("{} failed: {}", this, ex.getMessage());
    }

    private void checkNotStopped(final String what)
    {
        if (isEnded())
        {
            throw new KvArchiveException(null == failure ? KvArchiveError.STOPPED : failure.error(),
                this + " stopped " +
                (AeronArchive.NULL_POSITION == stopPosition ? "" : "at position " + stopPosition + " ") + "before " +
                what + ": " + (null == failure ? "record again before the stream starts" : failure.getMessage()),
                failure);
        }
    }
}
