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
import java.util.concurrent.atomic.AtomicLong;

import io.aeron.Subscription;
import io.millrace.bridge.device.HostDevice;
import io.millrace.codecs.kv.LayerCommitDecoder;
import io.millrace.codecs.kv.TransferCommitDecoder;
import org.agrona.concurrent.NanoClock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A TransferCommit comes right behind the last layer, before the receiver has said what became of it.
 */
@Timeout(150)
class EarlyCommitTest
{
    private static final KvLayout LAYOUT = new KvLayout(3, 2, 64, KvDtype.BF16, 16);
    private static final int LAST = 2;
    private static final int BLOCKS = 4;

    private static KvTransferRequest request(final Bridge bridge)
    {
        return new KvTransferRequest().requestId(1).layout(LAYOUT).timeoutNs(TimeUnit.SECONDS.toNanos(60))
            .blocks(bridge.source(PagedKvCache.allocate(bridge.sourceDevice, LAYOUT, BLOCKS), BLOCKS, 1));
    }

    private static PagedKvCache destination(final Bridge bridge)
    {
        return PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, BLOCKS);
    }

    private static TappedSource tapped(final Bridge bridge)
    {
        return new TappedSource(
            bridge.aeron.addSubscription(bridge.channel, Bridge.STREAM_ID)::controlledPoll);
    }

    /**
     * A transfer of which all has arrived, and no copy ended.
     */
    private static final class Held implements AutoCloseable
    {
        final SlowDevice device = new SlowDevice(new HostDevice(1, 1));
        final Bridge bridge = new Bridge(false, new HostDevice(0, 1), device);
        final Subscription subscription = bridge.aeron.addSubscription(bridge.channel, Bridge.STREAM_ID);
        final TappedSource source = new TappedSource(subscription::controlledPoll);
        final PagedKvCache destination = destination(bridge);
        final KvTransferRequest request = request(bridge);
        final AtomicLong aheadNs = new AtomicLong();
        final NanoClock clock = () -> System.nanoTime() + aheadNs.get();
        KvTransfer transfer;
        KvInboundTransfer inbound;

        Held submit()
        {
            bridge.launch(destination, ctx -> ctx.nanoClock(clock), ctx -> ctx.nanoClock(clock).source(source)
                .copyTimeoutNs(Long.MAX_VALUE / 4));
            device.isHeld = true;
            transfer = bridge.sender.submit(request);
            bridge.runUntil(() -> !bridge.begun.isEmpty() && bridge.begun.peek().hasArrived());
            inbound = bridge.begun.peek();
            assertThat(transfer.state()).isEqualTo(KvTransferState.PENDING);
            assertThat(transfer.layersAcked()).isZero();
            assertThat(inbound.state()).isEqualTo(KvTransferState.PENDING);
            assertThat(inbound.layersReady()).isZero();
            return this;
        }

        void assertCompletes()
        {
            device.isHeld = false;
            bridge.runUntil(() -> transfer.state().isTerminal());
            assertThat(transfer.state()).as(transfer.toString()).isEqualTo(KvTransferState.COMPLETED);
            assertThat(transfer.layersAcked()).isEqualTo(LAYOUT.layers());
            assertThat(bridge.completed).hasSize(1);
            bridge.assertSame(LAYOUT, request.blocks(), inbound.blocks());
        }

        public void close()
        {
            bridge.close();
        }
    }

    @Test
    void isHeldUntilTheLastCopyHasEnded()
    {
        try (Held held = new Held().submit())
        {
            held.assertCompletes();
            assertThat(held.source.count(TransferCommitDecoder.TEMPLATE_ID)).isOne();
        }
    }

    @Test
    void goesOnAfterTheSessionIsLostBehindIt()
    {
        try (Held held = new Held())
        {
            held.request.resumeTimeoutNs(TimeUnit.SECONDS.toNanos(60));
            held.submit();
            held.subscription.imageAtIndex(0).reject("test breaks the session");
            held.bridge.runUntil(() -> held.bridge.receiver.counters().get(KvCounters.Kind.RESUMES) == 1);
            held.assertCompletes();
            assertThat(held.transfer.bytesSent()).isEqualTo(held.transfer.totalBytes());
        }
    }

    @Test
    void aCancelBehindItHoldsBlocksWhileCopiesWrite()
    {
        try (Held held = new Held().submit())
        {
            held.transfer.cancel();
            held.bridge.runUntil(() -> held.transfer.state().isTerminal());
            assertThat(held.transfer.state()).isEqualTo(KvTransferState.CANCELED);
            assertThat(held.inbound.state()).isEqualTo(KvTransferState.CANCELED);
            assertThat(held.destination.freeBlocks()).isZero();
            held.device.isHeld = false;
            held.bridge.runUntil(() -> held.destination.freeBlocks() == BLOCKS);
        }
    }

    @Test
    void aDeadlineBehindItEndsTheTransferOnBothSides()
    {
        try (Held held = new Held().submit())
        {
            held.aheadNs.set(held.request.timeoutNs());
            held.bridge.runUntil(() -> held.transfer.state().isTerminal() && held.inbound.state().isTerminal());
            assertThat(held.transfer.state()).isEqualTo(KvTransferState.TIMEOUT);
            assertThat(held.inbound.state()).isEqualTo(KvTransferState.TIMEOUT);
            assertThat(held.destination.freeBlocks()).isZero();
            held.device.isHeld = false;
            held.bridge.runUntil(() -> held.destination.freeBlocks() == BLOCKS);
        }
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void isSaidAgainBehindALayerThatWasSentAgain(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            final TappedSource source = tapped(bridge);
            bridge.launch(destination(bridge), ctx -> ctx, ctx -> ctx.source(
                new DamagedSource(source, chunk -> chunk.layer() == LAST && chunk.attempt() < 2)));
            final KvTransferRequest request = request(bridge);

            final KvTransfer transfer = bridge.run(request);

            assertThat(transfer.state()).as(transfer.toString()).isEqualTo(KvTransferState.COMPLETED);
            assertThat(source.count(TransferCommitDecoder.TEMPLATE_ID)).isEqualTo(3);
            assertThat(source.count(LayerCommitDecoder.TEMPLATE_ID)).isEqualTo(LAYOUT.layers() + 2);
            assertThat(bridge.receiver.counters().get(KvCounters.Kind.DUPLICATES)).isEqualTo(2);
            assertThat(bridge.receiver.counters().get(KvCounters.Kind.REJECTS)).isZero();
            assertThat(bridge.events).containsExactlyInAnyOrder("layer 1 0", "layer 1 1", "layer 1 2", "complete 1");
            bridge.assertSame(LAYOUT, request.blocks(), bridge.completed.peek().transfer().blocks());
        }
    }

    @Test
    void oneOfSeveralThatAsksForALayerAgainDoesNotTroubleTheOthers()
    {
        final List<KvTransferStats> others = new ArrayList<>();
        try (Bridge bridge = new Bridge(false); KvReceiver other = KvReceiver.launch(
            bridge.receiverContext(destination(bridge)).listener(new KvReceiverListener()
            {
                public void onTransferComplete(
                    final long transferId, final long requestId, final KvTransferStats stats)
                {
                    others.add(stats);
                }
            })))
        {
            bridge.launch(destination(bridge), ctx -> ctx.minReceivers(2), ctx -> ctx.source(
                new DamagedSource(tapped(bridge), chunk -> chunk.layer() == LAST && chunk.attempt() < 2)));
            final KvTransferRequest request = request(bridge);
            final KvTransfer transfer = bridge.sender.submit(request);

            bridge.runUntil(() -> other.invoker().invoke() >= 0 && transfer.state().isTerminal());

            assertThat(transfer.state()).as(transfer.toString()).isEqualTo(KvTransferState.COMPLETED);
            assertThat(transfer.destinations()).hasSize(2);
            bridge.assertSame(LAYOUT, request.blocks(), bridge.completed.peek().transfer().blocks());
            bridge.assertSame(LAYOUT, request.blocks(), others.get(0).transfer().blocks());
            assertThat(others).hasSize(1);
        }
    }

    @Test
    void waitsForTheLayersOfAReceiverThatDoesNotKnowIt()
    {
        try (Bridge bridge = new Bridge(false))
        {
            final RawReceiver older = new RawReceiver(bridge, Bridge.STREAM_ID, 5).protocolVersion(1)
                .eagerBytes(1 << 20);
            bridge.sender = KvSender.launch(bridge.senderContext());
            final KvTransfer transfer = bridge.sender.submit(request(bridge));
            bridge.runUntil(() -> older.poll() >= 0 && 0 != older.transferId);
            assertThat(older.beginVersion).isEqualTo(1);

            assertThat(older.isEager).isFalse();
            assertThat(older.chunks).isZero();
            older.allocate(BLOCKS, 0);
            bridge.runUntil(() -> older.poll() >= 0 && older.layerCommits == LAYOUT.layers());
            older.layerAck(0);
            older.layerAck(1);
            bridge.runUntil(() -> older.poll() >= 0 && transfer.layersAcked() == LAST);
            for (int i = 0; i < 100; i++)
            {
                bridge.turn();
                older.poll();
            }
            assertThat(older.transferCommits).isZero();

            older.layerAck(LAST);
            bridge.runUntil(() -> older.poll() >= 0 && older.transferCommits == 1);
            older.transferAck(transfer.totalBytes());
            bridge.runUntil(() -> transfer.state() == KvTransferState.COMPLETED);
        }
    }
}
