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
package io.millrace.bridge;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

import io.aeron.Image;
import io.aeron.Subscription;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Transfers of random sizes around what may come early, to a receiver that has blocks at once, later, in part or never,
 * over a stream that damages chunks and breaks, canceled now and then by either side.
 */
@Timeout(150)
class EagerMixTest
{
    private static final KvLayout LAYOUT = new KvLayout(2, 1, 64, KvDtype.BF16, 16);
    private static final int MAX_BLOCKS = 24;
    private static final int COUNT = 60;
    private static final int EAGER_BYTES = (int)LAYOUT.totalBytes(MAX_BLOCKS / 2);
    private static final long SEED = Long.getLong("millrace.test.seed", 42);

    private final Random random = new Random(SEED);
    // What is drawn from these in which order depends on timing.
    private final Random damage = new Random(SEED);
    private final Random cancels = new Random(SEED);
    private final Map<Long, Integer> present = new HashMap<>();
    private final Map<Long, Integer> refusals = new HashMap<>();
    private PagedKvCache cache;

    private final class Grants implements KvBlockAllocator
    {
        public KvBlocks allocate(final KvTransferInfo info)
        {
            return cache.allocate(info);
        }

        public KvGrant grant(final KvTransferInfo info)
        {
            final SplittableRandom draws = new SplittableRandom(SEED * 31 + info.requestId());
            final int left = refusals.computeIfAbsent(info.requestId(), id -> draws.nextBoolean() ? 0 :
                draws.nextInt(50));
            refusals.put(info.requestId(), left - 1);
            if (left > 0)
            {
                return null;
            }
            if (0 == info.requestId() % 11)
            {
                throw new KvException(KvError.NO_BLOCKS, "not for this one");
            }
            final KvBlocks blocks = allocate(info);
            if (null == blocks)
            {
                return null;
            }
            final int prefix = 0 == info.requestId() % 5 ? draws.nextInt(info.blockCount() + 1) : 0;
            present.put(info.requestId(), prefix);
            return KvGrant.of(blocks).prefixPresent(prefix);
        }

        public void release(final KvTransferInfo info, final KvBlocks blocks)
        {
            cache.release(info, blocks);
        }
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void allEndOnBothSidesAndWhatCompletesIsTheSame(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            cache = PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, 8 * MAX_BLOCKS);
            final PagedKvCache source = PagedKvCache.allocate(bridge.sourceDevice, LAYOUT, 4 * MAX_BLOCKS);
            final Subscription subscription = bridge.aeron.addSubscription(bridge.channel, Bridge.STREAM_ID);
            final KvSource damaged = new DamagedSource(subscription::controlledPoll, chunk ->
            {
                cancelFromReceiver(bridge);
                return 0 == chunk.attempt() && (0 == damage.nextInt(20) ||
                    0 == bridge.receiver.counters().get(KvCounters.Kind.CHECKSUM_ERRORS));
            });
            // Few at a time, so that transfers are in flight for some turns.
            bridge.launch(new Grants(), ctx -> ctx,
                ctx -> ctx.eagerBytes(EAGER_BYTES).fragmentLimit(2).source(damaged));
            final KvBlocks[] contents = new KvBlocks[4];
            for (int i = 0; i < contents.length; i++)
            {
                contents[i] = bridge.source(source, 1 + random.nextInt(MAX_BLOCKS / 4 * (i + 1)), i);
            }

            final List<KvTransfer> transfers = new ArrayList<>();
            final Map<Long, KvBlocks> sent = new HashMap<>();
            for (int i = 1; i <= COUNT; i++)
            {
                final KvBlocks blocks = contents[random.nextInt(contents.length)];
                final KvTransfer transfer = bridge.sender.submit(new KvTransferRequest().requestId(i).layout(LAYOUT)
                    .blocks(blocks).priority(KvPriority.values()[random.nextInt(3)])
                    .timeoutNs(TimeUnit.SECONDS.toNanos(60)).resumeTimeoutNs(TimeUnit.SECONDS.toNanos(60)));
                transfers.add(transfer);
                sent.put((long)i, blocks);
                final int turns = random.nextInt(12);
                for (int turn = 0; turn < turns; turn++)
                {
                    bridge.turn();
                }
                if (0 == i % 7)
                {
                    transfer.cancel();
                }
                if (0 == i % 20)
                {
                    final Image image = subscription.imageCount() > 0 ? subscription.imageAtIndex(0) : null;
                    if (null != image)
                    {
                        image.reject("test breaks the session");
                        bridge.runUntil(image::isClosed);
                    }
                }
                free(bridge, sent);
            }
            bridge.runUntil(() ->
            {
                free(bridge, sent);
                return transfers.stream().allMatch(transfer -> transfer.state().isTerminal()) &&
                    cache.freeBlocks() == 8 * MAX_BLOCKS;
            });

            assertThat(transfers).allSatisfy(transfer -> assertThat(transfer.error()).as(transfer.toString())
                .isIn(KvError.NONE, KvError.CANCELED, KvError.NO_BLOCKS));
            assertThat(transfers).filteredOn(transfer -> 0 == transfer.requestId() % 11)
                .noneMatch(transfer -> KvError.NONE == transfer.error());
            assertThat(transfers).filteredOn(transfer -> KvError.NONE == transfer.error())
                .hasSizeGreaterThan(COUNT / 2);
            assertThat(canceled(bridge)).isPositive();
            assertThat(bridge.begun).allMatch(inbound -> inbound.state().isTerminal());
            assertThat(bridge.receiver.counters().get(KvCounters.Kind.EAGER_BYTES_DROPPED)).isPositive();
            assertThat(bridge.receiver.counters().get(KvCounters.Kind.CHECKSUM_ERRORS)).isPositive();
            assertThat(bridge.sender.counters().get(KvCounters.Kind.STAGING_IN_USE)).isZero();
            assertThat(bridge.receiver.counters().get(KvCounters.Kind.STAGING_IN_USE)).isZero();
        }
    }

    private static long canceled(final Bridge bridge)
    {
        return bridge.events.stream().filter(event -> event.contains("canceled by the receiver's user")).count();
    }

    /**
     * One of so many; one that lands before it is canceled does not count.
     */
    private void cancelFromReceiver(final Bridge bridge)
    {
        if (canceled(bridge) >= bridge.begun.size() / 13)
        {
            return;
        }
        final List<KvInboundTransfer> live =
            bridge.begun.stream().filter(inbound -> !inbound.state().isTerminal()).toList();
        if (!live.isEmpty())
        {
            live.get(cancels.nextInt(live.size())).cancel();
        }
    }

    /**
     * Compare what completed, and make room for others.
     */
    private void free(final Bridge bridge, final Map<Long, KvBlocks> sent)
    {
        for (KvTransferStats stats = bridge.completed.poll(); null != stats; stats = bridge.completed.poll())
        {
            final KvInboundTransfer transfer = stats.transfer();
            final long requestId = transfer.info().requestId();
            final int blockCount = transfer.info().blockCount();
            final byte[] expected = new byte[LAYOUT.partBytes()];
            final byte[] actual = new byte[LAYOUT.partBytes()];
            for (int unit = 0; unit < LAYOUT.layers() * LAYOUT.parts() * blockCount; unit++)
            {
                final int block = unit % blockCount;
                final int part = unit / blockCount % LAYOUT.parts();
                final int layer = unit / blockCount / LAYOUT.parts();
                if (block >= present.get(requestId))
                {
                    bridge.sourceDevice.get(
                        sent.get(requestId).address(layer, part, block), expected, 0, expected.length);
                    bridge.destinationDevice.get(
                        transfer.blocks().address(layer, part, block), actual, 0, actual.length);
                    assertThat(actual).as("request %d layer %d part %d block %d", requestId, layer, part, block)
                        .isEqualTo(expected);
                }
            }
            cache.free(transfer.blocks());
        }
    }
}
