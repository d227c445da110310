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
package io.millrace.samples.bench;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvSender;
import io.millrace.bridge.KvTransfer;
import io.millrace.bridge.KvTransferRequest;
import io.millrace.bridge.KvTransferState;
import io.millrace.bridge.PagedKvCache;
import io.millrace.bridge.device.HostDevice;
import io.millrace.samples.trace.GeneratedRequests;
import io.millrace.samples.trace.Request;
import io.millrace.samples.trace.Requests;
import io.millrace.samples.trace.TraceReader;
import org.agrona.CloseHelper;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * The side of a KV case that sends: transfers out of device memory, a few at a time.
 */
final class KvClient implements AutoCloseable
{
    private final AeronNode node;
    private final Order order;
    private final KvShape shape;
    private final HostDevice device = new HostDevice();
    private final PagedKvCache cache;
    private final KvSender sender;
    private final DutyClock duty;
    private final KvMeter meter;
    private final ArrayDeque<Sent> transfers = new ArrayDeque<>();
    private Requests requests;
    private long requestId;

    private record Sent(KvTransfer transfer, KvBlocks blocks)
    {
    }

    /**
     * Start the sender.
     *
     * @param node  of this side.
     * @param order of the measurement.
     */
    KvClient(final AeronNode node, final Order order)
    {
        this.node = node;
        this.order = order;
        shape = KvShape.of(order);
        cache = shape.cache(device);
        final KvSender.Context ctx = new KvSender.Context()
            .aeron(node.aeron())
            .useAgentInvoker(true)
            .channel(order.toServer())
            .streamId(KvShape.STREAM_ID)
            .reverseChannel(order.toClient())
            .reverseStreamId(KvShape.REVERSE_STREAM_ID)
            .device(device);
        sender = KvSender.launch(ctx);
        duty = new DutyClock(sender.invoker());
        meter = new KvMeter(node, duty, ctx);
    }

    /**
     * Transfer until told to end.
     *
     * @param isEnd true at the end.
     */
    void run(final BooleanSupplier isEnd)
    {
        final long warmNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(order.warmupMs());
        boolean isWarm = false;
        while (!isEnd.getAsBoolean())
        {
            if (transfers.size() < shape.inFlight())
            {
                submit();
            }
            cycle();
            if (!isReceiverClosed() && hasOldestEnded())
            {
                if (!isWarm && System.nanoTime() - warmNs > 0)
                {
                    isWarm = true;
                    meter.reset();
                }
            }
        }
    }

    /**
     * Transfer one after the other, and time each.
     *
     * @return event {@code result}.
     */
    ObjectNode latencies()
    {
        final Latencies latencies = new Latencies();
        final long durationNs = TimeUnit.MILLISECONDS.toNanos(order.durationMs());
        long nowNs = System.nanoTime();
        long startNs = nowNs;
        final Warmup warmup = new Warmup(order, nowNs);
        boolean isWarm = false;
        while (!isWarm || nowNs - startNs < durationNs)
        {
            if (!isWarm && warmup.isOver(nowNs))
            {
                isWarm = true;
                startNs = nowNs;
            }
            final long submittedNs = nowNs;
            submit();
            while (!hasOldestEnded())
            {
                cycle();
            }
            nowNs = System.nanoTime();
            if (isWarm)
            {
                latencies.record(nowNs - submittedNs);
            }
        }
        return latencies.result();
    }

    /**
     * Go on without transfers.
     *
     * @param isEnd true at the end.
     */
    void drain(final BooleanSupplier isEnd)
    {
        while (!isEnd.getAsBoolean())
        {
            cycle();
        }
    }

    /**
     * Tell where CPU went.
     *
     * @param event to put it into.
     */
    void describe(final ObjectNode event)
    {
        meter.describe(event, false);
    }

    private void cycle()
    {
        node.work();
        duty.invoke();
    }

    // Both sides are told to end at once: the receiver may hear it first, and what is in flight is not counted then.
    private boolean isReceiverClosed()
    {
        return KvError.SHUTDOWN == transfers.peek().transfer().error();
    }

    private boolean hasOldestEnded()
    {
        final Sent oldest = transfers.peek();
        if (!oldest.transfer().state().isTerminal())
        {
            return false;
        }
        if (KvTransferState.COMPLETED != oldest.transfer().state())
        {
            throw new IllegalStateException("transfer is " + oldest.transfer().state() + " (" +
                oldest.transfer().error() + "): " + oldest.transfer().errorText());
        }
        cache.free(oldest.blocks());
        transfers.poll();
        return true;
    }

    private void submit()
    {
        final int perBlock = shape.layout().tokensPerBlock();
        final int most = shape.blocksPerTransfer() * perBlock;
        final int tokens = CaseKind.KV_TRACE == order.kind() ? Math.min(most, nextRequest().tokens()) : most;
        final KvBlocks blocks = cache.allocate(shape.layout().blocksFor(tokens));
        transfers.add(new Sent(sender.submit(new KvTransferRequest()
            .requestId(requestId++)
            .layout(shape.layout())
            .blocks(blocks)
            .tokenCount(tokens)
            .modelTag("bench")), blocks));
    }

    // From the beginning again after the last.
    private Request nextRequest()
    {
        Request next = null == requests ? null : requests.next();
        if (null == next)
        {
            CloseHelper.close(requests);
            requests = null == order.trace() ? new GeneratedRequests(1) : new TraceReader(Path.of(order.trace()));
            next = requests.next();
        }
        if (null == next)
        {
            throw new IllegalStateException("trace " + order.trace() + " has no request");
        }
        return next;
    }

    /**
     * {@inheritDoc}
     */
    public void close()
    {
        CloseHelper.quietCloseAll(requests, sender, cache, device);
    }
}
