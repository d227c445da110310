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

import java.nio.file.Path;
import java.util.function.BooleanSupplier;

import io.aeron.ChannelUri;
import io.aeron.archive.client.AeronArchive;

/**
 * Looks at the frames of a range before it is replayed, where the files of the archive can be read: at one of an
 * unknown type an archive hangs, with all that it serves.
 */
final class FrameGuard
{
    private final ArchiveSession session;
    private final KvArchive.Context ctx;
    private final boolean isLocal;
    private final ReadAhead readAhead;
    private volatile Found last;

    private record Found(AeronArchive client, KvRecordingInfo info)
    {
    }

    FrameGuard(final ArchiveSession session, final KvArchive.Context ctx, final ReadAhead readAhead)
    {
        this.readAhead = readAhead;
        this.session = session;
        this.ctx = ctx;
        isLocal = ChannelUri.parse(ctx.archiveContext().controlRequestChannel()).isIpc();
    }

    /**
     * Find the first frame of a type that no recording has.
     *
     * @param from       position of the start of a frame.
     * @param to         position at which to end.
     * @param isCanceled asked now and then.
     * @param timeoutNs  nanoseconds that this may take.
     * @return its position, or {@code to} when there is none, or the files are not to be had.
     * @throws KvArchiveException with {@link KvArchiveError#CANCELED} or {@link KvArchiveError#DEADLINE}.
     */
    long firstBad(
        final long recordingId,
        final long from,
        final long to,
        final BooleanSupplier isCanceled,
        final long timeoutNs)
    {
        final Path directory = directory();
        if (null == directory)
        {
            return to;
        }
        return new FrameWalk(directory, isCanceled, timeoutNs).firstBad(info(recordingId), from, to);
    }

    /**
     * Look at a range that is to be replayed: all of it, or with read-ahead, which takes an archive on the same driver,
     * the first of it now and the rest ahead of the replay.
     *
     * @return the look, to be closed with the replay.
     * @throws KvArchiveException as {@link #firstBad}.
     */
    RangeLook look(
        final long recordingId,
        final long from,
        final long to,
        final BooleanSupplier isCanceled,
        final long timeoutNs)
    {
        final Path directory = isLocal && 0 != readAhead.length() ? directory() : null;
        return null == directory ?
            new RangeLook(from, firstBad(recordingId, from, to, isCanceled, timeoutNs)) :
            RangeLook.start(readAhead, directory, info(recordingId), from, to, isCanceled, timeoutNs);
    }

    private KvRecordingInfo info(final long recordingId)
    {
        Found found = last;
        final AeronArchive client = session.client();
        if (null == found || found.client() != client || found.info().recordingId() != recordingId)
        {
            found = new Found(client, Recordings.find(session, recordingId));
            last = found;
        }
        return found.info();
    }

    /**
     * Look at a range, within the replay timeout.
     *
     * @throws KvArchiveException with {@link KvArchiveError#BAD_FRAME}, also as {@link #firstBad}.
     */
    void check(final long recordingId, final long from, final long to)
    {
        final long bad = firstBad(recordingId, from, to, FrameGuard::isInterrupted, ctx.replayTimeoutNs());
        if (bad < to)
        {
            throw ArchiveErrors.exception(KvArchiveError.BAD_FRAME, at(recordingId, bad), null);
        }
    }

    static boolean isInterrupted()
    {
        return Thread.currentThread().isInterrupted();
    }

    static String at(final long recordingId, final long position)
    {
        return "recording " + recordingId + " has a damaged frame at position " + position;
    }

    private Path directory()
    {
        final Path told = ctx.archiveDirectory();
        return null != told || !isLocal ? told : DirectoryNote.find(ctx.aeron(), session.archiveId());
    }
}
