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
import io.millrace.efa.libfabric.FabricException;
import io.millrace.efa.libfabric.FabricProvider;
import io.millrace.efa.libfabric.MemoryRegion;
import io.millrace.efa.libfabric.NativeMemory;
import org.agrona.UnsafeApi;
import org.agrona.CloseHelper;
import org.agrona.collections.ArrayUtil;

import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

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
    private static final int COMPLETIONS_PER_READ = 32;
    private static final int READS_PER_POLL = 4;

    /**
     * An operation that takes so long is held up by its rail: longer than any queue of a NIC, shorter than what an
     * application notices as a pause.
     */
    private static final long SLOW_OPERATION_NS = TimeUnit.MILLISECONDS.toNanos(100);

    private final int index;
    private final FabricEndpoint endpoint;
    private final int injectLength;
    private final int creditlessLength;
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
    private final SendSlots slots;
    private final int[] unpostedReceives;
    private final RailPeers peers;
    private final byte[] localAddress;

    private RailCounters counters;
    private RailListener listener;
    private Runnable onClosed = () -> {};
    private RailPeer[] retiring = new RailPeer[0];
    private int unpostedCount;
    private long healthChecks = 1;
    private long nowNs = System.nanoTime();
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
        this.creditlessLength = Math.min(CONTROL_LENGTH, endpoint.injectLength());
        this.slotLength = (int)Math.min(sendSlotLength, endpoint.maxSendLength());
        this.sendSlots = Math.min(slots, endpoint.txDepth());
        this.receiveSlots = Math.min(slots, endpoint.rxDepth());
        this.creditPerPeer = Math.max(1, sendSlots / 2);
        this.contexts = orClose(() -> new FabricContexts(sendSlots + receiveSlots), endpoint, completions);
        this.slots = new SendSlots(sendSlots);
        this.unpostedReceives = new int[receiveSlots];
        this.receiveLength = receiveSlotLength;

        final long sendBytes = (long)sendSlots * slotLength;
        this.memory = orClose(
            () -> NativeMemory.allocate(sendBytes + (long)receiveSlots * receiveSlotLength),
            endpoint, completions, contexts);
        this.sendBase = memory.address();
        this.receiveBase = sendBase + sendBytes;

        try
        {
            this.region = endpoint.register(memory.address(), memory.length(), endpoint.maxRmaLength() > 0 ?
                MemoryRegion.ACCESS_MESSAGE | MemoryRegion.ACCESS_WRITE_SOURCE : MemoryRegion.ACCESS_MESSAGE);
            this.descriptor = region.descriptor();

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

    private static <T> T orClose(final Supplier<T> allocation, final AutoCloseable... resources)
    {
        try
        {
            return allocation.get();
        }
        catch (final RuntimeException ex)
        {
            CloseHelper.quietCloseAll(resources);
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
        if (length <= injectLength || length <= creditlessLength && hasNoCredit(peer) && !isSlow(peer))
        {
            result = (int)endpoint.inject(address, length, immediate, peer.fiAddr());
        }
        else if (hasNoCredit(peer))
        {
            result = -FabricErrors.EAGAIN;
        }
        else
        {
            final int slot = slots.next();
            result = (int)endpoint.send(
                copyToSlot(slot, address, length),
                length,
                descriptor,
                immediate,
                peer.fiAddr(),
                contexts.address(slot));
            onPosted(result, peer, length, null, 0);
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
                address, length, descriptor, immediate, peer.fiAddr(), contexts.address(slots.next()));
            onPosted(result, peer, length, owner, ticket);
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
                isCopied ? copyToSlot(slot, address, length) : address,
                length,
                isCopied ? this.descriptor : descriptor,
                immediate,
                peer.fiAddr(),
                remoteAddress,
                key,
                contexts.address(slot));
            onPosted(result, peer, length, owner, ticket);
        }

        return outcome(peer, result, length, 1, 1);
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
            return BUSY;
        }

        onPeerFailure(peer, "post failed: " + FabricErrors.text(-result));
        return FAILED;
    }

    /**
     * Read completions, dispatch what arrived and post the receives again.
     *
     * @param nowNs time of {@link System#nanoTime()}.
     * @return bytes received.
     */
    public int poll(final long nowNs)
    {
        int bytesReceived = 0;
        this.nowNs = nowNs;

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
            onRailFailure("event queue: " + endpoint.eventErrorText());
            return;
        }

        ++healthChecks;
        for (int slot = 0; slot < sendSlots && !slots.isUnused(); slot++)
        {
            final RailPeer peer = slots.peer(slot);
            if (null == peer)
            {
                continue;
            }

            final long durationNs = nowNs - slots.postedNs(slot);
            if (peer.isRetired() && durationNs > goneTimeoutNs)
            {
                failed = true;
                listener.onRailWorn(this, "an operation to a peer that is gone has not ended");
                return;
            }

            if (durationNs > stallTimeoutNs)
            {
                onRailFailure(
                    "an operation has not ended for " + TimeUnit.NANOSECONDS.toMillis(durationNs) + " ms");
                return;
            }

            if (durationNs > SLOW_OPERATION_NS)
            {
                if (peer.slowAtCheck() < healthChecks - 1)
                {
                    counters.slow.incrementRelease();
                }
                peer.slowAtCheck(healthChecks);
            }
        }
    }

    /**
     * Does an operation to a peer take long? Found out by {@link #checkHealth(long, long)}. Agent only.
     *
     * @param peer of this rail.
     * @return true when frames had better take another rail.
     */
    public boolean isSlow(final RailPeer peer)
    {
        return peer.slowAtCheck() == healthChecks;
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
                memory.close();
                contexts.close();
                completions.close();
                onClosed.run();
            });
    }

    private boolean hasNoCredit(final RailPeer peer)
    {
        return slots.isExhausted() || peer.inFlight() >= creditPerPeer;
    }

    private long copyToSlot(final int slot, final long address, final int length)
    {
        final long slotAddress = sendBase + (long)slot * slotLength;
        UnsafeApi.copyMemory(address, slotAddress, length);
        return slotAddress;
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

    private int onCompletion(final int i)
    {
        final int slot = contexts.index(completions.context(i));
        if (completions.isRemoteWrite(i))
        {
            if (slot >= sendSlots)
            {
                unpostedReceives[unpostedCount++] = slot - sendSlots;
            }

            final int written = listener.onWrite(completions.data(i), completions.length(i));
            counters.bytesReceived.getAndAddRelease(written);
            counters.messagesReceived.incrementRelease();
            return written;
        }

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
        try
        {
            if (!endpoint.readError(completionError))
            {
                return;
            }
        }
        catch (final FabricException ex)
        {
            onRailFailure("completion queue: " + ex.getMessage());
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
            final RailPeer peer = slots.peer(slot);
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
        slots.release(slot);
        counters.outstandingBytes.setRelease(slots.outstandingBytes());
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
