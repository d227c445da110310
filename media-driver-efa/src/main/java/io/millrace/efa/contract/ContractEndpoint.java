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

import io.millrace.efa.libfabric.CompletionBatch;
import io.millrace.efa.libfabric.CompletionError;
import io.millrace.efa.libfabric.EfaErrors;
import io.millrace.efa.libfabric.FabricEndpoint;
import io.millrace.efa.libfabric.FabricErrors;
import io.millrace.efa.libfabric.FabricException;
import io.millrace.efa.libfabric.FabricFlags;
import io.millrace.efa.libfabric.MemoryRegion;

/**
 * An endpoint that holds its user to EFA's rules, whatever the provider. Owner and control threads are those of
 * {@link FabricEndpoint}; who owns it may change as long as one thread has left it when another enters.
 */
final class ContractEndpoint extends ForwardingEndpoint<WeatherEndpoint>
{
    private static final long WRITE_FLAGS = FabricFlags.WRITE | FabricFlags.RMA;

    private final DeviceLimits device;
    private final EndpointRules rules;

    ContractEndpoint(final DeviceLimits device, final WeatherEndpoint endpoint, final EndpointRules rules)
    {
        super(endpoint);
        this.device = device;
        this.rules = rules;
        endpoint.violations(rules::brokenLate);
    }

    @Override
    public int txDepth()
    {
        return rules.txDepth();
    }

    @Override
    public int rxDepth()
    {
        return rules.rxDepth();
    }

    @Override
    public int injectLength()
    {
        return Math.min(device.injectLength(), below.injectLength());
    }

    @Override
    public long maxSendLength()
    {
        return Math.min(device.sendLength(), below.maxSendLength());
    }

    @Override
    public long maxRmaLength()
    {
        return Math.min(device.writeLength(), below.maxRmaLength());
    }

    @Override
    public boolean needsDescriptor()
    {
        return true;
    }

    @Override
    public long insertAddress(final byte[] rawAddress)
    {
        return rules.addresses.onInserted(rawAddress, below.insertAddress(rawAddress));
    }

    @Override
    public void removeAddress(final long fiAddr)
    {
        if (rules.isClosed())
        {
            return;
        }

        final boolean isFirst = rules.enter();
        try
        {
            final RemoteAddress address = rules.remove(fiAddr);
            if (null == address)
            {
                throw new FabricException(
                    "fi_av_remove", FabricErrors.EINVAL, "address " + fiAddr + " is not inserted");
            }
            below.removeAddress(address.fiAddr());
        }
        finally
        {
            rules.leave(isFirst);
        }
    }

    @Override
    public MemoryRegion register(final long address, final long length, final int access)
    {
        if (length > device.regionLength() && 0 != (access & MemoryRegion.ACCESS_WRITE_TARGET))
        {
            throw new FabricException("fi_mr_reg", FabricErrors.ENOMEM, length + " bytes on " + nic() +
                ": the device takes " + device.regionLength() + " in a region that peers write to, split it");
        }

        return rules.regions.onRegistered(below.register(address, length, access), access);
    }

    @Override
    public long send(
        final long address,
        final int length,
        final long descriptor,
        final long immediate,
        final long fiAddr,
        final long context)
    {
        final boolean isFirst = rules.enter();
        try
        {
            long result = rules.checkSend(address, length, descriptor, fiAddr, context);
            if (0 == result)
            {
                result = below.send(
                    address, length, rules.descriptor(), rules.immediate(immediate), rules.fiAddr(), context);
                if (0 == result)
                {
                    rules.onSent(address, length, context);
                }
            }

            return result;
        }
        finally
        {
            rules.leave(isFirst);
        }
    }

    @Override
    public long inject(final long address, final int length, final long immediate, final long fiAddr)
    {
        final boolean isFirst = rules.enter();
        try
        {
            long result = rules.checkInject(length, fiAddr);
            if (0 == result)
            {
                result = below.inject(address, length, rules.immediate(immediate), rules.fiAddr());
                if (0 == result)
                {
                    rules.onInjected();
                }
            }

            return result;
        }
        finally
        {
            rules.leave(isFirst);
        }
    }

    @Override
    public long receive(final long address, final long length, final long descriptor, final long context)
    {
        final boolean isFirst = rules.enter();
        try
        {
            long result = rules.checkReceive(address, length, descriptor, context);
            if (0 == result)
            {
                result = below.receive(
                    address, Math.min(length, DeviceLimits.MAX_RECEIVE_LENGTH), rules.descriptor(), context);
                if (0 == result)
                {
                    rules.onReceivePosted(address, length, context);
                }
            }

            return result;
        }
        finally
        {
            rules.leave(isFirst);
        }
    }

    @Override
    public long write(
        final long address,
        final long length,
        final long descriptor,
        final long fiAddr,
        final long remoteAddress,
        final long key,
        final long context)
    {
        return write(false, address, length, descriptor, 0, fiAddr, remoteAddress, key, context);
    }

    @Override
    public long writeData(
        final long address,
        final long length,
        final long descriptor,
        final long immediate,
        final long fiAddr,
        final long remoteAddress,
        final long key,
        final long context)
    {
        return write(true, address, length, descriptor, immediate, fiAddr, remoteAddress, key, context);
    }

    private long write(
        final boolean withData,
        final long address,
        final long length,
        final long descriptor,
        final long immediate,
        final long fiAddr,
        final long remoteAddress,
        final long key,
        final long context)
    {
        final boolean isFirst = rules.enter();
        try
        {
            long result = rules.checkWrite(address, length, descriptor, fiAddr, context);
            if (0 == result)
            {
                final long carried = rules.immediate(immediate);
                final EfaErrors refusal = rules.refusalOfTarget(remoteAddress, length, key);
                if (null != refusal)
                {
                    below.fail(context, WRITE_FLAGS, refusal);
                }
                else if (withData)
                {
                    result = below.writeData(
                        address, length, rules.descriptor(), carried, rules.fiAddr(), remoteAddress, key, context);
                }
                else
                {
                    result = below.write(
                        address, length, rules.descriptor(), rules.fiAddr(), remoteAddress, key, context);
                }

                if (0 == result)
                {
                    rules.onSent(address, length, context);
                }
            }

            return result;
        }
        finally
        {
            rules.leave(isFirst);
        }
    }

    @Override
    public int poll(final CompletionBatch batch)
    {
        final boolean isFirst = rules.enter();
        try
        {
            rules.checkUse();
            final int count = below.poll(batch);
            rules.onRead();
            for (int i = 0; i < count; i++)
            {
                rules.onCompletion(batch.context(i));
            }

            return count;
        }
        finally
        {
            rules.leave(isFirst);
        }
    }

    @Override
    public boolean readError(final CompletionError error)
    {
        final boolean isFirst = rules.enter();
        try
        {
            final boolean isRead = below.readError(error);
            if (isRead)
            {
                rules.onCompletion(error.context());
            }

            return isRead;
        }
        finally
        {
            rules.leave(isFirst);
        }
    }

    @Override
    public void close()
    {
        if (rules.isClosed())
        {
            return;
        }

        final boolean isFirst = rules.enter();
        try
        {
            rules.close();
            below.close();
        }
        finally
        {
            rules.leave(isFirst);
        }
    }
}
