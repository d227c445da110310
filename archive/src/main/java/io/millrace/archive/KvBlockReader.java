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

import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

import io.aeron.Counter;
import io.millrace.archive.index.StoredTransfer;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.KvReceiver;
import org.agrona.CloseHelper;
import org.agrona.SystemUtil;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads blocks from where they can be had: their newest copies, older ones when those are refused, and then a second
 * archive. An archive that does not answer is not asked again for a while. Used by one thread at a time.
 */
public final class KvBlockReader implements AutoCloseable
{
    /**
     * Fetches from one archive for one read, at most: all at once, each transfer alone, then older copies.
     */
    public static final int MAX_FETCHES = 5;

    /**
     * Time for which an archive that did not answer is passed over, in nanoseconds.
     */
    public static final long RETRY_AFTER_NS = TimeUnit.SECONDS.toNanos(10);

    private static final Logger LOGGER = LoggerFactory.getLogger(KvBlockReader.class);

    private final List<KvBlockStore> stores;
    private final long archiveTimeoutNs;
    private final boolean[] isGone;
    private final long[] goneNs;
    private final Counter failoverCounter;
    private final Counter retryCounter;

    /**
     * Read from some archives.
     *
     * @param stores           of the archives in the order in which they are asked; they stay the caller's.
     * @param archiveTimeoutNs nanoseconds for one archive of a read, over 0.
     */
    public KvBlockReader(final List<KvBlockStore> stores, final long archiveTimeoutNs)
    {
        if (stores.isEmpty() || archiveTimeoutNs <= 0)
        {
            throw new IllegalArgumentException(stores.size() + " stores must be 1 or more, archiveTimeoutNs=" +
                archiveTimeoutNs + " over 0");
        }
        this.stores = List.copyOf(stores);
        this.archiveTimeoutNs = archiveTimeoutNs;
        isGone = new boolean[stores.size()];
        goneNs = new long[stores.size()];
        final KvArchive.Context ctx = stores.get(0).archive().context();
        failoverCounter = ctx.aeron().addCounter(
            ArchiveCounters.FAILOVERS_TYPE_ID, "archive: block reads that went on with another archive");
        retryCounter = ctx.aeron().addCounter(
            ArchiveCounters.RETRIES_TYPE_ID, "archive: fetches made again, alone or of older copies");
    }

    /**
     * Read blocks into device memory, and wait until they are there.
     *
     * @param scope       of the hashes.
     * @param hashes      of the blocks, each once.
     * @param destination with a block for each hash; those that do not land may hold anything.
     * @param receivers   makes the settings of a receiver for each fetch, as for {@link KvBlockStore#fetch}.
     * @param timeoutNs   nanoseconds for the whole.
     * @return what was had.
     */
    public KvRead read(
        final KvScope scope,
        final long[] hashes,
        final KvBlocks destination,
        final Supplier<KvReceiver.Context> receivers,
        final long timeoutNs)
    {
        final Reading reading = new Reading(scope, hashes, destination, receivers, System.nanoTime() + timeoutNs);
        for (int i = 0; i < stores.size() && !reading.isDone(); i++)
        {
            if (reading.isOver())
            {
                reading.addKnown(stores.get(i));
                continue;
            }
            final String before = reading.errorText;
            reading.errorText = null;
            readFrom(i, reading);
            if (null != reading.errorText && i + 1 < stores.size() && !reading.isDone() && !reading.isOver())
            {
                reading.failovers++;
                failoverCounter.incrementRelease();
                LOGGER.warn("blocks are read from archive {} of {}: {}", i + 2, stores.size(), reading.errorText);
            }
            reading.errorText = null == reading.errorText ? before : reading.errorText;
        }
        if (!reading.isDone() && reading.isOver() && null == reading.errorText)
        {
            reading.errorText = "not read within " + SystemUtil.formatDuration(timeoutNs);
        }
        return reading.result(scope.layout());
    }

    private void readFrom(final int number, final Reading reading)
    {
        if (isGone[number] && System.nanoTime() - goneNs[number] < RETRY_AFTER_NS)
        {
            reading.errorText = "archive " + (number + 1) + " did not answer less than " +
                TimeUnit.NANOSECONDS.toSeconds(RETRY_AFTER_NS) + " s ago";
            reading.addKnown(stores.get(number));
            return;
        }
        final long archiveDeadlineNs = System.nanoTime() + archiveTimeoutNs;
        try
        {
            readFrom(stores.get(number), reading, archiveDeadlineNs);
            isGone[number] = false;
        }
        catch (final KvArchiveException ex)
        {
            reading.errorText = ex.getMessage();
            // A caller that allowed less time than the archive has tells nothing of the archive.
            isGone[number] = KvArchiveError.ARCHIVE_GONE == ex.error() ||
                KvArchiveError.DEADLINE == ex.error() && System.nanoTime() - archiveDeadlineNs >= 0;
            goneNs[number] = System.nanoTime();
        }
    }

    private void readFrom(final KvBlockStore store, final Reading reading, final long archiveDeadlineNs)
    {
        final Set<StoredTransfer> refused = new HashSet<>();
        for (int fetches = 0; fetches < MAX_FETCHES && !reading.isDone(); fetches++)
        {
            final int[] rest = reading.rest();
            final long[] hashes = reading.hashesOf(rest);
            // Again with a replay for each transfer: what is wrong with one takes no other along.
            final KvFetchPlan plan = 0 == fetches ? store.plan(reading.scope, hashes) :
                KvFetchPlan.of(store.index(), reading.scope, hashes, -1, refused::contains);
            reading.add(reading.known, rest, plan.hits());
            final long leftNs = Math.min(reading.deadlineNs, archiveDeadlineNs) - System.nanoTime();
            if (0 == plan.hits().length)
            {
                return;
            }
            if (leftNs <= 0)
            {
                throw new KvArchiveException(KvArchiveError.DEADLINE, plan.hits().length +
                    " blocks were not read in the time allowed" + (reading.isOver() ? "" :
                    " for one archive, " + SystemUtil.formatDuration(archiveTimeoutNs)));
            }
            reading.bytesRead += plan.bytesToRead();
            reading.replays += plan.replays();
            if (fetches > 0)
            {
                reading.retries++;
                retryCounter.incrementRelease();
                LOGGER.warn("{} blocks are read {}: {}", plan.hits().length,
                    1 == fetches ? "again, each transfer alone" : "from older copies", reading.errorText);
            }
            try (KvFetch fetch = store.fetch(
                plan, FetchTransfer.select(reading.destination, rest), reading.receivers.get()))
            {
                fetch.await(leftNs);
                reading.add(reading.landed, rest, fetch.landed());
                if (KvReplayState.COMPLETED == fetch.state())
                {
                    return;
                }
                reading.errorText = fetch.state().isTerminal() ?
                    String.valueOf(fetch.errorText()) : "not read within " +
                    TimeUnit.NANOSECONDS.toMillis(leftNs) + "ms";
                if (fetches > 0)
                {
                    refused.addAll(plan.transfersOf(fetch.failed()));
                }
            }
        }
    }

    /**
     * Remove the counters.
     */
    public void close()
    {
        CloseHelper.closeAll(failoverCounter, retryCounter);
    }

    /**
     * How far a read is.
     */
    private static final class Reading
    {
        private final KvScope scope;
        private final long[] hashes;
        private final KvBlocks destination;
        private final Supplier<KvReceiver.Context> receivers;
        private final long deadlineNs;
        private final BitSet landed = new BitSet();
        private final BitSet known = new BitSet();
        private long bytesRead;
        private int replays;
        private int retries;
        private int failovers;
        private String errorText;

        Reading(
            final KvScope scope,
            final long[] hashes,
            final KvBlocks destination,
            final Supplier<KvReceiver.Context> receivers,
            final long deadlineNs)
        {
            this.scope = scope;
            this.hashes = hashes;
            this.destination = destination;
            this.receivers = receivers;
            this.deadlineNs = deadlineNs;
        }

        boolean isDone()
        {
            return landed.cardinality() == hashes.length;
        }

        /**
         * Is the caller's time over.
         */
        boolean isOver()
        {
            return System.nanoTime() - deadlineNs >= 0;
        }

        /**
         * Indexes of the blocks that did not land yet.
         */
        int[] rest()
        {
            final BitSet rest = new BitSet();
            rest.set(0, hashes.length);
            rest.andNot(landed);
            return rest.stream().toArray();
        }

        long[] hashesOf(final int[] blocks)
        {
            final long[] selected = new long[blocks.length];
            for (int i = 0; i < blocks.length; i++)
            {
                selected[i] = hashes[blocks[i]];
            }
            return selected;
        }

        void add(final BitSet target, final int[] rest, final int[] indexesInRest)
        {
            for (final int index : indexesInRest)
            {
                target.set(rest[index]);
            }
        }

        void addKnown(final KvBlockStore store)
        {
            final int[] rest = rest();
            add(known, rest, store.plan(scope, hashesOf(rest)).hits());
        }

        KvRead result(final KvLayout layout)
        {
            final BitSet failed = (BitSet)known.clone();
            failed.andNot(landed);
            final BitSet missing = new BitSet();
            missing.set(0, hashes.length);
            missing.andNot(known);
            return new KvRead(landed.stream().toArray(), missing.stream().toArray(), failed.stream().toArray(),
                layout.totalBytes(landed.cardinality()), bytesRead, replays, retries, failovers, errorText);
        }
    }
}
