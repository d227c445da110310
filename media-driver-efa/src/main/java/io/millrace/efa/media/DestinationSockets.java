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

import io.aeron.driver.media.ReceiveDestinationTransport;
import io.millrace.efa.link.FabricEvents;
import io.millrace.efa.link.RailChannel;
import org.agrona.ErrorHandler;
import org.agrona.collections.Int2ObjectHashMap;
import org.agrona.collections.Object2ObjectHashMap;
import org.agrona.concurrent.UnsafeBuffer;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Lets a multi-destination subscription answer handshakes: from the socket they came to, as senders are connected to
 * it. Aeron does not say which one that is, but it does for setup and data, so a handshake waits for those of its
 * source. Where it is repeated before any came, as {@code fabric=required} sends none, it is answered from all.
 * Owned by the Receiver, except for sending.
 */
final class DestinationSockets
{
    /**
     * So many peers are kept, and all of them forgotten for one more: they say it again.
     */
    private static final int MAX_PEERS = 64;

    private final Int2ObjectHashMap<ReceiveDestinationTransport> transportByIndex = new Int2ObjectHashMap<>();
    private final Object2ObjectHashMap<InetSocketAddress, byte[]> waiting = new Object2ObjectHashMap<>();
    private final Map<InetSocketAddress, ReceiveDestinationTransport[]> unanswered = new ConcurrentHashMap<>();
    private final RailChannel channel;
    private final FabricEvents events;
    private final ErrorHandler errorHandler;

    DestinationSockets(final RailChannel channel, final FabricEvents events, final ErrorHandler errorHandler)
    {
        this.channel = channel;
        this.events = events;
        this.errorHandler = errorHandler;
    }

    void add(final int index, final ReceiveDestinationTransport transport)
    {
        transportByIndex.put(index, transport);
    }

    void remove(final int index)
    {
        transportByIndex.remove(index);
    }

    int size()
    {
        return transportByIndex.size();
    }

    /**
     * A handshake frame arrived on one of the sockets.
     */
    void onHandshake(final UnsafeBuffer buffer, final int length, final InetSocketAddress source)
    {
        if (null != waiting.remove(source))
        {
            forward(source, copyOf(buffer, length),
                transportByIndex.values().toArray(new ReceiveDestinationTransport[0]));
        }
        else
        {
            makeRoom(waiting);
            waiting.put(source, copyOf(buffer, length));
        }
    }

    /**
     * Setup or data arrived on one of the sockets.
     */
    void onHeard(final InetSocketAddress source, final int index)
    {
        if (!waiting.isEmpty())
        {
            final byte[] frame = waiting.remove(source);
            final ReceiveDestinationTransport transport = transportByIndex.get(index);
            if (null != frame && null != transport)
            {
                forward(source, frame, transport);
            }
        }
    }

    /**
     * Answer a handshake. From any thread.
     */
    void send(final ByteBuffer frame, final InetSocketAddress target)
    {
        final ReceiveDestinationTransport[] transports = unanswered.remove(target);
        if (null != transports)
        {
            for (final ReceiveDestinationTransport transport : transports)
            {
                HandshakeSocket.send(transport.receiveDatagramChannel(), frame.duplicate(), target, errorHandler);
            }
        }
    }

    private void forward(
        final InetSocketAddress source, final byte[] frame, final ReceiveDestinationTransport... transports)
    {
        makeRoom(unanswered);
        unanswered.put(source, transports);
        events.onHandshake(channel, source, frame, false);
    }

    private static void makeRoom(final Map<InetSocketAddress, ?> peers)
    {
        if (peers.size() >= MAX_PEERS)
        {
            peers.clear();
        }
    }

    private static byte[] copyOf(final UnsafeBuffer buffer, final int length)
    {
        final byte[] frame = new byte[length];
        buffer.getBytes(0, frame);
        return frame;
    }
}
