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
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

import io.millrace.bridge.KvCounters;
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvPriority;
import io.millrace.bridge.KvSender;
import io.millrace.bridge.KvTransfer;
import io.millrace.bridge.KvTransferRequest;
import org.agrona.CloseHelper;
import org.agrona.collections.Long2ObjectHashMap;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.NanoClock;

/**
 * Duty cycle of a {@link KvSender}: takes submissions, keeps the connection, listens to the receiver, and gives each
 * transfer in flight its turn.
 */
public final class SenderAgent implements Agent
{
    private static final long WAITING_CHECK_INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long CLOSE_TIMEOUT_NS = TimeUnit.MILLISECONDS.toNanos(200);

    private final KvSender.Context ctx;
    private final NanoClock clock;
    private final SenderLink link;
    private final ReverseReader reverseReader;
    private final LayerPublisher publisher;
    private final KvCounters counters;
    private final Submissions submissions;
    private final WaitingTransfers waiting = new WaitingTransfers();
    private final ArrayList<OutboundTransfer> active = new ArrayList<>();
    private final Long2ObjectHashMap<OutboundTransfer> activeById = new Long2ObjectHashMap<>();
    private final WaitingTransfers.Filter expiry = this::isExpired;
    private final Consumer<OutboundTransfer> enqueueing = waiting::add;
    private final int maxActive;
    private TransferPump pump;
    private TransferEnding ending;
    private long waitingCheckNs;
    private int turn;
    private String versionText;

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
        final SplittableRandom random = new SplittableRandom(ThreadLocalRandom.current().nextLong());
        submissions = new Submissions(ctx, random.nextLong());
        reverseReader = new ReverseReader(this, counters);
        link = new SenderLink(ctx, random.nextLong(1, Long.MAX_VALUE), this::onGone);
        try
        {
            publisher = LayerPublisher.of(ctx, link.writer);
        }
        catch (final RuntimeException ex)
        {
            link.close();
            throw ex;
        }
        maxActive = Math.min(ctx.maxInFlight(), publisher.maxTransfers());
        waitingCheckNs = clock.nanoTime();
    }

    /**
     * Queue a transfer, from any thread.
     *
     * @param request of what to send.
     * @return its handle.
     */
    public KvTransfer submit(final KvTransferRequest request)
    {
        return submissions.submit(request);
    }

    /**
     * Queue transfers, all or none, from any thread.
     *
     * @param requests of what to send.
     * @return their handles.
     */
    public List<KvTransfer> submit(final List<KvTransferRequest> requests)
    {
        return submissions.submit(requests);
    }

    /**
     * Has a receiver answered on the current connection.
     *
     * @return true when transfers can flow.
     */
    public boolean isConnected()
    {
        return link.isConnected();
    }

    public void onStart()
    {
        publisher.onStart();
        ending = new TransferEnding(ctx, link.writer, publisher);
        pump = new TransferPump(ctx, link.writer, publisher, link.peers, ending);
    }

    public int doWork()
    {
        final long nowNs = clock.nanoTime();
        int workCount = submissions.drain(enqueueing);
        try
        {
            workCount += link.poll(nowNs, reverseReader);
            workCount += admit(nowNs);
        }
        finally
        {
            // Whatever the link throws: transfers in flight keep their deadlines.
            workCount += advance(nowNs);
        }
        return workCount;
    }

    public String roleName()
    {
        return "kv-sender-" + ctx.streamId();
    }

    public void onClose()
    {
        submissions.close();
        final long deadlineNs = clock.nanoTime() + CLOSE_TIMEOUT_NS;
        for (int i = 0; i < active.size(); i++)
        {
            ending.end(active.get(i), KvError.SHUTDOWN, "sender was closed", clock.nanoTime());
        }
        try
        {
            while (!active.isEmpty() && clock.nanoTime() - deadlineNs < 0)
            {
                advance(clock.nanoTime());
                Thread.onSpinWait();
            }
        }
        catch (final RuntimeException ex)
        {
            ctx.errorHandler().onError(ex);
        }
        // Before the transfers are reported ended: their users may free the blocks then.
        publisher.awaitCopies();
        for (int i = active.size() - 1; i >= 0; i--)
        {
            remove(i);
        }
        submissions.drain(enqueueing);
        while (!waiting.isEmpty())
        {
            finish(waiting.poll(), KvError.SHUTDOWN, "sender was closed");
        }
        link.close();
        CloseHelper.close(ctx.errorHandler(), publisher);
    }

    void onHelloAck(final long id, final Peer peer, final KvError error, final String text)
    {
        if (!link.isFor(id))
        {
            return;
        }
        if (KvError.NONE == error)
        {
            versionText = null;
            link.onAnswer(peer, clock.nanoTime());
        }
        else if (0 == link.peers.size())
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

    void end(
        final OutboundTransfer transfer, final Destination destination, final KvError error, final String text)
    {
        ending.endDestination(transfer, destination, error, text, clock.nanoTime());
    }

    /**
     * What a receiver said cannot be: it is told so.
     */
    void expel(
        final OutboundTransfer transfer, final Destination destination, final KvError error, final String text)
    {
        ending.expel(transfer, destination, error, text, clock.nanoTime());
    }

    void onGone(final OutboundTransfer transfer, final Destination destination, final String text)
    {
        ending.onGone(transfer, destination, text, clock.nanoTime());
    }

    void onCancel(
        final OutboundTransfer transfer, final Destination destination, final KvError error, final String text)
    {
        ending.onCancel(transfer, destination, error, text, clock.nanoTime());
    }

    private void onGone(final Peer peer, final String text, final long nowNs)
    {
        for (int i = 0; i < active.size(); i++)
        {
            final OutboundTransfer transfer = active.get(i);
            final Destination destination = null == peer ? null : transfer.receivers().find(peer.sessionId());
            if (null == peer)
            {
                ending.end(transfer, KvError.PEER_GONE, text, nowNs);
            }
            else if (null != destination && !destination.isEnded() && !destination.isLost)
            {
                ending.onGone(transfer, destination, text, nowNs);
            }
        }
    }

    private int admit(final long nowNs)
    {
        int workCount = 0;
        if (nowNs - waitingCheckNs >= 0 && !waiting.isEmpty())
        {
            waitingCheckNs = nowNs + WAITING_CHECK_INTERVAL_NS;
            workCount += waiting.remove(expiry, nowNs);
        }
        while (link.isConnected() && active.size() < maxActive && !waiting.isEmpty())
        {
            final OutboundTransfer transfer = waiting.poll();
            active.add(transfer);
            activeById.put(transfer.transferId(), transfer);
            workCount++;
        }
        return workCount;
    }

    private boolean isExpired(final OutboundTransfer transfer, final long nowNs)
    {
        if (transfer.isCancelRequested())
        {
            finish(transfer, KvError.CANCELED, "canceled before it began");
            return true;
        }
        if (nowNs - transfer.deadlineNs >= 0)
        {
            finish(transfer, KvError.DEADLINE, "not begun within " + transfer.timeoutNs + " ns: " +
                (link.isConnected() ? active.size() + " others are in flight, maxInFlight=" + maxActive :
                null != versionText ? versionText : link.disconnection()));
            return true;
        }
        return false;
    }

    private int advance(final long nowNs)
    {
        final int count = active.size();
        int workCount = 0;
        if (count > 0)
        {
            final int round = turn++;
            int weights = 0;
            for (int i = 0; i < count; i++)
            {
                weights += active.get(i).priority.weight();
            }
            for (int place = 0; place < Turns.count(); place++)
            {
                final KvPriority priority = Turns.at(round, place);
                for (int i = 0; i < count; i++)
                {
                    final OutboundTransfer transfer = active.get(Turns.rotate(round, i, count));
                    if (priority == transfer.priority)
                    {
                        workCount += advance(transfer, weights, nowNs);
                    }
                }
            }
            for (int i = count - 1; i >= 0; i--)
            {
                if (ending.isEnded(active.get(i), nowNs))
                {
                    remove(i);
                    workCount++;
                }
            }
        }

        publisher.poll();
        return workCount;
    }

    /**
     * What fails for one transfer ends that one: the others go on.
     */
    private int advance(final OutboundTransfer transfer, final int weights, final long nowNs)
    {
        try
        {
            return pump.publish(transfer, nowNs) + publisher.prepare(transfer, weights, nowNs);
        }
        catch (final RuntimeException ex)
        {
            ending.onException(transfer, ex, nowNs);
            return 1;
        }
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
        submissions.onEnd();
        transfer.finish(error, text);
    }
}
