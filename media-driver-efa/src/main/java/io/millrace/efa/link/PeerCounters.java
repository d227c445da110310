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

import io.millrace.efa.EfaCounters;
import org.agrona.CloseHelper;
import org.agrona.concurrent.status.AtomicCounter;
import org.agrona.concurrent.status.CountersManager;

/**
 * Counters of one peer of one channel endpoint, written by the fabric conductor.
 */
final class PeerCounters implements AutoCloseable
{
    private final AtomicCounter transport;
    private final AtomicCounter handshakes;
    private final AtomicCounter fallbacks;

    PeerCounters(final CountersManager countersManager, final String peer, final String channel)
    {
        final String prefix = "efa-peer " + peer + ": ";
        transport = newCounter(
            countersManager, prefix + "on rails (1) or UDP (0) " + channel, EfaCounters.PEER_TRANSPORT_TYPE_ID);
        handshakes = newCounter(
            countersManager, prefix + "handshakes completed " + channel, EfaCounters.PEER_HANDSHAKES_TYPE_ID);
        fallbacks = newCounter(
            countersManager, prefix + "fallbacks to UDP " + channel, EfaCounters.PEER_FALLBACKS_TYPE_ID);
    }

    void onLinked()
    {
        transport.setRelease(1);
        handshakes.incrementRelease();
    }

    void onUnlinked()
    {
        transport.setRelease(0);
    }

    void onFallback()
    {
        fallbacks.incrementRelease();
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void close()
    {
        CloseHelper.closeAll(transport, handshakes, fallbacks);
    }

    private static AtomicCounter newCounter(final CountersManager manager, final String label, final int typeId)
    {
        return manager.newCounter(
            label.substring(0, Math.min(label.length(), CountersManager.MAX_LABEL_LENGTH)), typeId);
    }
}
