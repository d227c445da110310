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

import io.aeron.Aeron;
import io.aeron.Subscription;
import io.aeron.archive.client.AeronArchive;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.aeron.logbuffer.ControlledFragmentHandler;
import io.millrace.archive.MillraceArchive;
import io.millrace.codecs.market.EndOfStreamDecoder;
import io.millrace.codecs.market.MessageHeaderDecoder;
import io.millrace.samples.marketdata.MarketResult.OrderStream;
import io.millrace.samples.marketdata.MarketResult.Replayed;
import org.agrona.DirectBuffer;
import org.agrona.ExpandableArrayBuffer;
import org.agrona.MutableDirectBuffer;
import org.agrona.concurrent.IdleStrategy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Plays the recorded feeds into new strategies, as fast as they were or faster.
 */
final class FeedReplay
{
    private static final int REPLAY_STREAM_ID = 3100;
    private static final int FRAGMENT_LIMIT = 32;
    private static final long SILENCE_NS = TimeUnit.SECONDS.toNanos(30);
    private static final int COUNTERS_LENGTH = 1 << 20;

    private FeedReplay()
    {
    }

    /**
     * One strategy and the recording that it is fed from.
     */
    private static final class Feed
    {
        private final MessageHeaderDecoder header = new MessageHeaderDecoder();
        private final EndOfStreamDecoder message = new EndOfStreamDecoder();
        private final OrderDigest digest = new OrderDigest();
        private final MutableDirectBuffer orders = new ExpandableArrayBuffer(128);
        private final Subscription subscription;
        private final Strategy strategy;

        Feed(final int number, final Subscription subscription)
        {
            this.subscription = subscription;
            strategy = new Strategy(number, orders, (length) -> digest.add(orders, 0, length));
        }

        /**
         * All messages begin with sequence and scheduled time.
         */
        long scheduledNs(final DirectBuffer buffer, final int offset)
        {
            header.wrap(buffer, offset);
            return message.wrap(
                buffer, offset + MessageHeaderDecoder.ENCODED_LENGTH, header.blockLength(), header.version())
                .scheduledNs();
        }
    }

    /**
     * Replay.
     *
     * @param progress   to tell of each replay.
     * @param directory  for the driver.
     * @param archiveDir with the recordings.
     * @param recordings of the strategies' feeds.
     * @param live       what the gateway received of each strategy.
     * @param speeds     factors, 0 for as fast as it goes.
     */
    static List<Replayed> run(
        final Progress progress,
        final Path directory,
        final Path archiveDir,
        final long[] recordings,
        final List<OrderStream> live,
        final int... speeds)
    {
        final MediaDriver.Context context = new MediaDriver.Context()
            .aeronDirectoryName(directory.resolve("replay").toString())
            .dirDeleteOnShutdown(true)
            .counterValuesBufferLength(COUNTERS_LENGTH)
            .threadingMode(ThreadingMode.SHARED)
            .sharedIdleStrategy(StageNode.newIdleStrategy());
        final List<Replayed> results = new ArrayList<>();
        try (MillraceArchive archive = MillraceArchive.launch(context, FeedRecorder.context(archiveDir.toString()));
            Aeron aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(archive.aeronDirectoryName()));
            AeronArchive client = FeedRecorder.connect(archive, aeron))
        {
            for (final int speed : speeds)
            {
                progress.show("replaying at " + name(speed));
                results.add(replay(client, recordings, live, speed));
            }
        }
        return results;
    }

    private static Replayed replay(
        final AeronArchive client, final long[] recordings, final List<OrderStream> live, final int speed)
    {
        final long startNs = System.nanoTime();
        final List<Feed> feeds = new ArrayList<>();
        for (int i = 0; i < recordings.length; i++)
        {
            feeds.add(new Feed(i, client.replay(recordings[i], 0, client.getStopPosition(recordings[i]), "aeron:ipc",
                REPLAY_STREAM_ID + i)));
        }
        boolean isIdentical = true;
        try
        {
            play(feeds, speed);
            for (int i = 0; i < recordings.length; i++)
            {
                final OrderDigest digest = feeds.get(i).digest;
                isIdentical &= live.get(i).equals(new OrderStream(digest.orders(), digest.hex()));
            }
        }
        finally
        {
            feeds.forEach((feed) -> feed.subscription.close());
        }
        final double seconds = (System.nanoTime() - startNs) / (double)TimeUnit.SECONDS.toNanos(1);
        return new Replayed(name(speed), seconds, isIdentical);
    }

    private static String name(final int speed)
    {
        return 0 == speed ? "full" : speed + "x";
    }

    private static void play(final List<Feed> feeds, final int speed)
    {
        final IdleStrategy idle = StageNode.newIdleStrategy();
        final long[] first = new long[2];
        long lastNs = System.nanoTime();
        while (feeds.stream().anyMatch((feed) -> !feed.strategy.hasEnded()))
        {
            int work = 0;
            for (final Feed feed : feeds)
            {
                work += feed.subscription.controlledPoll((buffer, offset, length, header) ->
                {
                    if (speed > 0 && !isDue(feed.scheduledNs(buffer, offset), first, speed))
                    {
                        // It comes again with the next poll.
                        return ControlledFragmentHandler.Action.ABORT;
                    }
                    feed.strategy.onFragment(buffer, offset, length, header);
                    return ControlledFragmentHandler.Action.CONTINUE;
                }, FRAGMENT_LIMIT);
            }
            idle.idle(work);
            lastNs = work > 0 ? System.nanoTime() : lastNs;
            if (System.nanoTime() - lastNs > SILENCE_NS)
            {
                throw new IllegalStateException("the replay brought nothing for 30 s");
            }
        }
    }

    private static boolean isDue(final long scheduledNs, final long[] first, final int speed)
    {
        if (0 == first[0])
        {
            first[0] = scheduledNs;
            first[1] = System.nanoTime();
        }
        return System.nanoTime() - first[1] >= (scheduledNs - first[0]) / speed;
    }
}
