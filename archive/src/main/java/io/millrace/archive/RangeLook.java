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

import java.nio.file.Path;
import java.util.function.BooleanSupplier;

import io.aeron.Counter;
import io.aeron.archive.client.AeronArchive;
import io.aeron.archive.client.ReplayParams;
import org.agrona.CloseHelper;

/**
 * Look at the frames of a range before they are replayed, some way ahead of who consumes the replay: a counter keeps
 * the replay behind what was looked at. What is looked at is read from the disk some way ahead of that.
 */
final class RangeLook implements AutoCloseable
{
    /**
     * Bytes between two moves of the limit.
     */
    private static final int STEP = 1 << 20;

    private final ReadAhead readAhead;
    private final KvRecordingInfo info;
    private final long from;
    private final long to;
    private final SegmentPrefetch prefetch;
    private FrameWalk walk;
    private long looked;
    private boolean isDone;
    private volatile boolean isStarted;
    private Counter limit;
    private volatile long consumed;
    private volatile long end;
    private volatile KvArchiveException error;
    private volatile boolean isClosed;

    /**
     * A range that was looked at.
     *
     * @param end of what may be replayed.
     */
    RangeLook(final long from, final long end)
    {
        this.from = from;
        this.to = end;
        this.end = end;
        looked = end;
        isDone = true;
        readAhead = null;
        info = null;
        prefetch = null;
    }

    private RangeLook(
        final ReadAhead readAhead, final Path directory, final KvRecordingInfo info, final long from, final long to)
    {
        this.readAhead = readAhead;
        this.info = info;
        this.from = from;
        this.to = to;
        prefetch = new SegmentPrefetch(readAhead, directory, info, from, to);
        end = to;
        looked = from;
        consumed = from;
    }

    /**
     * Look at a range that is no longer than what is read ahead, or at the first of a longer one, the rest of which is
     * looked at while it is replayed.
     *
     * @throws KvArchiveException as {@link FrameGuard#firstBad}.
     */
    static RangeLook start(
        final ReadAhead readAhead,
        final Path directory,
        final KvRecordingInfo info,
        final long from,
        final long to,
        final BooleanSupplier isCanceled,
        final long timeoutNs)
    {
        final RangeLook look = new RangeLook(readAhead, directory, info, from, to);
        look.walk = new FrameWalk(directory, isCanceled, timeoutNs);
        final boolean isShort = to - from <= readAhead.length();
        boolean hasMore = look.prefetch.advance(from);
        while (hasMore && isShort && !isCanceled.getAsBoolean())
        {
            hasMore = look.prefetch.advance(from);
        }
        look.walkTo(isShort ? to : Math.min(look.prefetch.position(), from + STEP));
        if (!look.isDone && readAhead.add(look))
        {
            try
            {
                look.limit = readAhead.newLimit(info.recordingId(), look.looked);
            }
            catch (final RuntimeException ex)
            {
                look.close();
                throw new KvArchiveException(KvArchiveError.REFUSED,
                    "no counter for the limit of a replay of recording " + info.recordingId() + ": " + ex, ex);
            }
            // Who consumes the replay has a deadline of its own from here on.
            look.walk = new FrameWalk(directory, () -> look.isClosed || isCanceled.getAsBoolean(), Long.MAX_VALUE);
            look.isStarted = true;
            readAhead.wake();
        }
        else if (!look.isDone)
        {
            look.walkTo(to);
        }
        return look;
    }

    /**
     * Position up to which may be replayed: that of the first bad frame, once it is known, or where the range ends.
     */
    long end()
    {
        return end;
    }

    /**
     * Why the rest cannot be looked at, so that the replay stands still.
     *
     * @return the reason, or null.
     */
    KvArchiveException error()
    {
        return error;
    }

    ReplayParams replayParams()
    {
        final ReplayParams params = new ReplayParams().position(from).length(end - from);
        return null == limit ? params : params.boundingLimitCounterId(limit.id());
    }

    /**
     * Tell how far who consumes the replay is.
     */
    void onConsumed(final long position)
    {
        consumed = position;
    }

    /**
     * Go on, on the thread of the {@link ReadAhead}.
     *
     * @return whether there was something to do.
     */
    boolean step()
    {
        if (!isWaiting())
        {
            return false;
        }
        try
        {
            final long position = consumed;
            final boolean hasRead = prefetch.advance(position);
            final long target = Math.min(prefetch.position(), Math.min(position + readAhead.length(), looked + STEP));
            if (looked < target)
            {
                walkTo(target);
                return true;
            }
            return hasRead;
        }
        catch (final KvArchiveException ex)
        {
            error = ex;
        }
        catch (final Throwable ex)
        {
            // The thread is that of other replays, too.
            error = new KvArchiveException(KvArchiveError.REFUSED, "frames on disk cannot be looked at: " + ex, ex);
        }
        isDone = true;
        return true;
    }

    boolean isWaiting()
    {
        return isStarted && !isDone && !isClosed;
    }

    boolean isClosed()
    {
        return isClosed;
    }

    private void walkTo(final long target)
    {
        final long bad = walk.firstBad(info, from, looked, target);
        if (bad < target)
        {
            end = bad;
            looked = bad;
        }
        else
        {
            // Of what is damaged or missing, the archive tells by itself. A frame may reach over the range's end.
            looked = AeronArchive.NULL_POSITION == walk.position() ? to + info.mtuLength() : walk.position();
        }
        isDone = looked >= end;
        if (null != limit)
        {
            readAhead.onLooked(limit, looked);
        }
    }

    /**
     * To be called when the replay ended. May be called by any thread.
     */
    public void close()
    {
        isClosed = true;
        if (null != readAhead)
        {
            readAhead.wake();
        }
    }

    void release()
    {
        CloseHelper.quietClose(limit);
    }
}
