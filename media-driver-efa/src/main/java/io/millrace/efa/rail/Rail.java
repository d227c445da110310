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
import io.millrace.efa.libfabric.FabricErrors;
import io.millrace.efa.libfabric.FabricProvider;
import org.agrona.CloseHelper;
import org.agrona.collections.ArrayUtil;

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

    /**
     * Status messages, heartbeats, NAKs and setups are no longer. Where they would wait for credit behind each other,
     * as those of thousands of streams in one duty cycle, they are injected instead: a stream that never gets one
     * through is not connected.
     */
    private static final int CONTROL_LENGTH = 64;

    /**
     * Longer messages are always answered where an answer is what tells of arrival: they are what rails are chosen by.
     */
    private static final int MAX_UNANSWERED_LENGTH = 4096;

    private final int index;
    private final FabricEndpoint endpoint;
    private final int injectLength;
    private final int unansweredLength;
    private final int creditlessLength;
    private final int slotLength;
    private final int receiveLength;
    private final int sendSlots;
    private final int receiveSlots;
    private final int creditPerPeer;
    private final SendSlots slots;
    private final RailBuffers buffers;
    private final RailCompletions completions;
    private final OverdueOperations overdue;
    private final RailPeers peers;
    private final byte[] localAddress;

    private RailCounters counters;
    private RailListener listener;
    private Runnable onClosed = () -> {};
    private RailPeer[] retiring = new RailPeer[0];
    private long nowNs = System.nanoTime();
    private boolean hasPushedBack;
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
        this.peers = new RailPeers(endpoint);
        this.localAddress = endpoint.localAddress();
        // TCP's injected messages end without completion, also on a link that is down
        this.injectLength = FabricProvider.TCP == endpoint.nic().provider() ? 0 : endpoint.injectLength();
        this.unansweredLength = endpoint.isDeliveryAnswered() ? MAX_UNANSWERED_LENGTH : 0;
        this.creditlessLength = Math.min(CONTROL_LENGTH, endpoint.injectLength());
        this.slotLength = (int)Math.min(sendSlotLength, endpoint.maxSendLength());
        this.sendSlots = Math.min(slots, endpoint.txDepth());
        this.receiveSlots = Math.min(slots, endpoint.rxDepth());
        this.creditPerPeer = Math.max(1, sendSlots / 2);
        this.slots = new SendSlots(sendSlots);
        this.receiveLength = receiveSlotLength;
        this.buffers = openBuffers(endpoint);
        this.completions = new RailCompletions(this, this.slots, buffers, sendSlots);
        this.overdue = new OverdueOperations(this, this.slots, sendSlots);
    }

    private RailBuffers openBuffers(final FabricEndpoint endpoint)
    {
        RailBuffers opened = null;
        try
        {
            opened = new RailBuffers(endpoint, sendSlots, slotLength, receiveSlots, receiveLength);
            final int result = opened.postReceives();
            if (0 != result)
            {
                throw new IllegalStateException(receiveFailure(result));
            }
            return opened;
        }
        catch (final RuntimeException ex)
        {
            CloseHelper.quietCloseAll(endpoint, opened);
            throw ex;
        }
    }

    /**
     * Memory that a slot takes.
     *
     * @param length of its messages, in bytes.
     * @return bytes that are registered.
     */
    public static long slotBytes(final int length)
    {
        return RailBuffers.stride(length);
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
     * Length to which messages of several frames are cut. On {@code shm} longer ones are copied by a system call of the
     * receiver, which costs as much as copying 8 KiB twice, and holds the lock that our next message waits for.
     *
     * @return bytes.
     */
    public int cutLength()
    {
        return FabricProvider.SHM == endpoint.nic().provider() ? injectLength : slotLength;
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
        return buffers.length();
    }

    /**
     * Entries of the completion queue beyond those that the rail's own operations can take.
     *
     * @return completions of peers' writes that fit.
     */
    public int completionsRoom()
    {
        return endpoint.cqDepth() - sendSlots - receiveSlots;
    }

    /**
     * Bytes posted and not yet completed.
     *
     * @return bytes.
     */
    public long outstandingBytes()
    {
        return slots.outstandingBytes();
    }

    /**
     * Was an operation not posted for now, since the last {@link #poll(long)}? Agent only.
     *
     * @return true if the next poll may make room for it.
     */
    public boolean hasPushedBack()
    {
        return hasPushedBack;
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
        completions.attach(counters, listener);
    }

    /**
     * Remote rails in the address vector. Fabric conductor only.
     *
     * @return the peers.
     */
    public RailPeers peers()
    {
        return peers;
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
            peer.onRetired();
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

        final int result;
        if (length <= unansweredLength && !hasNoCredit(peer) && !peer.isAnswerDue(nowNs))
        {
            result = sendUnanswered(peer, address, length, immediate);
        }
        else if (length <= injectLength || length <= creditlessLength && hasNoCredit(peer) && !isSlow(peer))
        {
            result = (int)endpoint.inject(address, length, immediate, peer.fiAddr());
        }
        else if (hasNoCredit(peer))
        {
            result = -FabricErrors.EAGAIN;
        }
        else
        {
            result = sendFromSlot(peer, address, length, immediate, true);
            onMessagePosted(result, peer, length, null, 0);
        }

        return outcome(peer, result, length, frames, dataFrames);
    }

    /**
     * Send a message from memory of the caller, which must stay as it is until the operation has ended.
     *
     * @param peer       to send to.
     * @param address    of the message in registered memory.
     * @param length     in bytes, at most {@link #maxSendLength()}.
     * @param descriptor of the memory.
     * @param immediate  32 bits that arrive with the message.
     * @param dataFrames in the message, for the counters.
     * @param owner      told when the operation has ended, if it was posted.
     * @param ticket     for the owner.
     * @return {@link #POSTED}, {@link #BUSY} or {@link #FAILED}.
     */
    public int sendFrom(
        final RailPeer peer,
        final long address,
        final int length,
        final long descriptor,
        final long immediate,
        final int dataFrames,
        final OperationOwner owner,
        final int ticket)
    {
        if (failed || peer.hasFailed())
        {
            return FAILED;
        }

        int result = -FabricErrors.EAGAIN;
        if (!hasNoCredit(peer))
        {
            result = (int)endpoint.send(
                address, length, descriptor, immediate, peer.fiAddr(), buffers.context(slots.next()));
            onMessagePosted(result, peer, length, owner, ticket);
        }

        return outcome(peer, result, length, dataFrames, dataFrames);
    }

    /**
     * Write a frame to a peer's memory and complete there with an immediate.
     *
     * @param peer          to write to.
     * @param address       of the bytes, in registered memory, which must stay as it is until the operation has ended;
     *                      or anywhere with {@code isCopied}.
     * @param length        of the bytes.
     * @param descriptor    of the memory, without meaning with {@code isCopied}.
     * @param isCopied      true to take the bytes over before this returns.
     * @param immediate     for the peer's completion.
     * @param remoteAddress where to.
     * @param key           of the peer's region.
     * @param owner         told when the operation has ended, if it was posted.
     * @param ticket        for the owner.
     * @return {@link #POSTED}, {@link #BUSY} or {@link #FAILED}.
     */
    public int write(
        final RailPeer peer,
        final long address,
        final int length,
        final long descriptor,
        final boolean isCopied,
        final long immediate,
        final long remoteAddress,
        final long key,
        final OperationOwner owner,
        final int ticket)
    {
        if (failed || peer.hasFailed())
        {
            return FAILED;
        }

        int result = -FabricErrors.EAGAIN;
        if (!hasNoCredit(peer))
        {
            final int slot = slots.next();
            result = (int)endpoint.writeData(
                isCopied ? buffers.copyToSlot(slot, address, length) : address,
                length,
                isCopied ? buffers.descriptor() : descriptor,
                immediate,
                peer.fiAddr(),
                remoteAddress,
                key,
                buffers.context(slot));
            onPosted(result, peer, length, owner, ticket);
        }

        return outcome(peer, result, length, 1, 1);
    }

    private int sendUnanswered(final RailPeer peer, final long address, final int length, final long immediate)
    {
        final int result;
        if (length <= endpoint.injectLength())
        {
            result = (int)endpoint.inject(address, length, immediate, peer.fiAddr());
        }
        else
        {
            result = sendFromSlot(peer, address, length, immediate, false);
            onPosted(result, peer, length, null, 0);
        }

        if (0 == result)
        {
            peer.onUnanswered(length);
        }
        return result;
    }

    private int sendFromSlot(
        final RailPeer peer, final long address, final int length, final long immediate, final boolean isAnswered)
    {
        final int slot = slots.next();
        final long slotAddress = buffers.copyToSlot(slot, address, length);
        final long descriptor = buffers.descriptor();
        final long context = buffers.context(slot);
        return (int)(isAnswered ?
            endpoint.send(slotAddress, length, descriptor, immediate, peer.fiAddr(), context) :
            endpoint.sendUnanswered(slotAddress, length, descriptor, immediate, peer.fiAddr(), context));
    }

    private int outcome(
        final RailPeer peer, final int result, final int length, final int frames, final int dataFrames)
    {
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
            hasPushedBack = true;
            return BUSY;
        }

        onPeerFailure(peer, "post failed: " + FabricErrors.text(-result));
        return FAILED;
    }

    /**
     * Read completions, dispatch what arrived and post receives again.
     *
     * @param nowNs time of {@link System#nanoTime()}.
     * @return bytes received.
     */
    public int poll(final long nowNs)
    {
        this.nowNs = nowNs;
        hasPushedBack = false;
        final int bytesReceived = completions.poll();

        // In the duty cycle after a message, so that it is no part of the message's way, unless many came.
        if (!failed && (0 == bytesReceived || buffers.isShortOfReceives()))
        {
            final int result = buffers.postReceives();
            if (0 != result)
            {
                onFailure(receiveFailure(result));
            }
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
     * @param goneTimeoutNs  how long an operation to a peer that is gone may take.
     */
    public void checkHealth(final long nowNs, final long stallTimeoutNs, final long goneTimeoutNs)
    {
        if (failed)
        {
            return;
        }

        this.nowNs = nowNs;
        if (endpoint.pollEvents() > 0 && null != endpoint.eventErrorText())
        {
            onFailure("event queue: " + endpoint.eventErrorText());
        }
        else
        {
            overdue.check(nowNs, stallTimeoutNs, goneTimeoutNs, counters);
        }
    }

    /**
     * Does an operation to a peer take long? Found out by {@link #checkHealth(long, long, long)}. Agent only.
     *
     * @param peer of this rail.
     * @return true when frames had better take another rail.
     */
    public boolean isSlow(final RailPeer peer)
    {
        return overdue.isSlow(peer);
    }

    /**
     * Say what to do once the endpoint is closed, on whichever thread that is. To be called before {@link #close()}.
     *
     * @param onClosed to be run when no operation of this rail can touch memory any more.
     */
    public void onClosed(final Runnable onClosed)
    {
        this.onClosed = onClosed;
    }

    /**
     * End all operations in flight, whose endpoint is closed. Agent only, or when it has ended.
     */
    public void abandon()
    {
        slots.releaseAll();
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
        peers.close();
        LocalRails.close(
            localAddress,
            () ->
            {
                endpoint.close();
                buffers.close();
                completions.close();
                onClosed.run();
            });
    }

    private boolean hasNoCredit(final RailPeer peer)
    {
        return slots.isExhausted() || peer.inFlight() >= creditPerPeer;
    }

    private void onMessagePosted(
        final int result, final RailPeer peer, final int length, final OperationOwner owner, final int ticket)
    {
        // messages to a peer stay in order on such rails: the answer tells of the arrival of those before, too
        onPosted(result, peer, length + peer.unansweredBytes(), owner, ticket);
        if (0 == result)
        {
            peer.onAnswerAsked(nowNs);
        }
    }

    private void onPosted(
        final int result, final RailPeer peer, final int length, final OperationOwner owner, final int ticket)
    {
        if (0 == result)
        {
            slots.onPosted(peer, length, nowNs, owner, ticket);
            counters.outstandingBytes.setRelease(slots.outstandingBytes());
        }
    }

    private static String receiveFailure(final int result)
    {
        return "posting a receive: " + FabricErrors.text(-result);
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

    void onPeerFailure(final RailPeer peer, final String reason)
    {
        if (!peer.hasFailed())
        {
            peer.onFailure();
            counters.errors.incrementRelease();
            listener.onPeerFailed(this, peer, reason);
        }
    }

    void onFailure(final String reason)
    {
        if (!failed)
        {
            failed = true;
            counters.errors.incrementRelease();
            listener.onRailFailed(this, reason);
        }
    }

    void onWorn(final String reason)
    {
        failed = true;
        listener.onRailWorn(this, reason);
    }
}
