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
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

@Timeout(150)
class TransferTest
{
    private static final KvLayout LAYOUT = new KvLayout(3, 2, 64, KvDtype.BF16, 16);

    @ParameterizedTest
    @EnumSource(Setting.class)
    void movesScatteredBlocksByteForByte(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            final PagedKvCache source = Bridge.scattered(bridge.sourceDevice, LAYOUT, 300, 1);
            final PagedKvCache destination = Bridge.scattered(bridge.destinationDevice, LAYOUT, 300, 2);
            bridge.launch(destination);
            final KvBlocks blocks = bridge.source(source, 257, 3);

            final KvTransfer transfer = bridge.run(new KvTransferRequest()
                .requestId(42).layout(LAYOUT).blocks(blocks).modelTag("test").tokenCount(4100)
                .blockHashes(new Random(4).longs(257).toArray()));

            assertThat(transfer.state()).as(transfer.toString()).isEqualTo(KvTransferState.COMPLETED);
            assertThat(transfer.bytesSent()).isEqualTo(LAYOUT.totalBytes(257));
            assertThat(transfer.layersAcked()).isEqualTo(3);
            final KvTransferStats stats = bridge.completed.poll();
            assertThat(stats.bytes()).isEqualTo(LAYOUT.totalBytes(257));
            assertThat(stats.transfer().info().tokenCount()).isEqualTo(4100);
            assertThat(stats.transfer().info().modelTag()).isEqualTo("test");
            assertThat(bridge.events).containsExactly("layer 42 0", "layer 42 1", "layer 42 2", "complete 42");
            bridge.assertSame(LAYOUT, blocks, stats.transfer().blocks());
        }
    }

    /**
     * A slot holds far more pieces of blocks than a batch of copies may have.
     */
    @ParameterizedTest
    @EnumSource(Setting.class)
    void movesMoreSmallBlocksThanABatchTakes(final Setting setting)
    {
        final KvLayout layout = new KvLayout(1, 1, 16, KvDtype.BF16, 1);
        final int blockCount = 10_000;
        try (Bridge bridge = setting.open())
        {
            // Every other block, so that nothing can be merged.
            final int[] ids = IntStream.range(0, blockCount).map(i -> 2 * i).toArray();
            final long partStride = 2L * blockCount * layout.partBytes();
            final byte[] bytes = new byte[(int)(2 * partStride)];
            new Random(5).nextBytes(bytes);
            final long base = bridge.sourceDevice.allocate(bytes.length);
            bridge.sourceDevice.put(base, bytes, 0, bytes.length);
            bridge.launch(PagedKvCache.allocate(bridge.destinationDevice, layout, blockCount));

            final KvTransfer transfer = bridge.run(new KvTransferRequest().requestId(1).layout(layout).blocks(
                KvBlocks.strided(base, 0, partStride, layout.partBytes(), ids)).timeoutNs(Bridge.LIMIT_NS));

            assertThat(transfer.state()).as(transfer.toString()).isEqualTo(KvTransferState.COMPLETED);
            final KvBlocks landed = bridge.completed.poll().transfer().blocks();
            final byte[] actual = new byte[layout.partBytes()];
            for (int part = 0; part < 2; part++)
            {
                for (int block = 0; block < blockCount; block++)
                {
                    bridge.destinationDevice.get(landed.address(0, part, block), actual, 0, actual.length);
                    final int from = (int)(part * partStride) + ids[block] * actual.length;
                    assertThat(Arrays.equals(actual, 0, actual.length, bytes, from, from + actual.length))
                        .as("part %d block %d", part, block).isTrue();
                }
            }
            bridge.sourceDevice.free(base);
        }
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void movesRandomLayoutsConcurrently(final Setting setting)
    {
        final Random random = new Random(7);
        try (Bridge bridge = setting.open())
        {
            final List<KvTransfer> transfers = new ArrayList<>();
            final List<KvBlocks> sources = new ArrayList<>();
            final List<KvLayout> layouts = new ArrayList<>();
            final List<PagedKvCache> destinations = new ArrayList<>();
            bridge.launch(info -> destinations.get((int)info.requestId()).allocate(info));
            for (int i = 0; i < 12; i++)
            {
                final KvLayout layout = new KvLayout(1 + random.nextInt(5), 1 + random.nextInt(3),
                    1 + random.nextInt(100), KvDtype.values()[random.nextInt(5)], 1 + random.nextInt(20));
                final int blockCount = 1 + random.nextInt(40);
                final PagedKvCache source = Bridge.scattered(bridge.sourceDevice, layout, blockCount + 5, i);
                layouts.add(layout);
                destinations.add(Bridge.scattered(bridge.destinationDevice, layout, blockCount + 5, -i));
                sources.add(bridge.source(source, blockCount, i));
                transfers.add(bridge.sender.submit(
                    new KvTransferRequest().requestId(i).layout(layout).blocks(sources.get(i))));
            }

            bridge.runUntil(() -> transfers.stream().allMatch(transfer -> transfer.state().isTerminal()));

            assertThat(transfers).allSatisfy(
                transfer -> assertThat(transfer.state()).isEqualTo(KvTransferState.COMPLETED));
            assertThat(bridge.completed).hasSize(12).allSatisfy(stats ->
            {
                final int i = (int)stats.transfer().info().requestId();
                bridge.assertSame(layouts.get(i), sources.get(i), stats.transfer().blocks());
            });
        }
    }

    @Test
    void sharesTheStreamFairly()
    {
        try (Bridge bridge = new Bridge(false))
        {
            final KvLayout layout = new KvLayout(4, 8, 128, KvDtype.BF16, 16);
            final PagedKvCache source = PagedKvCache.allocate(bridge.sourceDevice, layout, 1100);
            bridge.launch(PagedKvCache.allocate(bridge.destinationDevice, layout, 1100));
            final KvTransfer big = bridge.sender.submit(
                new KvTransferRequest().requestId(1).layout(layout).blocks(source.allocate(1000)));
            final KvTransfer small = bridge.sender.submit(
                new KvTransferRequest().requestId(2).layout(layout).blocks(source.allocate(10)));

            bridge.runUntil(() -> small.state().isTerminal());

            assertThat(small.state()).isEqualTo(KvTransferState.COMPLETED);
            assertThat(big.state()).isEqualTo(KvTransferState.PENDING);
            bridge.runUntil(() -> big.state().isTerminal());
            assertThat(big.state()).isEqualTo(KvTransferState.COMPLETED);
        }
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void makesLayersVisibleBeforeTheNextOneIsReady(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            final PagedKvCache source = PagedKvCache.allocate(bridge.sourceDevice, LAYOUT, 20);
            bridge.launch(PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, 20));
            final KvTransfer transfer = bridge.sender.submit(new KvTransferRequest()
                .requestId(5).layout(LAYOUT).blocks(bridge.source(source, 20, 1)).layerwise(true));
            bridge.runUntil(() -> !bridge.begun.isEmpty());
            final KvInboundTransfer inbound = bridge.begun.poll();

            transfer.layerReady(0);
            bridge.runUntil(() -> inbound.isLayerReady(0));
            assertThat(inbound.awaitLayer(0, 1)).isTrue();
            assertThat(inbound.awaitLayer(1, 1)).isFalse();
            assertThat(inbound.layersReady()).isEqualTo(1);
            bridge.runUntil(() -> transfer.layersAcked() == 1);
            transfer.layerReady(2);
            bridge.runUntil(() -> transfer.state().isTerminal());

            assertThat(transfer.state()).isEqualTo(KvTransferState.COMPLETED);
            assertThat(transfer.future()).isCompletedWithValue(transfer);
            assertThat(inbound.awaitLayer(2, 1)).isTrue();
            assertThatThrownBy(() -> inbound.isLayerReady(3)).hasMessageContaining("layer=3 is out of range");
        }
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void staysWithinASmallCreditWindow(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            final PagedKvCache source = PagedKvCache.allocate(bridge.sourceDevice, LAYOUT, 400);
            final PagedKvCache destination = PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, 400);
            bridge.launch(destination, ctx -> ctx,
                ctx -> ctx.creditWindowBytes(KvConfiguration.CREDIT_WINDOW_BYTES_MIN));
            final KvBlocks blocks = bridge.source(source, 400, 9);

            final KvTransfer transfer = bridge.run(new KvTransferRequest().layout(LAYOUT).blocks(blocks));

            assertThat(transfer.state()).isEqualTo(KvTransferState.COMPLETED);
            assertThat(bridge.sender.counters().get(KvCounters.Kind.BACK_PRESSURE)).isPositive();
            bridge.assertSame(LAYOUT, blocks, bridge.completed.poll().transfer().blocks());
        }
    }

    @Test
    void runsOnThreadsWithMoreTransfersThanSlots()
    {
        try (Bridge bridge = new Bridge(false))
        {
            final PagedKvCache source = PagedKvCache.allocate(bridge.sourceDevice, LAYOUT, 64);
            final PagedKvCache destination = PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, 64);
            final KvBlocks blocks = bridge.source(source, 64, 5);
            final KvReceiverListener freeing = new KvReceiverListener()
            {
                public void onTransferComplete(final long transferId, final long requestId, final KvTransferStats stats)
                {
                    bridge.assertSame(LAYOUT, blocks, stats.transfer().blocks());
                    destination.free(stats.transfer().blocks());
                }
            };
            try (KvReceiver receiver = KvReceiver.launch(bridge.receiverContext(destination)
                .listener(freeing).stagingConfig("2:1").useAgentInvoker(false));
                KvSender sender = KvSender.launch(bridge.senderContext().stagingConfig("2:1").useAgentInvoker(false)))
            {
                final List<KvTransfer> transfers = new ArrayList<>();
                for (int i = 0; i < 50; i++)
                {
                    transfers.add(sender.submit(new KvTransferRequest().requestId(i).layout(LAYOUT).blocks(blocks)));
                }

                assertThat(transfers).allSatisfy(transfer -> assertThat(transfer.await(TimeUnit.SECONDS.toNanos(60)))
                    .as(transfer.toString()).isEqualTo(KvTransferState.COMPLETED));
                assertThat(receiver.counters().get(KvCounters.Kind.TRANSFERS_COMPLETED)).isEqualTo(50);
                assertThat(destination.freeBlocks()).isEqualTo(64);
                assertThat(bridge.errors).isEmpty();
            }
        }
    }
}
