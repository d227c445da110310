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
package io.millrace.samples.bench;

import io.millrace.samples.failure.CommandFailure;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * What is measured.
 */
public enum CaseKind
{
    /** Round trips of single messages at a fixed rate. */
    RTT(List.of("p50Micros", "p99Micros", "p999Micros", "maxMicros")),
    /** Messages one way, as many as go. */
    THROUGHPUT(List.of("messagesPerSecond", "gigabytesPerSecond")),
    /** KV blocks of one size from device memory to device memory. */
    KV(List.of("messagesPerSecond", "gigabytesPerSecond")),
    /** KV blocks of a trace's requests. */
    KV_TRACE(List.of("messagesPerSecond", "gigabytesPerSecond")),
    /** One KV block at a time, from device memory to device memory. */
    KV_BLOCK(RTT.metrics),
    /** KV blocks to a disk and back. */
    ARCHIVE(List.of("messagesPerSecond", "gigabytesPerSecond")),
    /** Finding blocks. */
    ARCHIVE_INDEX(List.of("lookupsPerSecond", "bytesPerBlock"));

    private final List<String> metrics;

    CaseKind(final List<String> metrics)
    {
        this.metrics = metrics;
    }

    /**
     * Name in JSON and on the command line.
     *
     * @return the name.
     */
    public String key()
    {
        return switch (this)
        {
            case KV_TRACE -> "kvTrace";
            case KV_BLOCK -> "kvBlock";
            case ARCHIVE_INDEX -> "archiveIndex";
            default -> name().toLowerCase(Locale.ROOT);
        };
    }

    /**
     * Heading of it.
     *
     * @return a few words.
     */
    String title()
    {
        return switch (this)
        {
            case RTT -> "Round trips";
            case THROUGHPUT -> "Messages one way";
            case KV -> "KV blocks, device to device";
            case KV_TRACE -> "KV blocks of a trace's requests";
            case KV_BLOCK -> "One KV block, device to device";
            case ARCHIVE -> "KV blocks to a disk and back";
            case ARCHIVE_INDEX -> "Finding blocks";
        };
    }

    /**
     * What it is.
     *
     * @return a sentence.
     */
    String description()
    {
        return switch (this)
        {
            case RTT -> "Messages sent by a schedule that waits for nothing, echoed by the other process; time is " +
                "counted from the scheduled moment, so that waiting behind slow messages counts.";
            case THROUGHPUT -> "As many messages as go, counted where they arrive. Raw libfabric: one write with " +
                "immediate for each message.";
            case KV -> "Transfers of 32 pieces out of and into host memory that stands in for a device, with " +
                "checksums and acknowledgements.";
            case KV_TRACE -> "The same with the lengths of requests.";
            case KV_BLOCK -> "A transfer of one block, keys and values, when there is no other: from submit until " +
                "the sender knows that it lies checked in the receiver's device memory.";
            case ARCHIVE -> "A KV stream between two drivers, recorded with checksums and forced to the disk, at the " +
                "receiver and at the sender, then replayed and fetched with a cold cache; beside plain writes and " +
                "reads of as many bytes there.";
            case ARCHIVE_INDEX -> "Look-ups of random blocks, and bytes of memory for each block.";
        };
    }

    /**
     * What a round of it results in.
     *
     * @return names in JSON.
     */
    public List<String> metrics()
    {
        return metrics;
    }

    /**
     * Whether it moves KV blocks.
     *
     * @return true for those that do.
     */
    boolean isKv()
    {
        return KV == this || KV_TRACE == this || KV_BLOCK == this;
    }

    /**
     * Whether single messages or blocks are timed.
     *
     * @return true for latencies, false for rates.
     */
    boolean isLatency()
    {
        return RTT == this || KV_BLOCK == this;
    }

    /**
     * Whether it is about an archive.
     *
     * @return true for both that are.
     */
    boolean isArchive()
    {
        return ARCHIVE == this || ARCHIVE_INDEX == this;
    }

    /**
     * Find one by its name.
     *
     * @param text of the user.
     * @return the kind.
     * @throws CommandFailure if there is none.
     */
    public static CaseKind of(final String text)
    {
        return Arrays.stream(values())
            .filter((kind) -> kind.key().equalsIgnoreCase(text))
            .findFirst()
            .orElseThrow(() -> CommandFailure.usage("case " + text + ": it must be one or more of " +
                Arrays.stream(values()).map(CaseKind::key).collect(Collectors.joining(", "))));
    }
}
