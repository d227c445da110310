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
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

import io.millrace.archive.index.BlockIndex;
import io.millrace.archive.index.SteadyEpochClock;
import io.millrace.archive.index.StoredTransfer;
import org.agrona.CloseHelper;
import org.agrona.SystemUtil;
import org.agrona.collections.Long2ObjectHashMap;
import org.agrona.collections.LongHashSet;
import org.agrona.concurrent.EpochClock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings an index up to what the archive holds: forgets what is gone, reads on in every recording from where it was
 * read last, up to the recorded position. All but the waits is for {@link #exclusively}.
 */
final class KvIndexer
{
    private static final Logger LOGGER = LoggerFactory.getLogger(KvIndexer.class);
    private static final long POLL_NS = TimeUnit.MILLISECONDS.toNanos(1);

    private final ArchiveSession session;
    private final BlockIndex index;
    private final RecordingReader reader;
    private final BooleanSupplier isCanceled;
    private final EpochClock clock = new SteadyEpochClock();
    private final Long2ObjectHashMap<TransferScanner> scanners = new Long2ObjectHashMap<>();
    private final Long2ObjectHashMap<long[]> scannedTo = new Long2ObjectHashMap<>();
    private final ReentrantLock lock = new ReentrantLock();
    private long added;
    private boolean isClosed;

    KvIndexer(final KvArchive archive, final BlockIndex index, final BooleanSupplier isCanceled)
    {
        session = archive.session();
        this.index = index;
        this.isCanceled = isCanceled;
        try
        {
            reader = new RecordingReader(archive, index, isCanceled);
        }
        catch (final RuntimeException ex)
        {
            CloseHelper.quietClose(index);
            throw ex;
        }
    }

    /**
     * Bring the index up to date.
     *
     * @param progress to tell.
     * @return transfers added.
     */
    long update(final KvScanProgress progress)
    {
        final long before = added;
        final List<KvRecordingInfo> recordings = Recordings.list(session, 0, Integer.MAX_VALUE, null, 0);
        forgetGone(recordings);
        for (final KvRecordingInfo info : recordings)
        {
            if (isCanceled.getAsBoolean())
            {
                break;
            }
            reconcile(info);
            if (startOf(info) < info.position())
            {
                read(info, progress);
            }
        }
        return added - before;
    }

    /**
     * Read every recording again, whatever the index says of it.
     */
    void rewind()
    {
        for (final long recordingId : index.recordingIds())
        {
            index.forget(recordingId);
        }
        scanners.clear();
        scannedTo.clear();
        reader.forgetDamages();
    }

    /**
     * Does a recording hold KV streams.
     */
    boolean isKv(final long recordingId)
    {
        final TransferScanner scanner = scanners.get(recordingId);
        return null != scanner && scanner.kvMessages() > 0 || index.hasTransfers(recordingId);
    }

    /**
     * Segments that could not be read.
     */
    List<KvDamage> damages()
    {
        return reader.damages();
    }

    /**
     * How far a recording was read by this indexer, or is known to be indexed.
     */
    long indexedTo(final long recordingId)
    {
        final long[] position = scannedTo.get(recordingId);
        return null == position ? index.progress(recordingId) : position[0];
    }

    /**
     * Work on recordings and index with no other thread at it.
     */
    <T> T exclusively(final Supplier<T> work)
    {
        lock.lock();
        try
        {
            if (isClosed)
            {
                throw new KvArchiveException(KvArchiveError.STOPPED, "the store is closed");
            }
            return work.get();
        }
        finally
        {
            lock.unlock();
        }
    }

    /**
     * Wait until another thread has brought the index of a recording up to a position.
     *
     * @throws KvArchiveException with {@link KvArchiveError#CANCELED} when this thread is interrupted.
     */
    void awaitIndexed(final long recordingId, final long position, final long timeoutNs)
    {
        final long startNs = System.nanoTime();
        long indexed = BlockIndex.NO_PROGRESS;
        while (true)
        {
            // A pass over all recordings is waited for no longer than that.
            if (tryLock(timeoutNs - (System.nanoTime() - startNs)))
            {
                try
                {
                    indexed = indexedTo(recordingId);
                }
                finally
                {
                    lock.unlock();
                }
            }
            if (indexed >= position)
            {
                return;
            }
            if (System.nanoTime() - startNs >= timeoutNs)
            {
                throw new KvArchiveException(KvArchiveError.DEADLINE, "recording " + recordingId + " is indexed to " +
                    indexed + ", not to " + position + ", within " + SystemUtil.formatDuration(timeoutNs));
            }
            if (Thread.currentThread().isInterrupted())
            {
                throw new KvArchiveException(KvArchiveError.CANCELED, "interrupted while waiting for recording " +
                    recordingId + " to be indexed to " + position);
            }
            LockSupport.parkNanos(POLL_NS);
        }
    }

    /**
     * @return false when another thread was at work for all that time.
     * @throws KvArchiveException with {@link KvArchiveError#CANCELED} when this thread is interrupted meanwhile.
     */
    private boolean tryLock(final long timeoutNs)
    {
        if (lock.tryLock())
        {
            return true;
        }
        try
        {
            return lock.tryLock(timeoutNs, TimeUnit.NANOSECONDS);
        }
        catch (final InterruptedException ex)
        {
            Thread.currentThread().interrupt();
            throw new KvArchiveException(
                KvArchiveError.CANCELED, "interrupted while another thread was at work on the index", ex);
        }
    }

    private void forgetGone(final List<KvRecordingInfo> recordings)
    {
        final Set<Long> known = new HashSet<>();
        recordings.forEach(info -> known.add(info.recordingId()));
        for (final long recordingId : index.recordingIds())
        {
            if (!known.contains(recordingId))
            {
                LOGGER.info("index: recording {} is gone, {} transfers forgotten",
                    recordingId, index.forget(recordingId));
                forget(recordingId);
            }
        }
    }

    private void reconcile(final KvRecordingInfo info)
    {
        final long id = info.recordingId();
        final long identity = index.identity(id);
        if (BlockIndex.NO_PROGRESS == identity && !scannedTo.containsKey(id) ||
            BlockIndex.NO_PROGRESS != identity && info.startTimestampMs() != identity ||
            index.progress(id) > info.position())
        {
            // Nothing tells that what is indexed is of this recording: it is read from its start.
            index.forget(id);
            forget(id);
        }
        index.drop(id, Long.MIN_VALUE, info.startPosition());
        index.drop(id, info.position(), Long.MAX_VALUE);
    }

    /**
     * A recording was purged.
     */
    void onGone(final long recordingId)
    {
        index.forget(recordingId);
        forget(recordingId);
    }

    private void forget(final long recordingId)
    {
        scanners.remove(recordingId);
        scannedTo.remove(recordingId);
    }

    private long startOf(final KvRecordingInfo info)
    {
        return Math.max(info.startPosition(), indexedTo(info.recordingId()));
    }

    private void read(final KvRecordingInfo info, final KvScanProgress progress)
    {
        final long id = info.recordingId();
        final long first = startOf(info);
        final TransferScanner scanner = scanners.computeIfAbsent(id, key ->
        {
            final TransferScanner newScanner = new TransferScanner(id, clock, (transfer, tag, hashes) ->
                added += add(transfer, tag, hashes));
            newScanner.skipTo(first);
            return newScanner;
        });
        final long from;
        try
        {
            from = reader.read(info, first, scanner, false, progress);
        }
        catch (final RuntimeException ex)
        {
            // What the scanner took is not all told: the next one begins where the index ends.
            forget(id);
            throw ex;
        }
        scannedTo.put(id, new long[] {from});
        index.progress(id, Math.min(from, scanner.resumePosition()), info.startTimestampMs());
    }

    private int add(final StoredTransfer transfer, final String tag, final long[] hashes)
    {
        index.name(transfer.scope(), tag);
        return index.add(transfer, hashes) ? 1 : 0;
    }

    /**
     * Read all recordings and compare the index with them: what is missing is added, what has no bytes is forgotten.
     */
    KvVerifyReport verify(final KvScanProgress progress)
    {
        reader.forgetDamages();
        final long damagedAt = index.verify();
        update(KvScanProgress.NONE);
        final List<KvRecordingInfo> recordings = Recordings.list(session, 0, Integer.MAX_VALUE, null, 0);
        final List<String> damagedTransfers = new ArrayList<>();
        long bytes = 0;
        long transfers = 0;
        long missing = 0;
        long stale = 0;
        for (final KvRecordingInfo info : recordings)
        {
            final LongHashSet seen = new LongHashSet();
            final long[] added = new long[1];
            final TransferScanner scanner = new TransferScanner(info.recordingId(), clock, (transfer, tag, hashes) ->
            {
                seen.add(transfer.position());
                added[0] += add(transfer, tag, hashes);
            });
            scanner.skipTo(info.startPosition());
            reader.read(info, info.startPosition(), scanner, true, progress);
            damagedTransfers.addAll(scanner.damaged());
            bytes += info.bytes();
            transfers += scanner.committedTransfers();
            missing += added[0];
            stale += forgetUnseen(info, seen);
        }
        return new KvVerifyReport(recordings.size(), bytes, transfers, missing, stale, damagedAt, damagedTransfers,
            reader.damages());
    }

    private long forgetUnseen(final KvRecordingInfo info, final LongHashSet seen)
    {
        final List<StoredTransfer> unseen = new ArrayList<>();
        index.forEach(info.recordingId(), transfer ->
        {
            if (!seen.contains(transfer.position()) && transfer.endPosition() <= info.position())
            {
                unseen.add(transfer);
            }
        });
        for (final StoredTransfer transfer : unseen)
        {
            index.drop(transfer.recordingId(), transfer.position(), transfer.endPosition());
        }
        if (!unseen.isEmpty())
        {
            // Those that lay between were forgotten with them: read again.
            index.forget(info.recordingId());
            forget(info.recordingId());
            update(KvScanProgress.NONE);
        }
        return unseen.size();
    }

    /**
     * Close what this works with and on.
     *
     * @param timeoutNs nanoseconds for a thread that is at work to notice that it is canceled.
     * @throws KvArchiveException with {@link KvArchiveError#DEADLINE} when it did not, {@link KvArchiveError#CANCELED}
     *                            when this one is interrupted meanwhile: nothing is closed then.
     */
    void close(final long timeoutNs)
    {
        if (!tryLock(timeoutNs))
        {
            throw new KvArchiveException(KvArchiveError.DEADLINE, "a thread was at work on the index for " +
                TimeUnit.NANOSECONDS.toSeconds(timeoutNs) + " s more: close again when it has returned");
        }
        try
        {
            isClosed = true;
            reader.close();
            index.close();
        }
        finally
        {
            lock.unlock();
        }
    }
}
