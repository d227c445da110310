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
import java.nio.MappedByteBuffer;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import io.aeron.Aeron;
import io.aeron.archive.Archive;
import io.aeron.archive.ArchiveMarkFile;
import io.aeron.archive.codecs.mark.MarkFileHeaderDecoder;
import io.aeron.archive.codecs.mark.MessageHeaderDecoder;
import io.aeron.exceptions.ConfigurationException;
import org.agrona.IoUtil;
import org.agrona.concurrent.EpochClock;
import org.agrona.concurrent.SystemEpochClock;
import org.agrona.concurrent.UnsafeBuffer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The archive that had a directory before. One that was killed left a mark that says it lives, by the wall clock: its
 * successor would refuse to start for 10 s, or for as long as the clock was put back. What tells life from death is
 * that the living renew their mark.
 */
final class Predecessor
{
    /**
     * An archive renews its mark every second.
     */
    static final long LIVENESS_MS = TimeUnit.SECONDS.toMillis(10);

    private static final Logger LOGGER = LoggerFactory.getLogger(Predecessor.class);
    private static final long LOOK_NS = TimeUnit.MILLISECONDS.toNanos(20);

    private Predecessor()
    {
    }

    /**
     * Wait until the directory is free.
     *
     * @param ctx of the successor.
     * @throws ConfigurationException when an archive lives there.
     */
    static void await(final Archive.Context ctx)
    {
        final File file = MappedFiles.markFile(ctx);
        if (file.exists())
        {
            await(file, LIVENESS_MS, null == ctx.epochClock() ? SystemEpochClock.INSTANCE : ctx.epochClock());
        }
    }

    /**
     * Wait until an archive has not renewed its mark for some time, and take the mark back.
     */
    static void await(final File file, final long livenessMs, final EpochClock clock)
    {
        final MappedByteBuffer mapped = IoUtil.mapExistingFile(file, ArchiveMarkFile.FILENAME);
        try
        {
            await(file, new UnsafeBuffer(mapped), livenessMs, clock);
        }
        finally
        {
            IoUtil.unmap(mapped);
        }
    }

    private static void await(
        final File file, final UnsafeBuffer mark, final long livenessMs, final EpochClock clock)
    {
        final MessageHeaderDecoder header = new MessageHeaderDecoder().wrap(mark, 0);
        if (MarkFileHeaderDecoder.TEMPLATE_ID != header.templateId())
        {
            return;
        }
        final int offset =
            MessageHeaderDecoder.ENCODED_LENGTH + MarkFileHeaderDecoder.activityTimestampEncodingOffset();
        final long pid = mark.getLong(MessageHeaderDecoder.ENCODED_LENGTH + MarkFileHeaderDecoder.pidEncodingOffset());
        final long renewedMs = mark.getLongVolatile(offset);
        final long endNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(livenessMs);
        boolean isSaid = false;
        while (renewedMs > 0 && clock.time() - renewedMs <= livenessMs)
        {
            final long nowMs = mark.getLongVolatile(offset);
            if (Aeron.NULL_VALUE == nowMs)
            {
                // It ended meanwhile.
                return;
            }
            if (nowMs != renewedMs)
            {
                throw inUse(file, pid);
            }
            if (System.nanoTime() - endNs >= 0)
            {
                LOGGER.warn("the clock was put back: {} of process {}, which ended without notice, is of the future",
                    file, pid);
                break;
            }
            if (!isSaid)
            {
                isSaid = true;
                LOGGER.info("{} of process {} says that it lives: watched for {} ms at most", file, pid, livenessMs);
            }
            LockSupport.parkNanos(LOOK_NS);
        }
        // One that lives may have renewed it since it was looked at last.
        if (!mark.compareAndSetLong(offset, renewedMs, Aeron.NULL_VALUE) &&
            Aeron.NULL_VALUE != mark.getLongVolatile(offset))
        {
            throw inUse(file, pid);
        }
    }

    private static ConfigurationException inUse(final File file, final long pid)
    {
        return new ConfigurationException("archive directory " + file.getParent() + " is in use by process " +
            pid + ": stop that archive, or name another directory");
    }
}
