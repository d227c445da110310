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

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import io.aeron.exceptions.ConfigurationException;
import io.millrace.archive.index.BlockIndex;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvReceiver;

/**
 * Blocks in an archive: keeps an index of what its recordings hold, tells which blocks of a request are stored, and
 * fetches them. A thread of its own follows the recordings. May be used by any thread. Requests throw
 * {@link KvArchiveException}.
 */
public final class KvBlockStore implements AutoCloseable
{
    private static final long CLOSE_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(30);

    private final KvArchive archive;
    private final Context ctx;
    private final BlockIndex index;
    private final KvIndexer indexer;
    private final KvRetention retention;
    private final Thread thread;
    private volatile boolean isClosed;

    private KvBlockStore(final KvArchive archive, final Context ctx)
    {
        ctx.conclude();
        this.archive = archive;
        this.ctx = ctx;
        index = BlockIndex.open(ctx.indexFile());
        indexer = new KvIndexer(archive, index, () -> isClosed);
        retention = new KvRetention(archive.session(), index, indexer);
        thread = new Thread(new IndexFollower(this, ctx, () -> isClosed), "kv-indexer");
        if (ctx.updateIntervalNs() > 0)
        {
            thread.setDaemon(true);
            thread.start();
        }
    }

    /**
     * Open the index of an archive, or begin one. What it lacks is read from the recordings by its thread, or by
     * {@link #update(KvScanProgress)}.
     *
     * @param archive that stays the caller's and must stay open.
     * @param ctx     to conclude and use.
     * @return the store.
     * @throws io.millrace.archive.index.IndexException when the index's file cannot be read or written, or is in use.
     */
    public static KvBlockStore open(final KvArchive archive, final Context ctx)
    {
        return new KvBlockStore(archive, ctx);
    }

    /**
     * The index.
     *
     * @return for look-ups and figures; closed with this.
     */
    public BlockIndex index()
    {
        return index;
    }

    /**
     * Read what was recorded since the last time, now.
     *
     * @param progress to tell.
     * @return transfers added to the index.
     */
    public long update(final KvScanProgress progress)
    {
        return indexer.exclusively(() -> indexer.update(progress));
    }

    /**
     * Make the index anew from the recordings.
     *
     * @param progress to tell.
     * @return transfers in the index.
     */
    public long rebuild(final KvScanProgress progress)
    {
        return indexer.exclusively(() ->
        {
            indexer.rewind();
            indexer.update(progress);
            index.compact();
            return index.stats().transfers();
        });
    }

    /**
     * Read every byte of every recording, compare the index with it, and mend the index.
     *
     * @param progress to tell.
     * @return what was found.
     */
    public KvVerifyReport verify(final KvScanProgress progress)
    {
        return indexer.exclusively(() -> indexer.verify(progress));
    }

    /**
     * Wait until a recording is indexed.
     *
     * @param recordingId of the recording.
     * @param position    up to which, in bytes.
     * @param timeoutNs   nanoseconds to wait at most.
     * @throws KvArchiveException with {@link KvArchiveError#DEADLINE}, or {@link KvArchiveError#CANCELED} when this
     *                            thread is interrupted.
     */
    public void awaitIndexed(final long recordingId, final long position, final long timeoutNs)
    {
        indexer.awaitIndexed(recordingId, position, timeoutNs);
    }

    /**
     * What makes room.
     *
     * @return eviction, purging and pins.
     */
    public KvRetention retention()
    {
        return retention;
    }

    /**
     * Client of the archive.
     *
     * @return the client.
     */
    public KvArchive archive()
    {
        return archive;
    }

    /**
     * Segments that could not be read up to now.
     *
     * @return what is known of them.
     */
    public List<KvDamage> damages()
    {
        return indexer.exclusively(indexer::damages);
    }

    /**
     * Find out which blocks are stored, before any data flows.
     *
     * @param scope  of the hashes.
     * @param hashes of the blocks in the order of the request, each once.
     * @return hits and misses.
     */
    public KvFetchPlan plan(final KvScope scope, final long... hashes)
    {
        return KvFetchPlan.of(index, scope, hashes, ctx.mergeGapBytes(), transfer -> false);
    }

    /**
     * Fetch the hits of a plan into device memory.
     *
     * @param plan        of {@link #plan}.
     * @param destination with a block for each hash of the plan; blocks of misses stay as they are.
     * @param receiverCtx with device, staging and listener as wished. Allocator, and where the receiver takes data
     *                    from, are set here, and the Aeron client when there is none.
     * @return the running fetch, to be closed.
     */
    public KvFetch fetch(final KvFetchPlan plan, final KvBlocks destination, final KvReceiver.Context receiverCtx)
    {
        return KvFetch.start(archive, plan, destination, ctx.maxReplays(), receiverCtx);
    }

    /**
     * Fetch the hits of a plan through another client of the same archive, such as one of the decode node's driver.
     *
     * @param client      that replays are made with, to its replay channel.
     * @param plan        of {@link #plan}.
     * @param destination with a block for each hash of the plan; blocks of misses stay as they are.
     * @param receiverCtx as for {@link #fetch(KvFetchPlan, KvBlocks, KvReceiver.Context)}.
     * @return the running fetch, to be closed.
     */
    public KvFetch fetch(
        final KvArchive client,
        final KvFetchPlan plan,
        final KvBlocks destination,
        final KvReceiver.Context receiverCtx)
    {
        return KvFetch.start(client, plan, destination, ctx.maxReplays(), receiverCtx);
    }

    /**
     * End the thread and close the index.
     *
     * @throws KvArchiveException with {@link KvArchiveError#DEADLINE} when a thread is at work on it for too long,
     *                            {@link KvArchiveError#CANCELED} when this one is interrupted meanwhile.
     */
    public void close()
    {
        isClosed = true;
        LockSupport.unpark(thread);
        indexer.close(CLOSE_TIMEOUT_NS);
    }

    /**
     * Settings of a {@link KvBlockStore}.
     */
    public static final class Context
    {
        private Path indexFile;
        private long capacityBytes;
        private long updateIntervalNs = TimeUnit.MILLISECONDS.toNanos(250);
        private long mergeGapBytes = 256 * 1024;
        private int maxReplays = 4;
        private final Map<String, Long> tagLimits = new TreeMap<>();

        /**
         * With defaults for all but the file.
         */
        public Context()
        {
        }

        void conclude()
        {
            if (null == indexFile)
            {
                throw new ConfigurationException("indexFile is not set: name a file on the archive's disk");
            }
            if (updateIntervalNs < 0 || capacityBytes < 0 || mergeGapBytes < 0 || maxReplays < 1)
            {
                throw new ConfigurationException("updateIntervalNs=" + updateIntervalNs +
                    ", capacityBytes=" + capacityBytes + " and mergeGapBytes=" +
                    mergeGapBytes + " must be 0 or more, maxReplays=" + maxReplays + " 1 or more");
            }
        }

        /**
         * Set the file of the index.
         *
         * @param file that is created when there is none.
         * @return this for a fluent API.
         */
        public Context indexFile(final Path file)
        {
            indexFile = file;
            return this;
        }

        /**
         * Get the file of the index.
         *
         * @return the file.
         */
        public Path indexFile()
        {
            return indexFile;
        }

        /**
         * Set the capacity that the store's thread keeps KV recordings within.
         *
         * @param bytes of recordings, 0 for no limit.
         * @return this for a fluent API.
         */
        public Context capacityBytes(final long bytes)
        {
            capacityBytes = bytes;
            return this;
        }

        /**
         * Get the capacity that the store's thread keeps KV recordings within.
         *
         * @return bytes, 0 for no limit.
         */
        public long capacityBytes()
        {
            return capacityBytes;
        }

        /**
         * Set how many bytes of blocks the store's thread leaves to a model tag, see {@link KvRetention#evict(Map)}.
         *
         * @param tag   of transfers: a model, a tenant.
         * @param bytes of blocks, over 0.
         * @return this for a fluent API.
         */
        public Context tagLimit(final String tag, final long bytes)
        {
            tagLimits.put(tag, bytes);
            return this;
        }

        /**
         * Get how many bytes of blocks the store's thread leaves to model tags.
         *
         * @return bytes by tag.
         */
        public Map<String, Long> tagLimits()
        {
            return tagLimits;
        }

        /**
         * Set how often recordings are looked at for what is new.
         *
         * @param intervalNs nanoseconds, 0 for no thread of its own: {@link KvBlockStore#update} is called.
         * @return this for a fluent API.
         */
        public Context updateIntervalNs(final long intervalNs)
        {
            updateIntervalNs = intervalNs;
            return this;
        }

        /**
         * Get how often recordings are looked at for what is new.
         *
         * @return nanoseconds.
         */
        public long updateIntervalNs()
        {
            return updateIntervalNs;
        }

        /**
         * Set up to how many bytes between two ranges of a recording are read in vain to save a replay.
         *
         * @param bytes 0 to merge ranges that touch only.
         * @return this for a fluent API.
         */
        public Context mergeGapBytes(final long bytes)
        {
            mergeGapBytes = bytes;
            return this;
        }

        /**
         * Get up to how many bytes between two ranges of a recording are read in vain to save a replay.
         *
         * @return bytes.
         */
        public long mergeGapBytes()
        {
            return mergeGapBytes;
        }

        /**
         * Set how many replays of a fetch run at a time.
         *
         * @param count 1 to what the archive allows.
         * @return this for a fluent API.
         */
        public Context maxReplays(final int count)
        {
            maxReplays = count;
            return this;
        }

        /**
         * Get how many replays of a fetch run at a time.
         *
         * @return replays.
         */
        public int maxReplays()
        {
            return maxReplays;
        }
    }
}
