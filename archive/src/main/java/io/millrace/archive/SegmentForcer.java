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
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import io.aeron.Aeron;
import org.agrona.collections.Long2LongHashMap;
import org.agrona.collections.LongLongConsumer;

/**
 * Forces segment files of recordings to the disk, and knows from which on those of a recording may not be there.
 */
final class SegmentForcer
{
    private static final String SUFFIX = ".rec";
    private static final Pattern NAME = Pattern.compile("(\\d{1,18})-(\\d{1,18})\\" + SUFFIX);

    private final Path directory;
    private final Opener opener;
    // Base of the first segment to force by recording id; without one it is the first that there is.
    private final Long2LongHashMap begins = new Long2LongHashMap(Aeron.NULL_VALUE);

    interface Opener
    {
        FileChannel open(Path file) throws IOException;
    }

    SegmentForcer(final Path directory, final Opener opener)
    {
        this.directory = directory;
        this.opener = opener;
    }

    SegmentForcer(final Path directory)
    {
        this(directory, file -> FileChannel.open(file, StandardOpenOption.WRITE));
    }

    /**
     * Take what recordings have now as forced, but for their last two segments: what is recorded from now on follows
     * these, and they may have come just before a restart.
     *
     * @return this.
     */
    SegmentForcer withFormerRecordings()
    {
        final Long2LongHashMap lasts = new Long2LongHashMap(Aeron.NULL_VALUE);
        try
        {
            forEach("", (recordingId, base) ->
            {
                final long last = lasts.get(recordingId);
                if (base > last)
                {
                    lasts.put(recordingId, base);
                    begins.put(recordingId, Math.max(0, last));
                }
                else if (base > begins.get(recordingId))
                {
                    begins.put(recordingId, base);
                }
            });
        }
        catch (final IOException ignore)
        {
            // No directory yet. Where it cannot be read, recordings are forced from their start.
            begins.clear();
        }
        return this;
    }

    /**
     * Base of the segment to begin with in a recording that is at a position. One that was cut since is begun anew.
     */
    long begin(final long recordingId, final long position)
    {
        final long begin = Math.max(0, begins.get(recordingId));
        return begin <= position ? begin : 0;
    }

    /**
     * Note that a recording stopped whose segments are forced.
     *
     * @param segmentBase of its last one, with which to begin when it is extended.
     */
    void stopped(final long recordingId, final long segmentBase)
    {
        begins.put(recordingId, segmentBase);
    }

    /**
     * Force the segments that there are before a position. Ones that were purged are passed over.
     *
     * @param segmentBase of the first.
     * @return base of the last one forced, or segmentBase when there was none.
     */
    long force(final long recordingId, final long segmentBase, final long position) throws IOException
    {
        long last = segmentBase;
        long base = segmentBase;
        while (base < position)
        {
            try (FileChannel channel = opener.open(directory.resolve(recordingId + "-" + base + SUFFIX)))
            {
                channel.force(false);
                last = base;
                // Segments have their whole length from the start.
                base += channel.size();
            }
            catch (final NoSuchFileException ex)
            {
                base = next(recordingId, base);
            }
        }
        return last;
    }

    private long next(final long recordingId, final long base) throws IOException
    {
        final long[] next = {Long.MAX_VALUE};
        forEach(recordingId + "-", (ignore, other) -> next[0] = other > base ? Math.min(next[0], other) : next[0]);
        return next[0];
    }

    private void forEach(final String prefix, final LongLongConsumer consumer) throws IOException
    {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, prefix + "*" + SUFFIX))
        {
            for (final Path file : files)
            {
                final Matcher name = NAME.matcher(file.getFileName().toString());
                if (name.matches())
                {
                    consumer.accept(Long.parseLong(name.group(1)), Long.parseLong(name.group(2)));
                }
            }
        }
        catch (final DirectoryIteratorException ex)
        {
            throw ex.getCause();
        }
    }
}
