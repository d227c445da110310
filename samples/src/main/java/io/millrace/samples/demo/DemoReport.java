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
package io.millrace.samples.demo;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import org.HdrHistogram.Histogram;

/**
 * Outcome of a demonstration, as {@code --json} prints it.
 *
 * @param protocol              Millrace's word: efa, tcp, shm or udp.
 * @param provider              libfabric's provider, or udp.
 * @param reason                why this protocol was chosen.
 * @param rails                 of each driver.
 * @param requests              transferred.
 * @param tokens                of all requests.
 * @param bytes                 of KV blocks that were transferred.
 * @param seconds               during which a transfer was in flight, from its submission to its acknowledgement.
 * @param wallSeconds           from the first transfer to the last check, filling and checking of blocks included.
 * @param gigabytesPerSecond    bytes / seconds / 10^9.
 * @param transferLatencyMicros of the transfers, from submission to acknowledgement.
 * @param fabricFrames          sent over libfabric by both drivers.
 * @param udpDataFrames         data frames sent over UDP by both drivers.
 * @param retransmits           of both drivers.
 * @param fallbacks             of both drivers, from rails to UDP.
 * @param checksumErrors        found by the KV stream's own checksum.
 * @param verified              whether every byte is what the prefill side computed.
 * @param archive               outcome of recording and replay, or null.
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@JsonPropertyOrder({
    "protocol", "provider", "rails", "requests", "tokens", "bytes", "seconds", "gigabytesPerSecond",
    "transferLatencyMicros", "fabricFrames", "udpDataFrames", "retransmits", "fallbacks", "checksumErrors",
    "verified", "archive" })
public record DemoReport(
    String protocol,
    String provider,
    @JsonIgnore String reason,
    int rails,
    long requests,
    long tokens,
    long bytes,
    double seconds,
    @JsonIgnore double wallSeconds,
    double gigabytesPerSecond,
    Latency transferLatencyMicros,
    long fabricFrames,
    long udpDataFrames,
    long retransmits,
    long fallbacks,
    long checksumErrors,
    boolean verified,
    Archive archive)
{
    /**
     * Percentiles of a latency in microseconds.
     *
     * @param p50 median.
     * @param p90 90th percentile.
     * @param p99 99th percentile.
     * @param max longest.
     */
    public record Latency(long p50, long p90, long p99, long max)
    {
        /**
         * Take the percentiles of a histogram.
         *
         * @param nanos histogram of nanoseconds.
         * @return its percentiles.
         */
        static Latency of(final Histogram nanos)
        {
            return new Latency(
                micros(nanos.getValueAtPercentile(50)),
                micros(nanos.getValueAtPercentile(90)),
                micros(nanos.getValueAtPercentile(99)),
                micros(nanos.getMaxValue()));
        }

        private static long micros(final long durationNs)
        {
            return Math.round(durationNs / 1e3);
        }
    }

    /**
     * Outcome of recording and replay.
     *
     * @param recordedBytes KV bytes that were recorded.
     * @param replayedBytes KV bytes that were replayed to a receiver.
     * @param verified      whether every replayed byte is what the prefill side computed.
     */
    public record Archive(long recordedBytes, long replayedBytes, boolean verified)
    {
    }

    /**
     * Whether all that was asked for is verified.
     *
     * @return true if the exit status is to be 0.
     */
    public boolean allVerified()
    {
        return verified && (null == archive || archive.verified());
    }
}
