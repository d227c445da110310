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

import java.util.Map;
import java.util.TreeMap;

import io.millrace.archive.index.BlockIndex;

/**
 * Bytes of stored blocks by model tag.
 */
final class TagBytes
{
    private TagBytes()
    {
    }

    /**
     * Of the transfers that have bytes in a range of a recording.
     */
    static Map<String, Long> of(final BlockIndex index, final long recordingId, final long from, final long to)
    {
        final Map<String, Long> bytes = new TreeMap<>();
        index.forEach(recordingId, transfer ->
        {
            if (transfer.position() < to && transfer.endPosition() > from)
            {
                bytes.merge(index.tag(transfer.scope()),
                    (long)transfer.layers() * transfer.blockBytes() * transfer.blockCount(), Long::sum);
            }
        });
        return bytes;
    }

    static Map<String, Long> of(final BlockIndex index)
    {
        final Map<String, Long> bytes = new TreeMap<>();
        for (final long recordingId : index.recordingIds())
        {
            of(index, recordingId, Long.MIN_VALUE, Long.MAX_VALUE)
                .forEach((tag, more) -> bytes.merge(tag, more, Long::sum));
        }
        return bytes;
    }
}
