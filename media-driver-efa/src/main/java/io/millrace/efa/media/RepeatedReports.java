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
    private static final long PURGE_INTERVAL_NS = TimeUnit.SECONDS.toNanos(1);
    /**
     * As many as the fabric conductor links. Whoever comes later is not reported until others are gone.
     */
    static final int MAX_ADDRESSES = 8192;

    private final Map<InetSocketAddress, Long> reportedNsByAddress = new HashMap<>();
    private long lastPurgedNs = System.nanoTime();

    /**
     * Is it time to report of an address?
     */
    boolean isDue(final InetSocketAddress address, final long nowNs)
    {
        final Long reportedNs = reportedNsByAddress.get(address);
        if (null != reportedNs)
        {
            return nowNs - reportedNs > INTERVAL_NS;
        }

        purge(nowNs);
        return reportedNsByAddress.size() < MAX_ADDRESSES;
    }

    /**
     * It was reported.
     */
    void onReported(final InetSocketAddress address, final long nowNs)
    {
        reportedNsByAddress.put(address, nowNs);
    }

    /**
     * Was an address reported lately?
     */
    boolean isKnown(final InetSocketAddress address)
    {
        return reportedNsByAddress.containsKey(address);
    }

    private void purge(final long nowNs)
    {
        if (nowNs - lastPurgedNs > PURGE_INTERVAL_NS)
        {
            lastPurgedNs = nowNs;
            reportedNsByAddress.values().removeIf((reportedNs) -> nowNs - reportedNs > 2 * INTERVAL_NS);
        }
    }

    /**
     * Report of an address again as soon as there is something to report.
     */
    void forget(final InetSocketAddress address)
    {
        reportedNsByAddress.remove(address);
    }
}
