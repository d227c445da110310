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

import io.aeron.driver.status.DutyCycleStallTracker;
import io.millrace.efa.EfaCounters;
import io.millrace.efa.ProtocolChoice;
import io.millrace.efa.term.TermCounters;
import org.agrona.SystemUtil;
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
    private final TermCounters terms;
    private final AtomicCounter handshakesUnauthenticated;
    private final AtomicCounter handshakesStale;
    private final AtomicCounter handshakesChallenged;
    private final AtomicCounter handshakesDropped;
    private final AtomicCounter reportsRepeated;
    private final AtomicCounter handshakesOverLimit;
    private final AtomicCounter railsUnproven;
    private final AtomicCounter packetsMalformed;
    private final AtomicCounter railOpenTime;
    private final AtomicCounter railCloseTime;
    private final AtomicCounter addressInsertTime;
    private final AtomicCounter startWarnings;
    private final AtomicCounter shmLocksReleased;
    private final AtomicCounter addressEntries;
    private final AtomicCounter railsFailed;
    private final AtomicCounter railsReopened;
    private final AtomicCounter pathsLost;
    private final AtomicCounter pathsAdded;

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
        railsFailed = countersManager.newCounter("efa rails failed", EfaCounters.RAILS_FAILED_TYPE_ID);
        railsReopened = countersManager.newCounter("efa rails opened again", EfaCounters.RAILS_REOPENED_TYPE_ID);
        pathsLost = countersManager.newCounter("efa paths lost by links", EfaCounters.PATHS_LOST_TYPE_ID);
        pathsAdded = countersManager.newCounter("efa paths added to links", EfaCounters.PATHS_ADDED_TYPE_ID);
        terms = new TermCounters(countersManager);
        links = countersManager.newCounter("efa links up", EfaCounters.LINKS_TYPE_ID);
        handshakesUnauthenticated = countersManager.newCounter(
            "efa handshake messages refused for want of the key", EfaCounters.HANDSHAKES_UNAUTHENTICATED_TYPE_ID);
        handshakesStale = countersManager.newCounter(
            "efa handshake messages stale or repeated", EfaCounters.HANDSHAKES_STALE_TYPE_ID);
        handshakesChallenged = countersManager.newCounter(
            "efa Hellos challenged", EfaCounters.HANDSHAKES_CHALLENGED_TYPE_ID);
        handshakesDropped = countersManager.newCounter(
            "efa handshake messages dropped in a flood", EfaCounters.HANDSHAKES_DROPPED_TYPE_ID);
        reportsRepeated = countersManager.newCounter(
            "efa reports repeated to the fabric conductor", EfaCounters.REPORTS_REPEATED_TYPE_ID);
        handshakesOverLimit = countersManager.newCounter(
            "efa Hellos over the limit of peers", EfaCounters.HANDSHAKES_OVER_LIMIT_TYPE_ID);
        railsUnproven = countersManager.newCounter(
            "efa rails of links that brought no answer", EfaCounters.RAILS_UNPROVEN_TYPE_ID);
        addressEntries = countersManager.newCounter(
            "efa peers' rails in address vectors", EfaCounters.ADDRESS_ENTRIES_TYPE_ID);
        packetsMalformed = countersManager.newCounter(
            "efa packets malformed", EfaCounters.PACKETS_MALFORMED_TYPE_ID);
        railOpenTime = countersManager.newCounter(
            "efa time in opening rails in ns", EfaCounters.RAIL_OPEN_TIME_TYPE_ID);
        railCloseTime = countersManager.newCounter(
            "efa time in closing rails in ns", EfaCounters.RAIL_CLOSE_TIME_TYPE_ID);
        addressInsertTime = countersManager.newCounter(
            "efa time in inserting addresses in ns", EfaCounters.ADDRESS_INSERT_TIME_TYPE_ID);
        startWarnings = countersManager.newCounter("efa warnings at start", EfaCounters.START_WARNINGS_TYPE_ID);
        shmLocksReleased = countersManager.newCounter(
            "efa shm locks of killed peers released", EfaCounters.SHM_LOCKS_RELEASED_TYPE_ID);
    }

    /**
     * Tracker of the fabric conductor's duty cycles, with its counters. For the media driver's conductor.
     */
    DutyCycleStallTracker newConductorTracker(final long thresholdNs)
    {
        return new DutyCycleStallTracker(
            countersManager.newCounter(
            "efa fabric conductor max cycle time in ns", EfaCounters.CONDUCTOR_MAX_CYCLE_TIME_TYPE_ID),
            countersManager.newCounter(
            "efa fabric conductor cycle time threshold exceeded: threshold=" + SystemUtil.formatDuration(thresholdNs),
            EfaCounters.CONDUCTOR_CYCLES_OVER_THRESHOLD_TYPE_ID),
            thresholdNs);
    }

    AtomicCounter railOpenTime()
    {
        return railOpenTime;
    }

    AtomicCounter railCloseTime()
    {
        return railCloseTime;
    }

    AtomicCounter addressInsertTime()
    {
        return addressInsertTime;
    }

    AtomicCounter startWarnings()
    {
        return startWarnings;
    }

    AtomicCounter shmLocksReleased()
    {
        return shmLocksReleased;
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

    TermCounters terms()
    {
        return terms;
    }

    AtomicCounter handshakesUnauthenticated()
    {
        return handshakesUnauthenticated;
    }

    AtomicCounter addressEntries()
    {
        return addressEntries;
    }

    AtomicCounter handshakesStale()
    {
        return handshakesStale;
    }

    AtomicCounter handshakesChallenged()
    {
        return handshakesChallenged;
    }

    AtomicCounter handshakesDropped()
    {
        return handshakesDropped;
    }

    AtomicCounter reportsRepeated()
    {
        return reportsRepeated;
    }

    AtomicCounter handshakesOverLimit()
    {
        return handshakesOverLimit;
    }

    AtomicCounter railsUnproven()
    {
        return railsUnproven;
    }

    /**
     * Packets whose frames are not sound. Written by the Receiver.
     *
     * @return the counter.
     */
    public AtomicCounter packetsMalformed()
    {
        return packetsMalformed;
    }

    AtomicCounter railsFailed()
    {
        return railsFailed;
    }

    AtomicCounter railsReopened()
    {
        return railsReopened;
    }

    AtomicCounter pathsLost()
    {
        return pathsLost;
    }

    AtomicCounter pathsAdded()
    {
        return pathsAdded;
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
