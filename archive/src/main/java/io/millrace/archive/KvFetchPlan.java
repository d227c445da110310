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
package io.millrace.archive;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import io.millrace.archive.index.BlockIndex;
import io.millrace.archive.index.BlockLocation;
import io.millrace.archive.index.StoredTransfer;
import org.agrona.collections.IntArrayList;
import org.agrona.collections.LongHashSet;

/**
 * Which blocks of a request are stored, and what has to be read to get them. Blocks are named by their index in the
 * list of hashes. What is evicted between the plan and the fetch fails then, and only that.
 */
public final class KvFetchPlan
{
    private final long[] hashes;
    private final int[] hits;
    private final int[] misses;
    private final int prefixLength;
    private final long bytes;
    private final List<FetchRange> ranges;

    private KvFetchPlan(
        final long[] hashes, final int[] hits, final int[] misses, final long bytes, final List<FetchRange> ranges)
    {
        this.hashes = hashes;
        this.hits = hits;
        this.misses = misses;
        this.bytes = bytes;
        this.ranges = ranges;
        prefixLength = 0 == misses.length ? hashes.length : misses[0];
    }

    static KvFetchPlan of(
        final BlockIndex index,
        final KvScope scope,
        final long[] hashes,
        final long mergeGapBytes,
        final Predicate<StoredTransfer> isRefused)
    {
        final long scopeId = scope.id();
        final LongHashSet seen = new LongHashSet();
        final IntArrayList hits = new IntArrayList();
        final IntArrayList misses = new IntArrayList();
        final Map<StoredTransfer, FetchTransfer> transfers = new LinkedHashMap<>();
        long bytes = 0;
        for (int i = 0; i < hashes.length; i++)
        {
            if (!seen.add(hashes[i]))
            {
                throw new IllegalArgumentException(
                    "hash " + hashes[i] + " stands twice, again at index " + i + ": name each block once");
            }
            final BlockLocation location = index.find(scopeId, hashes[i], isRefused);
            if (null == location)
            {
                misses.addInt(i);
                continue;
            }
            hits.addInt(i);
            transfers.computeIfAbsent(location.transfer(), FetchTransfer::new).add(location.ordinal(), i);
            bytes += (long)location.transfer().blockBytes() * location.transfer().layers();
        }
        return new KvFetchPlan(hashes.clone(), hits.toIntArray(), misses.toIntArray(), bytes,
            ranges(new ArrayList<>(transfers.values()), mergeGapBytes));
    }

    private static List<FetchRange> ranges(final List<FetchTransfer> transfers, final long mergeGapBytes)
    {
        transfers.sort(Comparator.comparingLong((FetchTransfer transfer) -> transfer.stored().recordingId())
            .thenComparingLong(transfer -> transfer.stored().position()));
        final List<FetchRange> ranges = new ArrayList<>();
        FetchRange last = null;
        for (final FetchTransfer transfer : transfers)
        {
            if (null == last || !last.merge(transfer, mergeGapBytes))
            {
                last = new FetchRange(transfer);
                ranges.add(last);
            }
        }
        return ranges;
    }

    /**
     * Blocks that were asked for.
     *
     * @return count of hashes.
     */
    public int blockCount()
    {
        return hashes.length;
    }

    /**
     * Blocks that are stored.
     *
     * @return indexes in rising order.
     */
    public int[] hits()
    {
        return hits.clone();
    }

    /**
     * Blocks that are not stored, to be computed.
     *
     * @return indexes in rising order.
     */
    public int[] misses()
    {
        return misses.clone();
    }

    /**
     * Blocks from the first on that are stored without a gap.
     *
     * @return 0 to all.
     */
    public int prefixLength()
    {
        return prefixLength;
    }

    /**
     * Bytes of the hits, in all layers.
     *
     * @return bytes that land.
     */
    public long bytes()
    {
        return bytes;
    }

    /**
     * Bytes of recordings that are read for them: whole transfers, and the gaps between merged ranges.
     *
     * @return bytes.
     */
    public long bytesToRead()
    {
        return ranges.stream().mapToLong(range -> range.to() - range.from()).sum();
    }

    /**
     * Replays that it takes.
     *
     * @return count of merged ranges.
     */
    public int replays()
    {
        return ranges.size();
    }

    /**
     * Transfers that some blocks of the request were to come from.
     */
    Set<StoredTransfer> transfersOf(final int[] blocks)
    {
        final Set<Integer> wanted = IntStream.of(blocks).boxed().collect(Collectors.toSet());
        return ranges.stream().flatMap(range -> range.transfers().stream())
            .filter(transfer -> IntStream.of(transfer.targets()).anyMatch(wanted::contains))
            .map(FetchTransfer::stored).collect(Collectors.toSet());
    }

    List<FetchRange> ranges()
    {
        return ranges;
    }
}
