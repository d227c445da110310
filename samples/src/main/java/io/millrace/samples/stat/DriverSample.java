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

import com.fasterxml.jackson.annotation.JsonInclude;

import java.util.List;
import java.util.Map;

/**
 * What a driver did within an interval. This is also the object that {@code --json} prints.
 *
 * @param directory       of the driver.
 * @param pid             of its process, in its pid namespace.
 * @param uptimeMs        since its start.
 * @param heartbeatAgeMs  since its last sign of life.
 * @param timeMs          of the sample, epoch.
 * @param intervalSeconds over which rates are taken.
 * @param protocol        of its rails, or null for a driver that is not Millrace's.
 * @param fabric          Millrace's counters of the whole driver by name, empty for another driver.
 * @param rails           of both agents.
 * @param peers           of all channel endpoints.
 * @param publications    of the driver.
 * @param images          of the driver.
 * @param kvStreams       that clients of the driver send and receive.
 * @param system          Aeron's counters of the whole driver by name.
 * @param errors          distinct errors, fallbacks with their reasons among them, the latest last.
 */
public record DriverSample(
    String directory,
    long pid,
    long uptimeMs,
    long heartbeatAgeMs,
    long timeMs,
    double intervalSeconds,
    Protocol protocol,
    Map<String, Long> fabric,
    List<Rail> rails,
    List<Peer> peers,
    List<Publication> publications,
    List<Image> images,
    List<KvStream> kvStreams,
    Map<String, Long> system,
    List<DistinctError> errors)
{
    /**
     * Protocol of the rails.
     *
     * @param rails of each agent, 0 on UDP.
     * @param text  protocol, provider, and why they were chosen.
     */
    public record Protocol(long rails, String text)
    {
    }

    /**
     * A rail.
     *
     * @param name                      agent, number and NIC, such as {@code snd-0 shm}.
     * @param state                     {@code open}, {@code closed}, or {@code unknown} where the driver does not tell.
     * @param bytesSentPerSecond        rate.
     * @param framesSentPerSecond       rate.
     * @param bytesReceivedPerSecond    rate.
     * @param messagesReceivedPerSecond rate.
     * @param counters                  totals by name.
     */
    public record Rail(
        String name,
        String state,
        double bytesSentPerSecond,
        double framesSentPerSecond,
        double bytesReceivedPerSecond,
        double messagesReceivedPerSecond,
        Map<String, Long> counters)
    {
    }

    /**
     * A peer of a channel endpoint.
     *
     * @param name       agent and address of its socket, such as {@code snd 10.0.0.2:20121}.
     * @param transport  {@code rails} or {@code udp}.
     * @param handshakes that ended with a link.
     * @param fallbacks  to UDP.
     * @param reason     of the latest fallback, or null.
     * @param channel    of the endpoint.
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Peer(String name, String transport, long handshakes, long fallbacks, String reason, String channel)
    {
    }

    /**
     * A publication.
     *
     * @param registrationId     of the publication.
     * @param sessionId          of the stream.
     * @param streamId           of the stream.
     * @param channel            URI, cut by Aeron.
     * @param position           up to which has been published.
     * @param bytesPerSecond     rate of it.
     * @param senderPosition     up to which has been sent, null for IPC.
     * @param windowBytes        that the publisher may still write before it is pushed back.
     * @param senderWindowBytes  that the receivers still let the sender send, null for IPC.
     * @param backPressureEvents times the sender found that window closed, null for IPC.
     * @param naksReceived       from receivers, null for IPC.
     * @param subscribers        in this driver: spies, or IPC subscriptions.
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Publication(
        long registrationId,
        int sessionId,
        int streamId,
        String channel,
        long position,
        double bytesPerSecond,
        Long senderPosition,
        long windowBytes,
        Long senderWindowBytes,
        Long backPressureEvents,
        Long naksReceived,
        int subscribers)
    {
    }

    /**
     * An image.
     *
     * @param registrationId of the image.
     * @param sessionId      of the stream.
     * @param streamId       of the stream.
     * @param channel        URI, cut by Aeron.
     * @param position       up to which the stream is complete.
     * @param bytesPerSecond rate of it.
     * @param gapBytes       from there to the highest byte received: what is missing or out of order.
     * @param unreadBytes    that the slowest subscriber has not read.
     * @param naksSent       to the publisher.
     * @param subscribers    of the image.
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Image(
        long registrationId,
        int sessionId,
        int streamId,
        String channel,
        long position,
        double bytesPerSecond,
        long gapBytes,
        long unreadBytes,
        Long naksSent,
        int subscribers)
    {
    }

    /**
     * One end of a KV stream.
     *
     * @param name     side and channel.
     * @param counters by name.
     */
    public record KvStream(String name, Map<String, Long> counters)
    {
    }

    /**
     * An entry of the distinct error log.
     *
     * @param count   of observations.
     * @param firstMs epoch time of the first.
     * @param lastMs  epoch time of the last.
     * @param text    first line, without the exception's name where it is an event.
     */
    public record DistinctError(long count, long firstMs, long lastMs, String text)
    {
    }
}
