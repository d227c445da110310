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

import java.util.Iterator;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

import io.millrace.bridge.KvError;
import io.millrace.bridge.KvException;
import io.millrace.bridge.KvFailurePolicy;
import io.millrace.bridge.KvFate;
import io.millrace.bridge.KvInboundTransfer;
import org.agrona.collections.Long2ObjectHashMap;
import org.agrona.concurrent.ManyToOneConcurrentArrayQueue;

/**
 * Requests that a receiver's user waits for, and the last fates that nobody waited for yet. Both are bounded.
 */
final class Fates
{
    private static final int MAX_EXPECTED = 1 << 16;
    private static final int MAX_UNCLAIMED = 1024;

    private static final class Expectation
    {
        final long requestId;
        final long deadlineNs;
        final long timeoutNs;
        final CompletableFuture<KvFate> future = new CompletableFuture<>();
        boolean isBegun;

        Expectation(final long requestId, final long timeoutNs, final long nowNs)
        {
            this.requestId = requestId;
            this.timeoutNs = timeoutNs;
            deadlineNs = nowNs + timeoutNs;
        }
    }

    private final ManyToOneConcurrentArrayQueue<Expectation> added =
        new ManyToOneConcurrentArrayQueue<>(MAX_EXPECTED);
    private final AtomicInteger count = new AtomicInteger();
    private final Long2ObjectHashMap<Expectation> expected = new Long2ObjectHashMap<>();
    private final Long2ObjectHashMap<KvFate> unclaimed = new Long2ObjectHashMap<>();
    private final long[] ring = new long[MAX_UNCLAIMED];
    private int unclaimedCount;
    private int next;
    private long expiryNs;
    private volatile boolean isClosed;

    /**
     * Wait for a request, from any thread.
     */
    CompletableFuture<KvFate> expect(final long requestId, final long timeoutNs, final long nowNs)
    {
        if (timeoutNs < 1)
        {
            throw new IllegalArgumentException("timeoutNs=" + timeoutNs + " must be over 0");
        }
        if (isClosed)
        {
            return CompletableFuture.completedFuture(shutdown(requestId));
        }
        if (count.incrementAndGet() > MAX_EXPECTED)
        {
            count.decrementAndGet();
            throw new KvException(KvError.QUEUE_FULL, MAX_EXPECTED + " requests are waited for: wait for some of them");
        }

        final Expectation expectation = new Expectation(requestId, timeoutNs, nowNs);
        while (!added.offer(expectation))
        {
            Thread.onSpinWait();
        }
        if (isClosed)
        {
            // The close may have emptied the queue before this offer.
            endAdded();
        }
        return expectation.future;
    }

    /**
     * Take in what was added and give up on what did not begin in time.
     *
     * @param active tells whether a transfer of a request is in flight.
     */
    int poll(final long nowNs, final Long2ObjectHashMap<? extends KvInboundTransfer> active)
    {
        int workCount = 0;
        Expectation expectation = added.poll();
        while (null != expectation)
        {
            enter(expectation, active);
            workCount++;
            expectation = added.poll();
        }
        if (!expected.isEmpty() && nowNs - expiryNs >= 0)
        {
            workCount += expire(nowNs);
        }
        return workCount;
    }

    void onBegin(final long requestId)
    {
        final Expectation expectation = expected.get(requestId);
        if (null != expectation)
        {
            expectation.isBegun = true;
        }
    }

    void onEnd(final KvFate fate)
    {
        final Expectation expectation = expected.remove(fate.requestId());
        if (null != expectation)
        {
            end(expectation, fate);
        }
        else
        {
            remember(fate);
        }
    }

    void close()
    {
        isClosed = true;
        endAdded();
        expected.values().forEach(each -> end(each, shutdown(each.requestId)));
        expected.clear();
    }

    private void endAdded()
    {
        for (Expectation each = pollClosed(); null != each; each = pollClosed())
        {
            end(each, shutdown(each.requestId));
        }
    }

    /**
     * The queue has one consumer, which is several threads' part once it is closed.
     */
    private Expectation pollClosed()
    {
        synchronized (added)
        {
            return added.poll();
        }
    }

    private void enter(final Expectation expectation, final Long2ObjectHashMap<? extends KvInboundTransfer> active)
    {
        final KvFate fate = unclaimed.remove(expectation.requestId);
        final Expectation other = null == fate ? expected.get(expectation.requestId) : null;
        if (null != fate)
        {
            end(expectation, fate);
        }
        else if (null != other)
        {
            other.future.thenAccept(each -> end(expectation, each));
        }
        else
        {
            for (final KvInboundTransfer transfer : active.values())
            {
                expectation.isBegun |= transfer.info().requestId() == expectation.requestId;
            }
            expiryNs = expected.isEmpty() || expectation.deadlineNs - expiryNs < 0 ? expectation.deadlineNs : expiryNs;
            expected.put(expectation.requestId, expectation);
        }
    }

    private int expire(final long nowNs)
    {
        int workCount = 0;
        long nextNs = nowNs + Long.MAX_VALUE / 2;
        final Iterator<Expectation> iterator = expected.values().iterator();
        while (iterator.hasNext())
        {
            final Expectation expectation = iterator.next();
            if (!expectation.isBegun && nowNs - expectation.deadlineNs >= 0)
            {
                iterator.remove();
                end(expectation, new KvFate(expectation.requestId, KvError.DEADLINE.terminalState(), KvError.DEADLINE,
                    "no transfer of request " + expectation.requestId + " began within " + expectation.timeoutNs +
                    " ns", KvFailurePolicy.FAIL, null));
                workCount++;
            }
            else if (!expectation.isBegun && expectation.deadlineNs - nextNs < 0)
            {
                nextNs = expectation.deadlineNs;
            }
        }
        expiryNs = nextNs;
        return workCount;
    }

    private void remember(final KvFate fate)
    {
        if (null == unclaimed.put(fate.requestId(), fate))
        {
            if (unclaimedCount == MAX_UNCLAIMED)
            {
                unclaimed.remove(ring[next]);
            }
            else
            {
                unclaimedCount++;
            }
            ring[next] = fate.requestId();
            next = (next + 1) % MAX_UNCLAIMED;
        }
    }

    private void end(final Expectation expectation, final KvFate fate)
    {
        count.decrementAndGet();
        expectation.future.complete(fate);
    }

    private static KvFate shutdown(final long requestId)
    {
        return new KvFate(requestId, KvError.SHUTDOWN.terminalState(), KvError.SHUTDOWN, "receiver was closed",
            KvFailurePolicy.FAIL, null);
    }
}
