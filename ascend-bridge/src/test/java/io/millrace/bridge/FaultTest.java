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
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

import io.aeron.Subscription;
import io.millrace.bridge.device.KvEvent;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

@Timeout(150)
class FaultTest
{
    private static final KvLayout LAYOUT = new KvLayout(4, 2, 64, KvDtype.BF16, 16);
    private static final int BLOCKS = 40;

    private static KvTransferRequest request(final Bridge bridge, final PagedKvCache source, final long requestId)
    {
        return new KvTransferRequest().requestId(requestId).layout(LAYOUT).blocks(
            bridge.source(source, BLOCKS, requestId)).timeoutNs(TimeUnit.SECONDS.toNanos(60));
    }

    private static PagedKvCache source(final Bridge bridge)
    {
        return PagedKvCache.allocate(bridge.sourceDevice, LAYOUT, BLOCKS * 3);
    }

    private static PagedKvCache destination(final Bridge bridge)
    {
        return PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, BLOCKS * 3);
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void asksForADamagedLayerAgain(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            final Subscription subscription = bridge.aeron.addSubscription(bridge.channel, Bridge.STREAM_ID);
            final KvSource damaged = new DamagedSource(subscription::controlledPoll,
                chunk -> chunk.layer() == 2 && chunk.attempt() < 2 && chunk.layerOffset() == 0);
            final PagedKvCache destination = destination(bridge);
            bridge.launch(destination, ctx -> ctx, ctx -> ctx.source(damaged));
            final PagedKvCache source = source(bridge);
            final KvTransferRequest request = request(bridge, source, 1);

            final KvTransfer transfer = bridge.run(request);

            assertThat(transfer.state()).as(transfer.toString()).isEqualTo(KvTransferState.COMPLETED);
            final KvTransferStats stats = bridge.completed.poll();
            assertThat(stats.retries()).isEqualTo(2);
            assertThat(bridge.receiver.counters().get(KvCounters.Kind.CHECKSUM_ERRORS)).isEqualTo(2);
            assertThat(bridge.sender.counters().get(KvCounters.Kind.RETRIES)).isEqualTo(2);
            assertThat(transfer.bytesSent()).isEqualTo(transfer.totalBytes() + 2 * LAYOUT.layerBytes(BLOCKS));
            bridge.assertSame(LAYOUT, request.blocks(), stats.transfer().blocks());
        }
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void givesUpOnALayerThatIsAlwaysDamagedAndSparesOthers(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            final Subscription subscription = bridge.aeron.addSubscription(bridge.channel, Bridge.STREAM_ID);
            final AtomicInteger seen = new AtomicInteger();
            final long[] victim = new long[1];
            final KvSource damaged = new DamagedSource(subscription::controlledPoll, chunk ->
                chunk.transferId() == victim[0] && chunk.layer() == 1 && seen.incrementAndGet() > 0);
            final PagedKvCache destination = destination(bridge);
            bridge.launch(destination, ctx -> ctx, ctx -> ctx.source(damaged).maxLayerRetries(2));
            final PagedKvCache source = source(bridge);
            final KvTransfer bad = bridge.sender.submit(request(bridge, source, 1));
            victim[0] = bad.transferId();
            final KvTransfer good = bridge.sender.submit(request(bridge, source, 2));

            bridge.runUntil(() -> bad.state().isTerminal() && good.state().isTerminal());

            assertThat(seen).hasPositiveValue();
            assertThat(bad.state()).isEqualTo(KvTransferState.FAILED);
            assertThat(bad.error()).isEqualTo(KvError.CHECKSUM_MISMATCH);
            assertThat(bad.errorText()).contains("layer 1 has CRC-32C").contains("asked for again 2 times");
            assertThat(good.state()).isEqualTo(KvTransferState.COMPLETED);
            bridge.runUntil(() -> destination.freeBlocks() == BLOCKS * 2);
        }
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void failsWhenTheReceiverGrantsTooLittle(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            final PagedKvCache destination = destination(bridge);
            bridge.launch(new KvBlockAllocator()
            {
                public KvBlocks allocate(final KvTransferInfo info)
                {
                    return destination.allocate(info.blockCount() - 1);
                }

                public void release(final KvTransferInfo info, final KvBlocks blocks)
                {
                    destination.free(blocks);
                }
            });

            final KvTransfer transfer = bridge.run(request(bridge, source(bridge), 1));

            assertThat(transfer.error()).isEqualTo(KvError.NO_BLOCKS);
            assertThat(transfer.errorText()).contains("allocator granted 39 of 40 blocks");
            assertThat(destination.freeBlocks()).isEqualTo(BLOCKS * 3);
        }
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void refusesALayoutTheCacheDoesNotHave(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            bridge.launch(PagedKvCache.allocate(bridge.destinationDevice, LAYOUT.withTokensPerBlock(8), 10));

            final KvTransfer transfer = bridge.run(request(bridge, source(bridge), 1));

            assertThat(transfer.error()).isEqualTo(KvError.BAD_LAYOUT);
            assertThat(transfer.errorText()).contains("tokensPerBlock=16").contains("tokensPerBlock=8");
        }
    }

    @Test
    void failsOnBothSidesWhenBlocksAreNotFoundInTime()
    {
        try (Bridge bridge = new Bridge(false))
        {
            bridge.launch(info -> null);

            final KvTransfer transfer = bridge.run(
                request(bridge, source(bridge), 1).timeoutNs(TimeUnit.MILLISECONDS.toNanos(50)));
            bridge.runUntil(() -> !bridge.events.isEmpty());

            assertThat(transfer.state().isTerminal()).isTrue();
            assertThat(transfer.error()).isIn(KvError.DEADLINE, KvError.NO_BLOCKS);
            assertThat(bridge.events.poll()).startsWith("failed 1 ");
        }
    }

    @Test
    void timesOutWithoutReceiver()
    {
        try (Bridge bridge = new Bridge(false))
        {
            bridge.sender = KvSender.launch(bridge.senderContext());

            final KvTransfer transfer = bridge.run(
                request(bridge, source(bridge), 1).timeoutNs(TimeUnit.MILLISECONDS.toNanos(30)));

            assertThat(transfer.state()).isEqualTo(KvTransferState.TIMEOUT);
            assertThat(transfer.errorText()).contains("no receiver answers on stream 1001");
        }
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void cancelIsConfirmedAndFreesBlocks(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            final PagedKvCache destination = destination(bridge);
            bridge.launch(destination);
            final KvTransfer transfer = bridge.sender.submit(request(bridge, source(bridge), 1).layerwise(true));
            transfer.layerReady(1);
            bridge.runUntil(() -> transfer.layersAcked() == 2);

            transfer.cancel();
            bridge.runUntil(() -> transfer.state().isTerminal());

            assertThat(transfer.state()).isEqualTo(KvTransferState.CANCELED);
            assertThat(transfer.errorText()).contains("confirmed by the receiver");
            assertThat(destination.freeBlocks()).isEqualTo(BLOCKS * 3);
            assertThat(bridge.events).anyMatch(event -> event.startsWith("failed 1 CANCELED"));
        }
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void receiverCanCancel(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            final PagedKvCache destination = destination(bridge);
            bridge.launch(destination);
            final KvTransfer transfer = bridge.sender.submit(request(bridge, source(bridge), 1).layerwise(true));
            bridge.runUntil(() -> !bridge.begun.isEmpty());
            final KvInboundTransfer inbound = bridge.begun.poll();

            inbound.cancel();
            bridge.runUntil(() -> transfer.state().isTerminal());

            assertThat(transfer.state()).isEqualTo(KvTransferState.CANCELED);
            assertThat(inbound.state()).isEqualTo(KvTransferState.CANCELED);
            assertThatThrownBy(() -> inbound.awaitLayer(0, 1)).isInstanceOf(KvException.class)
                .hasMessageContaining("canceled by the receiver's user");
            assertThat(destination.freeBlocks()).isEqualTo(BLOCKS * 3);
        }
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void deadReceiverFailsTransfersAndANewOneIsFound(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            final PagedKvCache destination = destination(bridge);
            bridge.launch(destination);
            final PagedKvCache source = source(bridge);
            final KvTransfer transfer = bridge.sender.submit(request(bridge, source, 1).layerwise(true));
            transfer.layerReady(0);
            bridge.runUntil(() -> transfer.layersAcked() == 1);

            // Not closed but silent: as if its process had died, no last words are sent.
            final KvReceiver silent = bridge.receiver;
            bridge.receiver = null;
            transfer.layerReady(3);
            bridge.runUntil(() -> transfer.bytesSent() > LAYOUT.layerBytes(BLOCKS));
            silent.close();
            bridge.runUntil(() -> transfer.state().isTerminal());
            assertThat(transfer.state()).isEqualTo(KvTransferState.FAILED);
            assertThat(transfer.error()).isIn(KvError.PEER_GONE, KvError.SHUTDOWN);

            bridge.runUntil(() -> !bridge.sender.isConnected());
            bridge.receiver = KvReceiver.launch(bridge.receiverContext(destination));
            assertThat(bridge.run(request(bridge, source, 2)).state()).isEqualTo(KvTransferState.COMPLETED);
        }
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void deadSenderFailsTransfersAndFreesBlocks(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            final PagedKvCache destination = destination(bridge);
            bridge.launch(destination);
            final KvTransfer transfer = bridge.sender.submit(request(bridge, source(bridge), 1).layerwise(true));
            transfer.layerReady(0);
            bridge.runUntil(() -> transfer.layersAcked() == 1);
            final KvInboundTransfer inbound = bridge.begun.poll();

            bridge.closeSender();

            bridge.runUntil(() -> inbound.state().isTerminal());
            assertThat(transfer.error()).isEqualTo(KvError.SHUTDOWN);
            assertThat(inbound.error()).isIn(KvError.PEER_GONE, KvError.SHUTDOWN);
            assertThat(inbound.errorText()).isNotEmpty();
            assertThat(destination.freeBlocks()).isEqualTo(BLOCKS * 3);
        }
    }

    @Test
    void stuckCopyQuarantinesItsSlotUntilItEnds()
    {
        try (Bridge bridge = new Bridge(false))
        {
            final SlowDevice slow = new SlowDevice(bridge.sourceDevice);
            bridge.launch(destination(bridge),
                ctx -> ctx.device(slow).copyTimeoutNs(TimeUnit.SECONDS.toNanos(1)), ctx -> ctx);
            final PagedKvCache source = source(bridge);
            slow.isHeld = true;

            final KvTransfer transfer = bridge.run(request(bridge, source, 1));

            assertThat(transfer.error()).isEqualTo(KvError.DEVICE_ERROR);
            assertThat(transfer.errorText()).contains("has not ended within 1000000000 ns");
            assertThat(bridge.sender.counters().get(KvCounters.Kind.QUARANTINED)).isPositive();
            slow.isHeld = false;
            assertThat(bridge.run(request(bridge, source, 2)).state()).isEqualTo(KvTransferState.COMPLETED);
        }
    }

    @Test
    void anExceptionEndsItsTransferAlone()
    {
        try (Bridge bridge = new Bridge(false))
        {
            final List<Throwable> told = new ArrayList<>();
            bridge.launch(destination(bridge), ctx -> ctx.errorHandler(told::add), ctx -> ctx);
            final PagedKvCache source = source(bridge);
            final KvTransfer healthy = bridge.sender.submit(request(bridge, source, 1).layerwise(true));
            final KvBlocks blocks = source.allocate(BLOCKS);
            final AtomicBoolean isFailing = new AtomicBoolean();
            final KvBlocks failing = new KvBlocks()
            {
                public int blockCount()
                {
                    return BLOCKS;
                }

                public long address(final int layer, final int part, final int block)
                {
                    if (isFailing.get())
                    {
                        throw new IllegalStateException("test breaks a plan");
                    }
                    return blocks.address(layer, part, block);
                }
            };
            // More than there are slots: none is lost.
            for (int i = 0; i < 6; i++)
            {
                isFailing.set(false);
                final KvTransfer broken = bridge.sender.submit(
                    new KvTransferRequest().requestId(2).layout(LAYOUT).blocks(failing));
                isFailing.set(true);
                bridge.runUntil(() -> broken.state().isTerminal());
                assertThat(broken.error()).isEqualTo(KvError.DEVICE_ERROR);
                assertThat(broken.errorText()).contains("test breaks a plan");
            }
            assertThat(told).hasSize(6);
            healthy.layerReady(3);
            bridge.runUntil(() -> healthy.state().isTerminal());
            assertThat(healthy.state()).as(healthy.toString()).isEqualTo(KvTransferState.COMPLETED);
        }
    }

    @Test
    void aLateProducerHoldsUpNobodyElse()
    {
        try (Bridge bridge = new Bridge(false))
        {
            bridge.launch(destination(bridge),
                ctx -> ctx.copyTimeoutNs(TimeUnit.SECONDS.toNanos(1)), ctx -> ctx);
            final PagedKvCache source = source(bridge);
            final AtomicBoolean isReached = new AtomicBoolean();
            final KvEvent event = new KvEvent()
            {
                public boolean isReached()
                {
                    return isReached.get();
                }

                public void close()
                {
                }
            };
            final KvTransfer late = bridge.sender.submit(request(bridge, source, 1).acquire(event));
            bridge.runUntil(() -> 1 == bridge.begun.size());
            for (int i = 0; i < 50; i++)
            {
                bridge.turn();
            }
            final KvTransfer other = bridge.run(request(bridge, source, 2));
            assertThat(other.state()).as(other.toString()).isEqualTo(KvTransferState.COMPLETED);
            assertThat(late.bytesSent()).isZero();
            assertThat(bridge.sender.counters().get(KvCounters.Kind.STAGING_STALLS)).isZero();

            isReached.set(true);
            bridge.runUntil(() -> late.state().isTerminal());
            assertThat(late.state()).as(late.toString()).isEqualTo(KvTransferState.COMPLETED);
        }
    }

    @Test
    void aSenderThatIsClosedReportsNoTransferEndedWhileItsBlocksAreRead()
    {
        try (Bridge bridge = new Bridge(false))
        {
            final SlowDevice slow = new SlowDevice(bridge.sourceDevice);
            bridge.launch(destination(bridge), ctx -> ctx.device(slow), ctx -> ctx);
            slow.isHeld = true;
            final KvTransfer transfer = bridge.sender.submit(request(bridge, source(bridge), 1));
            bridge.runUntil(() -> slow.heldCount() > 0);
            final AtomicInteger heldAtEnd = new AtomicInteger(-1);
            transfer.future().thenRun(() -> heldAtEnd.set(slow.heldCount()));

            bridge.closeSender();

            assertThat(transfer.error()).isEqualTo(KvError.SHUTDOWN);
            assertThat(heldAtEnd).hasValue(0);
        }
    }

    @Test
    void stuckLandingKeepsItsBlocksUntilItEnds()
    {
        try (Bridge bridge = new Bridge(false))
        {
            final SlowDevice slow = new SlowDevice(bridge.destinationDevice);
            final PagedKvCache destination = destination(bridge);
            bridge.launch(destination, ctx -> ctx,
                ctx -> ctx.device(slow).copyTimeoutNs(TimeUnit.SECONDS.toNanos(1)));
            final PagedKvCache source = source(bridge);
            slow.isHeld = true;

            final KvTransfer transfer = bridge.run(request(bridge, source, 1));

            assertThat(transfer.error()).isEqualTo(KvError.DEVICE_ERROR);
            assertThat(destination.freeBlocks()).isEqualTo(BLOCKS * 2);
            slow.isHeld = false;
            assertThat(bridge.run(request(bridge, source, 2)).state()).isEqualTo(KvTransferState.COMPLETED);
            bridge.runUntil(() -> destination.freeBlocks() == BLOCKS * 2);
        }
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void refusesMoreThanMaxPending(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            final PagedKvCache destination = PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, BLOCKS * 4);
            bridge.launch(destination, ctx -> ctx.maxPending(3), ctx -> ctx);
            final PagedKvCache source = source(bridge);
            final KvTransferRequest request = request(bridge, source, 1);
            final List<KvTransfer> transfers = new ArrayList<>();
            for (int i = 0; i < 3; i++)
            {
                transfers.add(bridge.sender.submit(request));
            }

            assertThatThrownBy(() -> bridge.sender.submit(request)).isInstanceOf(KvException.class)
                .hasMessageContaining("QUEUE_FULL").hasMessageContaining("maxPending=3");
            bridge.runUntil(() -> transfers.stream().allMatch(transfer -> transfer.state().isTerminal()));
            assertThat(bridge.run(request).state()).isEqualTo(KvTransferState.COMPLETED);
        }
    }
}
