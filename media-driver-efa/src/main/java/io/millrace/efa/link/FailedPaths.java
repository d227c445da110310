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

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Paths of an agent on which operations failed while both rails live on. Each is tried again after 1 s, 2 s, …, at most
 * 64 s. Part of the fabric conductor.
 */
final class FailedPaths
{
    private static final long RETRY_INTERVAL_NS = TimeUnit.SECONDS.toNanos(1);
    private static final long LONG_LIVED_NS = TimeUnit.MINUTES.toNanos(1);
    private static final int MAX_SHIFT = 6;

    private final Map<Key, Hold> holds = new HashMap<>();

    /**
     * A path failed.
     *
     * @param railIndex   of our rail.
     * @param incarnation of the peer's driver.
     * @param address     of the peer's rail.
     * @param nowNs       time of a monotonic clock.
     */
    void onFailed(final int railIndex, final long incarnation, final byte[] address, final long nowNs)
    {
        final Hold hold = holds.computeIfAbsent(
            new Key(railIndex, incarnation, ByteBuffer.wrap(address)), (key) -> new Hold());
        if (!hold.isHeld)
        {
            hold.isHeld = true;
            hold.untilNs = nowNs + (RETRY_INTERVAL_NS << Math.min(hold.failures++, MAX_SHIFT));
        }
    }

    /**
     * Is a path not to be used now?
     *
     * @param railIndex   of our rail.
     * @param incarnation of the peer's driver.
     * @param address     of the peer's rail.
     * @return true while it waits to be tried again.
     */
    boolean isHeld(final int railIndex, final long incarnation, final byte[] address)
    {
        final Hold hold = holds.get(new Key(railIndex, incarnation, ByteBuffer.wrap(address)));
        return null != hold && hold.isHeld;
    }

    /**
     * Let go of a path before its time.
     *
     * @param railIndex   of our rail.
     * @param incarnation of the peer's driver.
     * @param address     of the peer's rail.
     */
    void release(final int railIndex, final long incarnation, final byte[] address)
    {
        final Hold hold = holds.get(new Key(railIndex, incarnation, ByteBuffer.wrap(address)));
        if (null != hold)
        {
            hold.isHeld = false;
        }
    }

    /**
     * Let go of paths whose time has come.
     *
     * @param nowNs time of a monotonic clock.
     * @return true when there were some.
     */
    boolean release(final long nowNs)
    {
        boolean isReleased = false;
        for (final Hold hold : holds.values())
        {
            if (hold.isHeld && nowNs - hold.untilNs >= 0)
            {
                hold.isHeld = false;
                isReleased = true;
            }
        }

        holds.values().removeIf((hold) -> !hold.isHeld && nowNs - hold.untilNs > LONG_LIVED_NS);
        return isReleased;
    }

    private record Key(int railIndex, long incarnation, ByteBuffer address)
    {
    }

    private static final class Hold
    {
        private boolean isHeld;
        private int failures;
        private long untilNs;
    }
}
