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

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.SplittableRandom;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

import io.aeron.ExclusivePublication;
import io.aeron.Subscription;
import io.millrace.bridge.KvCounters;
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvException;
import io.millrace.bridge.KvSender;
import io.millrace.bridge.KvTransfer;
import io.millrace.bridge.KvTransferRequest;
import io.millrace.bridge.device.KvCopyQueue;
import io.millrace.bridge.staging.StagingPool;
import io.millrace.bridge.staging.StagingSlot;
import org.agrona.CloseHelper;
import org.agrona.collections.Long2ObjectHashMap;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.ManyToOneConcurrentArrayQueue;
import org.agrona.concurrent.NanoClock;

/**
 * Duty cycle of a {@link KvSender}: takes submissions, keeps the connection, listens to the receiver, and gives each
 * transfer in flight its turn.
 */
public final class SenderAgent implements Agent
{
    private static final long WAITING_CHECK_INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long CLOSE_TIMEOUT_NS = TimeUnit.MILLISECONDS.toNanos(200);
    private static final int REVERSE_FRAGMENT_LIMIT = 32;

    private final KvSender.Context ctx;
    private final NanoClock clock;
    private final ExclusivePublication publication;
    private final Subscription reverseSubscription;
    private final ReverseReader reverseReader;
    private final ForwardWriter writer;
    private final StagingPool pool;
    private final KvCounters counters;
    private final ManyToOneConcurrentArrayQueue<OutboundTransfer> submissions;
    private final ArrayDeque<OutboundTransfer> waiting = new ArrayDeque<>();
    private final ArrayList<OutboundTransfer> active = new ArrayList<>();
    private final Long2ObjectHashMap<OutboundTransfer> activeById = new Long2ObjectHashMap<>();
    private final AtomicInteger pendingCount = new AtomicInteger();
    private final AtomicLong nextTransferId = new AtomicLong(ThreadLocalRandom.current().nextLong());
    private final long senderId;
    private final int maxActive;
    private KvCopyQueue copyQueue;
    private TransferPump pump;
    private long helloDeadlineNs;
    private long waitingCheckNs;
    private int turn;
    private String versionText;
    private volatile boolean isConnected;
    private volatile boolean isClosed;

    /**
     * Add publication and subscription.
     *
     * @param ctx concluded.
     */
    public SenderAgent(final KvSender.Context ctx)
    {
        this.ctx = ctx;
        clock = ctx.nanoClock();
        counters = ctx.counters();
        senderId = new SplittableRandom(nextTransferId.get()).nextLong(1, Long.MAX_VALUE);
        submissions = new ManyToOneConcurrentArrayQueue<>(Math.max(2, ctx.maxPending()));
        publication = ctx.aeron().addExclusivePublication(ctx.channel(), ctx.streamId());
        try
        {
            writer = new ForwardWriter(publication);
            reverseSubscription = ctx.unacknowledged() ? null :
                ctx.aeron().addSubscription(ctx.reverseChannel(), ctx.reverseStreamId());
            reverseReader = new ReverseReader(this, counters);
            pool = new StagingPool(ctx.device(), ctx.slabs(), ctx.staging(), counters);
        }
        catch (final RuntimeException ex)
        {
            publication.close();
            throw ex;
        }
        maxActive = Math.min(ctx.maxInFlight(), ctx.staging().slots());
        helloDeadlineNs = clock.nanoTime();
        waitingCheckNs = helloDeadlineNs;
    }

    /**
     * Queue a transfer, from any thread.
     *
     * @param request of what to send.
     * @return its handle.
     */
    public KvTransfer submit(final KvTransferRequest request)
    {
        request.validate();
        LayerPlanner.checkBlocks(ctx.device(), request.layout(), request.blocks());
        if (isClosed)
        {
            throw new KvException(KvError.SHUTDOWN, "sender is closed");
        }
        if (pendingCount.incrementAndGet() > ctx.maxPending())
        {
            pendingCount.decrementAndGet();
            throw new KvException(KvError.QUEUE_FULL, "maxPending=" + ctx.maxPending() +
                " transfers have not ended: wait for some of them, or raise maxPending");
        }

        long id = nextTransferId.getAndIncrement();
        id = 0 == id ? nextTransferId.getAndIncrement() : id;
        final OutboundTransfer transfer = new OutboundTransfer(id, request, ctx.staging().slots(), clock);
        if (!submissions.offer(transfer))
        {
            pendingCount.decrementAndGet();
            throw new KvException(KvError.QUEUE_FULL, "submission queue of " + submissions.capacity() +
                " has no room: submit again later, or raise maxPending");
        }
        if (isClosed)
        {
            // The agent may have emptied the queue before this offer: nobody else would end the transfer.
            failSubmissions();
        }
        return transfer;
    }

    /**
     * Has a receiver answered on the current connection.
     *
     * @return true when transfers can flow.
     */
    public boolean isConnected()
    {
        return isConnected;
    }

    public void onStart()
    {
        copyQueue = ctx.device().openQueue(counters);
        pump = new TransferPump(ctx, writer, pool, copyQueue);
    }

    public int doWork()
    {
        final long nowNs = clock.nanoTime();
        int workCount = submissions.drainTo(waiting, Integer.MAX_VALUE);

        workCount += connect(nowNs);
        if (null != reverseSubscription)
        {
            workCount += reverseSubscription.poll(reverseReader, REVERSE_FRAGMENT_LIMIT);
        }
        workCount += admit(nowNs);
        workCount += advance(nowNs);
        return workCount;
    }

    public String roleName()
    {
        return "kv-sender-" + ctx.streamId();
    }

    public void onClose()
    {
        isClosed = true;
        final long deadlineNs = clock.nanoTime() + CLOSE_TIMEOUT_NS;
        for (int i = 0; i < active.size(); i++)
        {
            pump.end(active.get(i), KvError.SHUTDOWN, "sender was closed", clock.nanoTime());
        }
        while (!active.isEmpty() && clock.nanoTime() - deadlineNs < 0)
        {
            advance(clock.nanoTime());
            Thread.onSpinWait();
        }
        // Before the transfers are reported ended: their users may free the blocks then.
        final boolean isQueueClosed = closeQueue();
        for (int i = active.size() - 1; i >= 0; i--)
        {
            remove(i);
        }
        submissions.drainTo(waiting, Integer.MAX_VALUE);
        while (!waiting.isEmpty())
        {
            finish(waiting.poll(), KvError.SHUTDOWN, "sender was closed");
        }

        // Copies that still run keep their staging memory.
        CloseHelper.closeAll(ctx.errorHandler(), reverseSubscription, publication, isQueueClosed ? pool : null);
    }

    void onHelloAck(final long id, final KvError error, final String text)
    {
        if (senderId != id)
        {
            return;
        }
        if (KvError.NONE == error)
        {
            versionText = null;
            isConnected = true;
        }
        else
        {
            versionText = text;
            while (!waiting.isEmpty())
            {
                finish(waiting.poll(), error, text);
            }
        }
    }

    OutboundTransfer find(final long transferId)
    {
        return activeById.get(transferId);
    }

    void end(final OutboundTransfer transfer, final KvError error, final String text)
    {
        pump.end(transfer, error, text, clock.nanoTime());
    }

    void onCancel(final OutboundTransfer transfer, final KvError error, final String text)
    {
        pump.onCancel(transfer, error, text, clock.nanoTime());
    }

    /**
     * Wait for the copies in flight.
     *
     * @return false if some still run.
     */
    private boolean closeQueue()
    {
        try
        {
            CloseHelper.close(copyQueue);
            return true;
        }
        catch (final RuntimeException ex)
        {
            ctx.errorHandler().onError(ex);
            return false;
        }
    }

    private int connect(final long nowNs)
    {
        if (!publication.isConnected())
        {
            if (isConnected)
            {
                isConnected = false;
                helloDeadlineNs = nowNs;
                for (int i = 0; i < active.size(); i++)
                {
                    pump.end(active.get(i), KvError.PEER_GONE, "no subscriber is left on stream " + ctx.streamId() +
                        " of " + ctx.channel(), nowNs);
                }
            }
            return 0;
        }
        if (isConnected)
        {
            return 0;
        }
        if (ctx.unacknowledged())
        {
            isConnected = true;
            return 1;
        }
        if (nowNs - helloDeadlineNs >= 0 && writer.hello(senderId))
        {
            helloDeadlineNs = nowNs + ctx.helloIntervalNs();
            return 1;
        }
        return 0;
    }

    private int admit(final long nowNs)
    {
        int workCount = 0;
        if (nowNs - waitingCheckNs >= 0 && !waiting.isEmpty())
        {
            waitingCheckNs = nowNs + WAITING_CHECK_INTERVAL_NS;
            workCount += expireWaiting(nowNs);
        }
        while (isConnected && active.size() < maxActive && !waiting.isEmpty())
        {
            final OutboundTransfer transfer = waiting.poll();
            active.add(transfer);
            activeById.put(transfer.transferId(), transfer);
            workCount++;
        }
        return workCount;
    }

    private int expireWaiting(final long nowNs)
    {
        int workCount = 0;
        for (int i = waiting.size(); i > 0; i--)
        {
            final OutboundTransfer transfer = waiting.poll();
            if (transfer.isCancelRequested())
            {
                finish(transfer, KvError.CANCELED, "canceled before it began");
                workCount++;
            }
            else if (nowNs - transfer.deadlineNs >= 0)
            {
                finish(transfer, KvError.DEADLINE, "not begun within " + transfer.timeoutNs + " ns: " +
                    (isConnected ? active.size() + " others are in flight, maxInFlight=" + maxActive :
                    null != versionText ? versionText :
                    "no receiver answers on stream " + ctx.streamId() + " of " + ctx.channel()));
                workCount++;
            }
            else
            {
                waiting.add(transfer);
            }
        }
        return workCount;
    }

    private int advance(final long nowNs)
    {
        final int count = active.size();
        int workCount = 0;
        if (count > 0)
        {
            turn = turn + 1 < count ? turn + 1 : 0;
            for (int i = 0; i < count; i++)
            {
                workCount += pump.publish(active.get((turn + i) % count), nowNs);
            }
            final int slotsEach = Math.max(1, pool.config().slots() / count);
            for (int i = 0; i < count; i++)
            {
                workCount += pump.copy(active.get((turn + i) % count), slotsEach, nowNs);
            }
            for (int i = count - 1; i >= 0; i--)
            {
                if (pump.isEnded(active.get(i), nowNs))
                {
                    remove(i);
                    workCount++;
                }
            }
        }

        StagingSlot slot = pool.pollQuarantine(copyQueue);
        while (null != slot)
        {
            pool.release(slot);
            slot = pool.pollQuarantine(copyQueue);
        }
        return workCount;
    }

    private void remove(final int index)
    {
        final OutboundTransfer transfer = active.get(index);
        final int last = active.size() - 1;
        active.set(index, active.get(last));
        active.remove(last);
        activeById.remove(transfer.transferId());
        finish(transfer, transfer.endError, transfer.endText);
    }

    private void finish(final OutboundTransfer transfer, final KvError error, final String text)
    {
        counters.increment(
            KvError.NONE == error ? KvCounters.Kind.TRANSFERS_COMPLETED : KvCounters.Kind.TRANSFERS_FAILED);
        pendingCount.decrementAndGet();
        transfer.finish(error, text);
    }

    private void failSubmissions()
    {
        OutboundTransfer transfer = submissions.poll();
        while (null != transfer)
        {
            transfer.finish(KvError.SHUTDOWN, "sender was closed");
            transfer = submissions.poll();
        }
    }
}
