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
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvReceiver;
import io.millrace.bridge.KvReceiverListener;
import io.millrace.bridge.KvTransferStats;
import io.millrace.bridge.PagedKvCache;
import io.millrace.bridge.device.HostDevice;
import io.millrace.samples.demo.ParentLink;
import org.agrona.CloseHelper;

import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * The side of a KV case that receives into device memory. Bytes count when their transfer is complete and checked.
 */
final class KvServer implements KvReceiverListener, AutoCloseable
{
    private static final long SILENCE_DEADLINE_NS = TimeUnit.SECONDS.toNanos(15);
    private static final double NANOS_PER_SECOND = 1e9;

    private final AeronNode node;
    private final Order order;
    private final HostDevice device = new HostDevice();
    private final PagedKvCache cache;
    private final KvReceiver receiver;
    private final DutyClock duty;
    private final KvMeter meter;
    private long bytes;
    private long lastNs;

    /**
     * Start the receiver.
     *
     * @param node  of this side.
     * @param order of the measurement.
     */
    KvServer(final AeronNode node, final Order order)
    {
        this.node = node;
        this.order = order;
        final KvShape shape = KvShape.of(order);
        cache = shape.cache(device);
        final KvReceiver.Context ctx = new KvReceiver.Context()
            .aeron(node.aeron())
            .useAgentInvoker(true)
            .channel(order.toServer())
            .streamId(KvShape.STREAM_ID)
            .reverseChannel(order.toClient())
            .reverseStreamId(KvShape.REVERSE_STREAM_ID)
            .device(device)
            .allocator(cache)
            .listener(this);
        receiver = KvReceiver.launch(ctx);
        duty = new DutyClock(receiver.invoker());
        meter = new KvMeter(node, duty, ctx);
    }

    /**
     * {@inheritDoc}
     */
    public void onTransferComplete(final long transferId, final long requestId, final KvTransferStats stats)
    {
        bytes += stats.bytes();
        lastNs = System.nanoTime();
        cache.free(stats.transfer().blocks());
    }

    /**
     * {@inheritDoc}
     */
    public void onTransferFailed(
        final long transferId, final long requestId, final KvError reason, final String text)
    {
        if (KvError.SHUTDOWN != reason)
        {
            throw new IllegalStateException("transfer failed: " + reason + ", " + text);
        }
    }

    /**
     * Receive for the order's time, from the end of one transfer to the end of another.
     *
     * @return event {@code result}.
     */
    ObjectNode run()
    {
        awaitTransfer(System.nanoTime());
        final Warmup warmup = new Warmup(order, lastNs);
        do
        {
            awaitTransfer(lastNs);
        }
        while (!warmup.isOver(lastNs));
        final long startNs = lastNs;
        final long startBytes = bytes;
        meter.reset();
        awaitTransfer(startNs + TimeUnit.MILLISECONDS.toNanos(order.durationMs()));
        final double seconds = (lastNs - startNs) / NANOS_PER_SECOND;
        final ObjectNode result = ParentLink.event("result")
            .put("messagesPerSecond", (bytes - startBytes) / (double)order.size() / seconds)
            .put("gigabytesPerSecond", (bytes - startBytes) / seconds / 1e9);
        meter.describe(result, true);
        return result;
    }

    /**
     * Go on receiving.
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

    private void awaitTransfer(final long afterNs)
    {
        final long before = bytes;
        final long deadlineNs = afterNs + SILENCE_DEADLINE_NS;
        while (bytes == before || lastNs - afterNs < 0)
        {
            cycle();
            if (System.nanoTime() - deadlineNs > 0)
            {
                throw new IllegalStateException("no transfer was completed within 15 s");
            }
        }
    }

    private void cycle()
    {
        node.work();
        duty.invoke();
    }

    /**
     * {@inheritDoc}
     */
    public void close()
    {
        CloseHelper.quietCloseAll(receiver, cache, device);
    }
}
