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
package io.millrace.efa.contract;

import io.millrace.efa.libfabric.FabricEndpoint;
import io.millrace.efa.libfabric.FabricNic;
import io.millrace.efa.libfabric.MemoryRegion;

/**
 * What an endpoint of the contract leaves to the one below it.
 *
 * @param <E> kind of the endpoint below.
 */
abstract class ForwardingEndpoint<E extends FabricEndpoint> implements FabricEndpoint
{
    final E below;

    ForwardingEndpoint(final E below)
    {
        this.below = below;
    }

    @Override
    public FabricNic nic()
    {
        return below.nic();
    }

    @Override
    public int txDepth()
    {
        return below.txDepth();
    }

    @Override
    public int rxDepth()
    {
        return below.rxDepth();
    }

    @Override
    public int cqDepth()
    {
        return below.cqDepth();
    }

    @Override
    public int injectLength()
    {
        return below.injectLength();
    }

    @Override
    public long maxSendLength()
    {
        return below.maxSendLength();
    }

    @Override
    public long maxRmaLength()
    {
        return below.maxRmaLength();
    }

    /**
     * {@inheritDoc}
     * <p>
     * As on EFA, whatever the provider.
     */
    @Override
    public int immediateLength()
    {
        return Integer.BYTES;
    }

    @Override
    public boolean needsDescriptor()
    {
        return below.needsDescriptor();
    }

    @Override
    public boolean virtualAddressing()
    {
        return below.virtualAddressing();
    }

    @Override
    public boolean writeDataTakesReceive()
    {
        return below.writeDataTakesReceive();
    }

    @Override
    public byte[] localAddress()
    {
        return below.localAddress();
    }

    @Override
    public long insertAddress(final byte[] rawAddress)
    {
        return below.insertAddress(rawAddress);
    }

    @Override
    public void removeAddress(final long fiAddr)
    {
        below.removeAddress(fiAddr);
    }

    @Override
    public MemoryRegion register(final long address, final long length, final int access)
    {
        return below.register(address, length, access);
    }

    @Override
    public int pollEvents()
    {
        return below.pollEvents();
    }

    @Override
    public String eventErrorText()
    {
        return below.eventErrorText();
    }
}
