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

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;

import io.aeron.Aeron;
import io.aeron.Counter;
import io.aeron.archive.client.AeronArchive;
import io.millrace.archive.index.BlockIndex;
import org.agrona.CloseHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads recordings past segments that cannot be read, of which an index then forgets what it has.
 */
final class RecordingReader implements AutoCloseable
{
    private static final Logger LOGGER = LoggerFactory.getLogger(RecordingReader.class);

    /**
     * Frames that are no KV messages make the rest of a recording uninteresting.
     */
    private static final long LOOK_BYTES = 1 << 20;
    /**
     * Scans that break off at one position before what comes next counts as damaged.
     */
    private static final int MAX_BREAKS = 3;

    private final BlockIndex index;
    private final RecordingScan scan;
    private final FrameGuard frames;
    private final BooleanSupplier isCanceled;
    private final long timeoutNs;
    private final Aeron aeron;
    private final Counter scansAgain;
    private final long closeHandlerId;
    private final Set<KvDamage> damages = new LinkedHashSet<>();
    // The counter must not be written once it is given back, or unmapped with the Aeron client.
    private boolean isGone;

    RecordingReader(final KvArchive archive, final BlockIndex index, final BooleanSupplier isCanceled)
    {
        this(archive, index, isCanceled, new RecordingScan(archive.context(), isCanceled));
    }

    RecordingReader(
        final KvArchive archive, final BlockIndex index, final BooleanSupplier isCanceled, final RecordingScan scan)
    {
        this.index = index;
        this.isCanceled = isCanceled;
        this.scan = scan;
        frames = archive.frames();
        timeoutNs = archive.context().replayTimeoutNs();
        aeron = archive.context().aeron();
        scansAgain =
            aeron.addCounter(ArchiveCounters.SCANS_AGAIN_TYPE_ID, "archive: scans of recordings made again");
        closeHandlerId = aeron.addCloseHandler(this::onGone);
    }

    /**
     * Segments that could not be read since these were forgotten.
     */
    List<KvDamage> damages()
    {
        return List.copyOf(damages);
    }

    void forgetDamages()
    {
        damages.clear();
    }

    /**
     * Read a recording from a position on, past segments that cannot be read.
     *
     * @param isWhole true to read on though no KV message was seen.
     * @return position that was reached.
     */
    long read(
        final KvRecordingInfo info,
        final long first,
        final TransferScanner scanner,
        final boolean isWhole,
        final KvScanProgress progress)
    {
        final long id = info.recordingId();
        final long limit = info.position();
        long from = first;
        long lookEnd = first + LOOK_BYTES;
        long brokenAt = AeronArchive.NULL_POSITION;
        int breaks = 0;
        while (from < limit)
        {
            // Headers are looked at by segments: neither is canceled late, nor are they read long before the frames.
            final long end = Math.min(limit, info.segmentBase(from) + info.segmentFileLength());
            final long to = isWhole || scanner.kvMessages() > 0 ? end : Math.min(end, lookEnd);
            final RecordingScan.Result result =
                scan(info, from, to, scanner, position -> progress.onProgress(id, position, limit));
            from = result.position();
            if (KvArchiveError.CANCELED == result.error())
            {
                break;
            }
            breaks = result.position() == brokenAt ? breaks : 0;
            if (KvArchiveError.NONE != result.error() && !isOfRecording(result.error()) && ++breaks < MAX_BREAKS)
            {
                // As where a machine stands still for longer than a replay waits for its subscriber.
                brokenAt = result.position();
                countAgain();
                LOGGER.warn("scan of recording {} broke off at position {}, attempt {} of {}: {} {}",
                    id, brokenAt, breaks, MAX_BREAKS, result.error(), result.text());
            }
            else if (KvArchiveError.NONE != result.error())
            {
                from = skipDamage(info, result, scanner);
                lookEnd = from + LOOK_BYTES;
            }
            else if (!isWhole && 0 == scanner.kvMessages() && from >= lookEnd)
            {
                // No KV stream: nothing of it is to be indexed.
                from = limit;
                scanner.skipTo(limit);
            }
        }
        progress.onProgress(id, from, limit);
        return from;
    }

    /**
     * Read a range up to a frame that must not be replayed.
     */
    private RecordingScan.Result scan(
        final KvRecordingInfo info,
        final long from,
        final long to,
        final TransferScanner scanner,
        final RecordingScan.LongStep step)
    {
        final long bad;
        try
        {
            bad = frames.firstBad(info.recordingId(), from, to, isCanceled, timeoutNs);
        }
        catch (final KvArchiveException ex)
        {
            if (KvArchiveError.CANCELED == ex.error())
            {
                return new RecordingScan.Result(from, ex.error(), ex.getMessage());
            }
            throw ex;
        }
        final RecordingScan.Result result = bad == from ? new RecordingScan.Result(from, KvArchiveError.NONE, null) :
            scan.scan(info.recordingId(), from, bad, scanner, step);
        return bad == to || KvArchiveError.NONE != result.error() ? result :
            new RecordingScan.Result(bad, KvArchiveError.BAD_FRAME,
                ArchiveErrors.withRemedy(KvArchiveError.BAD_FRAME, FrameGuard.at(info.recordingId(), bad)));
    }

    /**
     * Does an error tell of bytes on the disk, so that it comes again.
     */
    private static boolean isOfRecording(final KvArchiveError error)
    {
        return KvArchiveError.BAD_FRAME == error || KvArchiveError.TRUNCATED == error ||
            KvArchiveError.CHECKSUM_MISMATCH == error;
    }

    private long skipDamage(
        final KvRecordingInfo info, final RecordingScan.Result result, final TransferScanner scanner)
    {
        final long base = info.segmentBase(result.position());
        final long next = Math.min(info.position(), base + info.segmentFileLength());
        final KvDamage damage = new KvDamage(info.recordingId(), info.segmentFile(result.position()),
            result.position(), result.error(), result.text());
        damages.add(damage);
        final int dropped = index.drop(info.recordingId(), base, next);
        scanner.skipTo(next);
        LOGGER.warn("segment {} is passed over from position {} on, {} transfers of it are forgotten: {} {}",
            damage.segmentFile(), damage.position(), dropped, damage.error(), damage.text());
        return next;
    }

    private synchronized void countAgain()
    {
        if (!isGone)
        {
            scansAgain.incrementRelease();
        }
    }

    private synchronized void onGone()
    {
        isGone = true;
    }

    public void close()
    {
        onGone();
        aeron.removeCloseHandler(closeHandlerId);
        CloseHelper.closeAll(scan::close, scansAgain);
    }
}
