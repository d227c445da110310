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
import io.millrace.efa.ProtocolChoice;
import org.agrona.concurrent.status.AtomicCounter;
import org.agrona.concurrent.status.ConcurrentCountersManager;
import org.agrona.concurrent.status.CountersManager;

/**
 * Counters of a driver's rails and links, rails' own excepted. Made by the driver's conductor; counters of peers come
 * and go later and need a {@link ConcurrentCountersManager}.
 */
public final class FabricCounters
{
    private final CountersManager countersManager;
    private final AtomicCounter fallbacks;
    private final AtomicCounter handshakes;
    private final AtomicCounter udpDataFramesSent;
    private final AtomicCounter framesRejected;
    private final AtomicCounter handshakesRejected;
    private final AtomicCounter registeredBytes;
    private final AtomicCounter controlFramesDropped;
    private final AtomicCounter links;
    private final AtomicCounter destinationPacketsDropped;

    FabricCounters(final CountersManager countersManager, final ProtocolChoice choice)
    {
        this.countersManager = countersManager;
        countersManager.newCounter(
            "efa protocol=" + choice.protocol() + " provider=" + choice.provider() + ": " + choice.reason(),
            EfaCounters.PROTOCOL_TYPE_ID).setRelease(choice.rails());
        fallbacks = countersManager.newCounter("efa fallbacks to UDP", EfaCounters.FALLBACKS_TYPE_ID);
        handshakes = countersManager.newCounter("efa handshakes completed", EfaCounters.HANDSHAKES_TYPE_ID);
        udpDataFramesSent = countersManager.newCounter(
            "efa data frames sent by UDP", EfaCounters.UDP_DATA_FRAMES_SENT_TYPE_ID);
        framesRejected = countersManager.newCounter(
            "efa frames from rails rejected", EfaCounters.FRAMES_REJECTED_TYPE_ID);
        handshakesRejected = countersManager.newCounter(
            "efa handshake messages rejected", EfaCounters.HANDSHAKES_REJECTED_TYPE_ID);
        registeredBytes = countersManager.newCounter(
            "efa bytes registered for rails", EfaCounters.REGISTERED_BYTES_TYPE_ID);
        controlFramesDropped = countersManager.newCounter(
            "efa control frames from rails dropped", EfaCounters.CONTROL_FRAMES_DROPPED_TYPE_ID);
        destinationPacketsDropped = countersManager.newCounter(
            "efa packets dropped for busy destinations", EfaCounters.DESTINATION_PACKETS_DROPPED_TYPE_ID);
        links = countersManager.newCounter("efa links up", EfaCounters.LINKS_TYPE_ID);
    }

    AtomicCounter fallbacks()
    {
        return fallbacks;
    }

    AtomicCounter handshakes()
    {
        return handshakes;
    }

    /**
     * Data frames that left by UDP. Written by the Sender.
     *
     * @return the counter.
     */
    public AtomicCounter udpDataFramesSent()
    {
        return udpDataFramesSent;
    }

    /**
     * Messages from rails that were dropped. Written by both agents.
     *
     * @return the counter.
     */
    public AtomicCounter framesRejected()
    {
        return framesRejected;
    }

    AtomicCounter handshakesRejected()
    {
        return handshakesRejected;
    }

    AtomicCounter registeredBytes()
    {
        return registeredBytes;
    }

    /**
     * Control frames from rails that found their endpoint's queue full. Written by the Sender.
     *
     * @return the counter.
     */
    public AtomicCounter controlFramesDropped()
    {
        return controlFramesDropped;
    }

    /**
     * Packets that one of many destinations could not take. Written by the Sender.
     *
     * @return the counter.
     */
    public AtomicCounter destinationPacketsDropped()
    {
        return destinationPacketsDropped;
    }

    AtomicCounter links()
    {
        return links;
    }

    /**
     * Counters of a peer.
     *
     * @param peering of the peer.
     * @return the counters, or null when counters cannot be allocated on this thread.
     */
    PeerCounters peer(final Peering peering)
    {
        return countersManager instanceof ConcurrentCountersManager ?
            new PeerCounters(countersManager, peering.toString(), peering.key.channel().description()) : null;
    }
}
