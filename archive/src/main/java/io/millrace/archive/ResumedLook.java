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

import org.agrona.collections.Long2LongHashMap;

/**
 * Looks at the headers of frames before they are copied, segment by segment: a look that took too long goes on with the
 * next one behind the last segment that it saw the end of.
 */
final class ResumedLook
{
    private final Long2LongHashMap lookedTo = new Long2LongHashMap(Long.MIN_VALUE);
    private final Look look;

    /**
     * Finds the first bad frame of a range, as {@link FrameGuard#firstBad}.
     */
    interface Look
    {
        long firstBad(long recordingId, long from, long to, long timeoutNs);
    }

    ResumedLook(final Look look)
    {
        this.look = look;
    }

    /**
     * @param from      position that the copy goes on at.
     * @param timeoutNs nanoseconds for this look.
     * @return position of the first bad frame, or that of the recording when there is none.
     * @throws KvArchiveException with {@link KvArchiveError#DEADLINE}: look again.
     */
    long firstBad(final KvRecordingInfo info, final long from, final long timeoutNs)
    {
        final long id = info.recordingId();
        final long startNs = System.nanoTime();
        long position = Math.max(from, lookedTo.get(id));
        while (position < info.position())
        {
            final long end = Math.min(info.position(), info.segmentBase(position) + info.segmentFileLength());
            final long bad = look.firstBad(id, position, end, timeoutNs - (System.nanoTime() - startNs));
            if (bad < end)
            {
                return bad;
            }
            position = end;
            lookedTo.put(id, position);
        }
        return info.position();
    }

    /**
     * Begin the next look at a recording where its copy ends.
     */
    void forget(final long recordingId)
    {
        lookedTo.remove(recordingId);
    }
}
