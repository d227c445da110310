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
package io.millrace.samples.bench;

import io.aeron.ChannelUriStringBuilder;
import io.aeron.CommonContext;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;

/**
 * The channels between the two sides, the same for all of Aeron's drivers: window and socket buffers of 2 MiB, as
 * Aeron's own benchmarks set them, or what the system grants.
 *
 * @param toServer from client to server.
 * @param toClient from server to client.
 */
record Channels(String toServer, String toClient)
{
    private static final int WINDOW_LENGTH = 2 << 20;

    /**
     * Make channels on ports that are free now.
     *
     * @param transport to run on.
     * @param benchCase to run.
     * @return the channels.
     */
    static Channels create(final Transport transport, final BenchCase benchCase)
    {
        if (Transport.AERON_IPC == transport)
        {
            final String channel = new ChannelUriStringBuilder()
                .media(CommonContext.IPC_MEDIA)
                .mtu(benchCase.mtu())
                .termLength(benchCase.termLength())
                .build();
            return new Channels(channel, channel);
        }
        final InetAddress address = InetAddress.getLoopbackAddress();
        // Both are held while the ports are chosen, so that they differ.
        try (DatagramSocket first = new DatagramSocket(new InetSocketAddress(address, 0));
            DatagramSocket second = new DatagramSocket(new InetSocketAddress(address, 0)))
        {
            return new Channels(channel(first, benchCase), channel(second, benchCase));
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }

    private static String channel(final DatagramSocket socket, final BenchCase benchCase)
    {
        final int window = windowLength();
        return new ChannelUriStringBuilder()
            .media(CommonContext.UDP_MEDIA)
            .endpoint(socket.getLocalAddress().getHostAddress() + ":" + socket.getLocalPort())
            .mtu(benchCase.mtu())
            .termLength(benchCase.termLength())
            .socketRcvbufLength(window)
            .socketSndbufLength(window)
            .receiverWindowLength(window)
            .build();
    }

    /**
     * Window of the receivers and length of socket buffers.
     *
     * @return 2 MiB, or less if the system does not grant that.
     */
    static int windowLength()
    {
        try (DatagramSocket socket = new DatagramSocket(null))
        {
            socket.setOption(StandardSocketOptions.SO_RCVBUF, WINDOW_LENGTH);
            socket.setOption(StandardSocketOptions.SO_SNDBUF, WINDOW_LENGTH);
            return Math.min(WINDOW_LENGTH, Math.min(
                socket.getOption(StandardSocketOptions.SO_RCVBUF), socket.getOption(StandardSocketOptions.SO_SNDBUF)));
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }
}
