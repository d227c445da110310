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

import java.util.Arrays;
import java.util.function.IntConsumer;

import org.agrona.collections.Long2LongHashMap;
import org.agrona.collections.Long2ObjectHashMap;

/**
 * Transfers by number, in the order in which they were added, and by recording and position.
 */
final class TransferTable
{
    static final int NONE = -1;
    private static final int INITIAL_LENGTH = 1024;
    private static final int BYTES_EACH = 5 * Long.BYTES;
    private static final int BYTES_EACH_LIVE = 88 + 4 * Long.BYTES;

    private final Long2ObjectHashMap<Long2LongHashMap> numberByPositionByRecording = new Long2ObjectHashMap<>();
    private StoredTransfer[] transfers = new StoredTransfer[INITIAL_LENGTH];
    private long[] scope = new long[INITIAL_LENGTH];
    private long[] fileOffset = new long[INITIAL_LENGTH];
    private long[] firstReference = new long[INITIAL_LENGTH];
    private long[] lastUsedMs = new long[INITIAL_LENGTH];
    private int count;
    private int liveCount;
    private long references;

    /**
     * @return the number, to be given its blocks next.
     */
    int add(final StoredTransfer transfer, final long newFileOffset)
    {
        if (count == transfers.length)
        {
            final int length = count + (count >> 1);
            transfers = Arrays.copyOf(transfers, length);
            scope = Arrays.copyOf(scope, length);
            fileOffset = Arrays.copyOf(fileOffset, length);
            firstReference = Arrays.copyOf(firstReference, length);
            lastUsedMs = Arrays.copyOf(lastUsedMs, length);
        }
        transfers[count] = transfer;
        scope[count] = transfer.scope();
        fileOffset[count] = newFileOffset;
        firstReference[count] = references;
        lastUsedMs[count] = transfer.timeMs();
        references += transfer.blockCount();
        liveCount++;
        numberByPositionByRecording
            .computeIfAbsent(transfer.recordingId(), id -> new Long2LongHashMap(NONE))
            .put(transfer.position(), count);
        return count++;
    }

    /**
     * @return number of the transfer that begins there, or NONE.
     */
    int find(final long recordingId, final long position)
    {
        final Long2LongHashMap numbers = numberByPositionByRecording.get(recordingId);
        return null == numbers ? NONE : (int)numbers.get(position);
    }

    void remove(final int number)
    {
        final StoredTransfer transfer = transfers[number];
        final Long2LongHashMap numbers = numberByPositionByRecording.get(transfer.recordingId());
        numbers.remove(transfer.position());
        if (numbers.isEmpty())
        {
            numberByPositionByRecording.remove(transfer.recordingId());
        }
        transfers[number] = null;
        liveCount--;
    }

    /**
     * @return null when it was removed.
     */
    StoredTransfer get(final int number)
    {
        return transfers[number];
    }

    boolean isLive(final int number)
    {
        return null != transfers[number];
    }

    /**
     * @return also after removal, while its blocks are being removed.
     */
    long scope(final int number)
    {
        return scope[number];
    }

    long fileOffset(final int number)
    {
        return fileOffset[number];
    }

    long firstReference(final int number)
    {
        return firstReference[number];
    }

    /**
     * A time that is not over yet is of a clock that was put back since: it would never grow old.
     */
    void usedNotAfter(final long nowMs)
    {
        for (int number = 0; number < count; number++)
        {
            lastUsedMs[number] = Math.min(lastUsedMs[number], nowMs);
        }
    }

    void touch(final int number, final long nowMs)
    {
        lastUsedMs[number] = Math.max(lastUsedMs[number], nowMs);
    }

    long lastUsedMs(final int number)
    {
        return lastUsedMs[number];
    }

    /**
     * @return epoch milliseconds, or 0 when no transfer has bytes in the range.
     */
    long lastUsedMs(final long recordingId, final long from, final long to)
    {
        final long[] latest = new long[1];
        forEach(recordingId, number ->
        {
            if (transfers[number].overlaps(from, to))
            {
                latest[0] = Math.max(latest[0], lastUsedMs[number]);
            }
        });
        return latest[0];
    }

    long[] recordingIds()
    {
        return numberByPositionByRecording.keySet().stream().mapToLong(Long::longValue).toArray();
    }

    void forEach(final long recordingId, final IntConsumer consumer)
    {
        final Long2LongHashMap numbers = numberByPositionByRecording.get(recordingId);
        if (null != numbers)
        {
            numbers.longForEach((position, number) -> consumer.accept((int)number));
        }
    }

    int count()
    {
        return count;
    }

    int liveCount()
    {
        return liveCount;
    }

    long references()
    {
        return references;
    }

    long bytes()
    {
        return (long)transfers.length * BYTES_EACH + (long)liveCount * BYTES_EACH_LIVE;
    }
}
