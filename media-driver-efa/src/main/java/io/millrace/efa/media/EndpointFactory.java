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
import io.aeron.driver.media.ReceiveChannelEndpoint;
import io.aeron.driver.media.SendChannelEndpoint;
import io.aeron.driver.media.UdpChannel;
import io.millrace.efa.link.FabricDriver;
import org.agrona.concurrent.CachedNanoClock;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.SystemNanoClock;
import org.agrona.concurrent.status.AtomicCounter;

/**
 * Makes channel endpoints on rails. Called by the media driver's conductor.
 */
public final class EndpointFactory
{
    private EndpointFactory()
    {
    }

    /**
     * Make the send side of a channel.
     *
     * @param udpChannel      of the channel.
     * @param statusIndicator of the endpoint.
     * @param context         of the media driver.
     * @param own             of the supplier, unless the media driver has one already.
     * @return the endpoint.
     */
    public static SendChannelEndpoint send(
        final UdpChannel udpChannel,
        final AtomicCounter statusIndicator,
        final MediaDriver.Context context,
        final FabricDriver own)
    {
        final FabricDriver fabric = FabricDriver.start(context, own);
        final SendChannelEndpoint endpoint = new EfaSendChannelEndpoint(udpChannel, statusIndicator, context, fabric);
        fabric.onEndpointCreated(true);
        return endpoint;
    }

    /**
     * Make the receive side of a channel.
     *
     * @param udpChannel      of the channel.
     * @param dispatcher      of the channel.
     * @param statusIndicator of the endpoint.
     * @param context         of the media driver.
     * @param own             of the supplier, unless the media driver has one already.
     * @return the endpoint.
     */
    public static ReceiveChannelEndpoint receive(
        final UdpChannel udpChannel,
        final DataPacketDispatcher dispatcher,
        final AtomicCounter statusIndicator,
        final MediaDriver.Context context,
        final FabricDriver own)
    {
        final FabricDriver fabric = FabricDriver.start(context, own);
        final ReceiveChannelEndpoint endpoint =
            new EfaReceiveChannelEndpoint(udpChannel, dispatcher, statusIndicator, context, fabric);
        if (!endpoint.hasDestinationControl())
        {
            fabric.onEndpointCreated(false);
        }
        return endpoint;
    }

    /**
     * Time of an agent's duty cycle, which the agent has read already: another look at a clock costs as much as one at
     * a completion queue.
     *
     * @param context of the media driver.
     * @param cached  clock that the agent updates.
     * @return clock with times of {@link System#nanoTime()}.
     */
    static NanoClock clock(final MediaDriver.Context context, final CachedNanoClock cached)
    {
        return context.nanoClock() instanceof SystemNanoClock || context.nanoClock() instanceof SharedThreadClock ?
            cached : SystemNanoClock.INSTANCE;
    }
}
