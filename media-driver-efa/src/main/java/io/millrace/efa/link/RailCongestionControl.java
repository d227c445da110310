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

import io.aeron.driver.Configuration;
import io.aeron.driver.CongestionControl;
import io.aeron.driver.CongestionControlSupplier;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.StaticWindowCongestionControl;
import io.aeron.driver.media.UdpChannel;
import io.millrace.efa.EfaContext;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.status.CountersManager;

import java.net.InetSocketAddress;

/**
 * Congestion control of an image as Aeron made it, which also tells of the image's life: Aeron has no other public
 * place for that. While the image's frames travel on rails, which lose nothing for want of room in a socket, and to no
 * other receiver, a static window that neither channel nor driver chose is as long as rails need it.
 */
final class RailCongestionControl implements CongestionControl
{
    private final CongestionControl delegate;
    private final FabricEvents events;
    private final ImageRecord image;
    private final int railWindowLength;

    private RailCongestionControl(
        final CongestionControl delegate,
        final FabricEvents events,
        final ImageRecord image,
        final int railWindowLength)
    {
        this.delegate = delegate;
        this.events = events;
        this.image = image;
        this.railWindowLength = railWindowLength;
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public boolean shouldMeasureRtt(final long nowNs)
    {
        return delegate.shouldMeasureRtt(nowNs);
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onRttMeasurementSent(final long nowNs)
    {
        delegate.onRttMeasurementSent(nowNs);
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onRttMeasurement(final long nowNs, final long rttNs, final InetSocketAddress srcAddress)
    {
        delegate.onRttMeasurement(nowNs, rttNs, srcAddress);
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public long onTrackRebuild(
        final long nowNs,
        final long newConsumptionPosition,
        final long lastSmPosition,
        final long hwmPosition,
        final long startingRebuildPosition,
        final long endingRebuildPosition,
        final boolean lossOccurred)
    {
        final long outcome = delegate.onTrackRebuild(
            nowNs,
            newConsumptionPosition,
            lastSmPosition,
            hwmPosition,
            startingRebuildPosition,
            endingRebuildPosition,
            lossOccurred);
        return railWindowLength > CongestionControl.receiverWindowLength(outcome) && image.hasRailWindow() ?
            CongestionControl.packOutcome(
                railWindowLength, CongestionControl.shouldForceStatusMessage(outcome)) : outcome;
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public int initialWindowLength()
    {
        return delegate.initialWindowLength();
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public int maxWindowLength()
    {
        return Math.max(railWindowLength, delegate.maxWindowLength());
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void close()
    {
        events.onImageClosed(image);
        delegate.close();
    }

    /**
     * Wraps what another supplier makes.
     */
    static final class Supplier implements CongestionControlSupplier
    {
        private final CongestionControlSupplier delegate;
        private final FabricEvents events;
        private final EfaContext efaContext;

        Supplier(final CongestionControlSupplier delegate, final FabricEvents events, final EfaContext efaContext)
        {
            this.delegate = delegate;
            this.events = events;
            this.efaContext = efaContext;
        }

        /**
         * {@inheritDoc}
         */
        @Override
        public CongestionControl newInstance(
            final long registrationId,
            final UdpChannel udpChannel,
            final int streamId,
            final int sessionId,
            final int termLength,
            final int senderMtuLength,
            final InetSocketAddress controlAddress,
            final InetSocketAddress sourceAddress,
            final NanoClock nanoClock,
            final MediaDriver.Context context,
            final CountersManager countersManager)
        {
            final CongestionControl congestionControl = delegate.newInstance(
                registrationId,
                udpChannel,
                streamId,
                sessionId,
                termLength,
                senderMtuLength,
                controlAddress,
                sourceAddress,
                nanoClock,
                context,
                countersManager);

            final boolean isWindowChosen = !(congestionControl instanceof StaticWindowCongestionControl) ||
                0 != udpChannel.receiverWindowLength() ||
                Configuration.INITIAL_WINDOW_LENGTH_DEFAULT != context.initialWindowLength();
            final int railWindowLength = isWindowChosen ?
                0 : Configuration.receiverWindowLength(termLength, efaContext.railWindowLength());
            final ImageRecord image = new ImageRecord(
                registrationId,
                udpChannel,
                sessionId,
                streamId,
                Math.max(railWindowLength, congestionControl.maxWindowLength()),
                sourceAddress);
            events.onImage(image);

            return new RailCongestionControl(congestionControl, events, image, railWindowLength);
        }
    }
}
