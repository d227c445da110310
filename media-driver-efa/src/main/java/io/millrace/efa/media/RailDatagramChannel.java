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

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.MembershipKey;
import java.util.Set;

/**
 * The channel through which an endpoint of Aeron sends all it sends: packets go to a rail where the router has one for
 * them, and to the socket otherwise. Selectors are given the socket itself, never this.
 */
final class RailDatagramChannel extends DatagramChannel
{
    private final DatagramChannel socket;
    private final PacketRouter router;

    RailDatagramChannel(final DatagramChannel socket, final PacketRouter router)
    {
        super(socket.provider());
        this.socket = socket;
        this.router = router;
    }

    DatagramChannel socketChannel()
    {
        return socket;
    }

    @Override
    public int write(final ByteBuffer src) throws IOException
    {
        final int sent = router.route(src, null);
        return PacketRouter.BY_SOCKET == sent ? socket.write(src) : sent;
    }

    @Override
    public int send(final ByteBuffer src, final SocketAddress target) throws IOException
    {
        final int sent = router.route(src, (InetSocketAddress)target);
        return PacketRouter.BY_SOCKET == sent ? socket.send(src, target) : sent;
    }

    @Override
    public long write(final ByteBuffer[] srcs, final int offset, final int length) throws IOException
    {
        return socket.write(srcs, offset, length);
    }

    @Override
    public DatagramChannel bind(final SocketAddress local) throws IOException
    {
        socket.bind(local);
        return this;
    }

    @Override
    public <T> DatagramChannel setOption(final SocketOption<T> name, final T value) throws IOException
    {
        socket.setOption(name, value);
        return this;
    }

    @Override
    public <T> T getOption(final SocketOption<T> name) throws IOException
    {
        return socket.getOption(name);
    }

    @Override
    public Set<SocketOption<?>> supportedOptions()
    {
        return socket.supportedOptions();
    }

    @Override
    public DatagramSocket socket()
    {
        return socket.socket();
    }

    @Override
    public boolean isConnected()
    {
        return socket.isConnected();
    }

    @Override
    public DatagramChannel connect(final SocketAddress remote) throws IOException
    {
        socket.connect(remote);
        return this;
    }

    @Override
    public DatagramChannel disconnect() throws IOException
    {
        socket.disconnect();
        return this;
    }

    @Override
    public SocketAddress getRemoteAddress() throws IOException
    {
        return socket.getRemoteAddress();
    }

    @Override
    public SocketAddress getLocalAddress() throws IOException
    {
        return socket.getLocalAddress();
    }

    @Override
    public SocketAddress receive(final ByteBuffer dst) throws IOException
    {
        return socket.receive(dst);
    }

    @Override
    public int read(final ByteBuffer dst) throws IOException
    {
        return socket.read(dst);
    }

    @Override
    public long read(final ByteBuffer[] dsts, final int offset, final int length) throws IOException
    {
        return socket.read(dsts, offset, length);
    }

    @Override
    public MembershipKey join(final InetAddress group, final NetworkInterface networkInterface) throws IOException
    {
        return socket.join(group, networkInterface);
    }

    @Override
    public MembershipKey join(
        final InetAddress group, final NetworkInterface networkInterface, final InetAddress source) throws IOException
    {
        return socket.join(group, networkInterface, source);
    }

    @Override
    protected void implCloseSelectableChannel() throws IOException
    {
        socket.close();
    }

    @Override
    protected void implConfigureBlocking(final boolean block) throws IOException
    {
        socket.configureBlocking(block);
    }
}
