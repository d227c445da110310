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

import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;

import org.agrona.CloseHelper;

/**
 * Control sessions that wait for their next use: to connect one takes longer than to read some blocks.
 */
final class SessionPool implements AutoCloseable
{
    private static final int MAX_IDLE = 8;

    private final KvArchive.Context ctx;
    private final Queue<ArchiveSession> idle = new ArrayBlockingQueue<>(MAX_IDLE);
    private volatile boolean isClosed;

    SessionPool(final KvArchive.Context ctx)
    {
        this.ctx = ctx;
    }

    ArchiveSession take()
    {
        for (ArchiveSession session = idle.poll(); null != session; session = idle.poll())
        {
            if (session.isConnected() && null == session.pollError())
            {
                return session;
            }
            CloseHelper.quietClose(session);
        }
        return new ArchiveSession(ctx.aeron(), ctx.archiveContext());
    }

    /**
     * Take a session back that nothing went wrong on.
     */
    void giveBack(final ArchiveSession used)
    {
        if (isClosed || !idle.offer(used))
        {
            CloseHelper.quietClose(used);
        }
        else if (isClosed)
        {
            // Closed meanwhile: whoever finds it in the queue closes it.
            closeIdle();
        }
    }

    public void close()
    {
        isClosed = true;
        closeIdle();
    }

    private void closeIdle()
    {
        for (ArchiveSession session = idle.poll(); null != session; session = idle.poll())
        {
            CloseHelper.quietClose(session);
        }
    }
}
