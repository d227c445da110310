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
package io.millrace.samples.disaggregated;

import io.aeron.Aeron;
import io.millrace.bridge.KvContext;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.PagedKvCache;
import io.millrace.bridge.device.HostDevice;
import io.millrace.bridge.reshard.CacheShape;
import io.millrace.bridge.reshard.HeadOrder;
import io.millrace.bridge.reshard.Sharding;
import io.millrace.bridge.session.KvInstance;
import io.millrace.bridge.session.KvRole;
import io.millrace.bridge.session.KvSessionListener;
import io.millrace.bridge.session.KvSessions;
import io.millrace.samples.demo.ChildMain;
import io.millrace.samples.demo.ParentLink;
import io.millrace.samples.demo.WorkDirectory;
import org.agrona.CloseHelper;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.IdleStrategy;

import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * What instances have in common: a client of their machine's driver, device memory, and sessions with the instances of
 * the other side.
 */
abstract class Node implements ChildMain.Role, KvSessionListener
{
    private static final long PROBE_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(30);
    private static final long MAX_PARK_NS = TimeUnit.MICROSECONDS.toNanos(500);
    private static final String STAGING = "4:1";

    final ParentLink link;
    final NodeOrders orders;
    final KvLayout layout;
    final HostDevice device = new HostDevice();
    final PagedKvCache cache;
    final Aeron aeron;
    private final KvRole role;
    private volatile KvSessions sessions;

    Node(final ParentLink link, final KvRole role)
    {
        this.link = link;
        this.role = role;
        orders = link.orders(NodeOrders.class);
        layout = orders.layout();
        cache = PagedKvCache.allocate(device, layout, orders.cacheBlocks());
        aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(orders.aeronDirectory())
            .driverTimeoutMs(TimeUnit.NANOSECONDS.toMillis(DriverNode.LIVENESS_NS)));
    }

    static void start(final ChildMain.Factory factory)
    {
        ChildMain.run(factory, Node::leave);
    }

    static void leave(final ParentLink link)
    {
        final NodeOrders orders = link.orders(NodeOrders.class);
        WorkDirectory.leave(Path.of(orders.workDirectory()), Path.of(orders.ownDirectory()));
    }

    /**
     * {@inheritDoc}
     */
    public void run() throws InterruptedException
    {
        sessions = KvSessions.launch(new KvSessions.Context()
            .aeron(aeron)
            .endpoint("127.0.0.1:0")
            .channelParameters("|term-length=1m|mtu=8k")
            .instance(new KvInstance(orders.name(), role, orders.model(),
                CacheShape.perHead(layout.layers(), layout.kvHeads(), layout.headDim(), layout.dtype()),
                new Sharding(1, layout.tokensPerBlock(), HeadOrder.TOKEN_MAJOR), 0, 1, 1, "sample"))
            .listener(this)
            .probeTimeoutNs(PROBE_TIMEOUT_NS)
            .idleStrategy(idle()));
        link.send(ParentLink.event("ready").put("endpoint", sessions.endpoint()));
        commands(link, this::onCommand);
    }

    /**
     * Act on the router's commands until it says that this is the end.
     */
    static void commands(final ParentLink link, final Consumer<Command> consumer) throws InterruptedException
    {
        for (String line = link.awaitCommand(); !"exit".equals(line); line = link.awaitCommand())
        {
            // A driver has nothing to do for as long as the trace lasts. When the parent dies, this process ends.
            if (null != line)
            {
                consumer.accept(ParentLink.read(line, Command.class));
            }
        }
    }

    abstract void onCommand(Command command);

    KvSessions sessions()
    {
        return sessions;
    }

    /**
     * What senders and receivers have in common.
     */
    <C extends KvContext<C>> C streams(final C context)
    {
        return context.aeron(aeron).device(device).stagingConfig(STAGING).idleStrategy(idle());
    }

    /**
     * Gives the core away soon: a dozen threads share two or more.
     */
    static IdleStrategy idle()
    {
        return new BackoffIdleStrategy(10, 20, 1_000, MAX_PARK_NS);
    }

    /**
     * Do something on another thread. What it throws fails the run.
     */
    void work(final ExecutorService worker, final Runnable task)
    {
        worker.execute(guarded(task));
    }

    Runnable guarded(final Runnable task)
    {
        return () ->
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
        };
    }

    /**
     * {@inheritDoc}
     */
    public void close()
    {
        CloseHelper.quietCloseAll(sessions, aeron, cache, device);
    }
}
