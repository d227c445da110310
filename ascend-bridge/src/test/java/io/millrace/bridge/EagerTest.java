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

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;

import io.aeron.Subscription;
import io.millrace.bridge.device.HostDevice;
import io.millrace.bridge.device.KvDevice;
import io.millrace.codecs.kv.AllocateDecoder;
import io.millrace.codecs.kv.KvMessages;
import io.millrace.codecs.kv.MessageHeaderDecoder;
import io.millrace.codecs.kv.ResumeDecoder;
import io.millrace.codecs.kv.TransferBeginDecoder;
import io.millrace.codecs.kv.TransferCommitDecoder;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * Small transfers whose data follows their begin at once.
 */
@Timeout(150)
class EagerTest
{
    private static final KvLayout LAYOUT = new KvLayout(3, 2, 64, KvDtype.BF16, 16);
    private static final int BLOCKS = 4;
    private static final long TOTAL = LAYOUT.totalBytes(BLOCKS);
    private static final byte[] KEPT = "what the receiver had".getBytes(StandardCharsets.US_ASCII);

    private final List<KvReceiver> others = new ArrayList<>();

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
     * Let the sender say all that it has while the receiver stands still.
     */
    private static KvTransfer sendUnheard(final Bridge bridge, final KvTransferRequest request)
    {
        bridge.runUntil(bridge.sender::isConnected);
        final KvReceiver receiver = bridge.receiver;
        bridge.receiver = null;
        final KvTransfer transfer = bridge.sender.submit(request);
        bridge.runUntil(() -> transfer.bytesSent() == transfer.totalBytes());
        // Behind the last chunk the commits are said in the same turn, or in one of the next where there was no room.
        for (int i = 0; i < 100; i++)
        {
            bridge.turn();
        }
        bridge.receiver = receiver;
        return transfer;
    }

    private static void assertCompleted(final Bridge bridge, final KvTransfer transfer)
    {
        assertThat(transfer.state()).as(transfer.toString()).isEqualTo(KvTransferState.COMPLETED);
        assertThat(transfer.layersAcked()).isEqualTo(LAYOUT.layers());
        assertThat(bridge.completed).hasSize(1);
        assertThat(bridge.events).noneMatch(event -> event.startsWith("failed") || event.startsWith("refused"));
        assertThat(bridge.sender.counters().get(KvCounters.Kind.RESUMES)).isZero();
        assertThat(bridge.receiver.counters().get(KvCounters.Kind.RESUMES)).isZero();
        assertThat(bridge.sender.counters().get(KvCounters.Kind.TRANSFERS_STARTED)).isOne();
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void landsWithoutAnAnswerBetween(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            final TappedSource source = tapped(bridge);
            bridge.launch(destination(bridge), ctx -> ctx, ctx -> ctx.source(source));
            final KvTransferRequest request = request(bridge);

            final KvTransfer transfer = sendUnheard(bridge, request);
            assertThat(transfer.layersAcked()).isZero();
            assertThat(source.count(TransferBeginDecoder.TEMPLATE_ID)).isZero();
            bridge.runUntil(() -> transfer.state().isTerminal());

            assertCompleted(bridge, transfer);
            assertThat(transfer.bytesSent()).isEqualTo(TOTAL);
            assertThat(source.count(TransferBeginDecoder.TEMPLATE_ID)).isOne();
            assertThat(source.count(TransferCommitDecoder.TEMPLATE_ID)).isOne();
            assertThat(bridge.receiver.counters().get(KvCounters.Kind.EAGER_BYTES_DROPPED)).isZero();
            bridge.assertSame(LAYOUT, request.blocks(), bridge.completed.peek().transfer().blocks());
        }
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void isDroppedAndSentAgainWhereThereAreNoBlocksNow(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            final PagedKvCache cache = destination(bridge);
            final TappedSource source = tapped(bridge);
            final int[] calls = new int[1];
            bridge.launch(info -> ++calls[0] < 10 || 0 == info.attempt() ? null : cache.allocate(info), ctx -> ctx,
                ctx -> ctx.source(source));
            final KvTransferRequest request = request(bridge);

            final KvTransfer transfer = sendUnheard(bridge, request);
            bridge.runUntil(() -> transfer.state().isTerminal());

            assertCompleted(bridge, transfer);
            assertThat(bridge.begun).hasSize(1);
            assertThat(transfer.bytesSent()).isEqualTo(2 * TOTAL);
            assertThat(source.count(TransferBeginDecoder.TEMPLATE_ID)).isEqualTo(2);
            assertThat(bridge.receiver.counters().get(KvCounters.Kind.EAGER_BYTES_DROPPED)).isEqualTo(TOTAL);
            assertThat(bridge.completed.peek().bytes()).isEqualTo(TOTAL);
            bridge.assertSame(LAYOUT, request.blocks(), bridge.completed.peek().transfer().blocks());
        }
    }

    /**
     * Blocks could be had after the drop and before the sender begins again.
     */
    @Test
    void blocksAreAskedForAgainWhenTheSenderHasBegunAgain()
    {
        try (Bridge bridge = new Bridge(false))
        {
            final PagedKvCache cache = destination(bridge);
            final int[] calls = new int[1];
            bridge.launch(info -> ++calls[0] == 1 ? null : cache.allocate(info));
            final KvTransferRequest request = request(bridge);
            final KvTransfer transfer = sendUnheard(bridge, request);
            final KvSender sender = bridge.sender;
            bridge.sender = null;
            bridge.runUntil(() -> bridge.receiver.counters().get(KvCounters.Kind.EAGER_BYTES_DROPPED) == TOTAL);
            for (int i = 0; i < 100; i++)
            {
                bridge.turn();
            }
            assertThat(calls[0]).isOne();
            bridge.sender = sender;
            bridge.runUntil(() -> transfer.state().isTerminal());

            assertCompleted(bridge, transfer);
            assertThat(bridge.begun).hasSize(1);
            assertThat(bridge.receiver.counters().get(KvCounters.Kind.EAGER_BYTES_DROPPED)).isEqualTo(TOTAL);
            bridge.assertSame(LAYOUT, request.blocks(), bridge.completed.peek().transfer().blocks());
        }
    }

    /**
     * It hears a transfer of which it is no destination, and that nobody begins again for it.
     */
    @Test
    void aReceiverThatHasJustJoinedTakesNoBlocksInVain()
    {
        try (Bridge bridge = new Bridge(false))
        {
            final PagedKvCache cache = destination(bridge);
            final int[] calls = new int[1];
            final AtomicLong aheadNs = new AtomicLong();
            final List<KvError> failed = new ArrayList<>();
            bridge.launch(destination(bridge));
            bridge.runUntil(bridge.sender::isConnected);
            try (KvReceiver other = KvReceiver.launch(bridge.receiverContext(
                info -> ++calls[0] == 1 ? null : cache.allocate(info))
                .nanoClock(() -> System.nanoTime() + aheadNs.get()).listener(new KvReceiverListener()
                {
                    public void onTransferFailed(
                        final long transferId, final long requestId, final KvError reason, final String text)
                    {
                        failed.add(reason);
                    }
                })))
            {
                final KvTransferRequest request = request(bridge);
                final KvTransfer transfer = bridge.run(request);
                assertCompleted(bridge, transfer);
                assertThat(transfer.destinations()).hasSize(1);
                bridge.runUntil(() -> other.invoker().invoke() >= 0 &&
                    other.counters().get(KvCounters.Kind.EAGER_BYTES_DROPPED) == TOTAL);
                for (int i = 0; i < 100; i++)
                {
                    other.invoker().invoke();
                }
                assertThat(calls[0]).isOne();
                aheadNs.set(request.timeoutNs());
                bridge.runUntil(() -> other.invoker().invoke() >= 0 && !failed.isEmpty());
                assertThat(failed).containsExactly(KvError.NO_BLOCKS);
                assertThat(cache.freeBlocks()).isEqualTo(BLOCKS);
            }
        }
    }

    @Test
    void aBeginThatIsSaidAgainIsNotAnsweredWhileNothingIsTaken()
    {
        try (Bridge bridge = new Bridge(false))
        {
            final PagedKvCache cache = destination(bridge);
            final Subscription answers =
                bridge.aeron.addSubscription(bridge.reverseChannel, Bridge.REVERSE_STREAM_ID);
            bridge.receiver = KvReceiver.launch(bridge.receiverContext(new KvBlockAllocator()
            {
                public KvBlocks allocate(final KvTransferInfo info)
                {
                    return cache.allocate(info);
                }

                public KvGrant grant(final KvTransferInfo info)
                {
                    return KvGrant.of(allocate(info)).prefixPresent(1);
                }
            }));
            final RawSender raw = new RawSender(bridge);
            raw.begin(7, LAYOUT, BLOCKS).flags().eager(true);
            raw.sendBegin();
            raw.sendBegin();
            raw.begin(7, LAYOUT, BLOCKS).attempt(1);
            raw.sendBegin();

            final List<Integer> said = new ArrayList<>();
            bridge.runUntil(() -> answers.poll((buffer, offset, length, header) ->
                said.add(KvMessages.check(buffer, offset, length)), 10) >= 0 &&
                said.contains(AllocateDecoder.TEMPLATE_ID) &&
                bridge.receiver.counters().get(KvCounters.Kind.DUPLICATES) == 1);
            assertThat(said).containsExactly(ResumeDecoder.TEMPLATE_ID, AllocateDecoder.TEMPLATE_ID);
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 0", "4, 0", "0, 1", "0, 3", "2, 2"})
    void isDroppedWhereSomethingIsThere(final int blocksPresent, final int layersPresent)
    {
        for (final Setting setting : new Setting[]{Setting.HOST_IPC, Setting.NPU_UDP})
        {
            try (Bridge bridge = setting.open())
            {
                final PagedKvCache cache = destination(bridge);
                final KvDevice device = bridge.destinationDevice;
                bridge.launch(new KvBlockAllocator()
                {
                    public KvBlocks allocate(final KvTransferInfo info)
                    {
                        return cache.allocate(info);
                    }

                    public KvGrant grant(final KvTransferInfo info)
                    {
                        final KvBlocks blocks = allocate(info);
                        for (int block = 0; block < blocksPresent; block++)
                        {
                            device.put(blocks.address(2, 1, block), KEPT, 0, KEPT.length);
                        }
                        if (layersPresent > 0)
                        {
                            device.put(blocks.address(0, 1, BLOCKS - 1), KEPT, 0, KEPT.length);
                        }
                        return KvGrant.of(blocks).prefixPresent(blocksPresent).layersPresent(layersPresent);
                    }
                });
                final KvTransferRequest request = request(bridge);

                final KvTransfer transfer = sendUnheard(bridge, request);
                bridge.runUntil(() -> transfer.state().isTerminal());

                assertCompleted(bridge, transfer);
                final boolean isNothingMissing = BLOCKS == blocksPresent;
                final long missing = isNothingMissing ? 0 :
                    LAYOUT.layerBytes(BLOCKS - blocksPresent) * (LAYOUT.layers() - layersPresent);
                assertThat(bridge.receiver.counters().get(KvCounters.Kind.EAGER_BYTES_DROPPED)).isEqualTo(TOTAL);
                assertThat(transfer.bytesSent()).isEqualTo(TOTAL + missing);
                final KvBlocks landed = bridge.completed.peek().transfer().blocks();
                for (int block = 0; block < BLOCKS && layersPresent < LAYOUT.layers(); block++)
                {
                    assertThat(part(device, landed, 2, block)).isEqualTo(block < blocksPresent ? KEPT :
                        part(bridge.sourceDevice, request.blocks(), 2, block));
                }
                if (layersPresent > 0)
                {
                    assertThat(part(device, landed, 0, BLOCKS - 1)).isEqualTo(KEPT);
                }
            }
        }
    }

    private static byte[] part(final KvDevice device, final KvBlocks blocks, final int layer, final int block)
    {
        final byte[] bytes = new byte[KEPT.length];
        device.get(blocks.address(layer, 1, block), bytes, 0, bytes.length);
        return bytes;
    }

    @ParameterizedTest
    @EnumSource(value = Setting.class, names = {"HOST_IPC", "HOST_STAGED_IPC", "NPU_UDP"})
    void whatIsRefusedFailsOnBothSidesAndHarmsNoOther(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            final PagedKvCache cache = destination(bridge);
            bridge.launch(new KvBlockAllocator()
            {
                public KvBlocks allocate(final KvTransferInfo info)
                {
                    if (2 == info.requestId())
                    {
                        throw new KvException(KvError.NO_BLOCKS, "not for this one");
                    }
                    return 3 == info.requestId() ? cache.allocate(BLOCKS - 1) : cache.allocate(info);
                }

                public void release(final KvTransferInfo info, final KvBlocks blocks)
                {
                    cache.free(blocks);
                }
            });
            final KvTransferRequest request = request(bridge);
            for (final int requestId : new int[]{2, 3})
            {
                final KvTransfer refused = sendUnheard(bridge, request.requestId(requestId));
                bridge.runUntil(() -> refused.state().isTerminal() &&
                    bridge.events.stream().anyMatch(event -> event.startsWith("failed " + requestId + " NO_BLOCKS")));
                assertThat(refused.error()).isEqualTo(KvError.NO_BLOCKS);
                bridge.runUntil(() -> cache.freeBlocks() == BLOCKS);
            }
            bridge.events.clear();

            final KvTransfer transfer = bridge.run(request.requestId(1));
            assertThat(transfer.state()).as(transfer.toString()).isEqualTo(KvTransferState.COMPLETED);
            bridge.assertSame(LAYOUT, request.blocks(), bridge.completed.peek().transfer().blocks());
        }
    }

    @Test
    void isDamagedAndRepeatedLikeOthers()
    {
        try (Bridge bridge = new Bridge(false))
        {
            final TappedSource source = tapped(bridge);
            bridge.launch(destination(bridge), ctx -> ctx, ctx -> ctx.source(
                new DamagedSource(source, chunk -> chunk.attempt() < 2)));
            final KvTransferRequest request = request(bridge);
            final KvTransfer transfer = sendUnheard(bridge, request);
            bridge.runUntil(() -> transfer.state().isTerminal());
            assertCompleted(bridge, transfer);
            assertThat(bridge.completed.peek().retries()).isEqualTo(2 * LAYOUT.layers());
            bridge.assertSame(LAYOUT, request.blocks(), bridge.completed.peek().transfer().blocks());
        }
    }

    @Test
    void onlySmallTransfersToOneReceiverThatWantsThemAreSentSo()
    {
        assertThat(isEager(KvConfiguration.EAGER_BYTES_DEFAULT, 1, request -> request)).isTrue();
        assertThat(isEager((int)TOTAL, 1, request -> request)).isTrue();
        assertThat(isEager((int)TOTAL - 1, 1, request -> request)).isFalse();
        assertThat(isEager(0, 1, request -> request)).isFalse();
        assertThat(isEager(KvConfiguration.EAGER_BYTES_DEFAULT, 1, request -> request.layerwise(true))).isFalse();
        assertThat(isEager(KvConfiguration.EAGER_BYTES_DEFAULT, 1,
            request -> request.grantTimeoutNs(TimeUnit.SECONDS.toNanos(50)))).isFalse();
        assertThat(isEager(KvConfiguration.EAGER_BYTES_DEFAULT, 2, request -> request)).isFalse();
    }

    private boolean isEager(
        final int eagerBytes, final int receivers, final UnaryOperator<KvTransferRequest> tuning)
    {
        try (Bridge bridge = new Bridge(false))
        {
            final TappedSource source = tapped(bridge);
            bridge.launch(destination(bridge), ctx -> ctx.minReceivers(receivers),
                ctx -> ctx.source(source).eagerBytes(eagerBytes));
            for (int i = 1; i < receivers; i++)
            {
                others.add(KvReceiver.launch(bridge.receiverContext(destination(bridge))));
            }
            final KvTransfer transfer = bridge.sender.submit(tuning.apply(request(bridge)));
            transfer.layerReady(2);
            bridge.runUntil(() ->
            {
                others.forEach(other -> other.invoker().invoke());
                return transfer.state().isTerminal();
            });
            assertThat(transfer.state()).as(transfer.toString()).isEqualTo(KvTransferState.COMPLETED);
            assertThat(transfer.bytesSent()).isEqualTo(TOTAL);
            others.forEach(KvReceiver::close);
            others.clear();
            return new TransferBeginDecoder().wrapAndApplyHeader(new UnsafeBuffer(
                source.messages.stream().filter(bytes -> TransferBeginDecoder.TEMPLATE_ID ==
                TappedSource.templateId(bytes)).findFirst().orElseThrow()), 0,
                new MessageHeaderDecoder()).flags().eager();
        }
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void goesOnAfterTheSessionIsLost(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            final Subscription subscription = bridge.aeron.addSubscription(bridge.channel, Bridge.STREAM_ID);
            bridge.launch(destination(bridge), ctx -> ctx, ctx -> ctx.source(subscription::controlledPoll));
            final KvTransferRequest request = request(bridge).resumeTimeoutNs(TimeUnit.SECONDS.toNanos(60));
            final KvTransfer transfer = sendUnheard(bridge, request);
            subscription.imageAtIndex(0).reject("test breaks the session");
            bridge.runUntil(() -> transfer.state().isTerminal() && !bridge.completed.isEmpty());
            assertThat(transfer.state()).as(transfer.toString()).isEqualTo(KvTransferState.COMPLETED);
            bridge.assertSame(LAYOUT, request.blocks(), bridge.completed.peek().transfer().blocks());
            assertThat(bridge.sender.counters().get(KvCounters.Kind.RESUMES)).isPositive();
        }
    }

    @ParameterizedTest
    @EnumSource(value = Setting.class, names = {"HOST_IPC", "HOST_STAGED_IPC", "NPU_UDP"})
    void endsOnBothSidesWhileItWaitsForBlocks(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            bridge.launch(info -> null);
            final KvTransferRequest request = request(bridge);
            final KvTransfer canceled = sendUnheard(bridge, request);
            bridge.runUntil(() -> bridge.receiver.counters().get(KvCounters.Kind.EAGER_BYTES_DROPPED) == TOTAL);
            canceled.cancel();
            bridge.runUntil(() -> canceled.state().isTerminal() && !bridge.events.isEmpty());
            assertThat(canceled.state()).isEqualTo(KvTransferState.CANCELED);
            assertThat(bridge.events.poll()).startsWith("failed 1 CANCELED");

            final KvTransfer late = bridge.run(
                request.requestId(2).grantTimeoutNs(TimeUnit.MILLISECONDS.toNanos(50)));
            assertThat(late.error()).isEqualTo(KvError.NO_BLOCKS);
            assertThat(late.errorText()).contains("granted nothing within 50000000 ns");
            bridge.runUntil(() -> bridge.events.stream().anyMatch(event -> event.startsWith("failed 2 ")));

            final KvTransfer over = bridge.run(
                request.requestId(3).grantTimeoutNs(0).timeoutNs(TimeUnit.MILLISECONDS.toNanos(50)));
            assertThat(over.error()).isIn(KvError.DEADLINE, KvError.NO_BLOCKS);
            bridge.runUntil(() -> bridge.events.stream().anyMatch(event -> event.startsWith("failed 3 ")));
            assertThat(bridge.sender.counters().get(KvCounters.Kind.STAGING_IN_USE)).isZero();
        }
    }

    @Test
    void aReceiverThatSaysNothingOrNonsenseIsNotWaitedForLonger()
    {
        try (Bridge bridge = new Bridge(false))
        {
            final RawReceiver raw = new RawReceiver(bridge, Bridge.STREAM_ID, 5).eagerBytes((int)TOTAL);
            bridge.sender = KvSender.launch(bridge.senderContext());
            final KvTransferRequest request = request(bridge);
            final KvTransfer silent = bridge.sender.submit(
                request.grantTimeoutNs(TimeUnit.MILLISECONDS.toNanos(50)));
            bridge.runUntil(() -> raw.poll() >= 0 && silent.state().isTerminal());
            assertThat(raw.isEager).isFalse();
            assertThat(raw.chunks).isZero();
            assertThat(silent.errorText()).contains("granted nothing within 50000000 ns");

            raw.transferId = 0;
            final KvTransfer confused = bridge.sender.submit(request.grantTimeoutNs(0).requestId(2));
            bridge.runUntil(() -> raw.poll() >= 0 && 0 != raw.transferId);
            assertThat(raw.isEager).isTrue();
            raw.allocate(BLOCKS, 1);
            bridge.runUntil(() -> raw.poll() >= 0 && confused.state().isTerminal());
            assertThat(confused.error()).isEqualTo(KvError.OUT_OF_RANGE);
            assertThat(confused.errorText()).contains("receiver wants layers from 1");
        }
    }

    /**
     * Copies into slots that are still under way when the sender hears that it has to begin again.
     */
    @Test
    void slotsAreGivenBackWhenTheirCopiesHaveEnded()
    {
        final SlowDevice slow = new SlowDevice(new HostDevice(0, 1));
        try (Bridge bridge = new Bridge(false, slow, new HostDevice(1, 1)))
        {
            final PagedKvCache cache = destination(bridge);
            bridge.launch(info -> 0 == info.attempt() ? null : cache.allocate(info));
            bridge.runUntil(bridge.sender::isConnected);
            slow.isHeld = true;
            final KvTransferRequest request = request(bridge);
            final KvTransfer transfer = bridge.sender.submit(request);
            bridge.runUntil(() -> slow.heldCount() > 0 &&
                bridge.receiver.counters().get(KvCounters.Kind.TRANSFERS_STARTED) == 1);
            for (int i = 0; i < 100; i++)
            {
                bridge.turn();
            }
            assertThat(bridge.begun).isEmpty();
            assertThat(bridge.sender.counters().get(KvCounters.Kind.STAGING_IN_USE)).isPositive();
            slow.isHeld = false;
            bridge.runUntil(() -> transfer.state().isTerminal());
            assertCompleted(bridge, transfer);
            assertThat(transfer.bytesSent()).isEqualTo(TOTAL);
            assertThat(bridge.sender.counters().get(KvCounters.Kind.STAGING_IN_USE)).isZero();
            bridge.assertSame(LAYOUT, request.blocks(), bridge.completed.peek().transfer().blocks());
        }
    }

    @Test
    void theBoundIsChecked()
    {
        final KvReceiver.Context ctx = new KvReceiver.Context().allocator(info -> null);
        assertThat(ctx.eagerBytes()).isEqualTo(KvConfiguration.EAGER_BYTES_DEFAULT);
        assertThatThrownBy(() -> KvReceiver.launch(ctx.eagerBytes(-1))).hasMessageContaining("eagerBytes=-1")
            .hasMessageContaining("use 0 to creditWindowBytes=16777216");
        assertThatThrownBy(() -> KvReceiver.launch(ctx.creditWindowBytes(1 << 17).eagerBytes((1 << 17) + 1)))
            .hasMessageContaining("eagerBytes=131073");
    }
}
