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
package io.millrace.bridge.protocol;

import java.util.ArrayList;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

import io.aeron.Image;
import io.millrace.bridge.KvCounters;
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvFate;
import io.millrace.bridge.KvReceiver;
import io.millrace.bridge.KvTransferInfo;
import org.agrona.collections.Long2ObjectHashMap;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.NanoClock;

/**
 * Duty cycle of a {@link KvReceiver}: polls the stream, looks after copies, and keeps the table of transfers.
 */
public final class ReceiverAgent implements Agent, Landing.Handler
{
    private static final long CHECK_INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long CLOSE_TIMEOUT_NS = TimeUnit.MILLISECONDS.toNanos(200);
    private static final int RECENT_CAPACITY = 4096;

    final KvReceiver.Context ctx;
    final NanoClock clock;
    final KvCounters counters;
    final ReverseWriter writer;
    final ReceiverEvents events;
    final RecentTransfers recent = new RecentTransfers(RECENT_CAPACITY);
    final long receiverId = ThreadLocalRandom.current().nextLong(1, Long.MAX_VALUE);
    final Landing landing;
    private final ReceiverLink link;
    final Granting granting = new Granting(this);
    private final TransferWatch watch = new TransferWatch(this);
    private final ForwardReader reader;
    private final Long2ObjectHashMap<InboundTransfer> activeById = new Long2ObjectHashMap<>();
    private final ArrayList<InboundTransfer> active = new ArrayList<>();
    private final ArrayList<InboundTransfer> draining = new ArrayList<>();
    private long checkNs;
    private int waitingForBlocks;

    /**
     * Add subscription and publication.
     *
     * @param ctx concluded.
     */
    public ReceiverAgent(final KvReceiver.Context ctx)
    {
        this.ctx = ctx;
        clock = ctx.nanoClock();
        counters = ctx.counters();
        events = new ReceiverEvents(ctx);
        link = new ReceiverLink(ctx);
        writer = link.writer;
        try
        {
            landing = Landing.of(ctx, this);
        }
        catch (final RuntimeException ex)
        {
            link.close();
            throw ex;
        }
        reader = new ForwardReader(this);
        checkNs = clock.nanoTime();
    }

    public void onStart()
    {
        landing.onStart();
    }

    /**
     * Learn the fate of a request, from any thread.
     *
     * @param requestId of the serving system.
     * @param timeoutNs within which a transfer must have begun.
     * @return the fate to come.
     */
    public CompletableFuture<KvFate> expect(final long requestId, final long timeoutNs)
    {
        return events.fates.expect(requestId, timeoutNs, clock.nanoTime());
    }

    public int doWork()
    {
        final long nowNs = clock.nanoTime();
        link.renew(nowNs);
        int workCount = writer.drain();
        if (writer.hasRoom())
        {
            workCount += landing.poll(nowNs);
            final int fragments = link.source().controlledPoll(reader, ctx.fragmentLimit());
            workCount += fragments;
            if (0 == fragments)
            {
                workCount += landing.flushAll(nowNs);
            }
        }
        if (waitingForBlocks > 0 || nowNs - checkNs >= 0)
        {
            checkNs = nowNs + CHECK_INTERVAL_NS;
            workCount += check(nowNs) + events.fates.poll(nowNs, activeById);
        }
        return workCount;
    }

    public String roleName()
    {
        return "kv-receiver-" + ctx.streamId();
    }

    public void onClose()
    {
        for (int i = active.size() - 1; i >= 0; i--)
        {
            final InboundTransfer transfer = active.get(i);
            fail(transfer, KvError.SHUTDOWN, 0, 0, "receiver was closed");
        }
        events.fates.close();

        final long deadlineNs = clock.nanoTime() + CLOSE_TIMEOUT_NS;
        while (clock.nanoTime() - deadlineNs < 0 && landing.poll(clock.nanoTime()) +
            writer.drain() >= 0 && !(landing.isIdle() && writer.isDrained()))
        {
            Thread.onSpinWait();
        }
        link.close();
        try
        {
            landing.close();
        }
        catch (final RuntimeException ex)
        {
            // Copies that still run keep their staging memory: it is not freed, and the reason is told.
            ctx.errorHandler().onError(ex);
        }
    }

    InboundTransfer find(final long transferId)
    {
        return activeById.get(transferId);
    }

    int activeCount()
    {
        return active.size();
    }

    void add(final InboundTransfer transfer)
    {
        counters.increment(KvCounters.Kind.TRANSFERS_STARTED);
        active.add(transfer);
        activeById.put(transfer.transferId(), transfer);
        events.fates.onBegin(transfer.info().requestId());
        waitingForBlocks++;
    }

    /**
     * A transfer that a sender before this one left behind: same request and contents, of another session.
     *
     * @return null when there is none.
     */
    InboundTransfer findOrphan(final KvTransferInfo info, final boolean isMultiple)
    {
        for (int i = 0; i < active.size(); i++)
        {
            if (active.get(i).isLeftBehindBy(info, isMultiple))
            {
                return active.get(i);
            }
        }
        return null;
    }

    /**
     * Go on with a transfer whose stream broke.
     */
    void resume(
        final InboundTransfer transfer,
        final KvTransferInfo info,
        final Image image,
        final long timeoutNs,
        final boolean isEager)
    {
        final boolean isBroken = transfer.isInterrupted() || !transfer.isDropping;
        landing.discard(transfer);
        activeById.remove(transfer.transferId());
        if (transfer.transferId() != info.transferId())
        {
            recent.add(transfer.transferId(), KvError.PEER_GONE, 0);
            writer.reject(transfer.transferId(), KvError.DUPLICATE_TRANSFER, 0, 0, "request " + info.requestId() +
                " goes on with transfer " + info.transferId() + " of another sender");
        }
        transfer.resume(info, image, clock.nanoTime(), transfer.isAnswered ? timeoutNs : ctx.replayTimeoutNs());
        activeById.put(info.transferId(), transfer);
        if (isBroken)
        {
            counters.increment(KvCounters.Kind.RESUMES);
        }
        transfer.isEager = isEager && transfer.isAnswered;
        if (transfer.isGranted())
        {
            granting.answer(transfer);
        }
        else if (transfer.isEager)
        {
            granting.drop(transfer);
        }
    }

    void onGranted()
    {
        waitingForBlocks--;
    }

    /**
     * End a transfer without completing it, and tell the sender.
     */
    void fail(
        final InboundTransfer transfer,
        final KvError error,
        final long expected,
        final long actual,
        final String text)
    {
        if (transfer.isAnswered)
        {
            if (KvError.CANCELED == error)
            {
                writer.cancel(transfer.transferId(), error, text);
            }
            else
            {
                writer.reject(transfer.transferId(), error, expected, actual, text);
            }
        }
        if (!transfer.isGranted())
        {
            waitingForBlocks--;
        }

        remove(transfer, error);
        landing.discard(transfer);
        transfer.finish(error, text);
        events.onFailed(transfer);
        draining.add(transfer);
        onSlotFree(transfer);
    }

    /**
     * A layer did not match, and what follows does not bring it again.
     */
    void failDamaged(final InboundTransfer transfer)
    {
        fail(transfer, KvError.CHECKSUM_MISMATCH, transfer.layers, transfer.layersLanded(), "layer " +
            transfer.damagedLayer() + " is damaged and the stream holds no repeat of it");
    }

    /**
     * A stream that nobody answers cannot go on: give up what it has committed and not made whole.
     */
    void failPassedOver()
    {
        for (int i = active.size() - 1; i >= 0; i--)
        {
            final InboundTransfer transfer = active.get(i);
            if (!transfer.isAnswered && transfer.isCommitPassedOver &&
                InboundTransfer.NO_LAYER != transfer.damagedLayer())
            {
                failDamaged(transfer);
            }
        }
    }

    /**
     * A committed layer becomes visible when no copy of it is in flight.
     */
    void land(final InboundTransfer transfer, final int layer)
    {
        if (transfer.isCommitted[layer] && !transfer.isLanded[layer] && 0 == transfer.copiesInFlight[layer])
        {
            transfer.onLanded(layer);
            if (transfer.isAnswered)
            {
                transfer.creditLimit = transfer.landedBytes + ctx.creditWindowBytes();
                writer.layerAck(transfer, layer);
            }
            events.onLayer(transfer, layer);
            complete(transfer);
        }
    }

    /**
     * Complete a transfer when its commit was seen and all its layers landed.
     */
    void complete(final InboundTransfer transfer)
    {
        if (!transfer.hasArrived() || transfer.layersLanded() < transfer.layers)
        {
            return;
        }

        if (transfer.isAnswered)
        {
            writer.transferAck(transfer.transferId(), transfer.commitBytes, transfer.checksum, transfer.retries);
        }
        remove(transfer, KvError.NONE);
        transfer.finish(KvError.NONE, null);
        events.onComplete(transfer, clock.nanoTime());
    }

    public void onCopied(final InboundTransfer transfer, final int layer, final int length)
    {
        if (transfer.state().isTerminal())
        {
            return;
        }

        transfer.landedBytes += length;
        land(transfer, layer);
        granting.credit(transfer);
    }

    public void onCopyFailed(final InboundTransfer transfer, final String text)
    {
        if (!transfer.state().isTerminal())
        {
            fail(transfer, KvError.DEVICE_ERROR, 0, 0, text);
        }
    }

    public void onSlotFree(final InboundTransfer transfer)
    {
        if (0 == transfer.slotsInFlight && draining.remove(transfer) && transfer.isGranted())
        {
            try
            {
                ctx.allocator().release(transfer.info(), transfer.blocks());
            }
            catch (final RuntimeException ex)
            {
                ctx.errorHandler().onError(ex);
            }
        }
    }

    private void remove(final InboundTransfer transfer, final KvError error)
    {
        active.remove(transfer);
        activeById.remove(transfer.transferId());
        recent.add(transfer.transferId(), error, transfer.checksum);
    }

    private int check(final long nowNs)
    {
        int workCount = 0;
        for (int i = active.size() - 1; i >= 0; i--)
        {
            workCount += watch.check(active.get(i), nowNs);
        }
        return workCount;
    }
}
