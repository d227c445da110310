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

import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * What was reported of addresses and when, so that it is repeated now and then, and forgotten of those that are gone.
 */
final class RepeatedReports
{
    private static final long INTERVAL_NS = TimeUnit.SECONDS.toNanos(10);
    private static final int PURGE_SIZE = 64;

    private final Map<InetSocketAddress, Long> reportedNsByAddress = new HashMap<>();

    /**
     * Is it time to report of an address?
     */
    boolean isDue(final InetSocketAddress address, final long nowNs)
    {
        final Long reportedNs = reportedNsByAddress.get(address);
        return null == reportedNs || nowNs - reportedNs > INTERVAL_NS;
    }

    /**
     * It was reported.
     */
    void onReported(final InetSocketAddress address, final long nowNs)
    {
        if (reportedNsByAddress.size() >= PURGE_SIZE)
        {
            reportedNsByAddress.values().removeIf((reportedNs) -> nowNs - reportedNs > 2 * INTERVAL_NS);
        }
        reportedNsByAddress.put(address, nowNs);
    }

    /**
     * Report of an address again as soon as there is something to report.
     */
    void forget(final InetSocketAddress address)
    {
        reportedNsByAddress.remove(address);
    }
}
