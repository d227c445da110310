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

import io.aeron.driver.DataPacketDispatcher;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.media.ImageConnection;
import io.aeron.driver.media.ReceiveChannelEndpoint;
import io.aeron.driver.media.ReceiveDestinationTransport;
import io.aeron.driver.media.UdpChannel;
import io.aeron.driver.status.SystemCounterDescriptor;
import io.aeron.protocol.DataHeaderFlyweight;
import io.aeron.protocol.HeaderFlyweight;
import io.aeron.protocol.RttMeasurementFlyweight;
import io.aeron.protocol.SetupFlyweight;
import io.millrace.efa.link.FabricDriver;
import io.millrace.efa.link.HandshakeFilter;
import io.millrace.efa.link.Link;
import io.millrace.efa.link.PacketFrames;
import io.millrace.efa.link.RailChannel;
import io.millrace.efa.link.RailSet;
import io.millrace.efa.term.PlacedImage;
import io.millrace.efa.term.SendLogs;
import org.agrona.collections.Hashing;
import org.agrona.collections.Long2ObjectHashMap;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.AtomicCounter;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import static io.aeron.logbuffer.FrameDescriptor.frameType;
import static io.aeron.protocol.HeaderFlyweight.HDR_TYPE_DATA;
import static io.aeron.protocol.HeaderFlyweight.HDR_TYPE_PAD;
import static io.aeron.protocol.HeaderFlyweight.HDR_TYPE_RTTM;
import static io.aeron.protocol.HeaderFlyweight.HDR_TYPE_SETUP;

/**
 * Receive side of a channel on rails. Packets are dispatched to Aeron straight from the registered receive slots;
 * status messages, NAKs and the like leave through the {@link RailDatagramChannel}.
 */
public final class EfaReceiveChannelEndpoint extends ReceiveChannelEndpoint implements RailChannel
{
    private static final InetSocketAddress RAILS = InetSocketAddress.createUnresolved("rails", 0);
    private static final String MDS_REFUSAL = "a multi-destination subscription has no rails";
    private static final String MULTICAST_REFUSAL = "multicast has no rails";

    private final FabricDriver fabric;
    private final AtomicCounter bytesReceived;
    private final RailSet rails;
    private final NanoClock clock;
    private final LinkRouter router;
    private final DestinationSockets destinations;
    private final Long2ObjectHashMap<PlacedImage> placedImages = new Long2ObjectHashMap<>();
    private final UnsafeBuffer railBuffer = new UnsafeBuffer();
    private final DataHeaderFlyweight dataHeader = new DataHeaderFlyweight();
    private final SetupFlyweight setupHeader = new SetupFlyweight();
    private final RttMeasurementFlyweight rttHeader = new RttMeasurementFlyweight();
    private final Map<InetSocketAddress, ByteBuffer> farewells = new ConcurrentHashMap<>();
    private DatagramChannel socket;
    private boolean isRailReport;
    private volatile boolean isClosed;

    /**
     * Create an endpoint.
     *
     * @param udpChannel      of the channel.
     * @param dispatcher      of the channel.
     * @param statusIndicator of the endpoint.
     * @param context         of the media driver.
     * @param fabric          of the media driver.
     */
    EfaReceiveChannelEndpoint(
        final UdpChannel udpChannel,
        final DataPacketDispatcher dispatcher,
        final AtomicCounter statusIndicator,
        final MediaDriver.Context context,
        final FabricDriver fabric)
    {
        super(udpChannel, dispatcher, statusIndicator, context);
        FabricRequirement.check(udpChannel, fabric.choice());
        this.fabric = fabric;
        this.bytesReceived = context.systemCounters().get(SystemCounterDescriptor.BYTES_RECEIVED);

        this.clock = EndpointFactory.clock(context, context.receiverCachedNanoClock());
        this.rails = fabric.receiverRails();
        this.router = fabric.choice().isFabric() && !udpChannel.isMulticast() && !hasDestinationControl() ?
            new LinkRouter(this, fabric.events(), fabric.context().linkTimeoutNs()) : null;
        this.destinations = hasDestinationControl() ?
            new DestinationSockets(this, fabric.events(), errorHandler) : null;
        if (udpChannel.isMulticast())
        {
            fabric.onUdpOnly(udpChannel.originalUriString(), MULTICAST_REFUSAL);
        }
        else if (hasDestinationControl())
        {
            fabric.onUdpOnly(udpChannel.originalUriString(), MDS_REFUSAL);
        }
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void openDatagramChannel(final AtomicCounter statusIndicator)
    {
        super.openDatagramChannel(statusIndicator);
        socket = sendDatagramChannel;
        if (null != router)
        {
            sendDatagramChannel = new RailDatagramChannel(socket, router::send);
        }
    }

    /**
     * {@inheritDoc}
     * <p>
     * What rails brought was dispatched already; it is reported as a datagram that {@link #isValidFrame} turns down, so
     * that the Receiver knows it did work.
     */
    @Override
    public InetSocketAddress receive(final ByteBuffer buffer)
    {
        final int railBytes = rails.poll(this, clock.nanoTime());
        final InetSocketAddress source = receiveDatagram(buffer);
        if (null != source || 0 == railBytes)
        {
            bytesReceived.getAndAddRelease(railBytes);
            return source;
        }

        final int reported = Math.min(railBytes, buffer.capacity());
        bytesReceived.getAndAddRelease(railBytes - reported);
        buffer.limit(buffer.capacity()).position(reported);
        isRailReport = true;
        return RAILS;
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
    public int onDataPacket(
        final DataHeaderFlyweight header,
        final UnsafeBuffer buffer,
        final int length,
        final InetSocketAddress srcAddress,
        final int transportIndex)
    {
        if (!PacketFrames.isSound(buffer, length))
        {
            fabric.counters().packetsMalformed().increment();
            return 0;
        }

        if (null != destinations)
        {
            destinations.onHeard(srcAddress, transportIndex);
        }

        return super.onDataPacket(header, buffer, length, srcAddress, transportIndex);
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onSetupMessage(
        final SetupFlyweight header,
        final UnsafeBuffer buffer,
        final int length,
        final InetSocketAddress srcAddress,
        final int transportIndex)
    {
        if (null != destinations)
        {
            destinations.onHeard(srcAddress, transportIndex);
        }

        super.onSetupMessage(header, buffer, length, srcAddress, transportIndex);
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void receiveHook(final UnsafeBuffer buffer, final int length, final InetSocketAddress address)
    {
        if (null != router)
        {
            router.onSocketFrame(buffer, length, address, rails.nowNs());
        }
        else if (null == destinations)
        {
            HandshakeFilter.forward(fabric.events(), this, buffer, length, address, false);
        }
        else if (HandshakeFilter.isHandshake(buffer, length))
        {
            destinations.onHandshake(buffer, length, address);
        }
    }

    /**
     * {@inheritDoc}
     * <p>
     * Each destination of a multi-destination subscription has a socket of its own, which is polled without this
     * endpoint.
     */
    @Override
    public int addDestination(final ReceiveDestinationTransport transport)
    {
        fabric.onTransportAdded(false);
        final int index = super.addDestination(transport);
        destinations.add(index, transport);
        return index;
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void removeDestination(final int transportIndex)
    {
        super.removeDestination(transportIndex);
        fabric.onTransportsRemoved(false, 1);
        destinations.remove(transportIndex);
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
            if (null != destinations)
            {
                fabric.onTransportsRemoved(false, destinations.size());
            }
            else
            {
                fabric.onEndpointClosed(false);
            }
        }

        super.close();
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public boolean isSender()
    {
        return false;
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onRailPacket(final Link link, final long address, final int length)
    {
        railBuffer.wrap(address, length);
        if (length < HeaderFlyweight.MIN_HEADER_LENGTH || !super.isValidFrame(railBuffer, length))
        {
            fabric.counters().packetsMalformed().increment();
            return;
        }

        final InetSocketAddress source = link.peerAddress();
        final int type = frameType(railBuffer, 0);
        if (HDR_TYPE_SETUP == type && length < SetupFlyweight.HEADER_LENGTH ||
            HDR_TYPE_RTTM == type && length < RttMeasurementFlyweight.HEADER_LENGTH)
        {
            fabric.counters().packetsMalformed().increment();
            return;
        }

        switch (type)
        {
            case HDR_TYPE_DATA, HDR_TYPE_PAD ->
            {
                dataHeader.wrap(address, length);
                onDataPacket(dataHeader, railBuffer, length, source, 0);
            }

            case HDR_TYPE_SETUP ->
            {
                setupHeader.wrap(address, length);
                onSetupMessage(setupHeader, railBuffer, length, source, 0);
            }

            case HDR_TYPE_RTTM ->
            {
                rttHeader.wrap(address, length);
                onRttMeasurement(rttHeader, railBuffer, length, source, 0);
            }

            default -> fabric.counters().packetsMalformed().increment();
        }
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onPlacedFrame(final Link link, final long address, final int length)
    {
        railBuffer.wrap(address, length);
        dataHeader.wrap(address, length);
        onDataPacket(dataHeader, railBuffer, length, link.peerAddress(), 0);
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void attach(final PlacedImage image)
    {
        placedImages.put(image.streamKey(), image);
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void detach(final PlacedImage image)
    {
        placedImages.remove(image.streamKey(), image);
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public SendLogs sendLogs()
    {
        return null;
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void sendStatusMessage(
        final ImageConnection[] controlAddresses,
        final int sessionId,
        final int streamId,
        final int termId,
        final int termOffset,
        final int windowLength,
        final short flags)
    {
        super.sendStatusMessage(controlAddresses, sessionId, streamId, termId, termOffset, windowLength, flags);
        final PlacedImage image = placedImages.get(Hashing.compoundKey(sessionId, streamId));
        if (null != image)
        {
            image.onStatusMessage(termId, termOffset);
        }
    }

    /**
     * {@inheritDoc}
     * <p>
     * Aeron finds the end of a gap at the first word that is not zero, which may be of a placed frame that was never
     * committed. So at least a frame is asked for.
     */
    @Override
    public void sendNakMessage(
        final ImageConnection[] controlAddresses,
        final int sessionId,
        final int streamId,
        final int termId,
        final int termOffset,
        final int length)
    {
        final PlacedImage image = placedImages.get(Hashing.compoundKey(sessionId, streamId));
        super.sendNakMessage(
            controlAddresses,
            sessionId,
            streamId,
            termId,
            termOffset,
            null == image ? length : image.gapLength(termOffset, length));
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void attach(final Link link)
    {
        router.attach(link);
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
    public void sendDatagram(final ByteBuffer frame, final InetSocketAddress target)
    {
        if (null != destinations)
        {
            destinations.send(frame, target);
        }
        else
        {
            HandshakeSocket.send(socket, frame, target, errorHandler);
        }
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public String refusal()
    {
        return null != router ? null : null != destinations ? MDS_REFUSAL : MULTICAST_REFUSAL;
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
     * <p>
     * Which peers come is not this side's to say: only the sender of a channel is told when it has to use UDP.
     */
    @Override
    public boolean fabricRequired()
    {
        return false;
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onFabricRefused(final String reason)
    {
        throw new UnsupportedOperationException(description());
    }
}
