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
package io.millrace.samples.disaggregated;

import com.fasterxml.jackson.annotation.JsonIgnore;

import java.util.List;

/**
 * Result of a run.
 *
 * @param transport         of the prefill machine's driver, and why.
 * @param speed             of the replay, 0 for as fast as it goes.
 * @param requests          answered.
 * @param seconds           from the first arrival to the end of the last answer.
 * @param blocks            by where they came from.
 * @param timeToFirstToken  of all requests.
 * @param transferShare     of the sum of all times to first token.
 * @param wrongBlocks       that did not hold what they must.
 * @param retries           transfers that failed and were computed again.
 * @param fabricFrames      of both drivers on rails.
 * @param udpFrames         of both drivers by UDP, as before a link was up.
 * @param missedChanges     of the instances that were due after the last answer and did not take place.
 * @param instances         in the order of their start.
 * @param served            request by request.
 */
public record RunResult(
    String transport,
    double speed,
    long requests,
    double seconds,
    Blocks blocks,
    TimeToFirstToken timeToFirstToken,
    double transferShare,
    long wrongBlocks,
    long retries,
    long fabricFrames,
    long udpFrames,
    List<String> missedChanges,
    List<InstanceResult> instances,
    @JsonIgnore List<Served> served)
{
    /**
     * Blocks of all requests.
     *
     * @param memory   were in the decode instance's memory.
     * @param archive  were read from the archive.
     * @param computed were computed.
     * @param hitRate  share of those that were not computed.
     */
    public record Blocks(long memory, long archive, long computed, double hitRate)
    {
        static Blocks of(final long memory, final long archive, final long computed)
        {
            return new Blocks(
                memory, archive, computed, (memory + archive) / (double)Math.max(1, memory + archive + computed));
        }
    }

    /**
     * Times in milliseconds, from when a request was due.
     *
     * @param total    until the first token could be made.
     * @param queue    until an instance began with it, and after that for the archive to begin.
     * @param prefill  simulated.
     * @param transfer from the end of both until all blocks were in the decode instance's memory.
     */
    public record TimeToFirstToken(Times total, Times queue, Times prefill, Times transfer)
    {
    }

    /**
     * Times in milliseconds.
     *
     * @param meanMs average.
     * @param p50Ms  median.
     * @param p99Ms  99th percentile.
     * @param maxMs  longest.
     */
    public record Times(double meanMs, double p50Ms, double p99Ms, double maxMs)
    {
    }

    /**
     * What an instance did.
     *
     * @param name          of it.
     * @param role          prefill, decode or archive.
     * @param joinedSeconds after the first arrival; negative for those that were there before.
     * @param leftSeconds   after the first arrival, or null if it stayed.
     * @param served        requests or transfers.
     * @param blocks        that it had, read or computed.
     */
    public record InstanceResult(
        String name, String role, double joinedSeconds, Double leftSeconds, long served, long blocks)
    {
    }

    /**
     * A request.
     *
     * @param seconds    after the first arrival.
     * @param queueMs    of the time to its first token.
     * @param prefillMs  of it.
     * @param transferMs of it.
     * @param totalMs    all of it.
     * @param memory     blocks.
     * @param archive    blocks.
     * @param computed   blocks.
     */
    public record Served(
        double seconds,
        double queueMs,
        double prefillMs,
        double transferMs,
        double totalMs,
        int memory,
        int archive,
        int computed)
    {
    }

    /**
     * Whether all is as it must be.
     *
     * @return false if a block did not hold what it must.
     */
    @JsonIgnore
    public boolean isSound()
    {
        return 0 == wrongBlocks;
    }
}
