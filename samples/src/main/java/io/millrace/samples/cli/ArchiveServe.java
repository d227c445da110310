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
package io.millrace.samples.cli;

import io.aeron.archive.Archive;
import io.aeron.archive.ArchiveThreadingMode;
import io.aeron.driver.Configuration;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.aeron.driver.exceptions.ActiveDriverException;
import io.aeron.exceptions.ConfigurationException;
import io.aeron.logbuffer.LogBufferDescriptor;
import io.millrace.archive.MillraceArchive;
import io.millrace.efa.AeronDirectory;
import io.millrace.efa.EfaMediaDriver;
import io.millrace.samples.failure.CommandFailure;
import org.agrona.BitUtil;
import org.agrona.SystemUtil;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import sun.misc.Signal;

import java.io.File;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;

/**
 * {@code ./millrace archive serve}.
 */
@Command(
    name = "serve",
    sortOptions = false,
    description = "Runs a media driver and an archive in one process until SIGTERM or SIGINT.",
    footer = {
        "",
        "Takes Aeron's properties as JVM options. Prints one line when it is ready.",
        "Removes the driver's directory when it ends, unless told",
        "-Daeron.dir.delete.on.shutdown=false.",
        "",
        "  MILLRACE_JAVA_OPTS=-Daeron.threading.mode=DEDICATED \\",
        "    ./millrace archive serve --archive-dir /data/archive" })
public final class ArchiveServe implements Callable<Integer>
{
    @Option(names = "--dir", paramLabel = "DIR", description = "Directory of the driver. Default: Aeron's.")
    private String directory;

    @Option(names = "--archive-dir", required = true, paramLabel = "DIR",
        description = "Directory of the recordings, made when there is none.")
    private File archiveDirectory;

    @Option(names = "--segment-length", paramLabel = "SIZE", defaultValue = "128m",
        description = "Bytes of a segment file, the unit of eviction: a power of two, 64k to 1g. Of a stream with " +
            "longer terms it is the length of a term. Default: 128m.")
    private String segmentLength;

    @Option(names = "--control", paramLabel = "CHANNEL",
        description = "Channel on which clients of other drivers reach the archive. Default: none.")
    private String control;

    @Option(names = "--json", description = "Print the line as a JSON object.")
    private boolean json;

    @Mixin
    private Common common;

    /**
     * {@inheritDoc}
     */
    public Integer call() throws InterruptedException
    {
        final CountDownLatch ended = new CountDownLatch(1);
        for (final String name : new String[]{ "TERM", "INT" })
        {
            Signal.handle(new Signal(name), (signal) -> ended.countDown());
        }
        final MediaDriver.Context driverCtx = new MediaDriver.Context().terminationHook(ended::countDown);
        if (null != directory)
        {
            driverCtx.aeronDirectoryName(directory);
        }
        if (null == System.getProperty(Configuration.DIR_DELETE_ON_SHUTDOWN_PROP_NAME))
        {
            driverCtx.dirDeleteOnShutdown(true);
        }
        if (null == System.getProperty("aeron.threading.mode"))
        {
            driverCtx.threadingMode(ThreadingMode.SHARED);
        }
        final Archive.Context archiveCtx = new Archive.Context()
            .archiveDir(archiveDirectory)
            .segmentFileLength(segmentLength(segmentLength, LogBufferDescriptor.TERM_MIN_LENGTH));
        if (null != control)
        {
            ChannelCheck.requireUdp("--control", control);
            archiveCtx.controlChannel(control);
        }
        if (null == System.getProperty(Archive.Configuration.THREADING_MODE_PROP_NAME))
        {
            archiveCtx.threadingMode(ArchiveThreadingMode.SHARED);
        }
        try (MillraceArchive archive = launch(driverCtx, archiveCtx))
        {
            final int length = archiveCtx.segmentFileLength();
            final String longer = longerSegments(length, driverCtx);
            if (null != longer)
            {
                Messages.say(longer);
            }
            if (json)
            {
                Json.print(Map.of("aeronDir", archive.aeronDirectoryName(), "archiveDir", archiveDirectory.toString(),
                    "segmentLength", length));
            }
            else
            {
                Output.print(
                    "ready: aeron.dir=" + archive.aeronDirectoryName() + " archive=" + archiveDirectory + "\n");
            }
            // No deadline: an archive runs until it is told to end.
            ended.await();
        }
        catch (final ConfigurationException ex)
        {
            throw CommandFailure.usage(ex);
        }
        catch (final ActiveDriverException ex)
        {
            throw CommandFailure.failed(CommandFailure.withoutCategory(ex) + ": a directory serves one driver, and " +
                "one that was killed counts as running for 10 s: end it, wait, or name another with --dir", ex);
        }
        return 0;
    }

    private MillraceArchive launch(final MediaDriver.Context driverCtx, final Archive.Context archiveCtx)
    {
        final Path driverFiles = Path.of(driverCtx.aeronDirectoryName()).toAbsolutePath().normalize();
        if (archiveDirectory.toPath().toAbsolutePath().normalize().startsWith(driverFiles))
        {
            throw CommandFailure.usage("--archive-dir " + archiveDirectory + " is inside of the " +
                "driver's directory " + driverFiles + ", which is emptied at each start and end: put it elsewhere");
        }
        ArchiveDirectory.make("--archive-dir", archiveDirectory.toPath());
        AeronDirectory.check(driverCtx.aeronDirectoryName());
        return MillraceArchive.launch(EfaMediaDriver.install(driverCtx), archiveCtx);
    }

    /**
     * Length of segments.
     *
     * @param text  of {@code --segment-length}.
     * @param least that it may be, in bytes.
     * @return bytes.
     */
    static int segmentLength(final String text, final int least)
    {
        try
        {
            final long bytes = SystemUtil.parseSize("--segment-length", text);
            if (bytes >= least && bytes <= LogBufferDescriptor.TERM_MAX_LENGTH && BitUtil.isPowerOfTwo(bytes))
            {
                return (int)bytes;
            }
        }
        catch (final NumberFormatException ignore)
        {
            // Said below.
        }
        throw CommandFailure.usage("--segment-length " + text + " must be a power of two from " +
            SystemUtil.formatSize(least) + " to 1g, such as 128m");
    }

    /**
     * What becomes of segments that are shorter than terms, which an archive does not split.
     *
     * @return a sentence for the user, or null where no term is longer than a segment unless its channel says so.
     */
    static String longerSegments(final int segmentLength, final MediaDriver.Context driver)
    {
        final int udp = driver.publicationTermBufferLength();
        final int ipc = driver.ipcTermBufferLength();
        return segmentLength >= Math.max(udp, ipc) ? null : "--segment-length " +
            SystemUtil.formatSize(segmentLength) + " is less than a term of this driver's streams (UDP " +
            SystemUtil.formatSize(udp) + ", IPC " + SystemUtil.formatSize(ipc) + "), and a segment holds whole " +
            "terms: their segments get as long as those; give their channels a term-length, or a longer segment";
    }
}
