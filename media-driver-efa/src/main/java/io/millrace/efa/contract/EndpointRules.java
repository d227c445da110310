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

import io.millrace.efa.libfabric.EfaErrors;
import io.millrace.efa.libfabric.FabricErrors;
import io.millrace.efa.libfabric.FabricFlags;

import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The rules of one endpoint. Checks answer 0 or what the operation is to return, and leave what they have found for the
 * post that follows. Owner of the endpoint only, but for {@link #enter}, {@link #leave} and the static registry.
 */
final class EndpointRules
{
    /** Endpoints of this process by address: a write is judged where its target can be looked at. */
    private static final Map<ByteBuffer, EndpointRules> LOCAL = new ConcurrentHashMap<>();

    final AddressRules addresses = new AddressRules();
    final RegionRules regions;
    private final AtomicReference<Thread> inside = new AtomicReference<>();
    private final Operations operations = new Operations();
    private final DeviceLimits device;
    private final Violations violations;
    private final String name;
    private final ByteBuffer localAddress;
    private final int txDepth;
    private final int rxDepth;
    private final int cqDepth;
    private RemoteAddress peer;
    private ContractRegion region;
    private ContractViolationException late;
    private volatile String removedInFlight;
    private volatile boolean isClosed;

    EndpointRules(
        final DeviceLimits device, final Violations violations, final WeatherEndpoint endpoint)
    {
        this.device = device;
        this.violations = violations;
        name = endpoint.nic().toString();
        localAddress = ByteBuffer.wrap(endpoint.localAddress());
        regions = new RegionRules(violations);
        txDepth = DeviceLimits.depth(device.txDepth(), endpoint.txDepth());
        rxDepth = DeviceLimits.depth(device.rxDepth(), endpoint.rxDepth());
        cqDepth = endpoint.cqDepth();
        LOCAL.put(localAddress, this);
    }

    int txDepth()
    {
        return txDepth;
    }

    int rxDepth()
    {
        return rxDepth;
    }

    /**
     * A thread comes in, to post, poll, remove an address or close.
     *
     * @return true if no other is inside, to be handed to {@link #leave}.
     */
    boolean enter()
    {
        final Thread other = inside.compareAndExchange(null, Thread.currentThread());
        if (null != other)
        {
            violations.broken(ContractRule.THREAD, Thread.currentThread().getName() + " comes while " +
                other.getName() + " is inside" + on());
        }

        return null == other;
    }

    void leave(final boolean isFirst)
    {
        if (isFirst)
        {
            inside.set(null);
        }
    }

    /** What comes before every post and poll. */
    void checkUse()
    {
        if (isClosed)
        {
            violations.broken(ContractRule.USED_AFTER_CLOSE, name);
        }

        final String removed = removedInFlight;
        if (null != removed)
        {
            removedInFlight = null;
            violations.broken(ContractRule.ADDRESS_REMOVED_IN_FLIGHT, removed);
        }

        final ContractViolationException violation = late;
        if (null != violation)
        {
            late = null;
            if (violations.isStrict())
            {
                throw violation;
            }
        }
    }

    /** Of a violation that is seen while the queue is read: it is thrown when all that was read is handed over. */
    void brokenLate(final ContractRule rule, final String detail)
    {
        late = violations.report(rule, detail + on());
    }

    int checkSend(final long address, final int length, final long descriptor, final long fiAddr, final long context)
    {
        checkUse();
        final int result = checkPeer(ContractRule.SEND_LENGTH, length, device.sendLength(), fiAddr);
        if (0 != result)
        {
            return result;
        }

        region = null;
        final int local = 0 == descriptor && length <= device.injectLength() ? 0 :
            checkRegion(address, length, descriptor, FabricFlags.SEND);
        return 0 != local ? local : checkSlot(context);
    }

    int checkInject(final int length, final long fiAddr)
    {
        checkUse();
        final int result = checkPeer(ContractRule.INJECT_LENGTH, length, device.injectLength(), fiAddr);
        return 0 != result ? result : checkSendRoom();
    }

    int checkReceive(final long address, final long length, final long descriptor, final long context)
    {
        checkUse();
        final int result = checkRegion(address, length, descriptor, FabricFlags.RECV);
        if (0 != result)
        {
            return result;
        }

        if (operations.isPosted(address))
        {
            return broken(ContractRule.BUFFER_POSTED_TWICE, "0x" + Long.toHexString(address));
        }

        if (operations.receives() >= rxDepth)
        {
            return -FabricErrors.EAGAIN;
        }

        return checkContext(context);
    }

    int checkWrite(final long address, final long length, final long descriptor, final long fiAddr, final long context)
    {
        checkUse();
        if (0 == device.writeLength())
        {
            broken(ContractRule.RMA_LENGTH, "the device has no RMA");
            return -FabricErrors.ENOSYS;
        }

        int result = checkPeer(ContractRule.RMA_LENGTH, length, device.writeLength(), fiAddr);
        result = 0 != result ? result : checkRegion(address, length, descriptor, FabricFlags.WRITE);
        return 0 != result ? result : checkSlot(context);
    }

    /**
     * What a target in this process answers to the write that was checked last.
     *
     * @return null if it takes it, or if it is in another process and cannot be looked at.
     */
    EfaErrors refusalOfTarget(final long remoteAddress, final long length, final long key)
    {
        final EndpointRules target = LOCAL.get(peer.raw());
        if (null == target)
        {
            return null;
        }

        if (!target.addresses.knows(localAddress))
        {
            if (!target.addresses.everKnew(localAddress))
            {
                broken(ContractRule.INITIATOR_UNKNOWN, "address " + peer.token());
            }
            return EfaErrors.REMOTE_UNKNOWN_PEER;
        }

        return target.regions.isWritable(key, remoteAddress, length) ? null : EfaErrors.REMOTE_BAD_ADDRESS;
    }

    /**
     * Immediate as EFA carries it.
     */
    long immediate(final long immediate)
    {
        if (0 != (immediate & ~WeatherEndpoint.IMMEDIATE_MASK))
        {
            broken(ContractRule.IMMEDIATE_WIDTH, "0x" + Long.toHexString(immediate));
        }

        return immediate & WeatherEndpoint.IMMEDIATE_MASK;
    }

    /** Provider's address of the peer that was checked last. */
    long fiAddr()
    {
        return peer.fiAddr();
    }

    /** Provider's descriptor of the region that was checked last. */
    long descriptor()
    {
        return null == region ? 0 : region.provided().descriptor();
    }

    void onSent(final long address, final long length, final long context)
    {
        operations.send(context, address, length, peer, region);
    }

    void onInjected()
    {
        operations.onInjected();
    }

    void onReceivePosted(final long address, final long length, final long context)
    {
        operations.receive(context, address, length, region);
    }

    void onRead()
    {
        operations.onRead();
    }

    void onCompletion(final long context)
    {
        final Operation operation = operations.complete(context);
        if (null == operation)
        {
            return;
        }

        if (!operation.isContextIntact())
        {
            brokenLate(ContractRule.CONTEXT_WRITTEN, "0x" + Long.toHexString(context));
        }

        if (!operation.isBufferIntact())
        {
            brokenLate(ContractRule.BUFFER_CHANGED,
                operation.length() + " bytes at 0x" + Long.toHexString(operation.address()));
        }
    }

    /**
     * An address is about to be removed.
     *
     * @return it, or null if it is not inserted.
     */
    RemoteAddress remove(final long token)
    {
        final RemoteAddress address = addresses.find(token);
        if (null == address)
        {
            broken(ContractRule.ADDRESS_UNKNOWN, "removing " + token);
        }
        else if (addresses.remove(address) && address.inFlight() > 0)
        {
            // Nothing is lost yet if the endpoint is closed next: no completion looks the address up any more.
            removedInFlight = address.inFlight() + " in flight to address " + token + on();
        }

        return address;
    }

    boolean isClosed()
    {
        return isClosed;
    }

    void close()
    {
        isClosed = true;
        LOCAL.remove(localAddress, this);
        regions.close();
    }

    private int checkPeer(final ContractRule rule, final long length, final long limit, final long fiAddr)
    {
        if (length < 0 || length > limit)
        {
            broken(rule, length + " bytes of at most " + limit);
            return -FabricErrors.EMSGSIZE;
        }

        peer = addresses.find(fiAddr);
        return null != peer ? 0 : broken(ContractRule.ADDRESS_UNKNOWN, "using " + fiAddr);
    }

    private int checkRegion(final long address, final long length, final long descriptor, final long access)
    {
        if (0 == descriptor)
        {
            return broken(ContractRule.DESCRIPTOR_MISSING, length + " bytes at 0x" + Long.toHexString(address));
        }

        region = regions.find(descriptor);
        if (null == region)
        {
            return broken(ContractRule.DESCRIPTOR_DEAD, "0x" + Long.toHexString(descriptor));
        }

        if (!region.covers(address, length))
        {
            return broken(ContractRule.DESCRIPTOR_RANGE, length + " bytes at 0x" + Long.toHexString(address) +
                ", the region has " + region);
        }

        return region.allows((int)access) ? 0 : broken(ContractRule.REGION_ACCESS,
            FabricFlags.SEND == access ? "FI_SEND" : FabricFlags.RECV == access ? "FI_RECV" : "FI_WRITE");
    }

    private int checkSlot(final long context)
    {
        final int room = checkSendRoom();
        return 0 != room ? room : checkContext(context);
    }

    private int checkSendRoom()
    {
        return operations.sends() >= txDepth ? -FabricErrors.EAGAIN : 0;
    }

    private int checkContext(final long context)
    {
        if (0 == context)
        {
            return broken(ContractRule.CONTEXT_MISSING, "");
        }

        if (operations.isInFlight(context))
        {
            return broken(ContractRule.CONTEXT_REUSED, "0x" + Long.toHexString(context));
        }

        if (operations.sends() + operations.receives() >= cqDepth)
        {
            broken(ContractRule.QUEUE_DEPTH, "the queue has " + cqDepth + " entries");
        }

        return 0;
    }

    private int broken(final ContractRule rule, final String detail)
    {
        violations.broken(rule, detail + on());
        return -FabricErrors.EINVAL;
    }

    private String on()
    {
        return " on " + name;
    }
}
