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
package io.millrace.efa;

import io.aeron.driver.DataPacketDispatcher;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ReceiveChannelEndpointSupplier;
import io.aeron.driver.media.ReceiveChannelEndpoint;
import io.aeron.driver.media.UdpChannel;
import io.millrace.efa.link.FabricDriver;
import io.millrace.efa.media.EndpointFactory;
import org.agrona.concurrent.status.AtomicCounter;

/**
 * Puts the receive side of channels on rails. Name it in {@code aeron.ReceiveChannelEndpoint.supplier}, and
 * {@link EfaSendChannelEndpointSupplier} beside it, to run the stock media driver on rails.
 */
public final class EfaReceiveChannelEndpointSupplier implements ReceiveChannelEndpointSupplier
{
    private final FabricDriver fabric;

    /**
     * Create a supplier configured by properties, as the stock media driver does.
     */
    public EfaReceiveChannelEndpointSupplier()
    {
        this(FabricDriver.named());
    }

    EfaReceiveChannelEndpointSupplier(final FabricDriver fabric)
    {
        this.fabric = fabric;
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public ReceiveChannelEndpoint newInstance(
        final UdpChannel udpChannel,
        final DataPacketDispatcher dispatcher,
        final AtomicCounter statusIndicator,
        final MediaDriver.Context context)
    {
        return EndpointFactory.receive(udpChannel, dispatcher, statusIndicator, context, fabric);
    }
}
