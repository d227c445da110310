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
package io.millrace.tests.xpyd;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.aeron.exceptions.AeronException;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvCounters;
import io.millrace.bridge.PagedKvCache;
import io.millrace.bridge.device.HostDevice;
import io.millrace.bridge.session.KvRole;
import io.millrace.samples.demo.BlockContent;
import io.millrace.samples.demo.ChildMain;
import io.millrace.samples.demo.ParentLink;
import org.agrona.CloseHelper;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.IdleStrategy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import java.util.function.Supplier;

/**
 * What prefill and decode processes have in common: a cache, one thread for the model's work, sessions, and commands.
 */
abstract class Node implements ChildMain.Role
{
    private static final long TURN_MS = 10;
    private static final long DRIVER_DEADLINE_NS = TimeUnit.SECONDS.toNanos(60);
    private static final long DRAIN_DEADLINE_NS = TimeUnit.SECONDS.toNanos(20);

    final ParentLink link;
    final NodeOrders orders;
    final HostDevice device = new HostDevice();
    final PagedKvCache cache;
    final Membership membership;
    private final ExecutorService worker = Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().factory());

    Node(final ParentLink link, final KvRole role)
    {
        this.link = link;
        orders = link.orders(NodeOrders.class);
        cache = PagedKvCache.allocate(device, orders.layout(), orders.capacityBlocks());
        membership = new Membership(link, orders, role);
    }

    /**
     * Act on a command of the parent.
     *
     * @param words of it.
     */
    abstract void onCommand(String[] words);

    /**
     * Counters of all streams.
     */
    abstract List<KvCounters> counters();

    /**
     * Close senders and receivers.
     */
    abstract void closeStreams();

    @Override
    public void run() throws Exception
    {
        link.send(ParentLink.event("ready"));
        while (true)
        {
            membership.poll();
            while (link.hasCommand())
            {
                final String command = link.awaitCommand();
                if ("exit".equals(command))
                {
                    return;
                }
                if ("finish".equals(command))
                {
                    finish();
                }
                else
                {
                    onCommand(command.split(" "));
                }
            }
            TimeUnit.MILLISECONDS.sleep(TURN_MS);
        }
    }

    @Override
    public void close()
    {
        worker.shutdownNow();
        closeStreams();
        CloseHelper.quietCloseAll(membership, cache, device);
    }

    /**
     * Do something on the thread of the model's work. What it throws fails the run.
     */
    void work(final Runnable task)
    {
        worker.execute(() ->
        {
            try
            {
                task.run();
            }
            catch (final RuntimeException ex)
            {
                ex.printStackTrace();
                link.send(ParentLink.event("failed").put("message", ex.toString()));
            }
        });
    }

    /**
     * Compute a layer of a request's blocks, with a buffer of the model's thread.
     */
    void computeLayer(final long index, final int layer, final KvBlocks blocks, final byte[] part)
    {
        for (int p = 0; p < orders.layout().parts(); p++)
        {
            for (int block = 0; block < blocks.blockCount(); block++)
            {
                BlockContent.fill(orders.seed(), index, layer, p, block, part, part.length);
                device.put(blocks.address(layer, p, block), part, 0, part.length);
            }
        }
    }

    void failed(final long id, final String reason)
    {
        link.send(ParentLink.event("failed").put("id", id).put("text", reason));
    }

    /**
     * Start something on a driver that may be starting itself.
     */
    static <T> List<T> launch(final int count, final IntFunction<T> factory)
    {
        final List<T> launched = new ArrayList<>();
        final long startNs = System.nanoTime();
        while (launched.size() < count)
        {
            try
            {
                launched.add(factory.apply(launched.size()));
            }
            catch (final AeronException ex)
            {
                if (System.nanoTime() - startNs > DRIVER_DEADLINE_NS)
                {
                    throw ex;
                }
            }
        }
        return launched;
    }

    static IdleStrategy idleStrategy()
    {
        return new BackoffIdleStrategy(10, 10, 1_000, 500_000);
    }

    static <T> T await(final Supplier<T> supplier, final long limitNs) throws InterruptedException
    {
        final long startNs = System.nanoTime();
        T value = supplier.get();
        while (null == value && System.nanoTime() - startNs < limitNs)
        {
            TimeUnit.MILLISECONDS.sleep(1);
            value = supplier.get();
        }
        return value;
    }

    private void finish() throws InterruptedException
    {
        // A transfer that was sent twice may still be on its way.
        await(() -> cache.freeBlocks() == cache.blockCapacity() ? true : null, DRAIN_DEADLINE_NS);
        final ObjectNode stats = ParentLink.event("stats")
            .put("heldBlocks", cache.blockCapacity() - cache.freeBlocks());
        for (final KvCounters.Kind kind : List.of(KvCounters.Kind.RESUMES, KvCounters.Kind.RECONNECTS,
            KvCounters.Kind.CHECKSUM_ERRORS, KvCounters.Kind.INTERRUPTIONS))
        {
            stats.put(kind.name(), counters().stream().mapToLong(counters -> counters.get(kind)).sum());
        }
        link.send(stats);
    }
}
