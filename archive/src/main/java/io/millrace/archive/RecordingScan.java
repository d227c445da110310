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

import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

import io.aeron.Image;
import io.aeron.Subscription;
import io.aeron.archive.client.ReplayParams;
import io.aeron.logbuffer.FragmentHandler;
import io.aeron.logbuffer.Header;
import org.agrona.DirectBuffer;
import org.agrona.SystemUtil;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.IdleStrategy;

/**
 * Reads a range of a recording through a bounded replay, on the caller's thread.
 */
final class RecordingScan
{
    private static final int FRAGMENT_LIMIT = 256;
    private static final long ERROR_GRACE_NS = TimeUnit.SECONDS.toNanos(1);
    private static final long PARK_MIN_NS = TimeUnit.MICROSECONDS.toNanos(1);
    private static final long PARK_MAX_NS = TimeUnit.MILLISECONDS.toNanos(1);

    private final KvArchive.Context ctx;
    private final BooleanSupplier isCanceled;
    private ArchiveSession session;

    RecordingScan(final KvArchive.Context ctx, final BooleanSupplier isCanceled)
    {
        this.ctx = ctx;
        this.isCanceled = isCanceled;
    }

    /**
     * How a scan ended.
     *
     * @param position that was reached.
     * @param error    NONE when the whole range was read.
     * @param text     of the error, or null.
     */
    record Result(long position, KvArchiveError error, String text)
    {
    }

    /**
     * Read a range.
     *
     * @param from    position of the start of a frame.
     * @param to      position of the end of one.
     * @param handler of fragments.
     * @param step    told the position now and then.
     * @return how it ended; what is wrong with the recording is no exception.
     * @throws KvArchiveException when the archive is gone or refuses, or nothing came within the replay timeout.
     */
    Result scan(
        final long recordingId, final long from, final long to, final FragmentHandler handler, final LongStep step)
    {
        if (null == session || !session.isConnected())
        {
            close();
            session = new ArchiveSession(ctx.aeron(), ctx.archiveContext());
        }

        final Subscription subscription;
        try
        {
            subscription = session.call("scan recording " + recordingId + " from " + from, client -> client.replay(
                recordingId, ctx.replayChannel(), ctx.replayStreamId(),
                new ReplayParams().position(from).length(to - from)));
        }
        catch (final KvArchiveException ex)
        {
            if (KvArchiveError.TRUNCATED == ex.error() || KvArchiveError.CHECKSUM_MISMATCH == ex.error())
            {
                return new Result(from, ex.error(), ex.getMessage());
            }
            throw ex;
        }
        try
        {
            return read(subscription, recordingId, from, to, handler, step);
        }
        finally
        {
            subscription.close();
        }
    }

    void close()
    {
        if (null != session)
        {
            session.close();
        }
    }

    private Result read(
        final Subscription subscription,
        final long recordingId,
        final long from,
        final long to,
        final FragmentHandler handler,
        final LongStep step)
    {
        final IdleStrategy idleStrategy = new BackoffIdleStrategy(10, 10, PARK_MIN_NS, PARK_MAX_NS);
        final String what = "scan of recording " + recordingId + " from " + from + " to " + to;
        final GuardedHandler guarded = new GuardedHandler(handler);
        Image image = null;
        String told = null;
        long position = from;
        long lastNs = System.nanoTime();
        while (position < to)
        {
            image = null == image && subscription.imageCount() > 0 ? subscription.imageAtIndex(0) : image;
            final int fragments = null == image ? 0 : image.poll(guarded, FRAGMENT_LIMIT);
            guarded.rethrow();
            position = null == image ? from : image.position();
            idleStrategy.idle(fragments);
            if (fragments > 0)
            {
                lastNs = System.nanoTime();
                step.onPosition(position);
                continue;
            }

            final String text = session.pollError();
            told = null == text ? told : text;
            final long silentNs = System.nanoTime() - lastNs;
            if (silentNs > ERROR_GRACE_NS && !session.isConnected())
            {
                throw ArchiveErrors.exception(KvArchiveError.ARCHIVE_GONE, what + " broke off", null);
            }
            // The error may overtake what was replayed before it.
            final boolean isOver = null == image ? silentNs > ERROR_GRACE_NS : image.isClosed();
            if (null != told && isOver)
            {
                checkArchiveLives(recordingId, what);
                return new Result(position, ArchiveErrors.ofText(told), told);
            }
            if (null != image && isOver && position < to && silentNs > ERROR_GRACE_NS)
            {
                checkArchiveLives(recordingId, what);
                return new Result(
                    position, KvArchiveError.REFUSED, what + " broke off, and the archive told no reason");
            }
            if (silentNs > ctx.replayTimeoutNs())
            {
                throw new KvArchiveException(KvArchiveError.DEADLINE, what + " stood still at " + position + " for " +
                    SystemUtil.formatDuration(ctx.replayTimeoutNs()) + " (" +
                    KvArchiveConfiguration.REPLAY_TIMEOUT_PROP_NAME + "): see whether the archive " +
                    "answers, or allow more time");
            }
            if (isCanceled.getAsBoolean())
            {
                return new Result(position, KvArchiveError.CANCELED, what + " was canceled");
            }
        }
        return new Result(position, KvArchiveError.NONE, null);
    }

    /**
     * What breaks off because the archive ended tells nothing of the recording.
     */
    private void checkArchiveLives(final long recordingId, final String what)
    {
        if (!session.isConnected())
        {
            throw ArchiveErrors.exception(KvArchiveError.ARCHIVE_GONE, what + " broke off", null);
        }
        session.call(what, client -> client.getStartPosition(recordingId));
    }

    /**
     * An image gives what its handler throws to the client's error handler, and goes on.
     */
    private static final class GuardedHandler implements FragmentHandler
    {
        private final FragmentHandler handler;
        private RuntimeException failure;

        GuardedHandler(final FragmentHandler handler)
        {
            this.handler = handler;
        }

        public void onFragment(final DirectBuffer buffer, final int offset, final int length, final Header header)
        {
            if (null == failure)
            {
                try
                {
                    handler.onFragment(buffer, offset, length, header);
                }
                catch (final RuntimeException ex)
                {
                    failure = ex;
                }
            }
        }

        void rethrow()
        {
            if (null != failure)
            {
                throw failure;
            }
        }
    }

    /**
     * Takes positions.
     */
    @FunctionalInterface
    interface LongStep
    {
        void onPosition(long position);
    }
}
