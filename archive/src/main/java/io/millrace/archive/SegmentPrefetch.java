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

import java.io.IOException;
import java.nio.file.Path;

/**
 * Reads a range of a recording into the kernel's page cache ahead of who reads it for use, on the machine that has the
 * files.
 */
final class SegmentPrefetch
{
    private static final long MAX_STEP = 1 << 20;

    private final ReadAhead readAhead;
    private final Path directory;
    private final KvRecordingInfo info;
    private final long to;
    // No less is read but at the end of the range, and no more in one go.
    private final long step;
    private long position;

    SegmentPrefetch(
        final ReadAhead readAhead,
        final Path directory,
        final KvRecordingInfo info,
        final long from,
        final long to)
    {
        this.readAhead = readAhead;
        this.directory = directory;
        this.info = info;
        this.to = to;
        step = Math.max(1, Math.min(MAX_STEP, readAhead.length() / 4));
        position = from;
    }

    /**
     * Go on a step ahead of a reader. Where a file cannot be read, as when it was purged, all that follows is left to
     * the reader.
     *
     * @param readPosition of the reader.
     * @return whether something was read.
     */
    boolean advance(final long readPosition)
    {
        final long limit = Math.min(to, readPosition + readAhead.length());
        if (position >= limit || limit < to && limit - position < step)
        {
            return false;
        }
        try
        {
            final long base = info.segmentBase(position);
            final long end = Math.min(Math.min(limit, position + step), base + info.segmentFileLength());
            PageCache.fill(directory.resolve(info.segmentFile(position)), position - base, end - position);
            readAhead.onRead(end - position);
            position = end;
        }
        catch (final IOException ex)
        {
            readAhead.onFailed(info.recordingId(), position, ex);
            position = to;
        }
        return true;
    }

    /**
     * Position up to which was read, or where the range ends when that failed.
     */
    long position()
    {
        return position;
    }
}
