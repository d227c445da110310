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

import io.millrace.efa.libfabric.FabricEndpoint;
import io.millrace.efa.libfabric.FabricProvider;
import io.millrace.efa.libfabric.ShmPeers;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The remote rails that a rail knows: its address vector, with references counted. Fabric conductor only.
 */
public final class RailPeers
{
    private final FabricEndpoint endpoint;
    private final boolean isShm;
    private final Map<AddressKey, RailPeer> peerByAddress = new HashMap<>();
    private final Set<RailPeer> inserted = new HashSet<>();

    RailPeers(final FabricEndpoint endpoint)
    {
        this.endpoint = endpoint;
        isShm = FabricProvider.SHM == endpoint.nic().provider();
    }

    /**
     * Entries of the address vector.
     *
     * @return number of entries.
     */
    public int size()
    {
        return inserted.size();
    }

    /**
     * Put a remote rail into the address vector, or take another reference to it. One to which an operation failed is
     * begun anew: on shm its entry may stay for as long as the peer lives.
     *
     * @param incarnation of the peer's driver.
     * @param address     raw libfabric address.
     * @return the entry, to be given back by {@link #release(RailPeer)}.
     */
    public RailPeer acquire(final long incarnation, final byte[] address)
    {
        final AddressKey key = new AddressKey(incarnation, address);
        RailPeer peer = peerByAddress.get(key);
        if (null == peer)
        {
            peer = new RailPeer(key, endpoint.insertAddress(address));
            peerByAddress.put(key, peer);
            inserted.add(peer);
            LocalRails.onInserted(address);
        }

        peer.acquire();
        return peer;
    }

    /**
     * Give a reference back.
     *
     * @param peer from {@link #acquire(long, byte[])}.
     * @return true when it was the last, so that {@link #forget(RailPeer)} is to be asked.
     */
    public boolean release(final RailPeer peer)
    {
        return 0 == peer.release();
    }

    /**
     * Forget a peer that nobody refers to, unless it may still post to this rail.
     *
     * @param peer that was {@link #release(RailPeer) released}.
     * @return true when {@link Rail#retire(RailPeer)} is to be run on the agent.
     */
    public boolean forget(final RailPeer peer)
    {
        final byte[] address = peer.key().address();
        if (peer.isReferenced() || isShm && ShmPeers.mayPost(address) && !LocalRails.isClosing(address))
        {
            return false;
        }

        peerByAddress.remove(peer.key());
        return true;
    }

    /**
     * A peer was removed from the address vector.
     *
     * @param peer that was {@link Rail#retire(RailPeer) retired}.
     */
    public void onRemoved(final RailPeer peer)
    {
        if (inserted.remove(peer))
        {
            LocalRails.onRemoved(peer.key().address());
        }
    }

    void close()
    {
        for (final RailPeer peer : inserted)
        {
            if (!peer.isRemoved())
            {
                endpoint.removeAddress(peer.fiAddr());
            }
        }

        final List<RailPeer> peers = List.copyOf(inserted);
        inserted.clear();
        peers.forEach((peer) -> LocalRails.onRemoved(peer.key().address()));
    }
}
