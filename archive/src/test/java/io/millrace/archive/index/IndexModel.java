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

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * An index as plain collections, with the size that the file had after each change: a file that is cut off has the
 * changes that ended before the cut.
 */
final class IndexModel
{
    /**
     * A change, with the size of the file after it. Without hashes it is a drop, without a transfer it is progress.
     */
    private record Change(long fileSize, StoredTransfer transfer, long[] hashes, long recordingId, long from, long to)
    {
    }

    private record Stored(StoredTransfer transfer, long[] hashes)
    {
    }

    private List<Change> changes = new ArrayList<>();

    void added(final BlockIndex index, final StoredTransfer transfer, final long[] hashes)
    {
        changes.add(new Change(index.stats().fileBytes(), transfer, hashes, transfer.recordingId(), 0, 0));
    }

    void dropped(final BlockIndex index, final long recordingId, final long from, final long to)
    {
        changes.add(new Change(index.stats().fileBytes(), null, new long[0], recordingId, from, to));
    }

    void progressed(final BlockIndex index, final long recordingId, final long position)
    {
        changes.add(new Change(index.stats().fileBytes(), null, null, recordingId, position, 0));
    }

    /**
     * The file lost all from a byte on.
     */
    void cutAt(final long size)
    {
        changes.removeIf(change -> change.fileSize() > size);
    }

    /**
     * The file was written anew: its live transfers in their order, then progress by recording.
     */
    void compacted()
    {
        final List<Change> after = new ArrayList<>();
        long size = IndexFormat.FILE_HEADER_LENGTH;
        for (final Stored stored : live())
        {
            size += IndexFormat.HASHES_OFFSET + (long)stored.hashes().length * Long.BYTES;
            after.add(new Change(size, stored.transfer(), stored.hashes(), stored.transfer().recordingId(), 0, 0));
        }
        for (final Map.Entry<Long, Long> entry : progress().entrySet())
        {
            size += IndexFormat.PROGRESS_LENGTH;
            after.add(new Change(size, null, null, entry.getKey(), entry.getValue(), 0));
        }
        changes = after;
    }

    void assertSame(final BlockIndex index, final long[] scopes, final int hashes)
    {
        final Map<String, BlockLocation> expected = new HashMap<>();
        for (final Stored stored : live())
        {
            for (int i = 0; i < stored.hashes().length; i++)
            {
                expected.put(stored.transfer().scope() + "/" + stored.hashes()[i],
                    new BlockLocation(stored.transfer(), i));
            }
        }
        for (final long scope : scopes)
        {
            int prefix = 0;
            final long[] all = new long[hashes];
            for (int hash = 0; hash < hashes; hash++)
            {
                all[hash] = hash;
                assertThat(index.find(scope, hash)).as("scope %d hash %d", scope, hash)
                    .isEqualTo(expected.get(scope + "/" + hash));
                prefix += prefix == hash && expected.containsKey(scope + "/" + hash) ? 1 : 0;
            }
            assertThat(index.longestPrefix(scope, all)).isEqualTo(prefix);
        }
        assertThat(index.stats().blocks()).isEqualTo(expected.size());
        assertThat(index.stats().transfers()).isEqualTo(live().size());
        for (long id = 0; id < 8; id++)
        {
            assertThat(index.progress(id)).isEqualTo(progress().getOrDefault(id, BlockIndex.NO_PROGRESS));
        }
        assertThat(index.verify()).isEqualTo(-1);
    }

    private List<Stored> live()
    {
        final List<Stored> live = new ArrayList<>();
        for (final Change change : changes)
        {
            if (null != change.transfer())
            {
                live.add(new Stored(change.transfer(), change.hashes()));
            }
            else if (null != change.hashes())
            {
                live.removeIf(stored -> stored.transfer().recordingId() == change.recordingId() &&
                    stored.transfer().position() < change.to() && stored.transfer().endPosition() > change.from());
            }
        }
        return live;
    }

    private Map<Long, Long> progress()
    {
        final Map<Long, Long> progress = new TreeMap<>();
        for (final Change change : changes)
        {
            if (null == change.transfer() && null == change.hashes())
            {
                progress.put(change.recordingId(), change.from());
            }
        }
        progress.values().removeIf(position -> BlockIndex.NO_PROGRESS == position);
        return progress;
    }
}
