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

import java.util.Comparator;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.TreeMap;

import io.millrace.archive.index.BlockIndex;
import org.agrona.collections.LongHashSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes room: purges, from the starts of recordings, the segments whose blocks were not of use for the longest time.
 * The index forgets first, so that it never points at what is gone. May be used by any thread.
 */
public final class KvRetention
{
    /**
     * Part of a capacity from which on room is made.
     */
    public static final double HIGH_WATERMARK = 0.90;

    /**
     * Part of a capacity that is left taken.
     */
    public static final double LOW_WATERMARK = 0.80;

    private static final Logger LOGGER = LoggerFactory.getLogger(KvRetention.class);

    private final ArchiveSession session;
    private final BlockIndex index;
    private final KvIndexer indexer;
    private final LongHashSet pinned = new LongHashSet();
    private int segments;
    private int transfers;
    private int refused;

    KvRetention(final ArchiveSession session, final BlockIndex index, final KvIndexer indexer)
    {
        this.session = session;
        this.index = index;
        this.indexer = indexer;
    }

    /**
     * The piece of a recording that could go next.
     *
     * @param end    position after it.
     * @param isLast true when nothing of the recording stays.
     */
    private record Piece(KvRecordingInfo info, long start, long end, boolean isLast, long lastUsedMs)
    {
    }

    private static PriorityQueue<Piece> queue()
    {
        return new PriorityQueue<>(
            Comparator.comparingLong(Piece::lastUsedMs).thenComparingLong(piece -> piece.info().recordingId()));
    }

    /**
     * Make room, if KV streams take more than {@link #HIGH_WATERMARK} of a capacity: purge what was not of use
     * for the longest time until they take {@link #LOW_WATERMARK} of it. Recordings go from their starts, by
     * segments; those of other streams, pinned ones, and the segment that is being written stay.
     *
     * @param capacityBytes of recordings.
     * @return what was done.
     */
    public KvEviction evict(final long capacityBytes)
    {
        if (capacityBytes <= 0)
        {
            throw new IllegalArgumentException("capacityBytes=" + capacityBytes + " must be over 0");
        }
        return indexer.exclusively(() ->
            evict((long)(capacityBytes * HIGH_WATERMARK), (long)(capacityBytes * LOW_WATERMARK)));
    }

    /**
     * Purge the start of a recording, or all of it; the index forgets first.
     *
     * @param recordingId of the recording.
     * @param toPosition  start of the first segment that stays, or the stop position for all of it.
     * @return transfers that the index forgot.
     * @throws KvArchiveException with {@link KvArchiveError#OUT_OF_RANGE} for another position, or when the archive
     *                            refuses, such as for a recording that is being replayed.
     */
    public int purge(final long recordingId, final long toPosition)
    {
        return indexer.exclusively(() -> purge(Recordings.find(session, recordingId), toPosition));
    }

    /**
     * Keep a recording from being evicted.
     *
     * @param recordingId of the recording.
     * @return false when it was pinned already.
     */
    public boolean pin(final long recordingId)
    {
        return indexer.exclusively(() -> pinned.add(recordingId));
    }

    /**
     * Let a recording be evicted again.
     *
     * @param recordingId of the recording.
     * @return false when it was not pinned.
     */
    public boolean unpin(final long recordingId)
    {
        return indexer.exclusively(() -> pinned.remove(recordingId));
    }

    private KvEviction evict(final long highBytes, final long lowBytes)
    {
        segments = 0;
        transfers = 0;
        refused = 0;
        long before = 0;
        final PriorityQueue<Piece> pieces = queue();
        for (final KvRecordingInfo info : Recordings.list(session, 0, Integer.MAX_VALUE, null, 0))
        {
            if (indexer.isKv(info.recordingId()) && !pinned.contains(info.recordingId()))
            {
                before += info.bytes();
                addPiece(pieces, info, info.startPosition(), null);
            }
        }

        long left = before;
        while (before > highBytes && left > lowBytes && !pieces.isEmpty())
        {
            final Piece piece = pieces.remove();
            if (purge(piece))
            {
                left -= piece.end() - piece.start();
                goOn(pieces, piece, null);
            }
        }
        if (segments > 0)
        {
            LOGGER.info("evicted {} pieces, {} transfers: {} bytes of {} are left", segments, transfers, left, before);
        }
        return new KvEviction(before, left, segments, transfers, refused);
    }

    /**
     * Make room where model tags take more than their limits: purge what was not of use for the longest time until
     * they are within them. Only segments that hold blocks of one tag alone go, so that no other tag loses any: what
     * shares segments with others stays, and its tag over its limit.
     *
     * @param limits bytes of blocks by model tag, over 0.
     * @return what was done for each tag that was over its limit; bytes are those of blocks.
     */
    public Map<String, KvEviction> evict(final Map<String, Long> limits)
    {
        limits.forEach((tag, bytes) ->
        {
            if (bytes <= 0)
            {
                throw new IllegalArgumentException("limit=" + bytes + " of tag '" + tag + "' must be over 0");
            }
        });
        return indexer.exclusively(() ->
        {
            final Map<String, Long> taken = TagBytes.of(index);
            final Map<String, KvEviction> evictions = new TreeMap<>();
            limits.forEach((tag, limit) ->
            {
                final long bytes = taken.getOrDefault(tag, 0L);
                if (bytes > limit)
                {
                    evictions.put(tag, evictTag(tag, bytes, limit));
                }
            });
            return evictions;
        });
    }

    /**
     * Bytes of blocks that are stored, by model tag.
     *
     * @param recordingId of a recording.
     * @return in the order of the tags.
     */
    public Map<String, Long> bytesByTag(final long recordingId)
    {
        return TagBytes.of(index, recordingId, Long.MIN_VALUE, Long.MAX_VALUE);
    }

    private KvEviction evictTag(final String tag, final long before, final long limit)
    {
        segments = 0;
        transfers = 0;
        refused = 0;
        final PriorityQueue<Piece> pieces = queue();
        for (final KvRecordingInfo info : Recordings.list(session, 0, Integer.MAX_VALUE, null, 0))
        {
            if (!pinned.contains(info.recordingId()))
            {
                addPiece(pieces, info, info.startPosition(), tag);
            }
        }
        long left = before;
        while (left > limit && !pieces.isEmpty())
        {
            final Piece piece = pieces.remove();
            final long bytes =
                TagBytes.of(index, piece.info().recordingId(), piece.start(), piece.end()).getOrDefault(tag, 0L);
            if (purge(piece))
            {
                left -= bytes;
                goOn(pieces, piece, tag);
            }
        }
        if (segments > 0)
        {
            LOGGER.info("tag '{}' over its limit of {} bytes: evicted {} pieces, {} transfers, {} bytes of {} are left",
                tag, limit, segments, transfers, left, before);
        }
        return new KvEviction(before, left, segments, transfers, refused);
    }

    private void goOn(final PriorityQueue<Piece> pieces, final Piece piece, final String tag)
    {
        if (piece.isLast())
        {
            indexer.onGone(piece.info().recordingId());
        }
        else
        {
            addPiece(pieces, piece.info(), piece.end(), tag);
        }
    }

    private int purge(final KvRecordingInfo info, final long toPosition)
    {
        final boolean isLast = toPosition == info.position() && !info.isActive();
        if (!isLast && (toPosition != info.segmentBase(toPosition) || toPosition <= info.startPosition() ||
            toPosition > info.segmentBase(info.position())))
        {
            throw new KvArchiveException(KvArchiveError.OUT_OF_RANGE, "toPosition=" + toPosition + " of recording " +
                info.recordingId() + " must be the start of a segment of " + info.segmentFileLength() +
                " bytes over " + info.startPosition() + " and up to " + info.segmentBase(info.position()) +
                (info.isActive() ? "" : ", or " + info.position() + " for all of it"));
        }
        final int dropped = index.drop(info.recordingId(), Long.MIN_VALUE, toPosition);
        index.force();
        request(info.recordingId(), toPosition, isLast);
        return dropped;
    }

    private void request(final long id, final long toPosition, final boolean isLast)
    {
        session.call("purge recording " + id + " to " + toPosition,
            client -> isLast ? client.purgeRecording(id) : client.purgeSegments(id, toPosition));
    }

    /**
     * @param tag that must be the only one in the piece, or null for any.
     */
    private void addPiece(
        final PriorityQueue<Piece> pieces, final KvRecordingInfo info, final long start, final String tag)
    {
        final long next = info.segmentBase(start) + info.segmentFileLength();
        final boolean isWhole = next <= info.segmentBase(info.position());
        if (isWhole || !info.isActive())
        {
            final long end = isWhole ? next : info.position();
            if (null != tag && !isOfTag(tag, info, start, end))
            {
                return;
            }
            final long usedMs = index.lastUsedMs(info.recordingId(), start, end);
            pieces.add(new Piece(info, start, end, !isWhole, 0 == usedMs ? info.startTimestampMs() : usedMs));
        }
    }

    /**
     * Does a piece hold transfers of a tag alone. One without transfers is in the way to the next that has some, and
     * goes with it.
     */
    private boolean isOfTag(final String tag, final KvRecordingInfo info, final long start, final long end)
    {
        final Map<String, Long> bytes = TagBytes.of(index, info.recordingId(), start, end);
        if (!bytes.isEmpty())
        {
            return Set.of(tag).equals(bytes.keySet());
        }
        final long[] next = {Long.MAX_VALUE};
        index.forEach(info.recordingId(), transfer ->
            next[0] = transfer.position() >= end ? Math.min(next[0], transfer.position()) : next[0]);
        if (next[0] >= info.position())
        {
            return false;
        }
        final long from = info.segmentBase(next[0]);
        final long to = from + info.segmentFileLength();
        return (!info.isActive() || to <= info.segmentBase(info.position())) &&
            Set.of(tag).equals(TagBytes.of(index, info.recordingId(), from, to).keySet());
    }

    private boolean purge(final Piece piece)
    {
        final long id = piece.info().recordingId();
        transfers += index.drop(id, piece.start(), piece.end());
        index.force();
        try
        {
            request(id, piece.end(), piece.isLast());
            segments++;
            return true;
        }
        catch (final KvArchiveException ex)
        {
            refused++;
            LOGGER.warn("{}", ex.getMessage());
            if (KvArchiveError.ARCHIVE_GONE == ex.error())
            {
                throw ex;
            }
            return false;
        }
    }
}
