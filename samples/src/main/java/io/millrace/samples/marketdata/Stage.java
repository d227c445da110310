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
package io.millrace.samples.marketdata;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.aeron.Publication;
import io.aeron.Subscription;
import io.millrace.samples.demo.ChildMain;
import io.millrace.samples.demo.ParentLink;
import io.millrace.samples.demo.WorkDirectory;
import org.agrona.CloseHelper;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * One process of the pipeline: opens what it receives from, connects to what it sends to, works, and reports.
 */
public final class Stage implements ChildMain.Role
{
    private static final int FRAGMENT_LIMIT = 32;
    private static final long REST = 10;

    private final ParentLink link;
    private final StageOrders orders;
    private final StageNode node;

    private Stage(final ParentLink link)
    {
        this.link = link;
        orders = link.orders(StageOrders.class);
        node = new StageNode(orders);
    }

    /**
     * Started by the sample, not by a user.
     *
     * @param args unused.
     */
    public static void main(final String[] args)
    {
        ChildMain.run(Stage::new, (link) ->
        {
            final StageOrders orders = link.orders(StageOrders.class);
            WorkDirectory.leave(Path.of(orders.workDirectory()), Path.of(orders.aeronDirectory()));
        });
    }

    /**
     * {@inheritDoc}
     */
    public void run() throws Exception
    {
        switch (orders.role())
        {
            case PUBLISHER -> publish();
            case NORMALISER -> normalise();
            case STRATEGY -> trade();
            case LATE -> tradeLate();
            default -> receiveOrders();
        }
        link.expectCommand("exit");
    }

    private void publish() throws InterruptedException
    {
        final Publication raw = node.aeron().addPublication(connect(null)[0], StageOrders.RAW_STREAM_ID);
        connected(raw);
        final Publisher publisher = new Publisher(node, new Outlet(raw), orders.rate());
        // Whoever is to join late finds a live stream, however long it takes: the last tenth waits.
        final long rest = orders.isJoinedLate() ? Math.max(1, orders.messages() / REST) : 0;
        publisher.publish(orders.messages() - rest);
        if (rest > 0)
        {
            final long pauseNs = System.nanoTime();
            link.expectCommand("joined");
            publisher.delay(System.nanoTime() - pauseNs);
            publisher.publish(rest);
        }
        publisher.sendEnd();
        link.send(node.describe(ParentLink.event("result")));
    }

    private void normalise() throws InterruptedException
    {
        final Subscription raw = node.subscribe(StageNode.LOCAL, StageOrders.RAW_STREAM_ID);
        connect(raw);
        try (FeedRecorder recorder = new FeedRecorder(node, orders))
        {
            final Publication[] feeds = new Publication[StageOrders.STRATEGIES];
            for (int i = 0; i < feeds.length; i++)
            {
                feeds[i] = recorder.publish(orders.feedPublication(i));
            }
            connected(feeds);
            final Normaliser normaliser = new Normaliser();
            normaliser.run(node, raw, feeds);

            final ObjectNode result = ParentLink.event("result");
            normaliser.hop().write(result);
            final ArrayNode conflated = result.putArray("conflated");
            final ArrayNode recordings = result.putArray("recordings");
            for (int i = 0; i < feeds.length; i++)
            {
                conflated.add(normaliser.conflated()[i]);
                recordings.add(recorder.finish(feeds[i]));
            }
            link.send(node.describe(result));
        }
    }

    private void trade() throws InterruptedException
    {
        final Subscription feed = node.subscribe(
            orders.feedSubscription(orders.strategy()), StageOrders.FEED_STREAM_ID);
        final Publication sent = node.aeron().addPublication(connect(feed)[0], StageOrders.ORDER_STREAM_ID);
        connected(sent);
        final Outlet outlet = new Outlet(sent);
        final Strategy strategy = new Strategy(
            orders.strategy(), outlet.buffer(), (length) -> outlet.send(length, node));
        final long slowNs = TimeUnit.MICROSECONDS.toNanos(orders.slowMicros());
        while (!strategy.hasEnded())
        {
            final int work = feed.poll(strategy, 0 == slowNs ? FRAGMENT_LIMIT : 1);
            if (work > 0 && slowNs > 0)
            {
                LockSupport.parkNanos(slowNs);
            }
            node.idle().idle(work);
        }
        outlet.sendEnd(orders.strategy(), strategy.orders(), strategy.endNs(), node);
        final ObjectNode result = ParentLink.event("result").put("orders", strategy.orders());
        strategy.hop().write(result);
        link.send(node.describe(result));
    }

    private void tradeLate()
    {
        try (LateJoin late = new LateJoin(node, orders))
        {
            late.awaitLive();
            link.send(ParentLink.event("live"));
            late.awaitEnd();
            final ObjectNode result = ParentLink.event("result");
            late.write(result.putArray("feeds"));
            link.send(node.describe(result));
        }
    }

    private void receiveOrders() throws InterruptedException
    {
        final Subscription sent = node.subscribe(StageNode.LOCAL, StageOrders.ORDER_STREAM_ID);
        connect(sent);
        connected();
        final Gateway gateway = new Gateway();
        gateway.run(node, sent);
        final ObjectNode result = ParentLink.event("result");
        gateway.hop().write(result);
        final ArrayNode digests = result.putArray("digests");
        for (final OrderDigest digest : gateway.digests())
        {
            digests.addObject().put("orders", digest.orders()).put("sha256", digest.hex());
        }
        link.send(node.describe(result));
    }

    private String[] connect(final Subscription in) throws InterruptedException
    {
        link.send(ParentLink.event("opened")
            .put("channel", null == in ? "" : in.tryResolveChannelEndpointPort()));
        return ParentLink.read(link.awaitCommand(), String[].class);
    }

    private void connected(final Publication... publications) throws InterruptedException
    {
        node.awaitConnected(publications);
        link.send(node.describe(ParentLink.event("connected")));
        if (StageOrders.Role.PUBLISHER == orders.role())
        {
            link.expectCommand("go");
        }
    }

    /**
     * {@inheritDoc}
     */
    public void close()
    {
        CloseHelper.quietClose(node);
    }
}
