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
package io.millrace.efa.libfabric;

import org.agrona.collections.Long2ObjectHashMap;

import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

import static io.millrace.efa.libfabric.FabricLayout.AV_OPS;
import static io.millrace.efa.libfabric.FabricLayout.OPS_AV_INSERT;
import static io.millrace.efa.libfabric.FabricLayout.OPS_AV_REMOVE;

/**
 * Peers of one endpoint. Counts insertions, which providers do not, and knows which addresses are alive: an operation
 * to one that is not ends the process on EFA. One lock for changes; {@link #isLive(long)} takes none.
 */
final class AddressVector
{
    private static final int MAX_ADDRESS_LENGTH = 256;
    private static final int NATIVE_LENGTH = 512;
    private static final long MAX_FI_ADDR = 1 << 24;
    private static final String SHM_PREFIX = "fi_shm://";

    private final FabricNic nic;
    private final long fid;
    private final int localAddressLength;
    private final Map<ByteBuffer, Peer> peerByAddress = new HashMap<>();
    private final Long2ObjectHashMap<Peer> peerByFiAddr = new Long2ObjectHashMap<>();
    private volatile long[] live = new long[1];
    private boolean closed;

    AddressVector(final FabricNic nic, final long fid, final int localAddressLength)
    {
        this.nic = nic;
        this.fid = fid;
        this.localAddressLength = localAddressLength;
    }

    boolean isLive(final long fiAddr)
    {
        final long[] bits = live;
        final long word = fiAddr >>> 6;
        return word < bits.length && 0 != (bits[(int)word] & 1L << fiAddr);
    }

    synchronized long insert(final byte[] rawAddress)
    {
        if (closed)
        {
            throw new FabricException("fi_av_insert", FabricErrors.EBADF, "the endpoint on " + nic + " is closed");
        }
        check(rawAddress);
        final ByteBuffer address = ByteBuffer.wrap(rawAddress.clone());
        final Peer known = peerByAddress.get(address);
        if (null != known)
        {
            known.count++;
            return known.fiAddr;
        }

        final Peer peer = new Peer(address, insertNative(rawAddress));
        peerByAddress.put(address, peer);
        peerByFiAddr.put(peer.fiAddr, peer);
        markLive(peer.fiAddr, true);
        return peer.fiAddr;
    }

    private long insertNative(final byte[] rawAddress)
    {
        try (Arena arena = Arena.ofConfined())
        {
            // Longer than any address and zeroed, since a provider reads the length that it expects.
            final long address = arena.allocate(NATIVE_LENGTH, Long.BYTES).address();
            final long out = arena.allocate(Long.BYTES, Long.BYTES).address();
            RawMemory.putBytes(address, rawAddress);
            RawMemory.putLong(out, -1);

            final int inserted = OpsTable.callInt(
                OpsTable.slot(fid, AV_OPS, OPS_AV_INSERT, "fi_av_insert"), fid, address, 1L, out, 0L, 0L);
            final long fiAddr = RawMemory.getLong(out);
            if (1 != inserted || fiAddr < 0 || fiAddr > MAX_FI_ADDR)
            {
                throw new FabricException("fi_av_insert", inserted < 0 ? inserted : FabricErrors.EINVAL,
                    "the " + nic.provider().word() + " peer's address is not reachable from " + nic);
            }
            return fiAddr;
        }
    }

    synchronized void remove(final long fiAddr)
    {
        if (closed)
        {
            // Closing the endpoint has removed it.
            return;
        }
        final Peer peer = peerByFiAddr.get(fiAddr);
        if (null == peer)
        {
            throw new FabricException("fi_av_remove", FabricErrors.EINVAL, "address " + fiAddr + " is not inserted");
        }
        if (--peer.count > 0)
        {
            return;
        }

        markLive(fiAddr, false);
        peerByFiAddr.remove(fiAddr);
        peerByAddress.remove(peer.address);
        try (Arena arena = Arena.ofConfined())
        {
            final long in = arena.allocate(Long.BYTES, Long.BYTES).address();
            RawMemory.putLong(in, fiAddr);
            OpsTable.checked("fi_av_remove", "address " + fiAddr,
                OpsTable.slot(fid, AV_OPS, OPS_AV_REMOVE, "fi_av_remove"), fid, in, 1L, 0L);
        }
    }

    /** Nothing is alive any more: operations are refused. */
    synchronized void close()
    {
        closed = true;
        live = new long[0];
        peerByAddress.clear();
        peerByFiAddr.clear();
    }

    private void markLive(final long fiAddr, final boolean isLive)
    {
        final int word = (int)(fiAddr >>> 6);
        final long[] bits = Arrays.copyOf(live, Math.max(live.length, word + 1));
        bits[word] = isLive ? bits[word] | 1L << fiAddr : bits[word] & ~(1L << fiAddr);
        live = bits;
    }

    private void check(final byte[] rawAddress)
    {
        boolean zero = true;
        for (final byte value : rawAddress)
        {
            zero &= 0 == value;
        }
        if (zero)
        {
            throw refused("it is empty or all zero");
        }
        if (rawAddress.length > MAX_ADDRESS_LENGTH)
        {
            throw refused("it has " + rawAddress.length + " bytes, at most " + MAX_ADDRESS_LENGTH + " are possible");
        }
        if (FabricFlags.ADDR_STR == nic.info().addressFormat())
        {
            final String text = new String(rawAddress, StandardCharsets.US_ASCII);
            if (!text.startsWith(SHM_PREFIX) || text.indexOf('/', SHM_PREFIX.length()) >= 0)
            {
                throw refused("it does not begin with " + SHM_PREFIX + " or has another '/'");
            }
        }
        else if (rawAddress.length != localAddressLength)
        {
            throw refused("it has " + rawAddress.length + " bytes where this provider's have " + localAddressLength);
        }
    }

    private FabricException refused(final String reason)
    {
        return new FabricException("fi_av_insert", FabricErrors.EINVAL,
            "the peer's address is not one of provider " + nic.providerName() + ": " + reason);
    }

    private static final class Peer
    {
        private final ByteBuffer address;
        private final long fiAddr;
        private int count = 1;

        private Peer(final ByteBuffer address, final long fiAddr)
        {
            this.address = address;
            this.fiAddr = fiAddr;
        }
    }
}
