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
import java.util.Random;
import java.util.concurrent.TimeUnit;

import io.aeron.Aeron;
import io.aeron.CommonContext;
import io.aeron.Image;
import io.aeron.Subscription;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import org.agrona.CloseHelper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Transfers whose session, process or driver is lost in the middle go on from the last committed layer.
 */
@Timeout(120)
class ResumeTest
{
    private static final KvLayout LAYOUT = new KvLayout(4, 2, 64, KvDtype.BF16, 16);
    private static final int BLOCKS = 40;
    private static final long LONG_NS = TimeUnit.SECONDS.toNanos(60);

    private static KvTransferRequest request(final KvBlocks blocks)
    {
        return new KvTransferRequest().requestId(1).layout(LAYOUT).blocks(blocks).layerwise(true)
            .timeoutNs(LONG_NS).resumeTimeoutNs(LONG_NS);
    }

    private static PagedKvCache destination(final Bridge bridge)
    {
        return PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, BLOCKS * 2);
    }

    private static KvBlocks source(final Bridge bridge)
    {
        return bridge.source(PagedKvCache.allocate(bridge.sourceDevice, LAYOUT, BLOCKS), BLOCKS, 5);
    }

    private static Aeron client(final String directory)
    {
        // A test that fails leaves it open when its driver ends: Aeron's own handler would end the process then.
        return Aeron.connect(new Aeron.Context().aeronDirectoryName(directory).errorHandler(error -> { }));
    }

    /**
     * Send the rest and look at what landed.
     */
    private static void finish(final Bridge bridge, final KvTransfer transfer, final KvBlocks blocks)
    {
        transfer.layerReady(3);
        bridge.runUntil(() -> transfer.state().isTerminal() && !bridge.completed.isEmpty());
        assertThat(transfer.state()).as(transfer.toString()).isEqualTo(KvTransferState.COMPLETED);
        bridge.assertSame(LAYOUT, blocks, bridge.completed.peek().transfer().blocks());
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void afterTheSessionIsLost(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            final Subscription subscription = bridge.aeron.addSubscription(bridge.channel, Bridge.STREAM_ID);
            final PagedKvCache destination = destination(bridge);
            bridge.launch(destination, ctx -> ctx, ctx -> ctx.source(subscription::controlledPoll));
            final KvBlocks blocks = source(bridge);
            final KvTransfer transfer = bridge.sender.submit(request(blocks));
            transfer.layerReady(1);
            bridge.runUntil(() -> transfer.layersAcked() == 2);
            final KvInboundTransfer inbound = bridge.begun.peek();

            subscription.imageAtIndex(0).reject("test breaks the session");
            bridge.runUntil(inbound::isInterrupted);
            assertThat(inbound.layersReady()).isEqualTo(2);
            assertThat(transfer.state()).isEqualTo(KvTransferState.PENDING);

            finish(bridge, transfer, blocks);
            assertThat(bridge.completed.peek().transfer()).isSameAs(inbound);
            assertThat(transfer.bytesSent()).isEqualTo(transfer.totalBytes());
            assertThat(bridge.sender.counters().get(KvCounters.Kind.INTERRUPTIONS)).isPositive();
            assertThat(bridge.receiver.counters().get(KvCounters.Kind.RESUMES)).isPositive();
        }
    }

    @Test
    void withItsOwnReceiverAlthoughAnotherJoined()
    {
        try (Bridge bridge = Setting.HOST_IPC.open())
        {
            final Subscription subscription = bridge.aeron.addSubscription(bridge.channel, Bridge.STREAM_ID);
            bridge.launch(destination(bridge), ctx -> ctx, ctx -> ctx.source(subscription::controlledPoll));
            final KvBlocks blocks = source(bridge);
            final KvTransfer transfer = bridge.sender.submit(request(blocks));
            transfer.layerReady(1);
            bridge.runUntil(() -> transfer.layersAcked() == 2);
            final long receiverId = transfer.destinations().get(0).receiverId();
            final KvInboundTransfer inbound = bridge.begun.peek();

            final RawReceiver other = new RawReceiver(bridge, Bridge.STREAM_ID, 99);
            bridge.runUntil(() -> other.poll() >= 0 && other.isAsked);
            subscription.imageAtIndex(0).reject("test breaks the session");
            bridge.runUntil(() -> other.poll() >= 0 && inbound.isInterrupted());
            transfer.layerReady(3);
            bridge.runUntil(() -> other.poll() >= 0 && transfer.state().isTerminal());

            assertThat(transfer.state()).as(transfer.toString()).isEqualTo(KvTransferState.COMPLETED);
            assertThat(transfer.destinations()).extracting(KvDestination::receiverId).containsExactly(receiverId);
            assertThat(bridge.completed.peek().transfer()).isSameAs(inbound);
            bridge.assertSame(LAYOUT, blocks, inbound.blocks());
        }
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void whenOnlyTheReceiverNotices(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            // The second keeps the publication connected, and is polled in place of the first when that is closed.
            final Subscription first = bridge.aeron.addSubscription(bridge.channel, Bridge.STREAM_ID);
            final Subscription second = bridge.aeron.addSubscription(bridge.channel, Bridge.STREAM_ID);
            final KvSource source = (handler, limit) -> first.isClosed() ? second.controlledPoll(handler, limit) :
                first.controlledPoll(handler, limit) + second.poll((buffer, offset, length, header) -> { }, limit);
            bridge.launch(destination(bridge), ctx -> ctx, ctx -> ctx.source(source));
            final KvBlocks blocks = source(bridge);
            final KvTransfer transfer = bridge.sender.submit(request(blocks));
            transfer.layerReady(1);
            bridge.runUntil(() -> transfer.layersAcked() == 2);

            first.close();
            transfer.layerReady(2);
            bridge.runUntil(() -> bridge.receiver.counters().get(KvCounters.Kind.RESUMES) == 1);

            finish(bridge, transfer, blocks);
            assertThat(bridge.sender.counters().get(KvCounters.Kind.INTERRUPTIONS)).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void manyTransfersThroughManyBreaks(final Setting setting)
    {
        final int count = 8;
        try (Bridge bridge = setting.open())
        {
            final Random random = new Random(11);
            final Subscription subscription = bridge.aeron.addSubscription(bridge.channel, Bridge.STREAM_ID);
            final PagedKvCache destination =
                PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, count * BLOCKS);
            bridge.launch(destination, ctx -> ctx, ctx -> ctx.source(subscription::controlledPoll));
            final KvBlocks blocks = source(bridge);
            final List<KvTransfer> transfers = new ArrayList<>();
            for (int i = 0; i < count; i++)
            {
                transfers.add(bridge.sender.submit(request(blocks).requestId(i)));
                transfers.get(i).layerReady(0);
            }

            for (int layer = 0; layer < 4; layer++)
            {
                // In the middle of a layer, at a moment that differs from run to run.
                final int ready = layer;
                final long sent = transfers.get(0).bytesSent();
                transfers.forEach(transfer -> transfer.layerReady(ready));
                final int turns = random.nextInt(20);
                for (int i = 0; i < turns || transfers.get(0).bytesSent() == sent && i < 1000; i++)
                {
                    bridge.turn();
                }
                final Image image = subscription.imageCount() > 0 ? subscription.imageAtIndex(0) : null;
                if (null != image)
                {
                    image.reject("test breaks the session");
                    bridge.runUntil(image::isClosed);
                }
            }
            bridge.runUntil(() -> transfers.stream().allMatch(transfer -> transfer.state().isTerminal()) &&
                bridge.completed.size() == count);

            assertThat(transfers).allSatisfy(transfer ->
                assertThat(transfer.state()).as(transfer.toString()).isEqualTo(KvTransferState.COMPLETED));
            assertThat(destination.freeBlocks()).isZero();
            bridge.completed.forEach(
                stats -> bridge.assertSame(LAYOUT, blocks, stats.transfer().blocks()));
            assertThat(bridge.sender.counters().get(KvCounters.Kind.STAGING_IN_USE)).isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void afterTheSendersProcessIsLost(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            final PagedKvCache destination = destination(bridge);
            final Aeron mortal = client(bridge.driver.aeronDirectoryName());
            bridge.launch(destination, ctx -> ctx.aeron(mortal), ctx -> ctx);
            final KvBlocks blocks = source(bridge);
            final KvTransfer lost = bridge.sender.submit(request(blocks));
            lost.layerReady(1);
            bridge.runUntil(() -> lost.layersAcked() == 2);
            final KvInboundTransfer inbound = bridge.begun.peek();

            // No last word: its client is gone before it is closed.
            mortal.close();
            bridge.closeSender();
            bridge.runUntil(inbound::isInterrupted);
            assertThat(lost.error()).isEqualTo(KvError.SHUTDOWN);

            bridge.sender = KvSender.launch(bridge.senderContext());
            final KvTransfer transfer = bridge.sender.submit(request(blocks));
            finish(bridge, transfer, blocks);
            assertThat(bridge.completed.peek().transfer()).isSameAs(inbound);
            assertThat(inbound.info().transferId()).isEqualTo(transfer.transferId());
            assertThat(transfer.bytesSent()).isEqualTo(2 * LAYOUT.layerBytes(BLOCKS));
            assertThat(destination.freeBlocks()).isEqualTo(BLOCKS);
        }
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void afterTheReceiversProcessIsLost(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            final PagedKvCache destination = destination(bridge);
            final Aeron mortal = client(bridge.driver.aeronDirectoryName());
            bridge.launch(destination, ctx -> ctx, ctx -> ctx.aeron(mortal));
            final KvBlocks blocks = source(bridge);
            final KvTransfer transfer = bridge.sender.submit(request(blocks));
            transfer.layerReady(1);
            bridge.runUntil(() -> transfer.layersAcked() == 2);
            final KvBlocks kept = bridge.begun.poll().blocks();

            mortal.close();
            final KvReceiver dead = bridge.receiver;
            bridge.receiver = null;
            bridge.runUntil(() -> !bridge.sender.isConnected());

            // The device memory is another process's: the next receiver finds two layers in the same blocks.
            bridge.receiver = KvReceiver.launch(bridge.receiverContext(new KvBlockAllocator()
            {
                public KvBlocks allocate(final KvTransferInfo info)
                {
                    assertThat(info.attempt()).isEqualTo(1);
                    return kept;
                }

                public KvGrant grant(final KvTransferInfo info)
                {
                    return KvGrant.of(allocate(info)).layersPresent(2);
                }
            }));
            finish(bridge, transfer, blocks);
            assertThat(transfer.bytesSent()).isEqualTo(transfer.totalBytes());
            assertThat(transfer.layersAcked()).isEqualTo(4);
            dead.close();
        }
    }

    @Test
    void aCancelForAReceiverThatWasReplacedIsForTheOneInItsPlace()
    {
        try (Bridge bridge = Setting.HOST_UDP.open())
        {
            final Aeron mortal = client(bridge.driver.aeronDirectoryName());
            bridge.launch(destination(bridge), ctx -> ctx, ctx -> ctx.aeron(mortal));
            final KvTransfer transfer = bridge.sender.submit(request(source(bridge)));
            transfer.layerReady(1);
            bridge.runUntil(() -> transfer.layersAcked() == 2);
            final long receiverId = transfer.destinations().get(0).receiverId();
            mortal.close();
            bridge.closeReceiver();
            bridge.runUntil(() -> !bridge.sender.isConnected());
            bridge.receiver = KvReceiver.launch(bridge.receiverContext(destination(bridge)));
            bridge.runUntil(() -> transfer.destinations().get(0).receiverId() != receiverId &&
                transfer.layersAcked() == 2);

            transfer.cancel(receiverId);
            bridge.runUntil(() -> transfer.state().isTerminal());
            assertThat(transfer.state()).isEqualTo(KvTransferState.CANCELED);
            assertThat(transfer.errorText()).contains("confirmed by the receiver");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void fromTheBeginningWhenTheNextReceiverHasNothing(final boolean isUdp)
    {
        try (Bridge bridge = new Bridge(isUdp))
        {
            final Aeron mortal = client(bridge.driver.aeronDirectoryName());
            bridge.launch(destination(bridge), ctx -> ctx, ctx -> ctx.aeron(mortal));
            final KvBlocks blocks = source(bridge);
            final KvTransfer transfer = bridge.sender.submit(request(blocks));
            transfer.layerReady(1);
            bridge.runUntil(() -> transfer.layersAcked() == 2);
            mortal.close();
            bridge.closeReceiver();
            bridge.runUntil(() -> !bridge.sender.isConnected());

            bridge.receiver = KvReceiver.launch(bridge.receiverContext(destination(bridge)));
            finish(bridge, transfer, blocks);
            assertThat(transfer.bytesSent()).isEqualTo(transfer.totalBytes() + 2 * LAYOUT.layerBytes(BLOCKS));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void afterTheDriverOfOneSideIsLost(final boolean isSendersDriver)
    {
        final String directory = CommonContext.generateRandomDirName();
        MediaDriver driver = launch(directory);
        try (Bridge bridge = new Bridge(true))
        {
            bridge.launch(destination(bridge),
                ctx -> isSendersDriver ? ctx.aeron(null).aeronDirectoryName(directory) : ctx,
                ctx -> isSendersDriver ? ctx : ctx.aeron(null).aeronDirectoryName(directory));
            final KvBlocks blocks = source(bridge);
            final KvTransfer transfer = bridge.sender.submit(request(blocks));
            transfer.layerReady(1);
            bridge.runUntil(() -> transfer.layersAcked() == 2);
            final KvInboundTransfer inbound = bridge.begun.peek();

            driver.close();
            bridge.isDriverLost = true;
            bridge.runUntil(() -> !bridge.sender.isConnected() && inbound.isInterrupted());
            driver = launch(directory);

            finish(bridge, transfer, blocks);
            assertThat(bridge.completed.peek().transfer()).isSameAs(inbound);
            assertThat((isSendersDriver ? bridge.sender.counters() : bridge.receiver.counters())
                .get(KvCounters.Kind.RECONNECTS)).isPositive();
            bridge.closeSender();
            bridge.closeReceiver();
        }
        finally
        {
            CloseHelper.close(driver);
        }
    }

    private static MediaDriver launch(final String directory)
    {
        return MediaDriver.launch(Drivers.prepare(new MediaDriver.Context()
            .aeronDirectoryName(directory)
            .threadingMode(ThreadingMode.SHARED)
            .imageLivenessTimeoutNs(TimeUnit.SECONDS.toNanos(2))
            .publicationConnectionTimeoutNs(TimeUnit.SECONDS.toNanos(2))
            .statusMessageTimeoutNs(TimeUnit.MILLISECONDS.toNanos(50))
            .timerIntervalNs(TimeUnit.MILLISECONDS.toNanos(20))
            .dirDeleteOnStart(true)
            .dirDeleteOnShutdown(true)));
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void bothSidesGiveUpWhenNobodyComesBack(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            final PagedKvCache destination = destination(bridge);
            final Aeron mortal = client(bridge.driver.aeronDirectoryName());
            bridge.launch(destination, ctx -> ctx.aeron(mortal), ctx -> ctx);
            final KvTransfer transfer = bridge.sender.submit(
                request(source(bridge)).resumeTimeoutNs(TimeUnit.MILLISECONDS.toNanos(200)));
            transfer.layerReady(0);
            bridge.runUntil(() -> transfer.layersAcked() == 1);
            final KvInboundTransfer inbound = bridge.begun.peek();

            mortal.close();
            bridge.runUntil(() -> inbound.state().isTerminal() && transfer.state().isTerminal());

            assertThat(inbound.error()).isEqualTo(KvError.PEER_GONE);
            assertThat(inbound.errorText()).contains("after 1 of 4 layers").contains("not resumed within 200000000 ns");
            assertThat(transfer.error()).isEqualTo(KvError.PEER_GONE);
            assertThat(transfer.errorText()).contains("no receiver came back within 200000000 ns");
            assertThat(destination.freeBlocks()).isEqualTo(BLOCKS * 2);
        }
    }

    @Test
    void transfersThatHaveNotBegunWaitForTheReceiver()
    {
        try (Bridge bridge = new Bridge(false))
        {
            bridge.sender = KvSender.launch(bridge.senderContext());
            final KvBlocks blocks = source(bridge);
            final KvTransfer transfer = bridge.sender.submit(request(blocks));
            bridge.turn();

            bridge.receiver = KvReceiver.launch(bridge.receiverContext(destination(bridge)));

            finish(bridge, transfer, blocks);
        }
    }
}
