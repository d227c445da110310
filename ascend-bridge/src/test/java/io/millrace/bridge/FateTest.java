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

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.aeron.Subscription;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * A decode side learns the fate of every request that it waits for.
 */
@Timeout(150)
class FateTest
{
    private static final KvLayout LAYOUT = new KvLayout(2, 2, 64, KvDtype.BF16, 16);
    private static final int BLOCKS = 8;
    private static final long LONG_NS = TimeUnit.SECONDS.toNanos(30);
    private static final long SHORT_NS = TimeUnit.MILLISECONDS.toNanos(50);

    private static KvTransferRequest request(final KvBlocks blocks, final long requestId)
    {
        return new KvTransferRequest().requestId(requestId).layout(LAYOUT).blocks(blocks).timeoutNs(LONG_NS)
            .failurePolicy(KvFailurePolicy.RECOMPUTE);
    }

    private static KvBlocks source(final Bridge bridge)
    {
        return PagedKvCache.allocate(bridge.sourceDevice, LAYOUT, BLOCKS).allocate(BLOCKS);
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void landedFailedCanceledAndNeverBegun(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            bridge.launch(PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, BLOCKS));
            final KvBlocks blocks = source(bridge);
            final CompletableFuture<KvFate> landed = bridge.receiver.expect(1, LONG_NS);
            final CompletableFuture<KvFate> again = bridge.receiver.expect(1, LONG_NS);
            final CompletableFuture<KvFate> canceled = bridge.receiver.expect(2, LONG_NS);
            final CompletableFuture<KvFate> never = bridge.receiver.expect(3, SHORT_NS);
            final CompletableFuture<KvFate> refused = bridge.receiver.expect(4, LONG_NS);

            bridge.sender.submit(request(blocks, 1));
            bridge.runUntil(landed::isDone);
            // No block is free: it waits until it is canceled.
            final KvTransfer second = bridge.sender.submit(request(blocks, 2));
            bridge.runUntil(() -> KvTransferState.PENDING == second.state());
            second.cancel();
            final KvTransfer fourth = bridge.sender.submit(request(PagedKvCache.allocate(
                bridge.sourceDevice, LAYOUT.withTokensPerBlock(8), 1).allocate(1), 4)
                .layout(LAYOUT.withTokensPerBlock(8)));
            bridge.runUntil(() -> canceled.isDone() && never.isDone() && refused.isDone() &&
                fourth.state().isTerminal());

            assertThat(landed.join().state()).isEqualTo(KvTransferState.COMPLETED);
            assertThat(landed.join().transfer().isLayerReady(1)).isTrue();
            assertThat(again.join()).isSameAs(landed.join());
            assertThat(canceled.join().state()).isEqualTo(KvTransferState.CANCELED);
            assertThat(canceled.join().policy()).isEqualTo(KvFailurePolicy.RECOMPUTE);
            assertThat(never.join().state()).isEqualTo(KvTransferState.TIMEOUT);
            assertThat(never.join().text()).contains("no transfer of request 3 began within 50000000 ns");
            assertThat(refused.join().error()).isEqualTo(KvError.BAD_LAYOUT);
            assertThat(refused.join().policy()).isEqualTo(KvFailurePolicy.RECOMPUTE);
            assertThat(fourth.failurePolicy()).isEqualTo(KvFailurePolicy.RECOMPUTE);
        }
    }

    @Test
    void whatEndedBeforeAnybodyAskedIsToldOnce()
    {
        try (Bridge bridge = new Bridge(Drivers.areReplaced()))
        {
            final PagedKvCache destination = PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, BLOCKS);
            bridge.launch(destination);
            bridge.run(request(source(bridge), 1));
            destination.free(bridge.completed.poll().transfer().blocks());

            final CompletableFuture<KvFate> first = bridge.receiver.expect(1, LONG_NS);
            bridge.runUntil(first::isDone);
            final CompletableFuture<KvFate> second = bridge.receiver.expect(1, SHORT_NS);
            bridge.runUntil(second::isDone);

            assertThat(first.join().state()).isEqualTo(KvTransferState.COMPLETED);
            assertThat(second.join().state()).isEqualTo(KvTransferState.TIMEOUT);
        }
    }

    @Test
    void aDeadSenderAndAClosedReceiverAreFates()
    {
        try (Bridge bridge = new Bridge(Drivers.areReplaced()))
        {
            bridge.launch(PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, BLOCKS));
            final CompletableFuture<KvFate> broken = bridge.receiver.expect(1, LONG_NS);
            final CompletableFuture<KvFate> waiting = bridge.receiver.expect(2, LONG_NS);
            bridge.sender.submit(request(source(bridge), 1).layerwise(true));
            bridge.runUntil(() -> !bridge.begun.isEmpty());
            bridge.closeSender();
            bridge.runUntil(broken::isDone);
            bridge.closeReceiver();

            assertThat(broken.join().error()).isIn(KvError.PEER_GONE, KvError.SHUTDOWN);
            assertThat(broken.join().transfer().info().requestId()).isEqualTo(1);
            assertThat(waiting.join().error()).isEqualTo(KvError.SHUTDOWN);
        }
    }

    @Test
    void aGrantThatNeverComesHasItsOwnDeadline()
    {
        try (Bridge bridge = new Bridge(Drivers.areReplaced()))
        {
            bridge.launch(info -> null);
            final CompletableFuture<KvFate> fate = bridge.receiver.expect(1, LONG_NS);
            final KvTransfer transfer = bridge.sender.submit(request(source(bridge), 1).grantTimeoutNs(SHORT_NS));
            bridge.runUntil(() -> transfer.state().isTerminal() && fate.isDone());

            assertThat(transfer.error()).isEqualTo(KvError.NO_BLOCKS);
            assertThat(transfer.errorText()).contains("granted nothing within 50000000 ns");
            assertThat(fate.join().error()).isEqualTo(KvError.NO_BLOCKS);
        }
    }

    @Test
    void refusesToWaitForNoTime()
    {
        try (Bridge bridge = new Bridge(Drivers.areReplaced()))
        {
            bridge.launch(info -> null);
            assertThatThrownBy(() -> bridge.receiver.expect(1, 0)).hasMessageContaining("timeoutNs=0");
        }
    }

    @Test
    void aReceiverThatIsClosedTellsTheEndOfEveryTransfer()
    {
        final int count = 150;
        try (Bridge bridge = new Bridge(Drivers.areReplaced()))
        {
            bridge.receiver = KvReceiver.launch(bridge.receiverContext(info -> null).maxInFlight(count));
            final Subscription reverse =
                bridge.aeron.addSubscription(bridge.reverseChannel, Bridge.REVERSE_STREAM_ID);
            final RawSender raw = new RawSender(bridge);
            for (int i = 1; i <= count; i++)
            {
                raw.begin(i, LAYOUT, 1);
                raw.sendBegin();
            }
            bridge.runUntil(() -> bridge.receiver.counters().get(KvCounters.Kind.TRANSFERS_STARTED) == count);
            bridge.closeReceiver();

            final AtomicInteger told = new AtomicInteger();
            bridge.runUntil(() -> reverse.poll((buffer, offset, length, header) -> told.incrementAndGet(), 10) >= 0 &&
                reverse.hasNoImages());
            assertThat(told).hasValue(count);
        }
    }
}
