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
 * Clock of Sender and Receiver, and the Conductor where it is with them, that take turns on one thread: each begins its
 * part of a duty cycle with a read of the clock, which costs as much as a poll of a rail. Here the Sender, which comes
 * first, reads, and the others go on with that time. A read between, as for the round trip to an image's sender, takes
 * what was the Conductor's, which then reads itself. All others are reads of {@link System#nanoTime()}.
 */
public final class SharedThreadClock implements NanoClock
{
    private final int takers;
    private Thread thread;
    private long nowNs;
    private long handedOnNs;
    private int left;

    private SharedThreadClock(final int takers)
    {
        this.takers = takers;
    }

    /**
     * Give the clock to a driver whose Sender and Receiver share a thread, with the Conductor or not, unless it has one
     * already.
     *
     * @param context not yet concluded. If its threading mode is changed after this, the Sender takes the time of a
     *                cycle for the next one too.
     */
    public static void install(final MediaDriver.Context context)
    {
        final ThreadingMode mode =
            null == context.threadingMode() ? Configuration.threadingMode() : context.threadingMode();
        if (ThreadingMode.DEDICATED != mode && null == context.nanoClock() && null == context.senderCachedNanoClock())
        {
            final SharedThreadClock clock = new SharedThreadClock(
                ThreadingMode.SHARED_NETWORK == mode ? 1 : 2);
            context.nanoClock(clock).senderCachedNanoClock(clock.new SenderClock());
        }
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public long nanoTime()
    {
        if (left > 0 && Thread.currentThread() == thread)
        {
            left--;
            handedOnNs = nowNs;
            return nowNs;
        }

        return System.nanoTime();
    }

    /** What the Sender has read is handed on, but not what was handed on to itself. */
    private final class SenderClock extends CachedNanoClock
    {
        @Override
        public void update(final long timeNs)
        {
            super.update(timeNs);
            thread = Thread.currentThread();
            nowNs = timeNs;
            left = timeNs != handedOnNs ? takers : 0;
        }
    }
}
