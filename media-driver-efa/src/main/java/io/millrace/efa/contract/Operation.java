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

import io.millrace.efa.libfabric.FabricContexts;
import org.agrona.UnsafeApi;

/**
 * An operation in flight. Reusable.
 */
final class Operation
{
    private static final int HASHED_LENGTH = 64 * 1024;
    private static final long FACTOR = 0x9E37_79B9_7F4A_7C15L;

    private boolean isReceive;
    private long context;
    private long address;
    private long length;
    private long hash;
    private RemoteAddress peer;
    private ContractRegion region;

    void start(
        final boolean isReceive,
        final long context,
        final long address,
        final long length,
        final RemoteAddress peer,
        final ContractRegion region)
    {
        this.isReceive = isReceive;
        this.context = context;
        this.address = address;
        this.length = length;
        this.peer = peer;
        this.region = region;
        hash = isReceive ? 0 : hash(address, length);
        for (int i = 0; i < FabricContexts.SLOT_LENGTH; i += Long.BYTES)
        {
            UnsafeApi.putLong(context + i, pattern(i));
        }

        if (null != peer)
        {
            peer.onPosted();
        }
        if (null != region)
        {
            region.onPosted();
        }
    }

    void end()
    {
        if (null != peer)
        {
            peer.onCompleted();
        }
        if (null != region)
        {
            region.onCompleted();
        }
        peer = null;
        region = null;
    }

    boolean isReceive()
    {
        return isReceive;
    }

    long address()
    {
        return address;
    }

    long length()
    {
        return length;
    }

    /** EFA keeps what it needs for the completion in the context. */
    boolean isContextIntact()
    {
        for (int i = 0; i < FabricContexts.SLOT_LENGTH; i += Long.BYTES)
        {
            if (UnsafeApi.getLong(context + i) != pattern(i))
            {
                return false;
            }
        }

        return true;
    }

    /** The NIC may read the buffer, and read it again, until the completion. */
    boolean isBufferIntact()
    {
        return isReceive || hash(address, length) == hash;
    }

    private long pattern(final int offset)
    {
        return context * FACTOR ^ offset;
    }

    /** Of the first 64 KiB and the last word: enough to see a buffer that is used again. */
    private static long hash(final long address, final long length)
    {
        final long hashed = Math.min(length, HASHED_LENGTH);
        long hash = length;
        long i = 0;
        for (; i + Long.BYTES <= hashed; i += Long.BYTES)
        {
            hash = Long.rotateLeft(hash ^ UnsafeApi.getLong(address + i), 23) * FACTOR;
        }

        for (; i < hashed; i++)
        {
            hash = Long.rotateLeft(hash ^ UnsafeApi.getByte(address + i), 23) * FACTOR;
        }

        return length <= HASHED_LENGTH ? hash : hash ^ UnsafeApi.getLong(address + length - Long.BYTES);
    }
}
