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
package io.millrace.samples.stat;

import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * How fast counters grow between two snapshots.
 */
final class Rates
{
    private final Map<Integer, Counter> before;
    private final double seconds;

    Rates(final Snapshot before, final Snapshot after)
    {
        this.before = before.countersById();
        seconds = (after.timeNs() - before.timeNs()) / (double)TimeUnit.SECONDS.toNanos(1);
    }

    double seconds()
    {
        return seconds;
    }

    /**
     * Growth of a counter, 0 for one that was not there before.
     */
    double perSecond(final Counter after)
    {
        final Counter earlier = before.get(after.id());
        return null == earlier || !earlier.isSameAs(after) || seconds <= 0 ?
            0 : Math.max(0, after.value() - earlier.value()) / seconds;
    }
}
