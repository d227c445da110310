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
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import io.aeron.Aeron;
import io.aeron.Counter;
import org.agrona.CloseHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks at frames and has segment files read ahead of replays, on a thread of its own that starts with the first range
 * that is longer than what is read ahead. Replays may outlive the client that started them, up to the end of its Aeron
 * client.
 */
final class ReadAhead implements AutoCloseable
{
    private static final Logger LOGGER = LoggerFactory.getLogger(ReadAhead.class);
    private static final long MIN_IDLE_NS = TimeUnit.MICROSECONDS.toNanos(200);
    private static final long MAX_IDLE_NS = TimeUnit.MILLISECONDS.toNanos(4);

    private final Aeron aeron;
    private final long length;
    private final Counter bytes;
    private final Counter errors;
    private final long closeHandlerId;
    private final List<RangeLook> looks = new CopyOnWriteArrayList<>();
    private final Map<Long, String> toldByRecordingId = new ConcurrentHashMap<>();
    private Thread thread;
    private boolean isClosed;
    // Counters must not be written once they are given back, or unmapped with the Aeron client.
    private boolean isGone;

    /**
     * @param length bytes ahead of a replay, 0 for none.
     */
    ReadAhead(final Aeron aeron, final long length)
    {
        this.aeron = aeron;
        this.length = length;
        if (0 == length)
        {
            bytes = null;
            errors = null;
            closeHandlerId = Aeron.NULL_VALUE;
        }
        else
        {
            bytes = aeron.addCounter(ArchiveCounters.READ_AHEAD_BYTES_TYPE_ID, "archive: bytes read ahead of replays");
            errors = aeron.addCounter(
                ArchiveCounters.READ_AHEAD_ERRORS_TYPE_ID, "archive: ranges whose read-ahead failed");
            closeHandlerId = aeron.addCloseHandler(this::onAeronClosed);
        }
    }

    long length()
    {
        return length;
    }

    Counter newLimit(final long recordingId, final long position)
    {
        final Counter limit = aeron.addCounter(
            ArchiveCounters.REPLAY_LIMIT_TYPE_ID, "archive: limit of a replay of recording " + recordingId);
        onLooked(limit, position);
        return limit;
    }

    /**
     * Have a range looked at as soon as it is started.
     *
     * @return false when this is closed: then nobody looks at it.
     */
    synchronized boolean add(final RangeLook look)
    {
        if (isGone || isClosed && null == thread)
        {
            return false;
        }
        looks.add(look);
        if (null == thread)
        {
            thread = new Thread(this::run, "archive-read-ahead");
            thread.setDaemon(true);
            thread.start();
        }
        return true;
    }

    synchronized void wake()
    {
        LockSupport.unpark(thread);
    }

    synchronized void onLooked(final Counter limit, final long position)
    {
        if (!isGone)
        {
            limit.setRelease(position);
        }
    }

    synchronized void onRead(final long lengthBytes)
    {
        if (!isGone && !isClosed)
        {
            bytes.getAndAdd(lengthBytes);
        }
    }

    void onFailed(final long recordingId, final long position, final Exception ex)
    {
        synchronized (this)
        {
            if (!isGone && !isClosed)
            {
                errors.getAndAdd(1);
            }
        }
        // Each range of a file that is gone fails so, and each time that it is read.
        if (!String.valueOf(ex.getMessage()).equals(
            toldByRecordingId.put(recordingId, String.valueOf(ex.getMessage()))))
        {
            LOGGER.warn("recording {} from position {} is not read ahead, said once and counted (type id {}): {}",
                recordingId, position, ArchiveCounters.READ_AHEAD_ERRORS_TYPE_ID, ex.getMessage());
        }
    }

    private synchronized void onAeronClosed()
    {
        isGone = true;
        LockSupport.unpark(thread);
    }

    // No range comes to a thread that has seen true here.
    private synchronized boolean isEnded()
    {
        final boolean isEnded = isGone || isClosed && looks.isEmpty();
        thread = isEnded ? null : thread;
        return isEnded;
    }

    private void run()
    {
        long idleNs = MIN_IDLE_NS;
        while (!isEnded())
        {
            boolean isWaiting = false;
            boolean hasWorked = false;
            for (final RangeLook look : looks)
            {
                hasWorked |= look.step();
                isWaiting |= look.isWaiting();
                if (look.isClosed())
                {
                    looks.remove(look);
                    look.release();
                    hasWorked = true;
                }
            }
            idleNs = hasWorked ? MIN_IDLE_NS : Math.min(MAX_IDLE_NS, idleNs << 1);
            if (isWaiting && !hasWorked)
            {
                LockSupport.parkNanos(idleNs);
            }
            else if (!hasWorked)
            {
                LockSupport.park(this);
            }
        }
        aeron.removeCloseHandler(closeHandlerId);
    }

    /**
     * End the thread once no replay needs it.
     */
    public void close()
    {
        final boolean isIdle;
        synchronized (this)
        {
            isIdle = !isClosed && null == thread;
            isClosed = true;
            LockSupport.unpark(thread);
        }
        if (0 != length)
        {
            CloseHelper.closeAll(bytes, errors);
            if (isIdle)
            {
                aeron.removeCloseHandler(closeHandlerId);
            }
        }
    }
}
