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
package io.millrace.archive;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

import io.aeron.logbuffer.ControlledFragmentHandler;
import io.millrace.bridge.KvBlockAllocator;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvInboundTransfer;
import io.millrace.bridge.KvReceiverListener;
import io.millrace.bridge.KvSource;
import io.millrace.bridge.KvTransferInfo;
import io.millrace.bridge.KvTransferStats;
import org.agrona.SystemUtil;
import org.agrona.collections.IntArrayList;
import org.agrona.collections.Long2ObjectHashMap;
import org.agrona.concurrent.ManyToOneConcurrentLinkedQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Feeds a receiver, on its agent, from the replays of a fetch, and keeps account of the blocks.
 */
final class FetchFeed implements KvSource, KvReceiverListener, KvBlockAllocator
{
    private static final Logger LOGGER = LoggerFactory.getLogger(FetchFeed.class);
    private static final long CHECK_INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(10);

    private final ArchiveSession session;
    private final KvBlocks destination;
    private final KvReceiverListener listener;
    private final Semaphore replays;
    private final long timeoutNs;
    private final long startNs = System.nanoTime();
    private final ManyToOneConcurrentLinkedQueue<FetchReplay> opened = new ManyToOneConcurrentLinkedQueue<>();
    private final List<FetchReplay> waiting = new ArrayList<>();
    private final List<FetchReplay> active = new ArrayList<>();
    private final Long2ObjectHashMap<FetchReplay.Pending> pendingById = new Long2ObjectHashMap<>();
    private final ReplayErrors errors = new ReplayErrors();
    private final IntArrayList landed = new IntArrayList();
    private final IntArrayList failed = new IntArrayList();
    private final CompletableFuture<KvReplayState> future = new CompletableFuture<>();
    private int replaysLeft;
    private int failures;
    private long checkNs = startNs;
    private volatile String errorText;
    private volatile KvReplayState state = KvReplayState.RUNNING;
    private KvReplayState outcome;

    FetchFeed(
        final ArchiveSession session,
        final KvFetchPlan plan,
        final KvBlocks destination,
        final KvReceiverListener listener,
        final int maxReplays,
        final long timeoutNs)
    {
        this.session = session;
        this.destination = destination;
        this.listener = listener;
        this.timeoutNs = timeoutNs;
        replays = new Semaphore(maxReplays);
        long id = ThreadLocalRandom.current().nextLong(1, Long.MAX_VALUE / 2);
        for (final FetchRange range : plan.ranges())
        {
            final FetchReplay replay = new FetchReplay(this, range);
            for (final FetchTransfer transfer : range.transfers())
            {
                pendingById.put(id, replay.add(transfer, id));
                id++;
            }
            waiting.add(replay);
        }
        replaysLeft = waiting.size();
    }

    /**
     * Open replays, as many at a time as are allowed, until all were or the fetch ended. Runs on a thread of its own,
     * since the archive's answers are waited for.
     */
    void openReplays(final KvArchive.Context ctx, final FrameGuard frames)
    {
        try
        {
            for (final FetchReplay replay : waiting)
            {
                if (!replays.tryAcquire(timeoutNs, TimeUnit.NANOSECONDS) || KvReplayState.RUNNING != state)
                {
                    return;
                }
                replay.open(session, ctx, frames, () -> KvReplayState.RUNNING != state, timeoutNs);
                opened.add(replay);
            }
        }
        catch (final InterruptedException ex)
        {
            Thread.currentThread().interrupt();
        }
    }

    public int controlledPoll(final ControlledFragmentHandler handler, final int fragmentLimit)
    {
        if (KvReplayState.RUNNING != state)
        {
            return 0;
        }
        for (FetchReplay replay = opened.poll(); null != replay; replay = opened.poll())
        {
            active.add(replay);
        }
        if (null != outcome)
        {
            active.forEach(replay -> replay.fail(errorText));
        }

        int fragments = 0;
        for (int i = active.size() - 1; i >= 0; i--)
        {
            fragments += active.get(i).poll(handler, fragmentLimit);
        }
        final long nowNs = System.nanoTime();
        if (nowNs - checkNs >= 0)
        {
            checkNs = nowNs + CHECK_INTERVAL_NS;
            check(nowNs);
        }
        for (int i = active.size() - 1; i >= 0; i--)
        {
            if (active.get(i).isEnded())
            {
                end(active.remove(i));
            }
        }
        if ((0 == replaysLeft || null != outcome) && active.isEmpty() && pendingById.isEmpty())
        {
            finish(failed.isEmpty() ? KvReplayState.COMPLETED : null == outcome ? KvReplayState.FAILED : outcome);
        }
        return fragments;
    }

    public KvBlocks allocate(final KvTransferInfo info)
    {
        return FetchTransfer.select(destination, pendingById.get(info.transferId()).cut.targets);
    }

    void onCommitted(final long transferId)
    {
        final FetchReplay.Pending pending = pendingById.get(transferId);
        if (null != pending && null != pending.transfer)
        {
            pending.isCommitted = pending.transfer.hasArrived();
        }
    }

    public void onTransferBegin(final KvInboundTransfer transfer)
    {
        pendingById.get(transfer.info().transferId()).transfer = transfer;
        listener.onTransferBegin(transfer);
    }

    public void onLayer(final KvInboundTransfer transfer, final int layer)
    {
        listener.onLayer(transfer, layer);
    }

    public void onTransferComplete(final long transferId, final long requestId, final KvTransferStats stats)
    {
        final FetchReplay.Pending pending = pendingById.remove(transferId);
        if (null != pending)
        {
            add(landed, pending);
        }
        listener.onTransferComplete(transferId, requestId, stats);
    }

    public void onTransferFailed(
        final long transferId, final long requestId, final KvError reason, final String text)
    {
        fail(transferId, reason + " " + text);
        listener.onTransferFailed(transferId, requestId, reason, text);
    }

    public void onRefused(final long transferId, final KvError reason, final String text)
    {
        listener.onRefused(transferId, reason, text);
    }

    /**
     * Cancel unless ended. The receiver must not run any more.
     */
    void cancel()
    {
        if (KvReplayState.RUNNING == state)
        {
            active.forEach(FetchReplay::close);
            finish(KvReplayState.CANCELED);
        }
    }

    /**
     * Close what was opened and nobody waits for any more.
     */
    void closeOpened()
    {
        for (FetchReplay replay = opened.poll(); null != replay; replay = opened.poll())
        {
            replay.close();
        }
    }

    KvReplayState state()
    {
        return state;
    }

    String errorText()
    {
        return errorText;
    }

    int[] landed()
    {
        synchronized (landed)
        {
            return landed.intStream().sorted().toArray();
        }
    }

    int[] failed()
    {
        synchronized (failed)
        {
            return failed.intStream().sorted().toArray();
        }
    }

    CompletableFuture<KvReplayState> future()
    {
        return future;
    }

    private void check(final long nowNs)
    {
        if (nowNs - startNs >= timeoutNs && null == outcome)
        {
            outcome = KvReplayState.TIMEOUT;
            errorText = "not consumed within " + SystemUtil.formatDuration(timeoutNs) +
                ": see whether the receiver has staging, and whether the archive answers, or allow more time";
            new ArrayList<>(pendingById.values()).stream().filter(pending -> null == pending.transfer)
                .forEach(pending -> fail(pending.cut.newId, errorText));
        }
        check(active, session, errors, nowNs);
    }

    /**
     * See which replays broke off. All that the archive told is taken first: the first check that sees it may be the
     * last one of each replay, where this thread stood still.
     */
    static void check(
        final List<FetchReplay> replays, final ArchiveSession session, final ReplayErrors errors, final long nowNs)
    {
        errors.poll(session);
        final boolean isGone = !session.isConnected();
        replays.forEach(replay -> replay.check(nowNs, errors, isGone));
    }

    private void end(final FetchReplay replay)
    {
        replay.close();
        replays.release();
        replaysLeft--;
        for (final FetchReplay.Pending pending : replay.pending())
        {
            if (null == pending.transfer && pendingById.containsKey(pending.cut.newId))
            {
                fail(pending.cut.newId, null == replay.failure() ? "it is not in its range" : replay.failure());
            }
        }
        if (null != replay.failure())
        {
            // The receiver only saw the stream end; this is why it did.
            errorText = 0 == failures++ ? replay.failure() : errorText;
            LOGGER.debug("fetch: {}", replay.failure());
        }
    }

    private void fail(final long transferId, final String text)
    {
        final FetchReplay.Pending pending = pendingById.remove(transferId);
        if (null != pending)
        {
            add(failed, pending);
            errorText = null == errorText ? text : errorText;
        }
    }

    private static void add(final IntArrayList list, final FetchReplay.Pending pending)
    {
        pending.isDone = true;
        synchronized (list)
        {
            for (final int target : pending.cut.targets)
            {
                list.addInt(target);
            }
        }
    }

    private void finish(final KvReplayState newState)
    {
        if (failures > 0)
        {
            LOGGER.warn("fetch: {} of {} ranges failed, the first: {}", failures, waiting.size(), errorText);
        }
        state = newState;
        replays.release();
        future.complete(newState);
    }
}
