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

import io.aeron.Aeron;
import io.aeron.CommonContext;
import io.aeron.archive.client.AeronArchive;
import org.agrona.CloseHelper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How a client reaches an archive: its driver, its control sessions, and the archive's files where they are at hand.
 *
 * @param <C> the concrete context.
 */
public abstract class ArchiveClientContext<C extends ArchiveClientContext<C>>
{
    private static final Logger LOGGER = LoggerFactory.getLogger(ArchiveClientContext.class);

    private Aeron aeron;
    private boolean ownsAeron;
    private String aeronDirectoryName = CommonContext.getAeronDirectoryName();
    private final AeronArchive.Context archiveCtx = new AeronArchive.Context()
        .controlRequestChannel(KvArchiveConfiguration.controlRequestChannel())
        .controlRequestStreamId(KvArchiveConfiguration.controlRequestStreamId())
        .controlResponseChannel(KvArchiveConfiguration.controlResponseChannel());
    private volatile Path archiveDirectory;

    ArchiveClientContext()
    {
    }

    /**
     * This context.
     *
     * @return this for a fluent API.
     */
    protected abstract C self();

    void connect()
    {
        if (null == aeron)
        {
            ownsAeron = true;
            // Aeron's own handler ends the process when the driver is gone.
            aeron = Aeron.connect(new Aeron.Context()
                .aeronDirectoryName(aeronDirectoryName)
                .errorHandler(ex -> LOGGER.warn("Aeron client of {}: {}", aeronDirectoryName, ex.toString())));
        }
    }

    void closeOwned()
    {
        if (ownsAeron)
        {
            CloseHelper.close(aeron);
        }
    }

    /**
     * Set the client to use.
     *
     * @param newAeron that stays the caller's. Without it one is connected and closed with the archive client.
     * @return this for a fluent API.
     */
    public C aeron(final Aeron newAeron)
    {
        aeron = newAeron;
        return self();
    }

    /**
     * Get the client to use.
     *
     * @return the client, or null before {@link KvArchive#connect} when none was set.
     */
    public Aeron aeron()
    {
        return aeron;
    }

    /**
     * Set the directory of the driver.
     *
     * @param newAeronDirectoryName used when no client is set.
     * @return this for a fluent API.
     */
    public C aeronDirectoryName(final String newAeronDirectoryName)
    {
        aeronDirectoryName = newAeronDirectoryName;
        return self();
    }

    /**
     * Get the directory of the driver.
     *
     * @return used when no client is set.
     */
    public String aeronDirectoryName()
    {
        return aeronDirectoryName;
    }

    /**
     * Set the channel of requests.
     *
     * @param channel on which the archive listens.
     * @return this for a fluent API.
     */
    public C controlRequestChannel(final String channel)
    {
        archiveCtx.controlRequestChannel(channel);
        return self();
    }

    /**
     * Set the stream id of requests.
     *
     * @param streamId on which the archive listens.
     * @return this for a fluent API.
     */
    public C controlRequestStreamId(final int streamId)
    {
        archiveCtx.controlRequestStreamId(streamId);
        return self();
    }

    /**
     * Set the channel of responses.
     *
     * @param channel on which this client listens, with port 0 for any free one.
     * @return this for a fluent API.
     */
    public C controlResponseChannel(final String channel)
    {
        archiveCtx.controlResponseChannel(channel);
        return self();
    }

    /**
     * Set the time for an answer of the archive.
     *
     * @param timeoutNs nanoseconds.
     * @return this for a fluent API.
     */
    public C messageTimeoutNs(final long timeoutNs)
    {
        archiveCtx.messageTimeoutNs(timeoutNs);
        return self();
    }

    /**
     * Get the settings of control sessions, to tune what has no setting of its own here.
     *
     * @return cloned for each session.
     */
    public AeronArchive.Context archiveContext()
    {
        return archiveCtx;
    }

    /**
     * Set where the archive's files lie, for headers of frames to be looked at before they are replayed: at one of
     * an unknown type an archive hangs. A client that reaches a {@link MillraceArchive} over IPC finds them itself; one
     * that reaches it over UDP does not, also on the same driver, since what it learns of an archive there tells it
     * from no other.
     *
     * @param directory of the archive, on this machine.
     * @return this for a fluent API.
     */
    public C archiveDirectory(final Path directory)
    {
        archiveDirectory = directory;
        return self();
    }

    /**
     * Get where the archive's files lie.
     *
     * @return the directory, or null when none was set.
     */
    public Path archiveDirectory()
    {
        return archiveDirectory;
    }
}
