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
import java.util.function.BooleanSupplier;

import io.aeron.Subscription;
import org.agrona.CloseHelper;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * A transfer to several receivers of which some lose the stream, are replaced, or are told to stop.
 */
@Timeout(120)
class ResumeOfSeveralTest
{
    private static final KvLayout LAYOUT = new KvLayout(4, 2, 64, KvDtype.BF16, 16);
    private static final int BLOCKS = 40;
    private static final int COUNT = 3;
    private static final String CONTROL = "localhost:" + Drivers.freePort();
    private static final long LONG_NS = TimeUnit.SECONDS.toNanos(60);

    private final List<Place> places = new ArrayList<>();
    private String channel;
    private long cancelTimeoutNs = LONG_NS;

    /**
     * A receiver with a second subscription, which it polls once the first is closed.
     */
    private final class Place implements KvReceiverListener, AutoCloseable
    {
        private final Subscription first;
        private final Subscription second;
        private final KvReceiver receiver;
        private KvInboundTransfer transfer;
        private String failure;
        private boolean isComplete;

        Place(final Bridge bridge)
        {
            first = bridge.aeron.addSubscription(channel, Bridge.STREAM_ID);
            second = bridge.aeron.addSubscription(channel, Bridge.STREAM_ID);
            receiver = KvReceiver.launch(
                bridge.receiverContext(PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, BLOCKS * 2))
                .listener(this).channel(channel).source((handler, limit) -> first.isClosed() ?
                second.controlledPoll(handler, limit) :
                first.controlledPoll(handler, limit) + second.poll((buffer, offset, length, header) -> { }, limit)));
        }

        void breakStream()
        {
            first.close();
        }

        boolean hasLanded(final int layers)
        {
            return null != transfer && layers == transfer.layersReady();
        }

        public void onTransferBegin(final KvInboundTransfer newTransfer)
        {
            transfer = newTransfer;
        }

        public void onTransferComplete(final long transferId, final long requestId, final KvTransferStats stats)
        {
            isComplete = true;
        }

        public void onTransferFailed(
            final long transferId, final long requestId, final KvError reason, final String text)
        {
            failure = reason + " " + text;
        }

        public void close()
        {
            CloseHelper.closeAll(receiver, first, second);
        }
    }

    private interface Closing extends AutoCloseable
    {
        void close();
    }

    private KvTransfer submit(final Bridge bridge, final Setting setting, final KvBlocks blocks, final int receivers)
    {
        bridge.sender = KvSender.launch(bridge.senderContext().minReceivers(receivers)
            .cancelTimeoutNs(cancelTimeoutNs).channel(setting.isUdp ?
            "aeron:udp?control=" + CONTROL + "|control-mode=dynamic|fc=min|term-length=1m" +
                Drivers.CHANNEL_PARAMETERS : bridge.channel));
        return bridge.sender.submit(new KvTransferRequest().requestId(1).layout(LAYOUT).blocks(blocks).layerwise(true)
            .timeoutNs(LONG_NS).resumeTimeoutNs(LONG_NS));
    }

    private void open(final Bridge bridge, final Setting setting, final int count)
    {
        channel = setting.isUdp ? "aeron:udp?endpoint=localhost:0|control=" + CONTROL + "|control-mode=dynamic" :
            bridge.channel;
        for (int i = 0; i < count; i++)
        {
            places.add(new Place(bridge));
        }
    }

    private void await(final Bridge bridge, final BooleanSupplier condition)
    {
        bridge.runUntil(() ->
        {
            places.forEach(place -> place.receiver.invoker().invoke());
            return condition.getAsBoolean();
        });
    }

    private static KvBlocks source(final Bridge bridge)
    {
        return bridge.source(PagedKvCache.allocate(bridge.sourceDevice, LAYOUT, BLOCKS), BLOCKS, 3);
    }

    @ParameterizedTest
    @EnumSource(value = Setting.class, names = {"HOST_UDP", "NPU_IPC"})
    void thoseThatLoseTheStreamGoOnTogetherOnceTheOthersHaveAll(final Setting setting)
    {
        try (Bridge bridge = setting.open(); Closing closing = () -> CloseHelper.closeAll(places))
        {
            final KvBlocks blocks = source(bridge);
            open(bridge, setting, COUNT);
            final KvTransfer transfer = submit(bridge, setting, blocks, COUNT);
            transfer.layerReady(1);
            await(bridge, () -> 2 == transfer.layersAcked());
            places.get(0).breakStream();
            await(bridge, () -> places.get(0).transfer.isInterrupted());
            transfer.layerReady(2);
            await(bridge, () -> places.get(1).hasLanded(3) && places.get(2).hasLanded(3));
            places.get(1).breakStream();
            await(bridge, () -> places.get(1).transfer.isInterrupted());
            await(bridge, () -> 2 == bridge.sender.counters().get(KvCounters.Kind.INTERRUPTIONS));
            transfer.layerReady(3);
            await(bridge, () -> transfer.state().isTerminal() && places.stream().allMatch(place -> place.isComplete));

            assertThat(transfer.state()).as(transfer.toString()).isEqualTo(KvTransferState.COMPLETED);
            assertThat(transfer.destinations()).hasSize(COUNT).allSatisfy(
                each -> assertThat(each.state()).isEqualTo(KvTransferState.COMPLETED));
            places.forEach(place -> bridge.assertSame(LAYOUT, blocks, place.transfer.blocks()));
            // The first lacked two layers of four, the second one.
            assertThat(transfer.bytesSent()).isEqualTo(transfer.totalBytes() * 3 / 2);
            assertThat(bridge.sender.counters().get(KvCounters.Kind.RESUMES)).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @EnumSource(value = Setting.class, names = {"HOST_UDP", "NPU_IPC"})
    void aReceiverThatIsGoneIsReplacedByOneThatJoins(final Setting setting)
    {
        try (Bridge bridge = setting.open(); Closing closing = () -> CloseHelper.closeAll(places))
        {
            final KvBlocks blocks = source(bridge);
            open(bridge, setting, 1);
            final RawReceiver mortal = new RawReceiver(bridge, channel, Bridge.STREAM_ID, 1);
            final KvTransfer transfer = submit(bridge, setting, blocks, 2);
            await(bridge, () -> mortal.poll() >= 0 && null != places.get(0).transfer && 0 != mortal.transferId);

            mortal.close();
            transfer.layerReady(3);
            await(bridge, () -> places.get(0).isComplete);
            assertThat(transfer.state()).isEqualTo(KvTransferState.PENDING);
            places.add(new Place(bridge));
            await(bridge, () -> transfer.state().isTerminal() && places.get(1).isComplete);

            assertThat(transfer.state()).as(transfer.toString()).isEqualTo(KvTransferState.COMPLETED);
            bridge.assertSame(LAYOUT, blocks, places.get(0).transfer.blocks());
            bridge.assertSame(LAYOUT, blocks, places.get(1).transfer.blocks());
        }
    }

    @ParameterizedTest
    @EnumSource(value = Setting.class, names = {"HOST_UDP", "NPU_IPC"})
    void aCancelDoesNotWaitForThoseThatAreLost(final Setting setting)
    {
        try (Bridge bridge = setting.open(); Closing closing = () -> CloseHelper.closeAll(places))
        {
            final KvBlocks blocks = source(bridge);
            open(bridge, setting, 1);
            final RawReceiver mortal = new RawReceiver(bridge, channel, Bridge.STREAM_ID, 1);
            cancelTimeoutNs = TimeUnit.HOURS.toNanos(1);
            final KvTransfer transfer = submit(bridge, setting, blocks, 2);
            await(bridge, () -> mortal.poll() >= 0 && null != places.get(0).transfer && 0 != mortal.transferId);
            mortal.close();
            await(bridge, () -> 1 == bridge.sender.counters().get(KvCounters.Kind.INTERRUPTIONS));

            transfer.cancel();
            await(bridge, () -> transfer.state().isTerminal());
            assertThat(transfer.destinations()).hasSize(2).allSatisfy(
                each -> assertThat(each.state()).isEqualTo(KvTransferState.CANCELED));
        }
    }

    @ParameterizedTest
    @EnumSource(value = Setting.class, names = {"HOST_UDP", "NPU_IPC"})
    void aCancelForOneReceiverLeavesTheOthersAlone(final Setting setting)
    {
        try (Bridge bridge = setting.open(); Closing closing = () -> CloseHelper.closeAll(places))
        {
            final KvBlocks blocks = source(bridge);
            open(bridge, setting, COUNT);
            final KvTransfer transfer = submit(bridge, setting, blocks, COUNT);
            transfer.layerReady(1);
            await(bridge, () -> 2 == transfer.layersAcked());
            assertThatThrownBy(() -> transfer.cancel(-1)).isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("receiverId=-1 is no destination");

            final long receiverId = transfer.destinations().get(1).receiverId();
            transfer.cancel(receiverId);
            await(bridge, () -> KvTransferState.CANCELED == transfer.destinations().get(1).state());
            assertThat(transfer.destinations().get(1).errorText()).contains("confirmed by the receiver");
            // A receiver that cancels is as much alone.
            final Place canceling = places.stream().filter(place -> null == place.failure).findFirst().orElseThrow();
            canceling.transfer.cancel();
            await(bridge, () -> null != canceling.failure);
            transfer.layerReady(3);
            await(bridge, () -> transfer.state().isTerminal());

            assertThat(transfer.state()).isEqualTo(KvTransferState.CANCELED);
            assertThat(transfer.errorText()).startsWith("2 of 3 receivers failed");
            final List<Place> left = places.stream().filter(place -> null == place.failure).toList();
            assertThat(left).hasSize(1);
            assertThat(left.get(0).isComplete).isTrue();
            bridge.assertSame(LAYOUT, blocks, left.get(0).transfer.blocks());
        }
    }
}
