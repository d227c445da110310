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

import java.util.concurrent.TimeUnit;

import io.aeron.CommonContext;
import io.aeron.archive.client.AeronArchive;
import io.aeron.exceptions.ConfigurationException;
import org.agrona.SystemUtil;

/**
 * Properties and defaults of {@link KvArchive.Context} and {@link MillraceArchive}. Where the archive is found is told
 * by Aeron Archive's own properties, and defaults to the local control channel.
 */
public final class KvArchiveConfiguration
{
    /**
     * Property for the channel of replays, on which the archive publishes and the receiver subscribes.
     */
    public static final String REPLAY_CHANNEL_PROP_NAME = "millrace.archive.replay.channel";

    /**
     * Replays come over IPC, from an archive on the same driver.
     */
    public static final String REPLAY_CHANNEL_DEFAULT = CommonContext.IPC_CHANNEL;

    /**
     * Property for the stream id of replays.
     */
    public static final String REPLAY_STREAM_ID_PROP_NAME = "millrace.archive.replay.stream.id";

    /**
     * Stream id of replays; the session id tells them apart.
     */
    public static final int REPLAY_STREAM_ID_DEFAULT = 1010;

    /**
     * Property for the time that a replay may take, with a unit, such as 30s.
     */
    public static final String REPLAY_TIMEOUT_PROP_NAME = "millrace.archive.replay.timeout";

    /**
     * Time that a replay may take.
     */
    public static final long REPLAY_TIMEOUT_NS_DEFAULT = TimeUnit.MINUTES.toNanos(5);

    /**
     * Property for the bytes of a recording after which {@link MillraceArchive} puts them on the disk while it records,
     * with a unit, such as 16m; 0 leaves that to the kernel.
     */
    public static final String FLUSH_LENGTH_PROP_NAME = "millrace.archive.flush.length";

    /**
     * Bytes of a recording after which they are put on the disk.
     */
    public static final long FLUSH_LENGTH_DEFAULT = 16L << 20;

    /**
     * Property for the bytes ahead of a replay that its segment files are read, with a unit, such as 16m; 0 for no
     * read-ahead.
     */
    public static final String READ_AHEAD_LENGTH_PROP_NAME = "millrace.archive.read.ahead.length";

    /**
     * Bytes ahead of a replay that its segment files are read.
     */
    public static final long READ_AHEAD_LENGTH_DEFAULT = 16L << 20;

    /**
     * Recordings that a listing asks the archive for at a time.
     */
    static final int LIST_PAGE = 64;

    private KvArchiveConfiguration()
    {
    }

    /**
     * Channel of replays.
     *
     * @return of the property, or the default.
     */
    public static String replayChannel()
    {
        return System.getProperty(REPLAY_CHANNEL_PROP_NAME, REPLAY_CHANNEL_DEFAULT);
    }

    /**
     * Stream id of replays.
     *
     * @return of the property, or the default.
     */
    public static int replayStreamId()
    {
        return Integer.getInteger(REPLAY_STREAM_ID_PROP_NAME, REPLAY_STREAM_ID_DEFAULT);
    }

    /**
     * Time that a replay may take.
     *
     * @return of the property, or the default, in nanoseconds.
     */
    public static long replayTimeoutNs()
    {
        return SystemUtil.getDurationInNanos(REPLAY_TIMEOUT_PROP_NAME, REPLAY_TIMEOUT_NS_DEFAULT);
    }

    /**
     * Bytes of a recording after which they are put on the disk.
     *
     * @return of the property, or the default; 0 when that is left to the kernel.
     * @throws ConfigurationException when it is no size, or under 0.
     */
    public static long flushLength()
    {
        return size(FLUSH_LENGTH_PROP_NAME, FLUSH_LENGTH_DEFAULT);
    }

    /**
     * Bytes ahead of a replay that its segment files are read.
     *
     * @return of the property, or the default; 0 for no read-ahead.
     * @throws ConfigurationException when it is no size, or under 0.
     */
    public static long readAheadLength()
    {
        return size(READ_AHEAD_LENGTH_PROP_NAME, READ_AHEAD_LENGTH_DEFAULT);
    }

    private static long size(final String name, final long defaultValue)
    {
        try
        {
            return SystemUtil.getSizeAsLong(name, defaultValue);
        }
        catch (final NumberFormatException ex)
        {
            throw new ConfigurationException(name + "=" + System.getProperty(name) +
                " must be 0, which leaves it to the kernel, or bytes with or without a unit, such as 16m");
        }
    }

    static String controlRequestChannel()
    {
        final String channel = AeronArchive.Configuration.controlChannel();
        return null == channel ? AeronArchive.Configuration.localControlChannel() : channel;
    }

    static int controlRequestStreamId()
    {
        return null == AeronArchive.Configuration.controlChannel() ?
            AeronArchive.Configuration.localControlStreamId() : AeronArchive.Configuration.controlStreamId();
    }

    static String controlResponseChannel()
    {
        final String channel = AeronArchive.Configuration.controlResponseChannel();
        return null == channel ? CommonContext.IPC_CHANNEL : channel;
    }
}
