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

import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.ToLongFunction;

import io.aeron.Aeron;
import io.aeron.archive.client.AeronArchive;
import io.aeron.archive.client.ArchiveException;
import io.aeron.archive.codecs.RecordingSignal;
import io.aeron.archive.codecs.SourceLocation;
import io.aeron.exceptions.AeronException;
import io.aeron.exceptions.TimeoutException;
import org.agrona.CloseHelper;
import org.agrona.SystemUtil;
import org.agrona.collections.Long2ObjectHashMap;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.IdleStrategy;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A control session with the archive: requests with errors translated, signals handed to their recordings. May be used
 * by any thread.
 */
final class ArchiveSession implements AutoCloseable
{
    private static final Logger LOGGER = LoggerFactory.getLogger(ArchiveSession.class);
    private static final long PARK_MIN_NS = TimeUnit.MICROSECONDS.toNanos(1);
    private static final long PARK_MAX_NS = TimeUnit.MILLISECONDS.toNanos(1);

    private final ReentrantLock lock = new ReentrantLock();
    private final Long2ObjectHashMap<KvRecording> recordingByCorrelationId = new Long2ObjectHashMap<>();
    private final ArrayDeque<KvRecording> started = new ArrayDeque<>();
    private final long messageTimeoutNs;
    private final Aeron aeron;
    private final AeronArchive.Context ctx;
    private volatile AeronArchive archive;
    private volatile boolean isClosed;
    private AeronArchive.AsyncConnect connecting;
    private final UnclaimedErrors unclaimedErrors = new UnclaimedErrors();

    /**
     * Connect.
     *
     * @param aeron that stays the caller's.
     * @param ctx   to clone for this session.
     */
    ArchiveSession(final Aeron aeron, final AeronArchive.Context ctx)
    {
        this.aeron = aeron;
        this.ctx = ctx;
        messageTimeoutNs = ctx.messageTimeoutNs();
        try
        {
            archive = AeronArchive.connect(context());
        }
        catch (final TimeoutException ex)
        {
            throw new KvArchiveException(KvArchiveError.ARCHIVE_GONE, "no archive answered on control channel " +
                ctx.controlRequestChannel() + " stream " + ctx.controlRequestStreamId() + " within " +
                SystemUtil.formatDuration(messageTimeoutNs) +
                ": start one there, or name the channel of one that runs", ex);
        }
        catch (final ArchiveException ex)
        {
            throw ArchiveErrors.of("connect to the archive", ex);
        }
    }

    long messageTimeoutNs()
    {
        return messageTimeoutNs;
    }

    long archiveId()
    {
        return archive.archiveId();
    }

    /** The client in use, another one once the session was made again. */
    AeronArchive client()
    {
        return archive;
    }

    boolean isConnected()
    {
        return AeronArchive.State.CONNECTED == archive.state() &&
            archive.controlResponsePoller().subscription().isConnected();
    }

    /**
     * Make a request.
     *
     * @param what    it is, for errors.
     * @param request to the archive.
     * @return its answer.
     */
    <T> T call(final String what, final Function<AeronArchive, T> request)
    {
        lock.lock();
        try
        {
            reconnectIfGone(what);
            final T answer = request.apply(archive);
            identifyStarted();
            return answer;
        }
        catch (final AeronException ex)
        {
            if (!isConnected())
            {
                throw gone(what, ex);
            }
            if (ex instanceof ArchiveException)
            {
                throw ArchiveErrors.of(what, (ArchiveException)ex);
            }
            throw new KvArchiveException(ex instanceof TimeoutException ? KvArchiveError.DEADLINE :
                KvArchiveError.REFUSED, what + ": " + ex.getMessage() + " (within " +
                SystemUtil.formatDuration(messageTimeoutNs) + ")", ex);
        }
        finally
        {
            lock.unlock();
        }
    }

    KvRecording startRecording(final String channel, final int streamId, final SourceLocation sourceLocation)
    {
        // The archive ends its subscription with the stream: one handle is one recording.
        return record("record", channel, streamId,
            client -> client.startRecording(channel, streamId, sourceLocation, true));
    }

    KvRecording extendRecording(
        final long recordingId, final String channel, final int streamId, final SourceLocation sourceLocation)
    {
        return record("extend recording " + recordingId + " with", channel, streamId,
            client -> client.extendRecording(recordingId, channel, streamId, sourceLocation, true));
    }

    private KvRecording record(
        final String what, final String channel, final int streamId, final ToLongFunction<AeronArchive> request)
    {
        return call(what + " " + channel + " stream " + streamId, client ->
        {
            final long subscriptionId = request.applyAsLong(client);
            final KvRecording recording =
                new KvRecording(this, channel, streamId, subscriptionId, client.lastCorrelationId());
            recordingByCorrelationId.put(recording.correlationId(), recording);
            return recording;
        });
    }

    /**
     * Expect no more signals of a recording.
     */
    void forget(final KvRecording recording)
    {
        lock.lock();
        try
        {
            recordingByCorrelationId.remove(recording.correlationId());
        }
        finally
        {
            lock.unlock();
        }
    }

    /**
     * Wait with signals of recordings being handled. An archive that is gone has the time for an answer to be back.
     *
     * @param what      is waited for, for errors.
     * @param timeoutNs nanoseconds to wait at most.
     * @param condition to hold.
     */
    void await(final String what, final long timeoutNs, final BooleanSupplier condition)
    {
        final long startNs = System.nanoTime();
        final IdleStrategy idleStrategy = new BackoffIdleStrategy(10, 10, PARK_MIN_NS, PARK_MAX_NS);
        long answeredNs = startNs;
        while (true)
        {
            try
            {
                poll(what);
                if (condition.getAsBoolean())
                {
                    return;
                }
                answeredNs = System.nanoTime();
            }
            catch (final KvArchiveException ex)
            {
                final long nowNs = System.nanoTime();
                if (KvArchiveError.ARCHIVE_GONE != ex.error() || isConnected() || isClosed ||
                    nowNs - answeredNs >= messageTimeoutNs || nowNs - startNs >= timeoutNs)
                {
                    throw ex;
                }
            }
            if (System.nanoTime() - startNs >= timeoutNs)
            {
                throw new KvArchiveException(KvArchiveError.DEADLINE,
                    what + " was not reached within " + SystemUtil.formatDuration(timeoutNs) + ": allow more time");
            }
            if (Thread.currentThread().isInterrupted())
            {
                throw new KvArchiveException(KvArchiveError.CANCELED, "interrupted while waiting: " + what);
            }
            idleStrategy.idle();
        }
    }

    /**
     * An error that the archive sent of its own accord.
     *
     * @return its text, or null.
     */
    String pollError()
    {
        final String text = unclaimedErrors.poll();
        if (null != text)
        {
            return text;
        }
        try
        {
            return archive.pollForErrorResponse();
        }
        catch (final AeronException ex)
        {
            return AeronArchive.NOT_CONNECTED_MSG + ": " + ex.getMessage();
        }
    }

    private void poll(final String what)
    {
        call(what, client ->
        {
            int signals;
            do
            {
                signals = client.pollForRecordingSignals();
            }
            while (signals > 0);
            return null;
        });
    }

    /**
     * Learn what tells recordings that started from others of their ids.
     */
    private void identifyStarted()
    {
        try
        {
            for (KvRecording recording = started.peek(); null != recording; recording = started.peek())
            {
                recording.identify(archive);
                started.remove();
            }
        }
        catch (final AeronException ex)
        {
            // The request was answered: the next one asks again.
            LOGGER.debug("started recording", ex);
        }
    }

    private AeronArchive.Context context()
    {
        return ctx.clone()
            .aeron(aeron)
            .ownsAeronClient(false)
            .lock(lock)
            .errorHandler(this::onError)
            .recordingSignalConsumer(this::onSignal);
    }

    /**
     * Go a step towards an archive that is back, with each request that is made: none waits for one that is not.
     */
    private void reconnectIfGone(final String what)
    {
        if (isConnected() || isClosed)
        {
            return;
        }
        try
        {
            if (null == connecting)
            {
                connecting = AeronArchive.asyncConnect(context());
            }
            final AeronArchive connected = connecting.poll();
            if (null != connected)
            {
                CloseHelper.quietClose(archive);
                archive = connected;
                connecting = null;
                LOGGER.info("archive {} answers again", connected.archiveId());
                final List<KvRecording> recordings = List.copyOf(recordingByCorrelationId.values());
                recordingByCorrelationId.clear();
                started.clear();
                recordings.forEach(recording -> recording.onReconnected(connected));
                return;
            }
        }
        catch (final AeronException | IllegalStateException ex)
        {
            CloseHelper.quietClose(connecting);
            connecting = null;
            LOGGER.debug("no archive answers yet", ex);
        }
        throw gone(what, null);
    }

    private KvArchiveException gone(final String what, final AeronException cause)
    {
        return ArchiveErrors.exception(
            KvArchiveError.ARCHIVE_GONE, what + ": " + AeronArchive.NOT_CONNECTED_MSG, cause);
    }

    private void onSignal(
        final long controlSessionId,
        final long correlationId,
        final long recordingId,
        final long subscriptionId,
        final long position,
        final RecordingSignal signal)
    {
        final KvRecording recording = recordingByCorrelationId.get(correlationId);
        if (null != recording)
        {
            final boolean isNew = Aeron.NULL_VALUE == recording.recordingId();
            if (recording.onSignal(recordingId, position, signal))
            {
                recordingByCorrelationId.remove(correlationId);
            }
            if (isNew && Aeron.NULL_VALUE != recording.recordingId())
            {
                started.add(recording);
            }
        }
    }

    private void onError(final Throwable error)
    {
        final KvRecording recording = error instanceof ArchiveException ?
            recordingByCorrelationId.get(((ArchiveException)error).correlationId()) : null;
        if (null != recording)
        {
            recording.onFailed(ArchiveErrors.of("record", (ArchiveException)error));
        }
        else
        {
            unclaimedErrors.add(error);
        }
    }

    public void close()
    {
        lock.lock();
        try
        {
            isClosed = true;
            CloseHelper.closeAll(connecting, archive);
            connecting = null;
        }
        finally
        {
            lock.unlock();
        }
    }
}
