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
package io.millrace.efa.media;

import io.aeron.driver.media.UdpChannelTransport;
import org.agrona.ErrorHandler;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.PortUnreachableException;
import java.nio.ByteBuffer;
import java.nio.channels.AlreadyConnectedException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.DatagramChannel;

/**
 * Sends handshake frames, which always go by UDP. A frame that is lost here is repeated by its timer.
 */
final class HandshakeSocket
{
    private HandshakeSocket()
    {
    }

    static void send(
        final DatagramChannel socket,
        final ByteBuffer frame,
        final InetSocketAddress target,
        final ErrorHandler errorHandler)
    {
        try
        {
            if (null != socket)
            {
                socket.send(frame, target);
            }
        }
        catch (final PortUnreachableException | ClosedChannelException | AlreadyConnectedException ignore)
        {
            // nobody there yet, the channel closes on either side, or its endpoint was resolved to another address
        }
        catch (final IOException ex)
        {
            UdpChannelTransport.onSendError(ex, target, errorHandler);
        }
    }
}
