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
package io.millrace.efa.link;

import io.millrace.efa.term.RegisteredLog;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;

/**
 * Logs that a sender may still write to, although their regions are closed. A write that comes finds no key, but one
 * that is being received may go on, to memory that belongs to nobody for as long as that can last. Part of the fabric
 * conductor.
 */
final class FencedLogs
{
    private static final long GRACE_NS = TimeUnit.SECONDS.toNanos(60);

    private record Fenced(RegisteredLog log, long sinceNs, Runnable onClosed)
    {
    }

    private final Deque<Fenced> logs = new ArrayDeque<>();

    /**
     * Fence a log off.
     *
     * @param log      whose regions are closed here.
     * @param nowNs    time of a monotonic clock.
     * @param onClosed run when no write can come any more, unless the driver ends before.
     */
    void add(final RegisteredLog log, final long nowNs, final Runnable onClosed)
    {
        log.fence();
        logs.add(new Fenced(log, nowNs, onClosed));
    }

    int doWork(final long nowNs)
    {
        final Fenced oldest = logs.peek();
        if (null == oldest || nowNs - oldest.sinceNs() < GRACE_NS)
        {
            return 0;
        }

        logs.remove().log().close();
        oldest.onClosed().run();
        return 1;
    }

    /**
     * Close the logs. Rails are closed.
     */
    void close()
    {
        logs.forEach((fenced) -> fenced.log().close());
        logs.clear();
    }
}
