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

import io.aeron.ChannelUri;
import io.aeron.driver.media.UdpChannel;
import io.millrace.samples.failure.CommandFailure;

/**
 * Checks a channel before a driver or an archive is asked, whose answers speak of other things.
 */
final class ChannelCheck
{
    private ChannelCheck()
    {
    }

    /**
     * Check that a channel can be read, and that its hosts can be resolved here.
     *
     * @param option  that it was given with.
     * @param channel of the user.
     * @throws CommandFailure if not.
     */
    static void require(final String option, final String channel)
    {
        require(option, channel, true);
    }

    /**
     * The same of a channel that another driver is to reach.
     *
     * @param option  that it was given with.
     * @param channel of the user.
     * @throws CommandFailure if not.
     */
    static void requireUdp(final String option, final String channel)
    {
        require(option, channel, false);
    }

    private static void require(final String option, final String channel, final boolean isIpcAllowed)
    {
        String why = "another driver is to reach it";
        try
        {
            if (ChannelUri.parse(channel).isUdp())
            {
                UdpChannel.parse(channel);
                return;
            }
            if (isIpcAllowed)
            {
                return;
            }
        }
        catch (final RuntimeException ex)
        {
            why = (null == ex.getCause() ? ex : ex.getCause()).getMessage();
        }
        throw CommandFailure.usage(option + " is " + channel + " (" + why + "): it must be " +
            (isIpcAllowed ? "aeron:ipc, or " : "") + "aeron:udp?endpoint=HOST:PORT with a host that this machine " +
            "can resolve; give one");
    }
}
