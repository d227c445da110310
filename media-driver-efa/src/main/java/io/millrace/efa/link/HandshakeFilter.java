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

import org.agrona.concurrent.UnsafeBuffer;

import java.net.InetSocketAddress;

/**
 * Picks handshake frames out of what arrives on sockets.
 */
public final class HandshakeFilter
{
    private HandshakeFilter()
    {
    }

    /**
     * Is a datagram a handshake frame?
     *
     * @param buffer with the datagram.
     * @param length of the datagram in bytes.
     * @return true by its type and schema.
     */
    public static boolean isHandshake(final UnsafeBuffer buffer, final int length)
    {
        return HandshakeCodec.isHandshake(buffer, length);
    }

    /**
     * Copy a datagram to the fabric conductor if it is a handshake frame. Aeron itself ignores such frames.
     *
     * @param events  of the fabric conductor.
     * @param channel on whose socket it arrived.
     * @param buffer  with the datagram.
     * @param length  of the datagram in bytes.
     * @param source  address of the peer's socket.
     * @param isLinked true when the peer has a link.
     * @return true if it is one.
     */
    public static boolean forward(
        final FabricEvents events,
        final RailChannel channel,
        final UnsafeBuffer buffer,
        final int length,
        final InetSocketAddress source,
        final boolean isLinked)
    {
        if (!isHandshake(buffer, length))
        {
            return false;
        }

        final byte[] frame = new byte[length];
        buffer.getBytes(0, frame);
        events.onHandshake(channel, source, frame, isLinked);
        return true;
    }
}
