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
package io.millrace.efa.media;

import io.aeron.driver.Configuration;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import org.agrona.concurrent.CachedNanoClock;
import org.agrona.concurrent.NanoClock;

/**
 * Clock of Sender, Receiver and Conductor that take turns on one thread: each begins its part of a duty cycle with a
 * read of the clock, which costs as much as a poll of a rail. Here the first reads, the other two go on with that time.
 * Other reads, and those of other threads, are reads of {@link System#nanoTime()}.
 */
public final class SharedThreadClock implements NanoClock
{
    private Thread thread;
    private long nowNs;
    private boolean isFresh;

    private SharedThreadClock()
    {
    }

    /**
     * Give the clock to a driver whose agents share a thread, unless it has one already.
     *
     * @param context not yet concluded.
     */
    public static void install(final MediaDriver.Context context)
    {
        final ThreadingMode mode =
            null == context.threadingMode() ? Configuration.threadingMode() : context.threadingMode();
        if ((ThreadingMode.SHARED == mode || ThreadingMode.INVOKER == mode) && null == context.nanoClock() &&
            null == context.senderCachedNanoClock() && null == context.receiverCachedNanoClock())
        {
            final SharedThreadClock clock = new SharedThreadClock();
            context.nanoClock(clock)
                .senderCachedNanoClock(clock.new AgentClock())
                .receiverCachedNanoClock(clock.new AgentClock());
        }
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public long nanoTime()
    {
        if (isFresh && Thread.currentThread() == thread)
        {
            isFresh = false;
            return nowNs;
        }

        return System.nanoTime();
    }

    /** What an agent has read is fresh for the next one. */
    private final class AgentClock extends CachedNanoClock
    {
        @Override
        public void update(final long timeNs)
        {
            super.update(timeNs);
            thread = Thread.currentThread();
            nowNs = timeNs;
            isFresh = true;
        }
    }
}
