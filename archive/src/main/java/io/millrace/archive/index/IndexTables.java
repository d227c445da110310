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

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

import org.agrona.collections.IntArrayList;
import org.agrona.collections.Long2LongHashMap;
import org.agrona.collections.Long2ObjectHashMap;
import org.agrona.collections.LongHashSet;

/**
 * What the records of a file add up to.
 */
final class IndexTables implements AutoCloseable
{
    private static final String COMPACT_SUFFIX = ".compact";

    private final IndexFile file;
    private final TransferTable transfers = new TransferTable();
    private final HashTable blocks = new HashTable(transfers);
    private final Long2LongHashMap progressByRecording = new Long2LongHashMap(BlockIndex.NO_PROGRESS);
    private final Long2LongHashMap identityByRecording = new Long2LongHashMap(BlockIndex.NO_PROGRESS);
    private final Long2ObjectHashMap<String> tagByScope = new Long2ObjectHashMap<>();
    private long liveBytes = IndexFormat.FILE_HEADER_LENGTH;

    IndexTables(final IndexFile file)
    {
        this.file = file;
    }

    TransferTable transfers()
    {
        return transfers;
    }

    long get(final long scope, final long hash)
    {
        return blocks.get(scope, hash);
    }

    long older(final long reference)
    {
        return blocks.older(reference);
    }

    /**
     * @return null for a scope that no record names.
     */
    String tag(final long scope)
    {
        return tagByScope.get(scope);
    }

    long blocks()
    {
        return blocks.size();
    }

    long progress(final long recordingId)
    {
        return progressByRecording.get(recordingId);
    }

    long identity(final long recordingId)
    {
        return identityByRecording.get(recordingId);
    }

    /**
     * @return ids in rising order.
     */
    long[] recordingIds()
    {
        final LongHashSet known = new LongHashSet();
        known.addAll(progressByRecording.keySet());
        for (final long recordingId : transfers.recordingIds())
        {
            known.add(recordingId);
        }
        return known.stream().mapToLong(Long::longValue).sorted().toArray();
    }

    boolean isAnyWithin(final long recordingId, final long from, final long to)
    {
        final boolean[] isAny = new boolean[1];
        transfers.forEach(recordingId, number -> isAny[0] |= transfers.get(number).overlaps(from, to));
        return isAny[0];
    }

    long liveBytes()
    {
        return liveBytes;
    }

    long bytes()
    {
        return blocks.bytes() + transfers.bytes();
    }

    /**
     * Apply a record that is in the file.
     */
    void apply(final ByteBuffer record, final int offset, final long fileOffset)
    {
        final long recordingId = record.getLong(offset + IndexFormat.RECORDING_ID_OFFSET);
        final long position = record.getLong(offset + IndexFormat.POSITION_OFFSET);
        switch (record.getInt(offset + IndexFormat.TYPE_OFFSET))
        {
            case IndexFormat.TYPE_TRANSFER ->
            {
                final StoredTransfer transfer = IndexFormat.transfer(record, offset);
                final int number = transfers.add(transfer, fileOffset);
                for (int i = 0; i < transfer.blockCount(); i++)
                {
                    blocks.put(transfer.scope(), IndexFormat.hash(record, offset, i), number, i);
                }
                liveBytes += record.getInt(offset + IndexFormat.LENGTH_OFFSET);
            }
            case IndexFormat.TYPE_DROP ->
                applyDrop(recordingId, position, record.getLong(offset + IndexFormat.DROP_TO_OFFSET));
            case IndexFormat.TYPE_TAG ->
                liveBytes += null == tagByScope.put(recordingId, IndexFormat.tag(record, offset)) ?
                    record.getInt(offset + IndexFormat.LENGTH_OFFSET) : 0;
            default -> applyProgress(
                recordingId, position, record.getLong(offset + IndexFormat.IDENTITY_OFFSET));
        }
    }

    private void applyDrop(final long recordingId, final long from, final long to)
    {
        final IntArrayList dropped = new IntArrayList();
        transfers.forEach(recordingId, number ->
        {
            if (transfers.get(number).overlaps(from, to))
            {
                dropped.addInt(number);
            }
        });
        // None may be alive when an older copy of a block is looked for.
        dropped.forEachInt(transfers::remove);
        dropped.forEachInt(number ->
        {
            final ByteBuffer record = file.record(transfers.fileOffset(number));
            final int count = record.getInt(IndexFormat.COUNT_OFFSET);
            for (int i = 0; i < count; i++)
            {
                blocks.remove(transfers.scope(number), IndexFormat.hash(record, 0, i), number, i);
            }
            liveBytes -= record.getInt(IndexFormat.LENGTH_OFFSET);
        });
    }

    private void applyProgress(final long recordingId, final long position, final long identity)
    {
        if (BlockIndex.NO_PROGRESS == position)
        {
            identityByRecording.remove(recordingId);
            liveBytes -= BlockIndex.NO_PROGRESS == progressByRecording.remove(recordingId) ?
                0 : IndexFormat.PROGRESS_LENGTH;
        }
        else
        {
            identityByRecording.put(recordingId, identity);
            liveBytes += BlockIndex.NO_PROGRESS == progressByRecording.put(recordingId, position) ?
                IndexFormat.PROGRESS_LENGTH : 0;
        }
    }

    /**
     * Write a new file of what is live, in its order, and put it in the place of another one.
     *
     * @return when its transfers were used.
     */
    long[] replace(final Path path, final long nowMs)
    {
        final Path target = path.resolveSibling(path.getFileName() + COMPACT_SUFFIX);
        final long[] lastUsedMs = new long[transfers.liveCount()];
        try
        {
            Files.deleteIfExists(target);
            try (IndexFile compacted = new IndexFile(target, nowMs))
            {
                copyLive(compacted, lastUsedMs);
                compacted.force();
            }
            Files.move(target, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        }
        catch (final IOException ex)
        {
            throw file.failure("cannot be compacted", ex);
        }
        return lastUsedMs;
    }

    private void copyLive(final IndexFile target, final long[] lastUsedMs)
    {
        int live = 0;
        tagByScope.forEach((scope, tag) -> target.append(IndexFormat.tag(scope, tag)));
        for (int number = 0; number < transfers.count(); number++)
        {
            if (transfers.isLive(number))
            {
                target.append(file.record(transfers.fileOffset(number)));
                lastUsedMs[live++] = transfers.lastUsedMs(number);
            }
        }
        for (final long recordingId : recordingIds())
        {
            if (BlockIndex.NO_PROGRESS != progress(recordingId))
            {
                target.append(IndexFormat.progress(
                    recordingId, progress(recordingId), identity(recordingId)));
            }
        }
    }

    public void close()
    {
        blocks.close();
    }
}
