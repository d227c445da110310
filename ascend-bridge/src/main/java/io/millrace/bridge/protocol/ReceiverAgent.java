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
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

import io.aeron.ExclusivePublication;
import io.aeron.Subscription;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvCounters;
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvException;
import io.millrace.bridge.KvReceiver;
import io.millrace.bridge.KvSource;
import io.millrace.bridge.KvTransferStats;
import io.millrace.bridge.device.KvCopyQueue;
import io.millrace.bridge.staging.StagingPool;
import org.agrona.CloseHelper;
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
    private static final int CREDIT_STEPS = 4;

    final KvReceiver.Context ctx;
    final NanoClock clock;
    final KvCounters counters;
    final ReverseWriter writer;
    final RecentTransfers recent = new RecentTransfers(RECENT_CAPACITY);
    final long receiverId = ThreadLocalRandom.current().nextLong(1, Long.MAX_VALUE);
    Landing landing;
    private final Subscription subscription;
    private final ExclusivePublication reversePublication;
    private final KvSource source;
    private final ForwardReader reader;
    private final StagingPool pool;
    private final Long2ObjectHashMap<InboundTransfer> activeById = new Long2ObjectHashMap<>();
    private final ArrayList<InboundTransfer> active = new ArrayList<>();
    private final ArrayList<InboundTransfer> draining = new ArrayList<>();
    private KvCopyQueue copyQueue;
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
        subscription = null == ctx.source() ? ctx.aeron().addSubscription(ctx.channel(), ctx.streamId()) : null;
        source = null == ctx.source() ? subscription::controlledPoll : ctx.source();
        try
        {
            reversePublication = ctx.replay() ? null :
                ctx.aeron().addExclusivePublication(ctx.reverseChannel(), ctx.reverseStreamId());
            pool = new StagingPool(ctx.device(), ctx.slabs(), ctx.staging(), counters);
        }
        catch (final RuntimeException ex)
        {
            CloseHelper.close(subscription);
            throw ex;
        }
        writer = new ReverseWriter(reversePublication);
        reader = new ForwardReader(this);
        checkNs = clock.nanoTime();
    }

    public void onStart()
    {
        copyQueue = ctx.device().openQueue(counters);
        landing = new Landing(ctx, pool, copyQueue, this);
    }

    public int doWork()
    {
        final long nowNs = clock.nanoTime();
        int workCount = writer.drain() + landing.poll(nowNs);
        if (writer.hasRoom())
        {
            final int fragments = source.controlledPoll(reader, ctx.fragmentLimit());
            workCount += fragments;
            if (0 == fragments)
            {
                workCount += landing.flushAll(nowNs);
            }
        }
        if (waitingForBlocks > 0 || nowNs - checkNs >= 0)
        {
            checkNs = nowNs + CHECK_INTERVAL_NS;
            workCount += check(nowNs);
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

        final long deadlineNs = clock.nanoTime() + CLOSE_TIMEOUT_NS;
        while (null != landing && clock.nanoTime() - deadlineNs < 0 && landing.poll(clock.nanoTime()) +
            writer.drain() >= 0 && !landing.isIdle())
        {
            Thread.onSpinWait();
        }
        CloseHelper.closeAll(ctx.errorHandler(), subscription, reversePublication);
        try
        {
            if (null != copyQueue)
            {
                copyQueue.close();
                landing.poll(clock.nanoTime());
            }
            pool.close();
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
        waitingForBlocks++;
    }

    /**
     * Ask the allocator for the blocks of a transfer and grant them.
     *
     * @return false when it has none now.
     */
    boolean allocate(final InboundTransfer transfer)
    {
        final KvBlocks blocks;
        try
        {
            blocks = ctx.allocator().allocate(transfer.info());
        }
        catch (final KvException ex)
        {
            fail(transfer, ex.error(), transfer.info().blockCount(), 0, ex.getMessage());
            return true;
        }
        catch (final RuntimeException ex)
        {
            ctx.errorHandler().onError(ex);
            fail(transfer, KvError.NO_BLOCKS, transfer.info().blockCount(), 0, "allocator failed: " + ex);
            return true;
        }
        if (null == blocks)
        {
            return false;
        }

        waitingForBlocks--;
        transfer.grant(blocks);
        final int granted = blocks.blockCount();
        if (granted < transfer.info().blockCount())
        {
            fail(transfer, KvError.NO_BLOCKS, transfer.info().blockCount(), granted, "allocator granted " + granted +
                " of " + transfer.info().blockCount() + " blocks");
            return true;
        }

        transfer.creditLimit = transfer.isAnswered ? ctx.creditWindowBytes() : Long.MAX_VALUE;
        if (transfer.isAnswered)
        {
            writer.allocate(transfer.transferId(), granted, transfer.creditLimit);
        }
        try
        {
            ctx.listener().onTransferBegin(transfer);
        }
        catch (final RuntimeException ex)
        {
            ctx.errorHandler().onError(ex);
        }
        return true;
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

        remove(transfer);
        landing.discard(transfer);
        transfer.finish(error, text);
        counters.increment(KvCounters.Kind.TRANSFERS_FAILED);
        try
        {
            ctx.listener().onTransferFailed(transfer.transferId(), transfer.info().requestId(), error, text);
        }
        catch (final RuntimeException ex)
        {
            ctx.errorHandler().onError(ex);
        }
        draining.add(transfer);
        onSlotFree(transfer);
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
                writer.layerAck(transfer.transferId(), layer, transfer.layersLanded(), transfer.creditLimit);
            }
            try
            {
                ctx.listener().onLayer(transfer, layer);
            }
            catch (final RuntimeException ex)
            {
                ctx.errorHandler().onError(ex);
            }
            complete(transfer);
        }
    }

    /**
     * Complete a transfer when its commit was seen and all its layers landed.
     */
    void complete(final InboundTransfer transfer)
    {
        if (!transfer.isCommitSeen || transfer.layersLanded() < transfer.layers)
        {
            return;
        }

        if (transfer.isAnswered)
        {
            writer.transferAck(
                transfer.transferId(), transfer.info().totalBytes(), transfer.checksum, transfer.retries);
        }
        remove(transfer);
        transfer.finish(KvError.NONE, null);
        counters.increment(KvCounters.Kind.TRANSFERS_COMPLETED);
        try
        {
            ctx.listener().onTransferComplete(transfer.transferId(), transfer.info().requestId(), new KvTransferStats(
                transfer.info().totalBytes(), transfer.chunks, transfer.duplicates, transfer.retries,
                clock.nanoTime() - transfer.beginNs, transfer));
        }
        catch (final RuntimeException ex)
        {
            ctx.errorHandler().onError(ex);
        }
    }

    /**
     * Drop a message that belongs to no transfer in flight.
     */
    void refuse(final long transferId, final KvError error, final String text)
    {
        counters.increment(KvCounters.Kind.REJECTS);
        try
        {
            ctx.listener().onRefused(transferId, error, text);
        }
        catch (final RuntimeException ex)
        {
            ctx.errorHandler().onError(ex);
        }
    }

    public void onCopied(final InboundTransfer transfer, final int layer, final int length)
    {
        if (transfer.state().isTerminal())
        {
            return;
        }

        transfer.landedBytes += length;
        land(transfer, layer);
        credit(transfer);
    }

    /**
     * Tell the sender of new credit when there is enough of it.
     */
    void credit(final InboundTransfer transfer)
    {
        final long creditLimit = transfer.landedBytes + ctx.creditWindowBytes();
        if (transfer.isAnswered && !transfer.state().isTerminal() &&
            creditLimit - transfer.creditLimit >= ctx.creditWindowBytes() / CREDIT_STEPS)
        {
            transfer.creditLimit = creditLimit;
            writer.credit(transfer.transferId(), creditLimit);
        }
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

    private void remove(final InboundTransfer transfer)
    {
        active.remove(transfer);
        activeById.remove(transfer.transferId());
        recent.add(transfer.transferId());
    }

    private int check(final long nowNs)
    {
        int workCount = 0;
        for (int i = active.size() - 1; i >= 0; i--)
        {
            final InboundTransfer transfer = active.get(i);
            if (transfer.isCancelRequested())
            {
                fail(transfer, KvError.CANCELED, 0, 0, "canceled by the receiver's user");
                workCount++;
            }
            else if (nowNs - transfer.deadlineNs >= 0)
            {
                fail(transfer, transfer.isGranted() ? KvError.DEADLINE : KvError.NO_BLOCKS, transfer.timeoutNs,
                    nowNs - transfer.beginNs, (transfer.isGranted() ? "landed " + transfer.layersLanded() + " of " +
                    transfer.layers + " layers" : "allocator found no " + transfer.info().blockCount() + " blocks") +
                    " within " + transfer.timeoutNs + " ns");
                workCount++;
            }
            else if (null != transfer.image && transfer.image.isClosed() && !transfer.isCommitSeen)
            {
                fail(transfer, KvError.PEER_GONE, transfer.info().totalBytes(), transfer.receivedBytes,
                    "stream of session " + transfer.info().sessionId() + " ended after " + transfer.receivedBytes +
                    " of " + transfer.info().totalBytes() + " bytes");
                workCount++;
            }
            else if (transfer.isAnswered && !transfer.isGranted() && allocate(transfer))
            {
                workCount++;
            }
        }
        return workCount;
    }
}
