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

import org.agrona.CloseHelper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * One transfer to several receivers: a multi-destination publication, or several subscribers on IPC.
 */
@Timeout(150)
class DestinationsTest
{
    private static final KvLayout LAYOUT = new KvLayout(4, 2, 64, KvDtype.BF16, 16);
    private static final int BLOCKS = 40;
    private static final int COUNT = 3;
    private static final String CONTROL = "localhost:" + Drivers.freePort();

    private final List<KvReceiver> receivers = new ArrayList<>();
    private final List<KvBlocks> landed = new ArrayList<>();
    private final List<String> failed = new ArrayList<>();
    private final List<KvInboundTransfer> begun = new ArrayList<>();

    private interface Closing extends AutoCloseable
    {
        void close();
    }

    private final class Lander implements KvReceiverListener
    {
        public void onTransferBegin(final KvInboundTransfer transfer)
        {
            begun.add(transfer);
        }

        public void onTransferComplete(final long transferId, final long requestId, final KvTransferStats stats)
        {
            landed.add(stats.transfer().blocks());
        }

        public void onTransferFailed(
            final long transferId, final long requestId, final KvError reason, final String text)
        {
            failed.add(reason + " " + text);
        }
    }

    private KvReceiver receiver(final Bridge bridge, final Setting setting, final KvBlockAllocator allocator)
    {
        final KvReceiver receiver = KvReceiver.launch(bridge.receiverContext(allocator).listener(new Lander())
            .channel(setting.isUdp ?
            "aeron:udp?endpoint=localhost:0|control=" + CONTROL + "|control-mode=dynamic" +
                Drivers.CHANNEL_PARAMETERS : bridge.channel));
        receivers.add(receiver);
        return receiver;
    }

    private KvSender sender(final Bridge bridge, final Setting setting)
    {
        return KvSender.launch(bridge.senderContext().minReceivers(COUNT).channel(setting.isUdp ?
            "aeron:udp?control=" + CONTROL + "|control-mode=dynamic|fc=min|term-length=1m" +
                Drivers.CHANNEL_PARAMETERS : bridge.channel));
    }

    private static PagedKvCache cache(final Bridge bridge, final int blocks)
    {
        return PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, blocks);
    }

    private static KvTransferRequest request(final KvBlocks blocks)
    {
        return new KvTransferRequest().requestId(1).layout(LAYOUT).blocks(blocks).layerwise(true)
            .timeoutNs(TimeUnit.SECONDS.toNanos(60));
    }

    private void turn()
    {
        receivers.forEach(receiver -> receiver.invoker().invoke());
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void landsEverywhere(final Setting setting)
    {
        try (Bridge bridge = setting.open(); Closing closing = () -> CloseHelper.closeAll(receivers))
        {
            final KvBlocks blocks =
                bridge.source(PagedKvCache.allocate(bridge.sourceDevice, LAYOUT, BLOCKS), BLOCKS, 1);
            for (int i = 0; i < COUNT; i++)
            {
                final PagedKvCache cache = Bridge.scattered(bridge.destinationDevice, LAYOUT, BLOCKS, i);
                receiver(bridge, setting, new KvBlockAllocator()
                {
                    public KvBlocks allocate(final KvTransferInfo info)
                    {
                        return cache.allocate(info);
                    }

                    public KvGrant grant(final KvTransferInfo info)
                    {
                        // What one of several has is sent all the same.
                        return KvGrant.of(allocate(info)).prefixPresent(10);
                    }
                });
            }
            bridge.sender = sender(bridge, setting);
            final KvTransfer transfer = bridge.sender.submit(request(blocks));
            transfer.layerReady(3);

            bridge.runUntil(() ->
            {
                turn();
                return transfer.state().isTerminal() && landed.size() == COUNT;
            });

            assertThat(transfer.state()).as(transfer.toString()).isEqualTo(KvTransferState.COMPLETED);
            assertThat(transfer.destinations()).hasSize(COUNT).allSatisfy(
                each -> assertThat(each.state()).isEqualTo(KvTransferState.COMPLETED));
            assertThat(transfer.destinations()).extracting(KvDestination::receiverId).doesNotHaveDuplicates();
            assertThat(transfer.bytesSent()).isEqualTo(transfer.totalBytes());
            landed.forEach(each -> bridge.assertSame(LAYOUT, blocks, each));
        }
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void oneThatRefusesAndOneThatDiesDoNotHarmTheOther(final Setting setting)
    {
        try (Bridge bridge = setting.open(); Closing closing = () -> CloseHelper.closeAll(receivers))
        {
            final KvBlocks blocks =
                bridge.source(PagedKvCache.allocate(bridge.sourceDevice, LAYOUT, BLOCKS), BLOCKS, 1);
            receiver(bridge, setting, cache(bridge, BLOCKS * 2));
            receiver(bridge, setting, cache(bridge, 3));
            final KvReceiver mortal = receiver(bridge, setting, cache(bridge, BLOCKS));
            bridge.sender = sender(bridge, setting);
            final KvTransfer transfer = bridge.sender.submit(request(blocks).resumeTimeoutNs(1_000_000_000L));
            transfer.layerReady(1);
            bridge.runUntil(() ->
            {
                turn();
                return transfer.layersAcked() == 2;
            });
            assertThat(transfer.isLayerAcked(1)).isTrue();

            receivers.remove(mortal);
            mortal.close();
            transfer.layerReady(3);
            bridge.runUntil(() ->
            {
                turn();
                return transfer.state().isTerminal() && landed.size() == 1;
            });

            assertThat(transfer.state()).isEqualTo(KvTransferState.FAILED);
            assertThat(transfer.errorText()).contains("2 of 3 receivers failed, the first: ");
            assertThat(transfer.destinations()).extracting(KvDestination::error)
                .containsExactlyInAnyOrder(KvError.NONE, KvError.NO_BLOCKS, KvError.SHUTDOWN);
            bridge.assertSame(LAYOUT, blocks, landed.get(0));
            assertThat(failed).anyMatch(text -> text.contains("transfer has 40 blocks, this cache has 3"));

            // What comes now goes to the two that are left, and to one that joins.
            receiver(bridge, setting, cache(bridge, BLOCKS * 2));
            bridge.runUntil(() ->
            {
                turn();
                return bridge.sender.isConnected();
            });
            final KvTransfer next = bridge.sender.submit(request(blocks));
            next.layerReady(3);
            bridge.runUntil(() ->
            {
                turn();
                return next.state().isTerminal();
            });
            assertThat(next.destinations()).hasSize(COUNT);
        }
    }

    @ParameterizedTest
    @EnumSource(value = Setting.class, names = {"HOST_IPC", "NPU_UDP"})
    void cancelIsConfirmedByAll(final Setting setting)
    {
        try (Bridge bridge = setting.open(); Closing closing = () -> CloseHelper.closeAll(receivers))
        {
            final PagedKvCache cache = cache(bridge, BLOCKS * COUNT);
            for (int i = 0; i < COUNT; i++)
            {
                receiver(bridge, setting, cache);
            }
            bridge.sender = sender(bridge, setting);
            final KvTransfer transfer = bridge.sender.submit(request(
                PagedKvCache.allocate(bridge.sourceDevice, LAYOUT, BLOCKS).allocate(BLOCKS)));
            bridge.runUntil(() ->
            {
                turn();
                return begun.size() == COUNT;
            });

            transfer.cancel();
            bridge.runUntil(() ->
            {
                turn();
                return transfer.state().isTerminal();
            });

            assertThat(transfer.state()).isEqualTo(KvTransferState.CANCELED);
            assertThat(transfer.destinations()).allSatisfy(
                each -> assertThat(each.errorText()).contains("confirmed by the receiver"));
            assertThat(cache.freeBlocks()).isEqualTo(BLOCKS * COUNT);
        }
    }

    @ParameterizedTest
    @EnumSource(value = Setting.class, names = {"HOST_IPC", "HOST_UDP"})
    void aReceiverThatDiedIsNoDestinationOnceAnotherJoined(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            final RawReceiver dead = new RawReceiver(bridge, Bridge.STREAM_ID, 1);
            bridge.sender = KvSender.launch(bridge.senderContext());
            bridge.runUntil(() -> dead.poll() >= 0 && bridge.sender.isConnected());
            // Its reverse publication stays, as a killed receiver's does until its image times out.
            bridge.receiver = KvReceiver.launch(bridge.receiverContext(cache(bridge, BLOCKS)));
            dead.fallSilent();
            final KvBlocks blocks = source(bridge);

            // Those that began before the newcomer was known have the dead one for a receiver, and fail.
            final KvTransfer[] last = new KvTransfer[1];
            bridge.runUntil(() ->
            {
                if (null != last[0] && KvTransferState.COMPLETED == last[0].state())
                {
                    return true;
                }
                if (null == last[0] || last[0].state().isTerminal())
                {
                    last[0] = bridge.sender.submit(request(blocks).layerwise(false).timeoutNs(1_000_000_000L));
                }
                bridge.turn();
                return false;
            });
            assertThat(last[0].destinations()).hasSize(1);
        }
    }

    @Test
    void aReceiverThatComesBackTakesItsOwnPlace()
    {
        try (Bridge bridge = Setting.HOST_IPC.open())
        {
            final RawReceiver first = new RawReceiver(bridge, Bridge.STREAM_ID, 7);
            bridge.sender = KvSender.launch(bridge.senderContext());
            bridge.runUntil(() -> first.poll() >= 0 && bridge.sender.isConnected());
            final KvTransfer transfer = bridge.sender.submit(request(source(bridge)));
            bridge.runUntil(() -> first.poll() >= 0 && 0 != first.transferId);

            final RawReceiver second = new RawReceiver(bridge, Bridge.STREAM_ID, 7);
            bridge.runUntil(() -> second.poll() >= 0 && transfer.state().isTerminal());
            assertThat(transfer.error()).isEqualTo(KvError.PEER_GONE);

            final KvTransfer next = bridge.sender.submit(request(source(bridge)));
            bridge.runUntil(() ->
            {
                first.poll();
                second.poll();
                return next.transferId() == second.transferId;
            });
            assertThat(next.destinations()).hasSize(1);
        }
    }

    private static KvBlocks source(final Bridge bridge)
    {
        return bridge.source(PagedKvCache.allocate(bridge.sourceDevice, LAYOUT, BLOCKS), BLOCKS, 1);
    }
}
