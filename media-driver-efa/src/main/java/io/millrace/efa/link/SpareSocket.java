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
package io.millrace.efa.link;

import org.agrona.CloseHelper;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;

/**
 * Sends what is left to say when a channel and its socket are closed. What is lost here costs the peer a timeout.
 * Part of the fabric conductor.
 */
final class SpareSocket implements AutoCloseable
{
    private DatagramChannel socket;

    void send(final ByteBuffer frame, final InetSocketAddress target)
    {
        try
        {
            if (null == socket)
            {
                socket = DatagramChannel.open();
                socket.configureBlocking(false);
            }
            socket.send(frame, target);
        }
        catch (final IOException ignore)
        {
            close();
        }
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void close()
    {
        CloseHelper.quietClose(socket);
        socket = null;
    }
}
