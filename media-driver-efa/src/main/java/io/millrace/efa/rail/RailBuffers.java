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
package io.millrace.efa.rail;

import io.millrace.efa.libfabric.FabricContexts;
import io.millrace.efa.libfabric.FabricEndpoint;
import io.millrace.efa.libfabric.FabricErrors;
import io.millrace.efa.libfabric.MemoryRegion;
import io.millrace.efa.libfabric.NativeMemory;
import org.agrona.CloseHelper;
import org.agrona.UnsafeApi;

/**
 * Memory of a rail, registered with its NIC: a place and a context for each send slot and each receive, and which of
 * the receives are not posted. Owned by the rail's agent.
 */
final class RailBuffers implements AutoCloseable
{
    private static final int CACHE_LINE = 64;

    /**
     * Even, so that places, which are an odd number of cache lines apart, begin in all sets of a cache: at a distance
     * of 64 KiB they would share one set, and each message would come into a cache line that was just evicted.
     */
    private static final int SPREAD_LINES = 6;

    private static final int URGENT_PART = 8;

    private final FabricEndpoint endpoint;
    private final int sendSlots;
    private final int receiveLength;
    private final long sendStride;
    private final long receiveStride;
    private final FabricContexts contexts;
    private final NativeMemory memory;
    private final long receiveBase;
    private final long descriptor;
    private final int[] unposted;
    private int unpostedCount;

    /**
     * Allocate and register. Nothing is left behind when this throws.
     */
    RailBuffers(
        final FabricEndpoint endpoint,
        final int sendSlots,
        final int sendLength,
        final int receives,
        final int receiveLength)
    {
        this.endpoint = endpoint;
        this.sendSlots = sendSlots;
        this.receiveLength = receiveLength;
        sendStride = stride(sendLength);
        receiveStride = stride(receiveLength);
        unposted = new int[receives];
        for (int i = 0; i < receives; i++)
        {
            onReceived(sendSlots + i);
        }

        final long sendBytes = sendSlots * sendStride;
        contexts = new FabricContexts(sendSlots + receives);
        NativeMemory allocated = null;
        try
        {
            allocated = NativeMemory.allocate(sendBytes + receives * receiveStride);
            descriptor = endpoint.register(allocated.address(), allocated.length(), endpoint.maxRmaLength() > 0 ?
                MemoryRegion.ACCESS_MESSAGE | MemoryRegion.ACCESS_WRITE_SOURCE :
                MemoryRegion.ACCESS_MESSAGE).descriptor();
        }
        catch (final RuntimeException ex)
        {
            CloseHelper.quietCloseAll(allocated, contexts);
            throw ex;
        }
        memory = allocated;
        receiveBase = memory.address() + sendBytes;
    }

    /**
     * Bytes from one slot to the next.
     */
    static long stride(final int length)
    {
        return (long)CACHE_LINE * (((length + CACHE_LINE - 1) / CACHE_LINE | 1) + SPREAD_LINES);
    }

    long length()
    {
        return memory.length();
    }

    long descriptor()
    {
        return descriptor;
    }

    /**
     * Context of a send slot's operation.
     */
    long context(final int slot)
    {
        return contexts.address(slot);
    }

    /**
     * Whose context is it?
     *
     * @return a send slot, or a receive from the number of send slots on, or negative for none.
     */
    int owner(final long context)
    {
        return contexts.index(context);
    }

    long copyToSlot(final int slot, final long address, final int length)
    {
        final long slotAddress = memory.address() + slot * sendStride;
        UnsafeApi.copyMemory(address, slotAddress, length);
        return slotAddress;
    }

    long receiveAddress(final int owner)
    {
        return receiveBase + (owner - sendSlots) * receiveStride;
    }

    /**
     * A receive has ended and is to be posted again, once what it brought has been taken.
     */
    void onReceived(final int owner)
    {
        unposted[unpostedCount++] = owner;
    }

    /**
     * Are so many receives not posted that it cannot wait?
     */
    boolean isShortOfReceives()
    {
        return unpostedCount >= unposted.length / URGENT_PART;
    }

    /**
     * Post the receives that are not.
     *
     * @return 0, or negative errno of libfabric when one cannot be posted ever.
     */
    int postReceives()
    {
        while (unpostedCount > 0)
        {
            final int owner = unposted[unpostedCount - 1];
            final int result = (int)endpoint.receive(
                receiveAddress(owner), receiveLength, descriptor, contexts.address(owner));
            if (0 != result)
            {
                return -FabricErrors.EAGAIN == result ? 0 : result;
            }
            --unpostedCount;
        }

        return 0;
    }

    /**
     * Free the memory. The endpoint has to be closed before.
     */
    @Override
    public void close()
    {
        CloseHelper.closeAll(memory, contexts);
    }
}
