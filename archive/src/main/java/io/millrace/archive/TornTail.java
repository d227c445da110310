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

import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import io.aeron.archive.Archive;
import io.aeron.archive.checksum.Checksum;
import io.aeron.archive.client.ArchiveException;
import org.agrona.CloseHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The last frame of a recording whose archive was killed while it wrote it. Aeron's archive does not start where such
 * a frame does not match its checksum, and asks for a person. No recorded position ever covered it, so it is cut off
 * and kept in a file next to its segment. Where it may be damage instead, nothing is touched and a person is asked.
 */
final class TornTail
{
    private static final Logger LOGGER = LoggerFactory.getLogger(TornTail.class);
    private static final Pattern REFUSAL =
        Pattern.compile("incomplete last fragment straddling page boundary in file: (\\S.*\\.rec)");
    private static final int MAX_CUTS = 1000;
    private static final int MAX_CHUNK_LENGTH = 1 << 30;

    private TornTail()
    {
    }

    /**
     * Launch, past torn frames.
     *
     * @param ctx of the archive, with its defaults.
     * @return the archive.
     */
    static Archive launch(final Archive.Context ctx)
    {
        Archive.Context next = ctx;
        for (int cuts = 0;; cuts++)
        {
            Predecessor.await(next);
            chooseChunkLength(next);
            final Archive.Context spare = next.clone();
            try
            {
                return Archive.launch(next);
            }
            catch (final ArchiveException ex)
            {
                final Matcher matcher = REFUSAL.matcher(String.valueOf(ex.getMessage()));
                if (null == spare.recordChecksum() || cuts == MAX_CUTS || !matcher.find())
                {
                    throw ex;
                }
                cut(new File(matcher.group(1)), spare.recordChecksum(), ex);
                next = spare;
            }
        }
    }

    /**
     * Aeron's archive fails at its start where the last frame of a recording lies across two of the chunks that it
     * reads: it gets longer ones then.
     */
    private static void chooseChunkLength(final Archive.Context ctx)
    {
        if (ctx.deleteArchiveOnStart())
        {
            return;
        }
        final List<LastFrame> frames = new ArrayList<>();
        try
        {
            UnstoppedRecording.list(MappedFiles.archiveDir(ctx))
                .forEach(recording -> frames.add(new LastFrame(recording)));
            final int configured = ctx.fileIoMaxLength();
            int length = configured;
            while (length < MAX_CHUNK_LENGTH && !areInLastChunk(frames, length))
            {
                length <<= 1;
            }
            if (length != configured)
            {
                ctx.fileIoMaxLength(length);
                LOGGER.warn("fileIoMaxLength={} until the next start, not {}: the last frame of a recording that a " +
                    "killed archive left lies where chunks of that length meet", length, configured);
            }
        }
        finally
        {
            CloseHelper.closeAll(frames);
        }
    }

    private static boolean areInLastChunk(final List<LastFrame> frames, final int length)
    {
        return frames.stream().allMatch(frame -> frame.isInLastChunk(length));
    }

    private static void cut(final File segment, final Checksum checksum, final ArchiveException refusal)
    {
        for (final UnstoppedRecording recording : UnstoppedRecording.list(segment.getParentFile()))
        {
            if (recording.segment().getName().equals(segment.getName()))
            {
                cut(recording, checksum, refusal);
                return;
            }
        }
        throw refusal;
    }

    private static void cut(
        final UnstoppedRecording recording, final Checksum checksum, final ArchiveException refusal)
    {
        try (LastFrame frame = new LastFrame(recording))
        {
            if (!frame.isTorn(checksum))
            {
                LOGGER.error("{}: what is at {} is no frame that a killed archive left unfinished; recorded frames " +
                    "may follow it, so nothing was cut: restore the file from a copy", recording.segment(),
                    frame.offset());
                throw refusal;
            }
            LOGGER.warn("{}: the frame at {} that a killed archive left unfinished was cut off, and is kept in {}",
                recording.segment(), frame.offset(), frame.cut());
        }
        catch (final IOException ex)
        {
            throw ArchiveErrors.exception(
                KvArchiveError.REFUSED, recording.segment() + ": " + ex.getMessage(), ex);
        }
    }
}
