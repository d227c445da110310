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
import io.aeron.archive.client.AeronArchive;
import io.aeron.archive.client.PersistentSubscription;
import io.aeron.logbuffer.FragmentHandler;
import io.aeron.logbuffer.Header;
import org.agrona.CloseHelper;
import org.agrona.DirectBuffer;
import org.agrona.ExpandableArrayBuffer;
import org.agrona.MutableDirectBuffer;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Strategies that begin in the middle of the run. Aeron's {@link PersistentSubscription} gives each what the archive
 * has of its feed, then the live feed, without a gap or duplicate: the strategy sees one stream.
 */
final class LateJoin implements AutoCloseable
{
    private static final int REPLAY_STREAM_ID = 3200;
    private static final int FRAGMENT_LIMIT = 32;
    private static final long SILENCE_NS = TimeUnit.SECONDS.toNanos(30);

    private final StageNode node;
    private final List<Feed> feeds = new ArrayList<>();

    /**
     * A strategy, and what it is fed from.
     */
    private static final class Feed implements FragmentHandler
    {
        private final OrderDigest digest = new OrderDigest();
        private final MutableDirectBuffer orders = new ExpandableArrayBuffer(128);
        private final PersistentSubscription subscription;
        private final Strategy strategy;
        private long live;

        Feed(final int number, final PersistentSubscription subscription)
        {
            this.subscription = subscription;
            strategy = new Strategy(number, orders, (length) -> digest.add(orders, 0, length));
        }

        public void onFragment(final DirectBuffer buffer, final int offset, final int length, final Header header)
        {
            strategy.onFragment(buffer, offset, length, header);
            live += subscription.isLive() && !strategy.hasEnded() ? 1 : 0;
        }
    }

    LateJoin(final StageNode node, final StageOrders orders)
    {
        this.node = node;
        final AeronArchive.Context context = new AeronArchive.Context()
            .aeron(node.aeron())
            .controlRequestChannel(orders.archiveChannel())
            .controlResponseChannel(StageNode.LOCAL);
        try (AeronArchive archive = AeronArchive.connect(context.clone()))
        {
            for (int i = 0; i < StageOrders.STRATEGIES; i++)
            {
                feeds.add(new Feed(i, PersistentSubscription.create(new PersistentSubscription.Context()
                    .aeron(node.aeron())
                    .ownsAeronClient(false)
                    .aeronArchiveContext(context.clone())
                    .recordingId(recordingOf(archive, orders.feeds().get(i)))
                    .startPosition(PersistentSubscription.FROM_START)
                    .liveChannel(orders.feedSubscription(i))
                    .liveStreamId(StageOrders.FEED_STREAM_ID)
                    .replayChannel(StageNode.LOCAL)
                    .replayStreamId(REPLAY_STREAM_ID + i))));
            }
        }
        catch (final RuntimeException ex)
        {
            close();
            throw ex;
        }
    }

    private long recordingOf(final AeronArchive archive, final String feed)
    {
        final long[] found = { AeronArchive.NULL_POSITION };
        archive.listRecordingsForUri(0, 1, "control=" + feed, StageOrders.FEED_STREAM_ID,
            (controlSessionId, correlationId, recordingId, startTimestamp, stopTimestamp, startPosition, stopPosition,
            initialTermId, segmentFileLength, termBufferLength, mtuLength, sessionId, streamId, strippedChannel,
            originalChannel, sourceIdentity) -> found[0] = recordingId);
        if (AeronArchive.NULL_POSITION == found[0])
        {
            throw new IllegalStateException("the archive has no recording of the feed of " + feed);
        }
        // Whoever comes before the first message is not late.
        node.await("recorded message", () -> archive.getRecordingPosition(found[0]) > 0);
        return found[0];
    }

    /**
     * Wait until both strategies are on their live feeds.
     */
    void awaitLive()
    {
        poll("live feed", () -> feeds.stream().allMatch((feed) -> feed.subscription.isLive()));
    }

    /**
     * Wait for the ends of both feeds.
     */
    void awaitEnd()
    {
        poll("end of the feed", () -> feeds.stream().allMatch((feed) -> feed.strategy.hasEnded()));
    }

    private void poll(final String what, final BooleanSupplier condition)
    {
        long lastNs = System.nanoTime();
        while (!condition.getAsBoolean())
        {
            int work = 0;
            for (final Feed feed : feeds)
            {
                work += feed.subscription.poll(feed, FRAGMENT_LIMIT);
                if (feed.subscription.hasFailed())
                {
                    throw new IllegalStateException("late join: " + feed.subscription.failureReason().getMessage());
                }
            }
            node.idle().idle(work);
            lastNs = work > 0 ? System.nanoTime() : lastNs;
            if (System.nanoTime() - lastNs > SILENCE_NS)
            {
                throw new IllegalStateException("no " + what + ": nothing came for 30 s");
            }
        }
    }

    void write(final ArrayNode array)
    {
        for (final Feed feed : feeds)
        {
            array.addObject()
                .put("messages", feed.strategy.hop().messages())
                .put("live", feed.live)
                .put("gaps", feed.strategy.hop().gaps())
                .put("orders", feed.digest.orders())
                .put("sha256", feed.digest.hex());
        }
    }

    /**
     * {@inheritDoc}
     */
    public void close()
    {
        feeds.forEach((feed) -> CloseHelper.quietClose(feed.subscription));
    }
}
