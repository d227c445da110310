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

import io.aeron.ChannelUri;
import io.aeron.driver.DriverConductorProxy;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.NetworkPublication;
import io.aeron.driver.media.SendChannelEndpoint;
import io.aeron.driver.media.UdpChannel;
import io.aeron.exceptions.AeronEvent;
import io.aeron.protocol.StatusMessageFlyweight;
import io.aeron.status.ChannelEndpointStatus;
import io.millrace.efa.link.FabricDriver;
import io.millrace.efa.link.Link;
import io.millrace.efa.link.PacketFrames;
import io.millrace.efa.link.RailChannel;
import io.millrace.efa.link.RailSet;
import io.millrace.efa.term.PlacedImage;
import io.millrace.efa.term.SendLog;
import io.millrace.efa.term.SendLogs;
import org.agrona.MutableDirectBuffer;
import org.agrona.collections.Hashing;
import org.agrona.collections.LongHashSet;
import org.agrona.concurrent.MessageHandler;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.ringbuffer.OneToOneRingBuffer;
import org.agrona.concurrent.ringbuffer.RingBufferDescriptor;
import org.agrona.concurrent.status.AtomicCounter;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

import static io.aeron.logbuffer.FrameDescriptor.frameType;
import static io.aeron.protocol.HeaderFlyweight.HDR_TYPE_SM;

/**
 * Send side of a channel on rails. Data leaves through the {@link RailDatagramChannel}. Status messages that arrive on
 * a rail are dispatched at once, as hundreds of streams have many in a duty cycle; other control frames are queued and
 * handed to Aeron's poller one at a time, as if the socket had them.
 */
public final class EfaSendChannelEndpoint extends SendChannelEndpoint implements RailChannel
{
    private static final int CONTROL_QUEUE_LENGTH = 64 * 1024;
    private static final InetSocketAddress RAILS = InetSocketAddress.createUnresolved("rails", 0);

    /**
     * Every so many control frames the socket comes before the rails, so that those do not keep handshakes away.
     */
    private static final int SOCKET_FIRST_MASK = 7;

    /**
     * For so long one of many destinations may hold up the others.
     */
    private static final long BUSY_DESTINATION_LIMIT_NS = TimeUnit.MILLISECONDS.toNanos(1);

    private final FabricDriver fabric;
    private final AtomicCounter statusIndicator;
    private final AtomicCounter udpDataFramesSent;
    private final boolean isMultiDestination;
    private final LongHashSet requiredStreams = new LongHashSet();
    private final RailSet rails;
    private final NanoClock clock;
    private final LinkRouter router;
    private final SendLogs sendLogs = new SendLogs();
    private final OneToOneRingBuffer controlFrames;
    private final MessageHandler controlFrameHandler = this::onControlFrame;
    private final UnsafeBuffer railBuffer = new UnsafeBuffer();
    private final StatusMessageFlyweight statusMessage = new StatusMessageFlyweight();
    private final Map<InetSocketAddress, ByteBuffer> farewells = new ConcurrentHashMap<>();
    private DatagramChannel socket;
    private ByteBuffer receiveBuffer;
    private InetSocketAddress receiveSource;
    private int receiveCount;
    private int controlFrameCount;
    private int railBytes;
    private boolean isRailReport;
    private DriverConductorProxy conductorProxy;
    private volatile boolean fabricRequired;
    private volatile boolean isRefused;
    private volatile boolean isClosed;

    /**
     * Create an endpoint.
     *
     * @param udpChannel      of the channel.
     * @param statusIndicator of the endpoint.
     * @param context         of the media driver.
     * @param fabric          of the media driver.
     */
    EfaSendChannelEndpoint(
        final UdpChannel udpChannel,
        final AtomicCounter statusIndicator,
        final MediaDriver.Context context,
        final FabricDriver fabric)
    {
        super(udpChannel, statusIndicator, context);
        this.fabric = fabric;
        this.statusIndicator = statusIndicator;
        FabricRequirement.check(udpChannel, fabric.choice());
        this.isMultiDestination = udpChannel.isMultiDestination();
        this.udpDataFramesSent = fabric.counters().udpDataFramesSent();

        this.clock = EndpointFactory.clock(context, context.senderCachedNanoClock());
        this.rails = fabric.choice().isFabric() ? fabric.senderRails() : null;
        this.router = null != rails && !udpChannel.isMulticast() ? new LinkRouter(
            this, fabric.events(), fabric.context().linkTimeoutNs()) : null;
        if (udpChannel.isMulticast())
        {
            fabric.onUdpOnly(udpChannel.originalUriString(), "multicast has no rails");
        }
        this.controlFrames = null != rails ? new OneToOneRingBuffer(new UnsafeBuffer(
            ByteBuffer.allocateDirect(CONTROL_QUEUE_LENGTH + RingBufferDescriptor.TRAILER_LENGTH))) : null;
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void openDatagramChannel(final AtomicCounter statusIndicator)
    {
        super.openDatagramChannel(statusIndicator);
        socket = sendDatagramChannel;
        sendDatagramChannel = new RailDatagramChannel(socket, this::route);
    }

    /**
     * {@inheritDoc}
     * <p>
     * Publications share the endpoint of a channel whatever their {@code fabric} says, so it is kept for each.
     */
    @Override
    public void registerForSend(final NetworkPublication publication)
    {
        super.registerForSend(publication);
        if (null != router)
        {
            fabric.events().onPublication(
                this, publication.subscribableRegistrationId(), publication.sessionId(), publication.streamId());
        }

        warmUp();
        if (FabricRequirement.isRequired(publication, context.countersManager()))
        {
            requiredStreams.add(Hashing.compoundKey(publication.sessionId(), publication.streamId()));
            fabricRequired = true;
            if (null == router)
            {
                onFabricRefused("this driver is on protocol udp: " + fabric.choice().reason());
            }
        }
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void unregisterForSend(final NetworkPublication publication)
    {
        super.unregisterForSend(publication);
        if (null != router)
        {
            fabric.events().onPublicationEnded(this, publication.subscribableRegistrationId());
        }

        requiredStreams.remove(Hashing.compoundKey(publication.sessionId(), publication.streamId()));
        fabricRequired = !requiredStreams.isEmpty();
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void addDestination(
        final ChannelUri channelUri, final InetSocketAddress address, final long registrationId)
    {
        super.addDestination(channelUri, address, registrationId);
        if (null != router)
        {
            router.request(address);
        }
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public InetSocketAddress receive(final ByteBuffer buffer)
    {
        if (null == rails)
        {
            return super.receive(buffer);
        }

        rails.poll(this, clock.nanoTime());
        receiveSource = null;
        final InetSocketAddress source = 0 == controlFrameCount ? receiveDatagram(buffer) : nextFrame(buffer);
        final int reported = railBytes;
        railBytes = 0;
        if (null != source || 0 == reported)
        {
            return source;
        }

        buffer.limit(buffer.capacity()).position(Math.min(reported, buffer.capacity()));
        isRailReport = true;
        return RAILS;
    }

    private InetSocketAddress nextFrame(final ByteBuffer buffer)
    {
        final boolean isSocketFirst = 0 == (++receiveCount & SOCKET_FIRST_MASK);
        final InetSocketAddress source = isSocketFirst ? receiveDatagram(buffer) : nextControlFrame(buffer);
        if (null != source)
        {
            return source;
        }

        return isSocketFirst ? nextControlFrame(buffer) : receiveDatagram(buffer);
    }

    /**
     * {@inheritDoc}
     * <p>
     * Status messages from rails were dispatched already; they are reported as a datagram that is turned down here, so
     * that the Sender knows it did work.
     */
    @Override
    public boolean isValidFrame(final UnsafeBuffer buffer, final int length)
    {
        if (isRailReport)
        {
            isRailReport = false;
            return false;
        }

        return super.isValidFrame(buffer, length);
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onStatusMessage(
        final StatusMessageFlyweight msg,
        final UnsafeBuffer buffer,
        final int length,
        final InetSocketAddress srcAddress,
        final DriverConductorProxy conductorProxy)
    {
        this.conductorProxy = conductorProxy;
        super.onStatusMessage(msg, buffer, length, srcAddress, conductorProxy);
    }

    private InetSocketAddress receiveDatagram(final ByteBuffer buffer)
    {
        if (null == router)
        {
            return super.receive(buffer);
        }

        final InetSocketAddress source = router.isSocketDue(rails.nowNs()) ? super.receive(buffer) : null;
        if (null != source)
        {
            router.onDatagram(rails.nowNs());
        }
        return source;
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void receiveHook(final UnsafeBuffer buffer, final int length, final InetSocketAddress address)
    {
        if (null != router && receiveSource != address)
        {
            if (HDR_TYPE_SM == frameType(buffer, 0))
            {
                router.onHeardOverUdp(address);
            }
            router.onSocketFrame(buffer, length, address, rails.nowNs());
        }
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void close()
    {
        if (!isClosed)
        {
            isClosed = true;
            farewells.forEach((target, bye) -> sendDatagram(bye.duplicate(), target));
            fabric.onEndpointClosed(true);
        }

        super.close();
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public boolean isSender()
    {
        return true;
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onRailPacket(final Link link, final long address, final int length)
    {
        railBuffer.wrap(address, length);
        if (null != conductorProxy && length >= StatusMessageFlyweight.HEADER_LENGTH &&
            HDR_TYPE_SM == frameType(railBuffer, 0) && super.isValidFrame(railBuffer, length))
        {
            railBytes += length;
            statusMessage.wrap(address, length);
            super.onStatusMessage(statusMessage, railBuffer, length, link.peerAddress(), conductorProxy);
        }
        else if (controlFrames.write(link.handle(), railBuffer, 0, length))
        {
            ++controlFrameCount;
        }
        else
        {
            fabric.counters().controlFramesDropped().incrementRelease();
        }
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void attach(final Link link)
    {
        router.attach(link);
        if (isRefused)
        {
            isRefused = false;
            statusIndicator.setRelease(ChannelEndpointStatus.ACTIVE);
        }
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void detach(final Link link)
    {
        router.detach(link);
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onPlacedFrame(final Link link, final long address, final int length)
    {
        throw new UnsupportedOperationException(description());
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void attach(final PlacedImage image)
    {
        throw new UnsupportedOperationException(description());
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void detach(final PlacedImage image)
    {
        throw new UnsupportedOperationException(description());
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public SendLogs sendLogs()
    {
        return sendLogs;
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void sendDatagram(final ByteBuffer frame, final InetSocketAddress target)
    {
        HandshakeSocket.send(socket, frame, target, errorHandler);
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public String refusal()
    {
        return null;
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public Map<InetSocketAddress, ByteBuffer> farewells()
    {
        return farewells;
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public boolean isClosed()
    {
        return isClosed;
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public String description()
    {
        return originalUriString();
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public boolean fabricRequired()
    {
        return fabricRequired;
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onFabricRefused(final String reason)
    {
        if (!isClosed && !isRefused)
        {
            isRefused = true;
            statusIndicator.setRelease(ChannelEndpointStatus.ERRORED);
            errorHandler.onError(new AeronEvent("fabric=required of " + description() + " cannot be met: " + reason));
        }
    }

    /**
     * Begin the handshake with the peer of the channel before anything is sent. Destinations of a multi-destination
     * publication follow as they are added or heard.
     */
    private void warmUp()
    {
        if (null != router && null != connectAddress)
        {
            router.request(connectAddress);
        }
    }

    private int route(final ByteBuffer packet, final InetSocketAddress target)
    {
        if (null != router)
        {
            final SendLog log = sendLogs.find(packet);
            if (null != log && !log.allows(packet))
            {
                return 0;
            }

            final InetSocketAddress address = null == target ? connectAddress : target;
            final int sent = router.send(packet, address, log);
            if (sent > 0)
            {
                return sent;
            }

            if (0 == sent)
            {
                return isMultiDestination && router.busyNs(address) > BUSY_DESTINATION_LIMIT_NS ? drop(packet) : 0;
            }

            router.request(address);
        }

        if (!requiredStreams.isEmpty() && requiredStreams.contains(PacketFrames.streamKey(packet)))
        {
            return hold(packet, target);
        }

        udpDataFramesSent.getAndAddRelease(PacketFrames.dataFrames(packet));
        return PacketRouter.BY_SOCKET;
    }

    private int hold(final ByteBuffer packet, final InetSocketAddress target)
    {
        if (null != router && router.isUp(null == target ? connectAddress : target))
        {
            onFabricRefused("a frame of " + packet.remaining() +
                " bytes is longer than the rails to the peer carry: lower the mtu of the channel");
        }

        return isMultiDestination ? drop(packet) : 0;
    }

    /**
     * One of many destinations must not hold up the others: what it cannot take is lost to it, as it would be by
     * UDP, and comes back through its NAKs.
     */
    private int drop(final ByteBuffer packet)
    {
        fabric.counters().destinationPacketsDropped().incrementRelease();
        return packet.remaining();
    }

    private InetSocketAddress nextControlFrame(final ByteBuffer buffer)
    {
        receiveBuffer = buffer;
        controlFrames.read(controlFrameHandler, 1);
        return receiveSource;
    }

    private void onControlFrame(final int handle, final MutableDirectBuffer frame, final int index, final int length)
    {
        --controlFrameCount;
        final Link link = rails.link(handle);
        if (null != link)
        {
            receiveBuffer.clear();
            frame.getBytes(index, receiveBuffer, length);
            receiveSource = link.peerAddress();
        }
    }
}
