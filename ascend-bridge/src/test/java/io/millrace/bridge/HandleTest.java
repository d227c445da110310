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
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * Handles of transfers: ways to wait, progress, priorities, bounds.
 */
@Timeout(150)
class HandleTest
{
    private static final KvLayout LAYOUT = new KvLayout(4, 2, 64, KvDtype.BF16, 16);
    private static final int BLOCKS = 64;
    private static final long LONG_NS = TimeUnit.SECONDS.toNanos(30);

    private static KvTransferRequest request(final KvBlocks blocks, final long requestId)
    {
        return new KvTransferRequest().requestId(requestId).layout(LAYOUT).blocks(blocks).timeoutNs(LONG_NS);
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void tellsTheEndInEveryWay(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            final PagedKvCache source = PagedKvCache.allocate(bridge.sourceDevice, LAYOUT, BLOCKS);
            final PagedKvCache destination = PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, 4 * BLOCKS);
            final KvBlocks blocks = bridge.source(source, BLOCKS, 1);
            try (KvReceiver receiver = KvReceiver.launch(
                bridge.receiverContext(destination).useAgentInvoker(false));
                KvSender sender = KvSender.launch(bridge.senderContext().useAgentInvoker(false)))
            {
                final AtomicReference<KvTransfer> called = new AtomicReference<>();
                final List<KvTransfer> batch = sender.submit(List.of(request(blocks, 1), request(blocks, 2)));
                batch.get(0).onEnd(called::set);
                assertThat(KvTransfer.awaitAll(batch, LONG_NS)).isTrue();
                assertThat(batch.get(0).future().join().state()).isEqualTo(KvTransferState.COMPLETED);
                assertThat(called.get()).isSameAs(batch.get(0));
                assertThat(batch.get(1).isLayerAcked(3)).isTrue();
                assertThat(batch.get(1).remainingNs()).isBetween(1L, LONG_NS);
                assertThat(batch.get(1).destinations()).singleElement().satisfies(each ->
                {
                    assertThat(each.state()).isEqualTo(KvTransferState.COMPLETED);
                    assertThat(each.layersAcked()).isEqualTo(4);
                });

                assertThat(sender.send(request(blocks, 3)).bytesSent()).isEqualTo(LAYOUT.totalBytes(BLOCKS));
                assertThatThrownBy(() -> sender.send(request(blocks, 4).layerwise(true).timeoutNs(1_000_000)))
                    .isInstanceOf(KvException.class).hasMessageContaining("DEADLINE");
                assertThat(receiver.counters().get(KvCounters.Kind.TRANSFERS_COMPLETED)).isEqualTo(3);
            }
        }
    }

    @Test
    void aBatchIsTakenWholeOrNotAtAll()
    {
        try (Bridge bridge = new Bridge(false))
        {
            final PagedKvCache source = PagedKvCache.allocate(bridge.sourceDevice, LAYOUT, BLOCKS);
            bridge.launch(PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, 4 * BLOCKS),
                ctx -> ctx.maxPending(2), ctx -> ctx);
            final KvTransferRequest request = request(source.allocate(BLOCKS), 1);

            assertThatThrownBy(() -> bridge.sender.submit(List.of(request, request, request)))
                .isInstanceOf(KvException.class).hasMessageContaining("QUEUE_FULL");
            final List<KvTransfer> two = bridge.sender.submit(List.of(request, request));
            bridge.runUntil(() -> KvTransfer.awaitAll(two, 1));
            assertThat(bridge.completed).hasSize(2);
            assertThatThrownBy(() -> bridge.sender.submit(List.of(request, request(null, 2))))
                .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void highGoesFirstAndLowIsNotStarved(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            final PagedKvCache source = PagedKvCache.allocate(bridge.sourceDevice, LAYOUT, BLOCKS);
            final PagedKvCache destination = PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, 8 * BLOCKS);
            final List<Long> ended = new ArrayList<>();
            bridge.launch(destination, ctx -> ctx.maxInFlight(1), ctx -> ctx.listener(new KvReceiverListener()
            {
                public void onTransferComplete(final long transferId, final long requestId, final KvTransferStats stats)
                {
                    ended.add(requestId);
                    destination.free(stats.transfer().blocks());
                }
            }));
            final KvBlocks blocks = source.allocate(BLOCKS);
            final KvTransfer low = bridge.sender.submit(request(blocks, 100).priority(KvPriority.LOW));
            final long[] highs = {0};
            bridge.runUntil(() ->
            {
                // Two of high priority always wait.
                while (highs[0] < 100 && highs[0] < ended.size() + 3)
                {
                    bridge.sender.submit(request(blocks, highs[0]++).priority(KvPriority.HIGH));
                }
                return low.state().isTerminal();
            });

            assertThat(low.state()).as(low.toString()).isEqualTo(KvTransferState.COMPLETED);
            assertThat(ended.indexOf(100L)).isBetween(2, 20);
        }
    }
}
