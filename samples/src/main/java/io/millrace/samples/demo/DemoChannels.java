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
package io.millrace.samples.demo;

import io.aeron.ChannelUriStringBuilder;
import io.aeron.CommonContext;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;

/**
 * The channels between the two drivers.
 *
 * @param data    prefill to decode.
 * @param reverse decode to prefill.
 */
record DemoChannels(String data, String reverse)
{
    // Aeron's longest MTU is 65 504; this one keeps payloads aligned to cache lines.
    private static final int LOCAL_MTU = 65_472;
    // A packet must fit one message of EFA, about 8 KiB.
    private static final int EFA_MTU = 8_128;
    private static final int REVERSE_MTU = 1_408;
    private static final int WINDOW_LENGTH = 2 * 1024 * 1024;

    /**
     * Make channels on ports that are free now.
     *
     * @param protocol   of the drivers.
     * @param termLength of the data's term buffers in bytes.
     * @return the channels.
     */
    static DemoChannels create(final String protocol, final int termLength)
    {
        final InetAddress address = InetAddress.getLoopbackAddress();
        // Both are held while the ports are chosen, so that they differ.
        try (DatagramSocket first = new DatagramSocket(new InetSocketAddress(address, 0));
            DatagramSocket second = new DatagramSocket(new InetSocketAddress(address, 0)))
        {
            return new DemoChannels(
                channel(first, "efa".equals(protocol) ? EFA_MTU : LOCAL_MTU, termLength),
                channel(second, REVERSE_MTU, StorageCheck.REVERSE_TERM_LENGTH));
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }

    private static String channel(final DatagramSocket socket, final int mtu, final int termLength)
        throws IOException
    {
        // What the system grants for a socket, should frames have to go by UDP.
        socket.setOption(StandardSocketOptions.SO_RCVBUF, WINDOW_LENGTH);
        socket.setOption(StandardSocketOptions.SO_SNDBUF, WINDOW_LENGTH);
        final int windowLength = Math.min(WINDOW_LENGTH, Math.min(
            socket.getOption(StandardSocketOptions.SO_RCVBUF), socket.getOption(StandardSocketOptions.SO_SNDBUF)));
        return new ChannelUriStringBuilder()
            .media(CommonContext.UDP_MEDIA)
            .endpoint(socket.getLocalAddress().getHostAddress() + ":" + socket.getLocalPort())
            .mtu(mtu)
            .termLength(termLength)
            .socketRcvbufLength(windowLength)
            .socketSndbufLength(windowLength)
            .receiverWindowLength(Math.min(windowLength, termLength / 2))
            .build();
    }
}
