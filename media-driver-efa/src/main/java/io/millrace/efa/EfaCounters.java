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

    /**
     * Handshake messages refused for want of the key: no seal, another key, or a seal where this driver has no key.
     */
    public static final int HANDSHAKES_UNAUTHENTICATED_TYPE_ID = 1040;

    /**
     * Handshake messages that were late, repeated or recorded: an old sequence, or of a link that is gone.
     */
    public static final int HANDSHAKES_STALE_TYPE_ID = 1041;

    /**
     * Hellos answered with a challenge, before anything is kept of their sender.
     */
    public static final int HANDSHAKES_CHALLENGED_TYPE_ID = 1042;

    /**
     * Handshake messages dropped because more arrive than the fabric conductor can look at.
     */
    public static final int HANDSHAKES_DROPPED_TYPE_ID = 1043;

    /**
     * Hellos dropped because too many peers, or too many that were not heard on rails yet, are known.
     */
    public static final int HANDSHAKES_OVER_LIMIT_TYPE_ID = 1044;

    /**
     * Rails of new links that brought no answer of the peer in time, and are not used by these links.
     */
    public static final int RAILS_UNPROVEN_TYPE_ID = 1045;

    /**
     * Packets, from a rail or the socket of a channel, whose frames are no sound data frames of one stream.
     */
    public static final int PACKETS_MALFORMED_TYPE_ID = 1046;

    /**
     * Per rail: 1 while it is open, 0 while it is closed, as after a failure.
     */
    public static final int RAIL_OPEN_TYPE_ID = 1055;

    /**
     * Longest duty cycle of the fabric conductor, nanoseconds.
     */
    public static final int CONDUCTOR_MAX_CYCLE_TIME_TYPE_ID = 1056;

    /**
     * Duty cycles of the fabric conductor that took longer than
     * {@link EfaConfiguration#CONDUCTOR_CYCLE_THRESHOLD_PROP_NAME}.
     */
    public static final int CONDUCTOR_CYCLES_OVER_THRESHOLD_TYPE_ID = 1057;

    /**
     * Time spent on opening rails, that is endpoints and the registration of their slots. Nanoseconds.
     */
    public static final int RAIL_OPEN_TIME_TYPE_ID = 1058;

    /**
     * Time that the fabric conductor has spent on closing rails, nanoseconds.
     */
    public static final int RAIL_CLOSE_TIME_TYPE_ID = 1059;

    /**
     * Time that the fabric conductor has spent on inserting peers' addresses, nanoseconds.
     */
    public static final int ADDRESS_INSERT_TIME_TYPE_ID = 1060;

    /**
     * Warnings of the checks at start: limits of the machine that the configuration may exceed, each with its remedy in
     * the distinct error log.
     */
    public static final int START_WARNINGS_TYPE_ID = 1061;

    /**
     * Rules of EFA that were broken. There is one such counter where the contract is on, see
     * {@link EfaConfiguration#CONTRACT_PROP_NAME}; so with those of the weather.
     */
    public static final int CONTRACT_VIOLATIONS_TYPE_ID = 1035;

    /**
     * Posts that the contract's weather refused with EAGAIN.
     */
    public static final int WEATHER_EAGAIN_TYPE_ID = 1036;

    /**
     * Operations that the contract's weather ended with an error.
     */
    public static final int WEATHER_ERRORS_TYPE_ID = 1037;

    /**
     * Completions and arrivals that the contract's weather held back.
     */
    public static final int WEATHER_HELD_TYPE_ID = 1038;

    /**
     * Rails that died of the contract's weather.
     */
    public static final int WEATHER_DEATHS_TYPE_ID = 1039;

    /**
     * Peers' rails in the address vectors of this driver's rails, operations to those that are gone included.
     */
    public static final int ADDRESS_ENTRIES_TYPE_ID = 1047;

    /**
     * Rails that failed, each with its reason in the distinct error log. Their links go on over other rails or by UDP.
     */
    public static final int RAILS_FAILED_TYPE_ID = 1050;

    /**
     * Rails that were opened again after they had failed.
     */
    public static final int RAILS_REOPENED_TYPE_ID = 1051;

    /**
     * Paths, pairs of rails, that a link lost while it went on over others.
     */
    public static final int PATHS_LOST_TYPE_ID = 1052;

    /**
     * Paths that a link took, or took back, while it was up.
     */
    public static final int PATHS_ADDED_TYPE_ID = 1053;

    /**
     * Per rail: times that an operation to a peer took over 100 ms, so that frames took other rails.
     */
    public static final int RAIL_SLOW_TYPE_ID = 1054;

    /**
     * Frames written into the log of a peer's image.
     */
    public static final int PLACEMENT_WRITES_TYPE_ID = 1023;

    /**
     * Frames of images here that their sender has written and that were accepted.
     */
    public static final int PLACEMENT_COMMITS_TYPE_ID = 1024;

    /**
     * Written frames that were dropped: the number belongs to no image, or to an offer that has ended.
     */
    public static final int PLACEMENT_REJECTED_NUMBER_TYPE_ID = 1025;

    /**
     * Written frames that were dropped: shorter than a header or beyond the end of the term.
     */
    public static final int PLACEMENT_REJECTED_LENGTH_TYPE_ID = 1026;

    /**
     * Written frames that were dropped: their header names another stream or place.
     */
    public static final int PLACEMENT_REJECTED_HEADER_TYPE_ID = 1027;

    /**
     * Written frames that were dropped: outside of the receiver window, such as sent twice.
     */
    public static final int PLACEMENT_REJECTED_WINDOW_TYPE_ID = 1028;

    /**
     * Bytes of logs registered, once for each rail.
     */
    public static final int LOG_REGISTERED_BYTES_TYPE_ID = 1029;

    /**
     * Logs of publications and images that are mapped and registered.
     */
    public static final int MAPPED_LOGS_TYPE_ID = 1030;

    /**
     * Logs that could not be registered, each with its reason in the distinct error log: their frames are copied.
     */
    public static final int REFUSED_LOGS_TYPE_ID = 1031;

    /**
     * Messages sent from terms without a copy.
     */
    public static final int ZERO_COPY_SENDS_TYPE_ID = 1032;

    /**
     * Images whose senders may write into their logs.
     */
    public static final int IMAGE_OFFERS_TYPE_ID = 1033;

    /**
     * Logs of images whose sender did not say in time that its writes have ended, so that memory of nobody took their
     * place.
     */
    public static final int FENCED_LOGS_TYPE_ID = 1034;

    /**
     * Locks in shared memory, held by peers that were killed, that were released.
     */
    public static final int SHM_LOCKS_RELEASED_TYPE_ID = 1062;

    /**
     * Reports of agents that the fabric conductor was too busy to take, and that are repeated.
     */
    public static final int REPORTS_REPEATED_TYPE_ID = 1063;

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
