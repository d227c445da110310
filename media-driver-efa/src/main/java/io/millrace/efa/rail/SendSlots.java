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

/**
 * Slots of operations in flight: each is a context and a place in the rail's memory. Owned by the rail's agent.
 */
final class SendSlots
{
    private final int[] freeSlots;
    private final int[] lengthBySlot;
    private final long[] postedNsBySlot;
    private final RailPeer[] peerBySlot;
    private final OperationOwner[] ownerBySlot;
    private final int[] ticketBySlot;
    private int freeCount;
    private long outstandingBytes;

    SendSlots(final int capacity)
    {
        freeSlots = new int[capacity];
        lengthBySlot = new int[capacity];
        postedNsBySlot = new long[capacity];
        peerBySlot = new RailPeer[capacity];
        ownerBySlot = new OperationOwner[capacity];
        ticketBySlot = new int[capacity];
        for (int i = 0; i < capacity; i++)
        {
            freeSlots[freeCount++] = i;
        }
    }

    boolean isExhausted()
    {
        return 0 == freeCount;
    }

    /**
     * The slot that {@link #onPosted} will take.
     */
    int next()
    {
        return freeSlots[freeCount - 1];
    }

    long outstandingBytes()
    {
        return outstandingBytes;
    }

    RailPeer peer(final int slot)
    {
        return peerBySlot[slot];
    }

    void onPosted(
        final RailPeer peer, final int length, final long nowNs, final OperationOwner owner, final int ticket)
    {
        final int slot = freeSlots[--freeCount];
        lengthBySlot[slot] = length;
        postedNsBySlot[slot] = nowNs;
        peerBySlot[slot] = peer;
        ownerBySlot[slot] = owner;
        ticketBySlot[slot] = ticket;
        outstandingBytes += length;
        peer.onPosted(length);
    }

    /**
     * An operation has ended.
     *
     * @return its peer, or null when the slot was free.
     */
    RailPeer release(final int slot)
    {
        final RailPeer peer = peerBySlot[slot];
        if (null != peer)
        {
            final OperationOwner owner = ownerBySlot[slot];
            peerBySlot[slot] = null;
            ownerBySlot[slot] = null;
            outstandingBytes -= lengthBySlot[slot];
            freeSlots[freeCount++] = slot;
            peer.onCompleted(lengthBySlot[slot]);
            if (null != owner)
            {
                owner.onOperationEnded(ticketBySlot[slot]);
            }
        }

        return peer;
    }

    /**
     * All operations have ended, as their endpoint is closed.
     */
    void releaseAll()
    {
        for (int slot = 0; slot < peerBySlot.length; slot++)
        {
            release(slot);
        }
    }

    boolean isUnused()
    {
        return peerBySlot.length == freeCount;
    }

    long postedNs(final int slot)
    {
        return postedNsBySlot[slot];
    }
}
