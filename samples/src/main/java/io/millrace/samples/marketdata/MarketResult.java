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
package io.millrace.samples.marketdata;

import com.fasterxml.jackson.annotation.JsonIgnore;

import java.util.List;

/**
 * Result of a run on one transport.
 *
 * @param transport    driver and protocol, and why.
 * @param messages     published.
 * @param seconds      from the first message to the last order.
 * @param hops         stages that receive, in order.
 * @param conflated    updates of each strategy that were merged into later ones.
 * @param strategies   what the gateway received of each.
 * @param fabricFrames frames of all stages that Millrace's drivers sent on rails.
 * @param udpFrames    those that they sent by UDP, as before a link was up; 0 for Aeron's driver, who does not count.
 * @param lateJoins    strategies that joined in the middle, empty if none was to.
 * @param replays      of what the strategies were sent.
 */
public record MarketResult(
    String transport,
    long messages,
    double seconds,
    List<HopResult> hops,
    List<Long> conflated,
    List<OrderStream> strategies,
    long fabricFrames,
    long udpFrames,
    List<LateJoined> lateJoins,
    List<Replayed> replays)
{
    /**
     * What arrived at a stage; times from when each message was due.
     *
     * @param hop        name of the stage.
     * @param messages   that arrived.
     * @param gaps       in their sequence.
     * @param p50Micros  median.
     * @param p99Micros  99th percentile.
     * @param p999Micros 99.9th percentile.
     * @param maxMicros  longest.
     */
    public record HopResult(
        String hop, long messages, long gaps, double p50Micros, double p99Micros, double p999Micros, double maxMicros)
    {
    }

    /**
     * Orders of a strategy.
     *
     * @param orders how many.
     * @param sha256 of their bytes.
     */
    public record OrderStream(long orders, String sha256)
    {
    }

    /**
     * A strategy that joined in the middle.
     *
     * @param strategy  whose feed it got.
     * @param history   messages from the archive.
     * @param live      messages from the live feed.
     * @param gaps      in their sequence, and duplicates.
     * @param identical whether its orders are those of the strategy that was there from the start, byte by byte.
     */
    public record LateJoined(String strategy, long history, long live, long gaps, boolean identical)
    {
        boolean isSound()
        {
            return 0 == gaps && identical;
        }
    }

    /**
     * A replay of both feeds into new strategies.
     *
     * @param speed     such as {@code 1x}, or {@code full}.
     * @param seconds   that it took.
     * @param identical whether the orders are the same, byte by byte.
     */
    public record Replayed(String speed, double seconds, boolean identical)
    {
    }

    /**
     * Whether all is as it must be.
     *
     * @return false if a message is missing, or a replay or a late join gave other orders.
     */
    @JsonIgnore
    public boolean isSound()
    {
        return hops.stream().allMatch((hop) -> 0 == hop.gaps()) && replays.stream().allMatch(Replayed::identical) &&
            lateJoins.stream().allMatch(LateJoined::isSound);
    }
}
