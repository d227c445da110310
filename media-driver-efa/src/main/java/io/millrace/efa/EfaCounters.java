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
package io.millrace.efa;

import org.agrona.concurrent.status.CountersReader;

/**
 * Type ids of the counters that Millrace's driver adds to {@code cnc.dat}. Aeron keeps the ids below 1000 for itself.
 */
public final class EfaCounters
{
    /**
     * One counter a driver: rails of an agent, 0 on UDP. The label says protocol, provider and why they were chosen.
     */
    public static final int PROTOCOL_TYPE_ID = 1000;

    /**
     * Fallbacks to UDP of a channel or of the whole driver, each with its reason in the distinct error log.
     */
    public static final int FALLBACKS_TYPE_ID = 1001;

    /**
     * Handshakes that ended with a link.
     */
    public static final int HANDSHAKES_TYPE_ID = 1002;

    /**
     * Data frames that left by UDP, heartbeats not counted. Frames before a peer's upgrade are among them.
     */
    public static final int UDP_DATA_FRAMES_SENT_TYPE_ID = 1003;

    /**
     * Frames that arrived on a rail and were dropped: unknown or stale channel handle, or not a valid Aeron frame.
     */
    public static final int FRAMES_REJECTED_TYPE_ID = 1004;

    /**
     * Handshake messages that were dropped: malformed, out of range, or the queue of the fabric conductor was full.
     */
    public static final int HANDSHAKES_REJECTED_TYPE_ID = 1005;

    /**
     * Bytes registered with the NICs for rails.
     */
    public static final int REGISTERED_BYTES_TYPE_ID = 1006;

    /**
     * Links that are up, of all channel endpoints.
     */
    public static final int LINKS_TYPE_ID = 1007;

    /**
     * Control frames from a rail that found the queue of their channel endpoint full. Aeron repeats them.
     */
    public static final int CONTROL_FRAMES_DROPPED_TYPE_ID = 1008;

    /**
     * Per peer of a channel endpoint: 1 when frames travel on rails, 0 when by UDP. The label says which peer. Counters
     * of peers are only where counters can be allocated concurrently, which {@link EfaMediaDriver#install} sees to.
     */
    public static final int PEER_TRANSPORT_TYPE_ID = 1020;

    /**
     * Per peer of a channel endpoint: handshakes that ended with a link.
     */
    public static final int PEER_HANDSHAKES_TYPE_ID = 1021;

    /**
     * Per peer of a channel endpoint: fallbacks to UDP.
     */
    public static final int PEER_FALLBACKS_TYPE_ID = 1022;

    /**
     * Packets that one of many destinations of a publication could not take for more than a millisecond, lost to it as
     * by UDP so that it does not hold up the others.
     */
    public static final int DESTINATION_PACKETS_DROPPED_TYPE_ID = 1009;

    /**
     * Per rail: bytes of messages sent.
     */
    public static final int RAIL_BYTES_SENT_TYPE_ID = 1010;

    /**
     * Per rail: Aeron frames sent, of all types.
     */
    public static final int RAIL_FRAMES_SENT_TYPE_ID = 1011;

    /**
     * Per rail: data frames sent, heartbeats not counted.
     */
    public static final int FABRIC_FRAMES_SENT_TYPE_ID = 1012;

    /**
     * Per rail: bytes of messages received.
     */
    public static final int RAIL_BYTES_RECEIVED_TYPE_ID = 1013;

    /**
     * Per rail: messages received, each a packet of one or more frames.
     */
    public static final int RAIL_MESSAGES_RECEIVED_TYPE_ID = 1014;

    /**
     * Per rail: bytes posted for sending and not yet completed.
     */
    public static final int RAIL_OUTSTANDING_BYTES_TYPE_ID = 1015;

    /**
     * Per rail: posts refused by EAGAIN or for want of a slot, that is back-pressure.
     */
    public static final int RAIL_EAGAIN_TYPE_ID = 1016;

    /**
     * Per rail: error completions and posts refused for another reason than EAGAIN.
     */
    public static final int RAIL_ERRORS_TYPE_ID = 1017;

    private EfaCounters()
    {
    }

    /**
     * Sum of the values of all counters of a type.
     *
     * @param counters of a media driver.
     * @param typeId   one of this class.
     * @return the sum, 0 when there is none.
     */
    public static long sum(final CountersReader counters, final int typeId)
    {
        final long[] sum = new long[1];
        counters.forEach(
            (counterId, type, keyBuffer, label) ->
            {
                if (typeId == type)
                {
                    sum[0] += counters.getCounterValue(counterId);
                }
            });
        return sum[0];
    }
}
