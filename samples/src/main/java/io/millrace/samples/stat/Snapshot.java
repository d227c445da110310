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

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * All counters of a driver and its error log at one moment.
 *
 * @param timeNs         when, by the monotonic clock.
 * @param timeMs         when, by the epoch clock.
 * @param heartbeatAgeMs since the driver's last sign of life, negative when it has said that it ends.
 * @param counters       that are allocated.
 * @param errors         distinct errors, the latest last.
 */
public record Snapshot(
    long timeNs, long timeMs, long heartbeatAgeMs, List<Counter> counters, List<DriverSample.DistinctError> errors)
{
    Map<Integer, Counter> countersById()
    {
        final Map<Integer, Counter> byId = new HashMap<>();
        counters.forEach((counter) -> byId.put(counter.id(), counter));
        return byId;
    }
}
