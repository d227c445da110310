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

import io.millrace.efa.libfabric.CompletionBatch;
import io.millrace.efa.libfabric.CompletionError;
import io.millrace.efa.libfabric.FabricContexts;
import io.millrace.efa.libfabric.FabricEndpoint;
import io.millrace.efa.libfabric.FabricErrors;
import io.millrace.efa.libfabric.MemoryRegion;
import io.millrace.efa.libfabric.NativeMemory;
import org.agrona.UnsafeApi;
import org.agrona.collections.ArrayUtil;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * One NIC's libfabric endpoint with its send and receive slots. Posting and polling belong to one agent, the address
 * vector to the fabric conductor; only {@link #retire(RailPeer)} crosses over, on the agent.
 */
public final class Rail implements AutoCloseable
{
    /**
     * Result of {@link #send}: the message is with the provider.
     */
    public static final int POSTED = 1;

    /**
     * Result of {@link #send}: back-pressure, try again on another duty cycle.
     */
    public static final int BUSY = 0;

    /**
     * Result of {@link #send}: this peer or this rail cannot be used.
     */
    public static final int FAILED = -1;

    private static final int COMPLETIONS_PER_READ = 32;
    private static final int READS_PER_POLL = 4;

    private final int index;
    private final FabricEndpoint endpoint;
    private final int injectLength;
    private final int slotLength;
    private final int receiveLength;
    private final int sendSlots;
    private final int receiveSlots;
    private final int creditPerPeer;
    private final NativeMemory memory;
    private final MemoryRegion region;
    private final long descriptor;
    private final long sendBase;
    private final long receiveBase;
    private final FabricContexts contexts;
    private final CompletionBatch completions = new CompletionBatch(COMPLETIONS_PER_READ);
    private final CompletionError completionError = new CompletionError();
    private final int[] freeSlots;
    private final int[] lengthBySlot;
    private final long[] postedNsBySlot;
    private final RailPeer[] peerBySlot;
    private final int[] unpostedReceives;
    private final Map<AddressKey, RailPeer> peerByAddress = new HashMap<>();
    private final Set<RailPeer> inserted = new HashSet<>();
    private final byte[] localAddress;

    private RailCounters counters;
    private RailListener listener;
    private RailPeer[] retiring = new RailPeer[0];
    private int freeCount;
    private int unpostedCount;
    private long outstandingBytes;
    private long coarseNowNs = System.nanoTime();
    private boolean failed;

    /**
     * Take over an open endpoint, allocate and register the slots and post all receives.
     *
     * @param index             of the rail among those of its agent.
     * @param endpoint          of the NIC, closed with the rail or when this throws.
     * @param slots             for sending, and for receiving, bounded by the endpoint's depths.
     * @param sendSlotLength    longest message to send, bytes.
     * @param receiveSlotLength longest message to receive, bytes.
     */
    public Rail(
        final int index,
        final FabricEndpoint endpoint,
        final int slots,
        final int sendSlotLength,
        final int receiveSlotLength)
    {
        this.index = index;
        this.endpoint = endpoint;
        this.localAddress = endpoint.localAddress();
        this.injectLength = endpoint.injectLength();
        this.slotLength = (int)Math.min(sendSlotLength, endpoint.maxSendLength());
        this.sendSlots = Math.min(slots, endpoint.txDepth());
        this.receiveSlots = Math.min(slots, endpoint.rxDepth());
        this.creditPerPeer = Math.max(1, sendSlots / 2);
        this.contexts = new FabricContexts(sendSlots + receiveSlots);
        this.freeSlots = new int[sendSlots];
        this.lengthBySlot = new int[sendSlots];
        this.postedNsBySlot = new long[sendSlots];
        this.peerBySlot = new RailPeer[sendSlots];
        this.unpostedReceives = new int[receiveSlots];
        this.receiveLength = receiveSlotLength;

        final long sendBytes = (long)sendSlots * slotLength;
        this.memory = NativeMemory.allocate(sendBytes + (long)receiveSlots * receiveSlotLength);
        this.sendBase = memory.address();
        this.receiveBase = sendBase + sendBytes;

        try
        {
            this.region = endpoint.register(memory.address(), memory.length(), MemoryRegion.ACCESS_MESSAGE);
            this.descriptor = region.descriptor();

            for (int i = 0; i < sendSlots; i++)
            {
                freeSlots[freeCount++] = i;
            }

            for (int i = 0; i < receiveSlots; i++)
            {
                unpostedReceives[unpostedCount++] = i;
            }
            postReceives();
        }
        catch (final RuntimeException ex)
        {
            endpoint.close();
            memory.close();
            contexts.close();
            completions.close();
            throw ex;
        }
    }

    /**
     * Index among the rails of the agent.
     *
     * @return index, from 0.
     */
    public int index()
    {
        return index;
    }

    /**
     * The endpoint of the NIC.
     *
     * @return the endpoint.
     */
    public FabricEndpoint endpoint()
    {
        return endpoint;
    }

    /**
     * Longest message this rail sends.
     *
     * @return bytes.
     */
    public int maxSendLength()
    {
        return slotLength;
    }

    /**
     * Longest message this rail receives.
     *
     * @return bytes.
     */
    public int maxReceiveLength()
    {
        return receiveLength;
    }

    /**
     * Bytes registered with the NIC.
     *
     * @return bytes.
     */
    public long registeredBytes()
    {
        return memory.length();
    }

    /**
     * Bytes posted and not yet completed.
     *
     * @return bytes.
     */
    public long outstandingBytes()
    {
        return outstandingBytes;
    }

    /**
     * Can this rail be used?
     *
     * @return false once it has failed.
     */
    public boolean isUsable()
    {
        return !failed;
    }

    /**
     * Hand the rail to its agent.
     *
     * @param counters of the rail.
     * @param listener told what happens.
     */
    public void attach(final RailCounters counters, final RailListener listener)
    {
        this.counters = counters;
        this.listener = listener;
    }

    /**
     * Put a remote rail into the address vector, or take another reference to it. Fabric conductor only.
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
     * Give a reference back. Fabric conductor only.
     *
     * @param peer from {@link #acquire(long, byte[])}.
     * @return true when it was the last, so that {@link #retire(RailPeer)} is to be run on the agent.
     */
    public boolean release(final RailPeer peer)
    {
        if (0 == peer.release())
        {
            peerByAddress.remove(peer.key());
            return true;
        }

        return false;
    }

    /**
     * Remove a peer from the address vector as soon as nothing is in flight to it. Agent only: the entry must not go
     * while the provider works with it.
     *
     * @param peer that nobody refers to any more.
     */
    public void retire(final RailPeer peer)
    {
        if (!failed)
        {
            retiring = ArrayUtil.add(retiring, peer);
            removeRetired();
        }
    }

    /**
     * Send a message. The bytes are taken over before this returns.
     *
     * @param peer       to send to.
     * @param address    of the message in native memory.
     * @param length     in bytes, at most {@link #maxSendLength()}.
     * @param immediate  32 bits that arrive with the message.
     * @param frames     in the message, for the counters.
     * @param dataFrames in the message, for the counters.
     * @return {@link #POSTED}, {@link #BUSY} or {@link #FAILED}.
     */
    public int send(
        final RailPeer peer,
        final long address,
        final int length,
        final long immediate,
        final int frames,
        final int dataFrames)
    {
        if (failed || peer.hasFailed())
        {
            return FAILED;
        }

        final int result = length <= injectLength ?
            (int)endpoint.inject(address, length, immediate, peer.fiAddr()) :
            sendFromSlot(peer, address, length, immediate);

        if (0 == result)
        {
            counters.bytesSent.getAndAddRelease(length);
            counters.framesSent.getAndAddRelease(frames);
            counters.dataFramesSent.getAndAddRelease(dataFrames);
            return POSTED;
        }

        if (-FabricErrors.EAGAIN == result)
        {
            counters.eagain.incrementRelease();
            return BUSY;
        }

        onPeerFailure(peer, "post failed: " + FabricErrors.text(-result));
        return FAILED;
    }

    /**
     * Read completions, dispatch what arrived and post the receives again.
     *
     * @return bytes received.
     */
    public int poll()
    {
        int bytesReceived = 0;

        for (int read = 0; read < READS_PER_POLL && !failed; read++)
        {
            final int count = endpoint.poll(completions);
            if (count > 0)
            {
                for (int i = 0; i < count; i++)
                {
                    bytesReceived += onCompletion(i);
                }
            }
            else if (-FabricErrors.EAVAIL == count)
            {
                onErrorCompletion();
            }
            else if (0 != count && -FabricErrors.EAGAIN != count)
            {
                onRailFailure("completion queue: " + FabricErrors.text(-count));
            }

            if (count < COMPLETIONS_PER_READ)
            {
                break;
            }
        }

        if (unpostedCount > 0 && !failed)
        {
            postReceives();
        }

        if (retiring.length > 0 && !failed)
        {
            removeRetired();
        }

        return bytesReceived;
    }

    /**
     * Look at the event queue, where asynchronous errors of the endpoint arrive, and at operations that do not end: a
     * peer that was killed leaves some, which hold slots for ever and, on {@code shm}, hold up those of other peers.
     * Not for every duty cycle.
     *
     * @param nowNs          time of {@link System#nanoTime()}.
     * @param stallTimeoutNs how long an operation may take.
     */
    public void checkHealth(final long nowNs, final long stallTimeoutNs)
    {
        if (failed)
        {
            return;
        }

        coarseNowNs = nowNs;
        if (endpoint.pollEvents() > 0 && null != endpoint.eventErrorText())
        {
            onRailFailure("event queue: " + endpoint.eventErrorText());
            return;
        }

        for (int slot = 0; slot < sendSlots && freeCount < sendSlots; slot++)
        {
            if (null != peerBySlot[slot] && nowNs - postedNsBySlot[slot] > stallTimeoutNs)
            {
                onRailFailure("an operation has not ended for " +
                    TimeUnit.NANOSECONDS.toMillis(nowNs - postedNsBySlot[slot]) + " ms");
                return;
            }
        }
    }

    /**
     * A peer was removed. Fabric conductor only.
     *
     * @param peer that was {@link #retire(RailPeer) retired}.
     */
    public void onRemoved(final RailPeer peer)
    {
        if (inserted.remove(peer))
        {
            LocalRails.onRemoved(peer.key().address());
        }
    }

    /**
     * Forget all peers, then close the endpoint, which ends all operations, and the memory they may have touched.
     * While another rail of this process still knows this one, that is put off until it does not. The agent must have
     * given the rail up.
     */
    @Override
    public void close()
    {
        failed = true;
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
        LocalRails.close(
            localAddress,
            () ->
            {
                endpoint.close();
                memory.close();
                contexts.close();
                completions.close();
            });
    }

    private int sendFromSlot(final RailPeer peer, final long address, final int length, final long immediate)
    {
        if (0 == freeCount || peer.inFlight() >= creditPerPeer)
        {
            return -FabricErrors.EAGAIN;
        }

        final int slot = freeSlots[freeCount - 1];
        final long slotAddress = sendBase + (long)slot * slotLength;
        UnsafeApi.copyMemory(address, slotAddress, length);

        final int result = (int)endpoint.send(
            slotAddress, length, descriptor, immediate, peer.fiAddr(), contexts.address(slot));
        if (0 == result)
        {
            --freeCount;
            lengthBySlot[slot] = length;
            postedNsBySlot[slot] = coarseNowNs;
            peerBySlot[slot] = peer;
            peer.onPosted();
            outstandingBytes += length;
            counters.outstandingBytes.setRelease(outstandingBytes);
        }

        return result;
    }

    private int onCompletion(final int i)
    {
        final int slot = contexts.index(completions.context(i));
        if (slot < sendSlots)
        {
            if (slot >= 0)
            {
                releaseSendSlot(slot);
            }
            return 0;
        }

        final int receive = slot - sendSlots;
        final int length = (int)completions.length(i);
        counters.bytesReceived.getAndAddRelease(length);
        counters.messagesReceived.incrementRelease();
        listener.onMessage(completions.data(i) & 0xFFFF_FFFFL, receiveAddress(receive), length);
        unpostedReceives[unpostedCount++] = receive;

        return length;
    }

    private void onErrorCompletion()
    {
        if (!endpoint.readError(completionError))
        {
            return;
        }

        counters.errors.incrementRelease();
        final int slot = contexts.index(completionError.context());
        if (slot < 0)
        {
            return;
        }

        if (slot < sendSlots)
        {
            final RailPeer peer = peerBySlot[slot];
            releaseSendSlot(slot);
            onPeerFailure(peer, completionError.text());
        }
        else
        {
            unpostedReceives[unpostedCount++] = slot - sendSlots;
        }
    }

    private void releaseSendSlot(final int slot)
    {
        final RailPeer peer = peerBySlot[slot];
        peerBySlot[slot] = null;
        peer.onCompleted();
        outstandingBytes -= lengthBySlot[slot];
        counters.outstandingBytes.setRelease(outstandingBytes);
        freeSlots[freeCount++] = slot;
    }

    private void postReceives()
    {
        while (unpostedCount > 0)
        {
            final int receive = unpostedReceives[unpostedCount - 1];
            final int result = (int)endpoint.receive(
                receiveAddress(receive), receiveLength, descriptor, contexts.address(sendSlots + receive));
            if (0 == result)
            {
                --unpostedCount;
            }
            else
            {
                if (-FabricErrors.EAGAIN != result)
                {
                    onRailFailure("posting a receive: " + FabricErrors.text(-result));
                }
                break;
            }
        }
    }

    private long receiveAddress(final int receive)
    {
        return receiveBase + (long)receive * receiveLength;
    }

    private void removeRetired()
    {
        for (int i = retiring.length - 1; i >= 0; i--)
        {
            final RailPeer peer = retiring[i];
            if (0 == peer.inFlight())
            {
                endpoint.removeAddress(peer.fiAddr());
                peer.onRemoved();
                listener.onPeerRemoved(this, peer);
                retiring = ArrayUtil.remove(retiring, i);
            }
        }
    }

    private void onPeerFailure(final RailPeer peer, final String reason)
    {
        if (!peer.hasFailed())
        {
            peer.onFailure();
            counters.errors.incrementRelease();
            listener.onPeerFailed(this, peer, reason);
        }
    }

    private void onRailFailure(final String reason)
    {
        if (!failed)
        {
            failed = true;
            if (null == listener)
            {
                throw new IllegalStateException(reason);
            }
            counters.errors.incrementRelease();
            listener.onRailFailed(this, reason);
        }
    }
}
