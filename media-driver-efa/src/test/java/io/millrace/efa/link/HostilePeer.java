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

import io.millrace.codecs.handshake.AckStatus;
import io.millrace.efa.libfabric.CompletionBatch;
import io.millrace.efa.libfabric.CompletionError;
import io.millrace.efa.libfabric.EndpointOptions;
import io.millrace.efa.libfabric.FabricContexts;
import io.millrace.efa.libfabric.FabricEndpoint;
import io.millrace.efa.libfabric.FabricErrors;
import io.millrace.efa.libfabric.FabricProvider;
import io.millrace.efa.libfabric.LibFabric;
import io.millrace.efa.libfabric.MemoryRegion;
import io.millrace.efa.libfabric.NativeMemory;
import org.agrona.UnsafeApi;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Makes a link as a sender would, and then sends whatever it likes.
 */
public final class HostilePeer implements AutoCloseable
{
    private static final long DEADLINE_NS = TimeUnit.SECONDS.toNanos(60);
    private static final int MEMORY_LENGTH = 256 * 1024;
    private static final long INCARNATION = 666;
    private static final int HANDLE = 0x10001;

    private final HandshakeCodec codec = new HandshakeCodec();
    private final FabricEndpoint endpoint;
    private final NativeMemory memory = NativeMemory.allocate(MEMORY_LENGTH);
    private final MemoryRegion region;
    private final FabricContexts contexts = new FabricContexts(1);
    private final CompletionBatch completions = new CompletionBatch(8);
    private final CompletionError error = new CompletionError();
    private final DatagramSocket socket = new DatagramSocket();
    private long fiAddr;
    private int peerHandle;
    private long sequence = 1;

    public HostilePeer(final FabricProvider provider) throws IOException
    {
        endpoint = LibFabric.load().open(LibFabric.load().nics(provider).get(0), new EndpointOptions(0, 0, 256));
        region = endpoint.register(memory.address(), memory.length(), MemoryRegion.ACCESS_MESSAGE);
    }

    /**
     * Handle that the receiver gave us.
     */
    public int peerHandle()
    {
        return peerHandle;
    }

    /**
     * Make a link and put the receiver's rail into the address vector.
     */
    public void link(final InetSocketAddress target, final String protocol, final String wireName) throws IOException
    {
        socket.setSoTimeout((int)TimeUnit.NANOSECONDS.toMillis(DEADLINE_NS));
        final HandshakeMessage.HelloAck challenge = hello(target, 0, List.of(), protocol, wireName);
        final HandshakeMessage.HelloAck ack = hello(target, challenge.challenge(),
            List.of(new RailAddress(0, -1, 8192, endpoint.localAddress())), protocol, wireName);
        if (AckStatus.ACCEPTED != ack.status())
        {
            throw new IllegalStateException(ack.status() + " " + ack.reason());
        }
        peerHandle = ack.receiverHandle();
        fiAddr = endpoint.insertAddress(ack.rails().get(0).address());
    }

    /**
     * Send a datagram.
     */
    public void sendDatagram(final InetSocketAddress target, final byte[] bytes) throws IOException
    {
        socket.send(new DatagramPacket(bytes, bytes.length, target));
    }

    /**
     * A Hello that is sound, to be changed.
     */
    public byte[] hello()
    {
        return bytes(codec.encode(new HandshakeMessage.Hello(HandshakeCodec.PROTOCOL_VERSION, INCARNATION, 1, HANDLE,
            ++sequence, 5, List.of(new RailAddress(0, -1, 8192, endpoint.localAddress())), "shm", "shm")));
    }

    /**
     * Send on the rail and wait until the provider has taken it.
     *
     * @return result of libfabric: 0, or a negative error.
     */
    public long send(final byte[] message, final int length, final long immediate)
    {
        for (int i = 0; i < Math.min(length, message.length); i++)
        {
            UnsafeApi.putByte(memory.address() + i, message[i]);
        }

        final long deadlineNs = System.nanoTime() + DEADLINE_NS;
        long result = -FabricErrors.EAGAIN;
        while (-FabricErrors.EAGAIN == result)
        {
            result = endpoint.send(
                memory.address(), length, region.descriptor(), immediate, fiAddr, contexts.address(0));
            if (-FabricErrors.EAGAIN == result)
            {
                poll();
                Thread.yield();
            }
            if (System.nanoTime() - deadlineNs > 0)
            {
                throw new AssertionError("EAGAIN for ever");
            }
        }

        boolean isDone = 0 != result;
        while (!isDone)
        {
            final int count = poll();
            isDone = count > 0 || -FabricErrors.EAVAIL == count && endpoint.readError(error);
            if (System.nanoTime() - deadlineNs > 0)
            {
                throw new AssertionError("no completion");
            }
            Thread.yield();
        }

        return result;
    }

    @Override
    public void close()
    {
        socket.close();
        endpoint.removeAddress(fiAddr);
        endpoint.close();
        memory.close();
        contexts.close();
        completions.close();
    }

    private int poll()
    {
        return endpoint.poll(completions);
    }

    private HandshakeMessage.HelloAck hello(
        final InetSocketAddress target,
        final long challenge,
        final List<RailAddress> rails,
        final String protocol,
        final String wireName) throws IOException
    {
        sendDatagram(target, bytes(codec.encode(new HandshakeMessage.Hello(HandshakeCodec.PROTOCOL_VERSION,
            INCARNATION, HostId.get(), HANDLE, ++sequence, challenge, rails, protocol, wireName))));
        final byte[] buffer = new byte[HandshakeCodec.MAX_FRAME_LENGTH];
        while (true)
        {
            final DatagramPacket packet = new DatagramPacket(buffer, buffer.length);
            socket.receive(packet);
            final byte[] frame = new byte[packet.getLength()];
            System.arraycopy(buffer, 0, frame, 0, frame.length);
            if (codec.decode(frame) instanceof final HandshakeMessage.HelloAck ack)
            {
                return ack;
            }
        }
    }

    private static byte[] bytes(final ByteBuffer frame)
    {
        final byte[] bytes = new byte[frame.remaining()];
        frame.get(bytes);
        return bytes;
    }
}
