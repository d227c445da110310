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

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.samples.demo.ChildMain;
import io.millrace.samples.demo.ParentLink;
import io.millrace.samples.demo.WorkDirectory;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * A process that takes one side of measurement after measurement on one transport. Its JVM stays, so that code once
 * compiled stays compiled; driver and client are new for each.
 */
public final class BenchChild implements ChildMain.Role
{
    private static final long CONNECT_DEADLINE_NS = TimeUnit.SECONDS.toNanos(10);
    private static final String EXIT = "exit";

    private final ParentLink link;

    /**
     * What a child is told first.
     *
     * @param workDirectory  of the run.
     * @param ownDirectory   within it, for this child.
     */
    record Home(String workDirectory, String ownDirectory)
    {
    }

    private BenchChild(final ParentLink link)
    {
        this.link = link;
    }

    /**
     * Started by the benchmark, not by a user.
     *
     * @param args unused.
     */
    public static void main(final String[] args)
    {
        ChildMain.run(BenchChild::new, BenchChild::tidy);
    }

    private static void tidy(final ParentLink link)
    {
        final Home home = link.orders(Home.class);
        WorkDirectory.leave(Path.of(home.workDirectory()), Path.of(home.ownDirectory()));
    }

    /**
     * {@inheritDoc}
     */
    public void run() throws Exception
    {
        String command;
        while (!EXIT.equals(command = link.awaitCommand()))
        {
            if (null == command)
            {
                throw new IllegalStateException("no order came");
            }
            measure(ParentLink.read(command, Order.class));
        }
    }

    private void measure(final Order order) throws InterruptedException
    {
        // Threads that the driver starts must not be bound to this one's core.
        Placement.release();
        final ObjectNode closed = ParentLink.event("closed");
        try (Node node = Transport.RAW == order.transport() ? new RawNode(order) : new AeronNode(order))
        {
            Placement.bind(order.cores()[0]);
            final ObjectNode opened = ParentLink.event("opened");
            node.describe(opened);
            link.send(opened);
            workWhile(node, () -> !link.hasCommand());
            node.connect(ParentLink.read(link.awaitCommand(), JsonNode.class));

            final long deadlineNs = System.nanoTime() + CONNECT_DEADLINE_NS;
            workWhile(node, () ->
            {
                if (System.nanoTime() - deadlineNs > 0)
                {
                    throw new IllegalStateException("not connected, or not on rails, within 10 s");
                }
                return !node.isConnected();
            });
            link.send(ParentLink.event("connected"));
            workWhile(node, () -> !link.hasCommand());
            link.expectCommand("go");
            run(node, order, closed);
            workWhile(node, () -> !link.hasCommand());
            node.verify();
            link.expectCommand("stop");
            link.send(ParentLink.event("stopped"));
            link.expectCommand("close");
        }
        finally
        {
            Placement.release();
        }
        link.send(closed);
    }

    private void run(final Node node, final Order order, final ObjectNode closed) throws InterruptedException
    {
        switch (order.kind())
        {
            case RTT ->
            {
                if (order.isServer())
                {
                    Echo.run(node, link::hasCommand);
                }
                else
                {
                    link.send(new RoundTrips(node, order).run());
                }
            }
            case THROUGHPUT ->
            {
                if (order.isServer())
                {
                    final StreamReceiver receiver = new StreamReceiver(node, order);
                    link.send(receiver.run());
                    receiver.drain(link::hasCommand);
                }
                else
                {
                    StreamSender.run(node, link::hasCommand);
                }
            }
            case KV, KV_TRACE ->
            {
                if (order.isServer())
                {
                    try (KvServer server = new KvServer((AeronNode)node, order))
                    {
                        link.send(server.run());
                        server.drain(link::hasCommand);
                    }
                }
                else
                {
                    try (KvClient client = new KvClient((AeronNode)node, order))
                    {
                        client.run(link::hasCommand);
                        client.describe(closed);
                    }
                }
            }
            case KV_BLOCK ->
            {
                if (order.isServer())
                {
                    try (KvServer server = new KvServer((AeronNode)node, order))
                    {
                        server.drain(link::hasCommand);
                    }
                }
                else
                {
                    try (KvClient client = new KvClient((AeronNode)node, order))
                    {
                        link.send(client.latencies());
                        client.drain(link::hasCommand);
                    }
                }
            }
            default -> throw new IllegalArgumentException("unknown case " + order.kind());
        }
    }

    private static void workWhile(final Node node, final BooleanSupplier condition)
    {
        while (condition.getAsBoolean())
        {
            node.work();
        }
    }

    /**
     * {@inheritDoc}
     */
    public void close()
    {
        // Each measurement closes what it opened, and a process that ends by a signal leaves files to its parent.
    }
}
