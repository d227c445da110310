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

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvReceiver;
import org.agrona.CloseHelper;

/**
 * Stored blocks on their way into device memory. Blocks are named by their index in the list of hashes. May be used by
 * any thread.
 */
public final class KvFetch implements AutoCloseable
{
    private static final long CLOSE_TIMEOUT_MS = TimeUnit.SECONDS.toMillis(30);

    private final KvFetchPlan plan;
    private final KvArchive archive;
    private final ArchiveSession session;
    private final FetchFeed feed;
    private final FedReceiver receiver;
    private final Thread opener;

    private KvFetch(
        final KvFetchPlan plan,
        final KvArchive archive,
        final ArchiveSession session,
        final FetchFeed feed,
        final FedReceiver receiver,
        final Thread opener)
    {
        this.plan = plan;
        this.archive = archive;
        this.session = session;
        this.feed = feed;
        this.receiver = receiver;
        this.opener = opener;
    }

    static KvFetch start(
        final KvArchive archive,
        final KvFetchPlan plan,
        final KvBlocks destination,
        final int maxReplays,
        final KvReceiver.Context receiverCtx)
    {
        if (destination.blockCount() < plan.blockCount())
        {
            throw new IllegalArgumentException("destination of " + destination.blockCount() + " blocks for a plan of " +
                plan.blockCount() + ": give one for each hash");
        }

        // A session of its own keeps the errors of this fetch apart, and ends its replays with its connection.
        final KvArchive.Context ctx = archive.context();
        final ArchiveSession session = archive.sessions().take();
        try
        {
            final FetchFeed feed = new FetchFeed(
                session, plan, destination, receiverCtx.listener(), maxReplays, ctx.replayTimeoutNs());
            final int transfers = plan.ranges().stream().mapToInt(range -> range.transfers().size()).sum();
            if (null == receiverCtx.counters())
            {
                receiverCtx.counters(archive.fetchCounters());
            }
            final FedReceiver receiver = new FedReceiver(ctx.aeron(), receiverCtx
                .channel(ctx.replayChannel())
                .streamId(ctx.replayStreamId())
                .maxInFlight(Math.max(receiverCtx.maxInFlight(), transfers))
                .allocator(feed)
                .listener(feed), feed);
            final Thread opener = new Thread(() -> feed.openReplays(ctx, archive.frames()), "kv-fetch");
            opener.setDaemon(true);
            opener.start();
            return new KvFetch(plan, archive, session, feed, receiver, opener);
        }
        catch (final RuntimeException ex)
        {
            CloseHelper.quietClose(session);
            throw ex;
        }
    }

    /**
     * What is fetched.
     *
     * @return the plan.
     */
    public KvFetchPlan plan()
    {
        return plan;
    }

    /**
     * How it stands.
     *
     * @return COMPLETED when every hit landed, FAILED or TIMEOUT when some did not.
     */
    public KvReplayState state()
    {
        return feed.state();
    }

    /**
     * Blocks that are in device memory, checked.
     *
     * @return indexes in rising order.
     */
    public int[] landed()
    {
        return feed.landed();
    }

    /**
     * Blocks that could not be had, to be computed like misses.
     *
     * @return indexes in rising order.
     */
    public int[] failed()
    {
        return feed.failed();
    }

    /**
     * Why the first of them failed.
     *
     * @return null when none did.
     */
    public String errorText()
    {
        return feed.errorText();
    }

    /**
     * The receiver, for its counters, or its invoker when it was set to have one.
     *
     * @return the receiver, closed with this.
     */
    public KvReceiver receiver()
    {
        return receiver.receiver();
    }

    /**
     * Completes, never exceptionally, in a terminal state, on the receiver's agent.
     *
     * @return future of this.
     */
    public CompletableFuture<KvReplayState> future()
    {
        return feed.future();
    }

    /**
     * Wait for a terminal state, which the archive client's replay timeout brings in any case.
     *
     * @param timeoutNs nanoseconds to wait at most.
     * @return the state reached.
     */
    public KvReplayState await(final long timeoutNs)
    {
        return KvReplayState.await(feed.future(), timeoutNs, feed::state);
    }

    /**
     * Cancel it if it runs, and close the receiver. Blocks that landed stay as they are.
     */
    public void close()
    {
        CloseHelper.close(receiver);
        feed.cancel();
        try
        {
            opener.join(CLOSE_TIMEOUT_MS);
        }
        catch (final InterruptedException ex)
        {
            Thread.currentThread().interrupt();
        }
        feed.closeOpened();
        if (KvReplayState.COMPLETED == feed.state())
        {
            archive.sessions().giveBack(session);
        }
        else
        {
            CloseHelper.close(session);
        }
    }
}
