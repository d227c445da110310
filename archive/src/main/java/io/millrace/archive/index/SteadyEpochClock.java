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
package io.millrace.archive.index;

import java.util.concurrent.TimeUnit;

import org.agrona.concurrent.EpochClock;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.SystemEpochClock;
import org.agrona.concurrent.SystemNanoClock;

/**
 * The time of day when it was made, and from then on a clock that nobody puts forward or back: what was used later has
 * the later time.
 */
public final class SteadyEpochClock implements EpochClock
{
    private final NanoClock nanoClock;
    private final long startMs;
    private final long startNs;

    /**
     * Begin with the system's time of day.
     */
    public SteadyEpochClock()
    {
        this(SystemEpochClock.INSTANCE, SystemNanoClock.INSTANCE);
    }

    SteadyEpochClock(final EpochClock epochClock, final NanoClock nanoClock)
    {
        this.nanoClock = nanoClock;
        startMs = epochClock.time();
        startNs = nanoClock.nanoTime();
    }

    /**
     * {@inheritDoc}
     */
    public long time()
    {
        return startMs + TimeUnit.NANOSECONDS.toMillis(nanoClock.nanoTime() - startNs);
    }
}
