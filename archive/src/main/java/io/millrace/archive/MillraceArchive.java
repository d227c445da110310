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

import io.aeron.CommonContext;
import io.aeron.archive.Archive;
import io.aeron.archive.checksum.Checksums;
import io.aeron.archive.client.AeronArchive;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.status.SystemCounterDescriptor;
import org.agrona.CloseHelper;
import org.agrona.concurrent.status.AtomicCounter;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A media driver and an Aeron {@link Archive} in one process, made for embedding: what a context leaves open is set so
 * that the archive is reached over IPC by the clients of its driver, and so that it writes and checks CRC-32C with each
 * frame. The JVM needs {@code --add-opens java.base/java.util.zip=ALL-UNNAMED} for the latter.
 */
public final class MillraceArchive implements AutoCloseable
{
    private static final Logger LOGGER = LoggerFactory.getLogger(MillraceArchive.class);
    private static final String LOCAL_REPLICATION_CHANNEL = "aeron:udp?endpoint=localhost:0";

    private final MediaDriver driver;
    private final Archive archive;
    private final DirectoryNote note;
    private final WriteBehind writeBehind;

    private MillraceArchive(
        final MediaDriver driver, final Archive archive, final DirectoryNote note, final WriteBehind writeBehind)
    {
        this.driver = driver;
        this.archive = archive;
        this.note = note;
        this.writeBehind = writeBehind;
        LOGGER.info("archive {} records to {} on media driver {}",
            archive.context().archiveId(), archive.context().archiveDir(), aeronDirectoryName());
    }

    /**
     * Launch a media driver and an archive on it.
     *
     * @param driverCtx  of the driver; one that was put on rails before is launched on rails.
     * @param archiveCtx of the archive. Checksums that are neither set here nor by Aeron's properties are CRC-32C; with
     *                   an empty property there are none. Without a control channel there is only local control.
     * @return the running pair.
     */
    public static MillraceArchive launch(final MediaDriver.Context driverCtx, final Archive.Context archiveCtx)
    {
        MediaDriver driver = null;
        try
        {
            driver = MediaDriver.launch(driverCtx);
            if (null == archiveCtx.errorHandler())
            {
                archiveCtx.errorHandler(driverCtx.errorHandler());
            }
            if (null == archiveCtx.errorCounter())
            {
                archiveCtx.errorCounter(new AtomicCounter(
                    driverCtx.countersValuesBuffer(), SystemCounterDescriptor.ERRORS.id()));
            }
            archiveCtx
                .mediaDriverAgentInvoker(driver.sharedAgentInvoker())
                .aeronDirectoryName(driverCtx.aeronDirectoryName());

            return start(driver, archiveCtx);
        }
        catch (final RuntimeException ex)
        {
            CloseHelper.quietClose(driver);
            throw ex;
        }
    }

    /**
     * Launch an archive on a media driver that runs already, in this process or another one, and that is not closed
     * with it.
     *
     * @param aeronDirectoryName of the driver.
     * @param archiveCtx         as for {@link #launch}.
     * @return the running archive.
     */
    public static MillraceArchive attach(final String aeronDirectoryName, final Archive.Context archiveCtx)
    {
        return start(null, archiveCtx.aeronDirectoryName(aeronDirectoryName));
    }

    private static MillraceArchive start(final MediaDriver driver, final Archive.Context ctx)
    {
        // Bad values are refused before anything runs.
        final long flushLength = ctx.fileSyncLevel() > 0 ? 0 : KvArchiveConfiguration.flushLength();
        Predecessor.await(withDefaults(ctx));
        final MappedFiles files = new MappedFiles(ctx);
        final SegmentForcer segments = new SegmentForcer(MappedFiles.archiveDir(ctx).toPath());
        if (!ctx.deleteArchiveOnStart())
        {
            segments.withFormerRecordings();
        }
        final Archive archive = TornTail.launch(ctx);
        DirectoryNote note = null;
        try
        {
            files.allocateRest();
            note = new DirectoryNote(archive.context());
            return new MillraceArchive(driver, archive, note,
                0 == flushLength ? null : new WriteBehind(archive.context(), segments, flushLength));
        }
        catch (final RuntimeException ex)
        {
            CloseHelper.quietCloseAll(archive, note);
            throw ex;
        }
    }

    private static Archive.Context withDefaults(final Archive.Context ctx)
    {
        if (null == ctx.recordChecksum() &&
            null == System.getProperty(Archive.Configuration.RECORD_CHECKSUM_PROP_NAME))
        {
            ctx.recordChecksum(Checksums.crc32c());
        }
        if (null == ctx.replayChecksum() &&
            null == System.getProperty(Archive.Configuration.REPLAY_CHECKSUM_PROP_NAME))
        {
            ctx.replayChecksum(Checksums.crc32c());
        }
        if (null == ctx.controlChannel())
        {
            ctx.controlChannelEnabled(false);
            if (null == ctx.archiveClientContext())
            {
                ctx.archiveClientContext(
                    new AeronArchive.Context().controlResponseChannel(CommonContext.IPC_CHANNEL));
            }
        }
        if (null == ctx.replicationChannel())
        {
            ctx.replicationChannel(LOCAL_REPLICATION_CHANNEL);
        }
        return ctx;
    }

    /**
     * Settings with which a client of the same driver reaches this archive.
     *
     * @return a new context, to be completed and given to {@link KvArchive#connect}.
     */
    public KvArchive.Context clientContext()
    {
        return new KvArchive.Context()
            .aeronDirectoryName(aeronDirectoryName())
            .controlRequestChannel(archive.context().localControlChannel())
            .controlRequestStreamId(archive.context().localControlStreamId())
            .controlResponseChannel(CommonContext.IPC_CHANNEL);
    }

    /**
     * The archive.
     *
     * @return the archive.
     */
    public Archive archive()
    {
        return archive;
    }

    /**
     * Settings of the archive.
     *
     * @return the concluded context.
     */
    public Archive.Context archiveContext()
    {
        return archive.context();
    }

    /**
     * The driver.
     *
     * @return the driver, or null when the archive was attached to one.
     */
    public MediaDriver mediaDriver()
    {
        return driver;
    }

    /**
     * Where clients find the driver.
     *
     * @return the directory.
     */
    public String aeronDirectoryName()
    {
        return archive.context().aeronDirectoryName();
    }

    /**
     * Close the archive, then the driver: the archive needs it to end its recordings.
     */
    public void close()
    {
        CloseHelper.closeAll(writeBehind, archive, note, driver);
    }
}
