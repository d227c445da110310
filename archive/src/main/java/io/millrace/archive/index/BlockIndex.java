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
package io.millrace.archive.index;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.function.Predicate;

import org.agrona.CloseHelper;
import org.agrona.concurrent.EpochClock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Index of stored blocks: from a block's scope and hash to its newest copy in a recording. It lives in an append-only
 * file and, outside of the heap, in a table; a copy that is dropped is found no more before its bytes go. What a crash
 * tore off the end of the file is cut off at the next open, and found again by reading the recordings on from
 * {@link #progress(long)}. May be used by any thread.
 */
public final class BlockIndex implements AutoCloseable
{
    /**
     * Size from which on a file is compacted when more than half of it is dead.
     */
    public static final long COMPACTION_BYTES_MIN = 1 << 20;

    /**
     * Position of a recording that was never indexed.
     */
    public static final long NO_PROGRESS = -1;

    private static final Logger LOGGER = LoggerFactory.getLogger(BlockIndex.class);

    private final Path path;
    private final EpochClock clock;
    private long compactFromBytes;
    private IndexFile file;
    private IndexTables tables;
    private TransferTable transfers;

    BlockIndex(final Path path, final long compactionBytesMin, final EpochClock clock)
    {
        this.path = path;
        this.compactFromBytes = compactionBytesMin;
        this.clock = clock;
        load();
        file.logState();
    }

    /**
     * Open an index, or begin an empty one where there is none that can be used.
     *
     * @param path of its file.
     * @return the index.
     * @throws IndexException when the file cannot be read or written, or is in use.
     */
    public static BlockIndex open(final Path path)
    {
        return new BlockIndex(path, COMPACTION_BYTES_MIN, new SteadyEpochClock());
    }

    /**
     * Add a committed transfer; one that is known already stays as it is.
     *
     * @param transfer to add.
     * @param hashes   of its blocks in their order.
     * @return false when it was known.
     * @throws IndexException when the file cannot be written: nothing was added then.
     */
    public synchronized boolean add(final StoredTransfer transfer, final long[] hashes)
    {
        final int maxBlocks = (IndexFormat.MAX_RECORD_LENGTH - IndexFormat.HASHES_OFFSET) / Long.BYTES;
        if (hashes.length != transfer.blockCount() || 0 == hashes.length || hashes.length > maxBlocks)
        {
            throw new IllegalArgumentException(hashes.length + " hashes for a transfer of " + transfer.blockCount() +
                " blocks: give one for each of 1 to " + maxBlocks + " blocks");
        }
        if (TransferTable.NONE != transfers.find(transfer.recordingId(), transfer.position()))
        {
            return false;
        }

        final ByteBuffer record = IndexFormat.transfer(transfer, hashes);
        tables.apply(record, 0, file.append(record));
        compactIfDead();
        return true;
    }

    /**
     * Find the newest copy of a block, which counts as a use of its transfer.
     *
     * @param scope of the hash.
     * @param hash  of the block.
     * @return null when it is not stored.
     */
    public BlockLocation find(final long scope, final long hash)
    {
        return find(scope, hash, transfer -> false);
    }

    /**
     * As {@link #find(long, long)}, of copies that are not refused.
     *
     * @param scope     of the hash.
     * @param hash      of the block.
     * @param isRefused tells whether a copy is no good.
     * @return null when there is none.
     */
    public synchronized BlockLocation find(
        final long scope, final long hash, final Predicate<StoredTransfer> isRefused)
    {
        long reference = tables.get(scope, hash);
        while (HashTable.NONE != reference && isRefused.test(transfers.get(HashTable.transferOf(reference))))
        {
            reference = tables.older(reference);
        }
        if (HashTable.NONE == reference)
        {
            return null;
        }
        final int transfer = HashTable.transferOf(reference);
        transfers.touch(transfer, clock.time());
        return new BlockLocation(transfers.get(transfer), HashTable.ordinalOf(reference));
    }

    /**
     * Note the model tag of a scope.
     *
     * @param scope of block hashes.
     * @param tag   of its transfers, cut to 64 KiB in UTF-8.
     */
    public synchronized void name(final long scope, final String tag)
    {
        if (null == tables.tag(scope))
        {
            final ByteBuffer record = IndexFormat.tag(scope, tag);
            tables.apply(record, 0, file.append(record));
        }
    }

    /**
     * The model tag of a scope.
     *
     * @param scope of block hashes.
     * @return the tag, empty for a scope without a name.
     */
    public synchronized String tag(final long scope)
    {
        final String tag = tables.tag(scope);
        return null == tag ? "" : tag;
    }

    /**
     * Length of the longest prefix of a list of blocks that is stored. It does not count as a use.
     *
     * @param scope  of the hashes.
     * @param hashes of the blocks in the order of a request.
     * @return blocks, 0 to all.
     */
    public synchronized int longestPrefix(final long scope, final long[] hashes)
    {
        int count = 0;
        while (count < hashes.length && HashTable.NONE != tables.get(scope, hashes[count]))
        {
            count++;
        }
        return count;
    }

    /**
     * Forget the transfers of a recording that have bytes in a range, to be called before the bytes go.
     *
     * @param recordingId of the recording.
     * @param from        position in bytes, {@link Long#MIN_VALUE} for all up to the other end.
     * @param to          position in bytes after the range, {@link Long#MAX_VALUE} for all from the other end on.
     * @return transfers forgotten.
     * @throws IndexException when the file cannot be written: nothing was forgotten then.
     */
    public synchronized int drop(final long recordingId, final long from, final long to)
    {
        final int before = transfers.liveCount();
        if (tables.isAnyWithin(recordingId, from, to))
        {
            final ByteBuffer record = IndexFormat.drop(recordingId, from, to);
            tables.apply(record, 0, file.append(record));
            compactIfDead();
        }
        return before - transfers.liveCount();
    }

    /**
     * Note that every transfer of a recording that ends at or before a position is indexed, and that those in flight
     * there begin at or after it.
     *
     * @param recordingId of the recording.
     * @param position    in bytes.
     * @param identity    that tells the recording from one of the same id in another archive, such as its start time.
     */
    public synchronized void progress(final long recordingId, final long position, final long identity)
    {
        if (position != progress(recordingId) || identity != identity(recordingId))
        {
            final ByteBuffer record = IndexFormat.progress(recordingId, position, identity);
            tables.apply(record, 0, file.append(record));
            compactIfDead();
        }
    }

    /**
     * From where on a recording has to be read to complete the index.
     *
     * @param recordingId of the recording.
     * @return position in bytes, or {@link #NO_PROGRESS}.
     */
    public synchronized long progress(final long recordingId)
    {
        return tables.progress(recordingId);
    }

    /**
     * Which recording the index means by an id.
     *
     * @param recordingId of the recording.
     * @return as given to {@link #progress(long, long, long)}, or {@link #NO_PROGRESS}.
     */
    public synchronized long identity(final long recordingId)
    {
        return tables.identity(recordingId);
    }

    /**
     * Forget a recording that is gone, and how far it was indexed.
     *
     * @param recordingId of the recording.
     * @return transfers forgotten.
     */
    public synchronized int forget(final long recordingId)
    {
        final int dropped = drop(recordingId, Long.MIN_VALUE, Long.MAX_VALUE);
        progress(recordingId, NO_PROGRESS, NO_PROGRESS);
        return dropped;
    }

    /**
     * Recordings that the index knows of.
     *
     * @return ids in rising order.
     */
    public synchronized long[] recordingIds()
    {
        return tables.recordingIds();
    }

    /**
     * Is any transfer of a recording stored.
     *
     * @param recordingId of the recording.
     * @return true if so.
     */
    public synchronized boolean hasTransfers(final long recordingId)
    {
        return tables.isAnyWithin(recordingId, Long.MIN_VALUE, Long.MAX_VALUE);
    }

    /**
     * Show the transfers of a recording, in no order.
     *
     * @param recordingId of the recording.
     * @param consumer    of transfers, that must not change the index.
     */
    public synchronized void forEach(final long recordingId, final Consumer<StoredTransfer> consumer)
    {
        transfers.forEach(recordingId, number -> consumer.accept(transfers.get(number)));
    }

    /**
     * When a part of a recording was last of use: a block of it was found, or stored. Kept in memory only; after a
     * restart it is the time of storing.
     *
     * @param recordingId of the recording.
     * @param from        position in bytes.
     * @param to          position in bytes after the range.
     * @return epoch milliseconds, or 0 when no indexed transfer has bytes there.
     */
    public synchronized long lastUsedMs(final long recordingId, final long from, final long to)
    {
        return transfers.lastUsedMs(recordingId, from, to);
    }

    /**
     * Write a new file without what is dead, and put it in the place of the old one.
     */
    public synchronized void compact()
    {
        final long before = file.size();
        final long[] lastUsedMs = tables.replace(path, clock.time());
        close();
        load();
        for (int number = 0; number < lastUsedMs.length; number++)
        {
            transfers.touch(number, lastUsedMs[number]);
        }
        LOGGER.info("index {} compacted from {} to {} bytes", path, before, file.size());
    }

    /**
     * Check every record of the file against its checksum.
     *
     * @return where the first damaged record is, in bytes, or -1 when all are whole.
     */
    public synchronized long verify()
    {
        return file.firstDamage();
    }

    /**
     * Put what was written on the disk.
     */
    public synchronized void force()
    {
        file.force();
    }

    /**
     * Why the index began empty.
     *
     * @return null when its file was used.
     */
    public synchronized String freshReason()
    {
        return file.freshReason();
    }

    /**
     * Figures for a person or a program.
     *
     * @return a snapshot.
     */
    public synchronized IndexStats stats()
    {
        return new IndexStats(transfers.liveCount(), tables.blocks(), file.size(), tables.liveBytes(),
            tables.bytes(), file.discardedBytes());
    }

    /**
     * Close the file and free the table.
     */
    public synchronized void close()
    {
        CloseHelper.closeAll(file, tables);
    }

    private void load()
    {
        file = new IndexFile(path, clock.time());
        tables = new IndexTables(file);
        transfers = tables.transfers();
        try
        {
            file.read(tables::apply);
            transfers.usedNotAfter(clock.time());
        }
        catch (final RuntimeException ex)
        {
            CloseHelper.quietCloseAll(file, tables);
            throw ex;
        }
    }

    private void compactIfDead()
    {
        if (file.size() >= compactFromBytes && tables.liveBytes() < file.size() / 2)
        {
            try
            {
                compact();
            }
            catch (final IndexException ex)
            {
                // What is dead does no harm: tried again when there is twice as much.
                compactFromBytes = 2 * file.size();
                LOGGER.warn("{}", ex.getMessage());
            }
        }
    }
}
