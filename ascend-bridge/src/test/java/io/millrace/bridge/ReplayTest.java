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

import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

import io.aeron.Subscription;
import io.aeron.logbuffer.ControlledFragmentHandler;
import io.aeron.logbuffer.FrameDescriptor;
import io.aeron.logbuffer.Header;
import io.aeron.protocol.DataHeaderFlyweight;
import io.millrace.codecs.kv.BlockDescriptorDecoder;
import io.millrace.codecs.kv.KvChunkDecoder;
import io.millrace.codecs.kv.LayerCommitDecoder;
import io.millrace.codecs.kv.MessageHeaderDecoder;
import io.millrace.codecs.kv.TransferBeginDecoder;
import io.millrace.codecs.kv.TransferCommitDecoder;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A recorded stream has no sender that listens: what an unacknowledged sender publishes, landed in replay mode.
 */
@Timeout(150)
class ReplayTest
{
    private static final KvLayout LAYOUT = new KvLayout(3, 2, 64, KvDtype.BF16, 16);
    private static final int BLOCKS = 100;

    private final Bridge bridge = new Bridge(Drivers.areReplaced());

    private KvTransferRequest request(final PagedKvCache source)
    {
        return new KvTransferRequest().requestId(3).layout(LAYOUT).blocks(bridge.source(source, BLOCKS, 3));
    }

    private KvReceiver.Context replayContext(final KvBlockAllocator allocator, final KvSource source)
    {
        return bridge.receiverContext(allocator).source(source).replay(true);
    }

    @Test
    void landsAStreamThatNobodyAnswersAndWaitsForBlocks()
    {
        try (bridge)
        {
            final Subscription subscription = bridge.aeron.addSubscription(bridge.channel, Bridge.STREAM_ID);
            final PagedKvCache destination = PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, BLOCKS);
            final int[] calls = new int[1];
            bridge.receiver = KvReceiver.launch(replayContext(
                info -> ++calls[0] < 5 ? null : destination.allocate(info), subscription::controlledPoll));
            bridge.sender = KvSender.launch(bridge.senderContext().unacknowledged(true));
            final KvTransferRequest request =
                request(PagedKvCache.allocate(bridge.sourceDevice, LAYOUT, BLOCKS));

            final KvTransfer transfer = bridge.run(request);
            bridge.runUntil(() -> !bridge.completed.isEmpty());

            assertThat(transfer.state()).isEqualTo(KvTransferState.COMPLETED);
            bridge.assertSame(LAYOUT, request.blocks(), bridge.completed.poll().transfer().blocks());
        }
    }

    @Test
    void sameRecordingLandsTwiceAndDamageIsTold()
    {
        try (bridge)
        {
            final Subscription subscription = bridge.aeron.addSubscription(bridge.channel, Bridge.STREAM_ID);
            final List<byte[]> recording = new ArrayList<>();
            bridge.sender = KvSender.launch(bridge.senderContext().unacknowledged(true));
            final KvTransferRequest request =
                request(PagedKvCache.allocate(bridge.sourceDevice, LAYOUT, BLOCKS));
            bridge.sender.submit(request);
            bridge.runUntil(() ->
            {
                subscription.poll((buffer, offset, length, header) ->
                {
                    final byte[] bytes = new byte[length];
                    buffer.getBytes(offset, bytes);
                    recording.add(bytes);
                }, 10);
                // What the sender has ended may still be on its way.
                return !recording.isEmpty() && TransferCommitDecoder.TEMPLATE_ID == new MessageHeaderDecoder()
                    .wrap(new UnsafeBuffer(recording.get(recording.size() - 1)), 0).templateId();
            });
            bridge.closeSender();

            final List<byte[]> stream = new ArrayList<>();
            final PagedKvCache destination = PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, BLOCKS * 2);
            final KvSource player = new DamagedSource(
                (handler, limit) -> play(stream, handler, wholeMessage()), chunk -> bridge.completed.size() == 2);
            bridge.receiver = KvReceiver.launch(replayContext(destination, player));
            for (int i = 1; i <= 2; i++)
            {
                final int count = i;
                stream.addAll(recording);
                bridge.runUntil(() -> bridge.completed.size() == count);
                // As recorded when one of several receivers had lost the stream: nothing to land once more.
                stream.addAll(restOf(recording));
                bridge.runUntil(stream::isEmpty);
                assertThat(bridge.events).noneMatch(event -> event.startsWith("failed"));
            }
            bridge.completed.forEach(
                stats -> bridge.assertSame(LAYOUT, request.blocks(), stats.transfer().blocks()));
            bridge.completed.forEach(stats -> destination.free(stats.transfer().blocks()));
            stream.addAll(recording);
            bridge.runUntil(() -> bridge.events.stream().anyMatch(event -> event.startsWith("failed 3 CHECKSUM")));
            bridge.runUntil(() -> destination.freeBlocks() == BLOCKS * 2);
            assertThat(bridge.completed).hasSize(2);
        }
    }

    @Test
    void landsLayersThatWereSentAgainBehindTheFirstCommit()
    {
        try (bridge)
        {
            // What the sender said, and what came of it where a layer was damaged twice.
            final TappedSource said = new TappedSource(
                bridge.aeron.addSubscription(bridge.channel, Bridge.STREAM_ID)::controlledPoll);
            final TappedSource came = new TappedSource(
                new DamagedSource(said, chunk -> chunk.layer() == 2 && chunk.attempt() < 2));
            final PagedKvCache cache = PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, BLOCKS);
            bridge.launch(cache, ctx -> ctx, ctx -> ctx.source(came));
            final KvTransferRequest request = request(PagedKvCache.allocate(bridge.sourceDevice, LAYOUT, BLOCKS));
            assertThat(bridge.run(request).state()).isEqualTo(KvTransferState.COMPLETED);
            bridge.runUntil(() -> !bridge.completed.isEmpty());
            cache.free(bridge.completed.poll().transfer().blocks());
            bridge.closeSender();
            bridge.closeReceiver();
            final List<byte[]> recording = transferMessages(said);
            final List<byte[]> damaged = transferMessages(came);
            assertThat(said.count(TransferCommitDecoder.TEMPLATE_ID)).isEqualTo(3);

            final List<byte[]> stream = new ArrayList<>();
            final AtomicLong aheadNs = new AtomicLong();
            bridge.receiver = KvReceiver.launch(replayContext(
                cache, (handler, limit) -> play(stream, handler, wholeMessage()))
                .nanoClock(() -> System.nanoTime() + aheadNs.get()));
            for (final List<byte[]> each : List.of(recording, damaged))
            {
                stream.addAll(each);
                bridge.runUntil(stream::isEmpty);
                bridge.runUntil(() -> !bridge.completed.isEmpty());
                assertThat(bridge.completed).hasSize(1);
                final KvBlocks blocks = bridge.completed.poll().transfer().blocks();
                bridge.assertSame(LAYOUT, request.blocks(), blocks);
                cache.free(blocks);
            }

            // Without the repeats it does not complete.
            stream.addAll(damaged.subList(0, 1 + indexOf(damaged, TransferCommitDecoder.TEMPLATE_ID)));
            bridge.runUntil(stream::isEmpty);
            assertThat(bridge.events).noneMatch(event -> event.startsWith("failed"));
            aheadNs.set(KvConfiguration.REPLAY_TIMEOUT_NS_DEFAULT);
            bridge.runUntil(() -> bridge.events.stream().anyMatch(event -> event.startsWith("failed 3 CHECKSUM")));
            bridge.runUntil(() -> cache.freeBlocks() == BLOCKS);
            assertThat(bridge.completed).isEmpty();
        }
    }

    @Test
    void whatIsDamagedForGoodMakesRoomForWhatFollows()
    {
        try (bridge)
        {
            final AtomicBoolean isDamaged = new AtomicBoolean(true);
            final TappedSource came = new TappedSource(new DamagedSource(
                bridge.aeron.addSubscription(bridge.channel, Bridge.STREAM_ID)::controlledPoll,
                chunk -> isDamaged.get() && chunk.layer() == 2 && 0 == chunk.attempt()));
            final PagedKvCache cache = PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, BLOCKS);
            bridge.launch(cache, ctx -> ctx, ctx -> ctx.source(came));
            final KvTransferRequest request = request(PagedKvCache.allocate(bridge.sourceDevice, LAYOUT, BLOCKS));
            final List<byte[]> stream = new ArrayList<>();
            for (int i = 0; i < 2; i++)
            {
                assertThat(bridge.run(request.requestId(3 + i)).state()).isEqualTo(KvTransferState.COMPLETED);
                bridge.runUntil(() -> !bridge.completed.isEmpty());
                cache.free(bridge.completed.poll().transfer().blocks());
                isDamaged.set(false);
                final List<byte[]> messages = transferMessages(came);
                stream.addAll(messages.subList(0, 1 + indexOf(messages, TransferCommitDecoder.TEMPLATE_ID)));
                messages.clear();
            }
            bridge.closeSender();
            bridge.closeReceiver();

            bridge.receiver = KvReceiver.launch(replayContext(cache,
                (handler, limit) -> play(stream, handler, wholeMessage())).replayTimeoutNs(Long.MAX_VALUE / 4));
            bridge.runUntil(() -> !bridge.completed.isEmpty());
            final KvInboundTransfer landed = bridge.completed.peek().transfer();
            assertThat(landed.info().requestId()).isEqualTo(4);
            assertThat(bridge.events).anyMatch(event -> event.startsWith("failed 3 CHECKSUM_MISMATCH"));
            bridge.assertSame(LAYOUT, request.blocks(), landed.blocks());
        }
    }

    private static List<byte[]> transferMessages(final TappedSource source)
    {
        return source.messages.subList(
            indexOf(source.messages, TransferBeginDecoder.TEMPLATE_ID), source.messages.size());
    }

    private static int indexOf(final List<byte[]> messages, final int templateId)
    {
        int index = 0;
        while (templateId != TappedSource.templateId(messages.get(index)))
        {
            index++;
        }
        return index;
    }

    /**
     * Messages of a second attempt that begins with the second layer.
     */
    private static List<byte[]> restOf(final List<byte[]> recording)
    {
        final List<byte[]> rest = new ArrayList<>();
        final MessageHeaderDecoder header = new MessageHeaderDecoder();
        for (final byte[] bytes : recording)
        {
            final UnsafeBuffer message = new UnsafeBuffer(bytes.clone());
            final int templateId = header.wrap(message, 0).templateId();
            final int layer = switch (templateId)
            {
                case BlockDescriptorDecoder.TEMPLATE_ID ->
                    new BlockDescriptorDecoder().wrapAndApplyHeader(message, 0, header).layer();
                case KvChunkDecoder.TEMPLATE_ID -> new KvChunkDecoder().wrapAndApplyHeader(message, 0, header).layer();
                case LayerCommitDecoder.TEMPLATE_ID ->
                    new LayerCommitDecoder().wrapAndApplyHeader(message, 0, header).layer();
                default -> Integer.MAX_VALUE;
            };
            if (TransferBeginDecoder.TEMPLATE_ID == templateId)
            {
                message.putShort(MessageHeaderDecoder.ENCODED_LENGTH + TransferBeginDecoder.attemptEncodingOffset(),
                    (short)1, ByteOrder.LITTLE_ENDIAN);
            }
            if (layer > 0)
            {
                rest.add(message.byteArray());
            }
        }
        return rest;
    }

    /**
     * Header of a player that has no image.
     */
    private static Header wholeMessage()
    {
        final UnsafeBuffer frame = new UnsafeBuffer(new byte[DataHeaderFlyweight.HEADER_LENGTH]);
        frame.putByte(DataHeaderFlyweight.FLAGS_FIELD_OFFSET, FrameDescriptor.UNFRAGMENTED);
        final Header header = new Header(0, 16);
        header.buffer(frame);
        return header;
    }

    private static int play(
        final List<byte[]> stream,
        final ControlledFragmentHandler handler,
        final Header header)
    {
        if (stream.isEmpty())
        {
            return 0;
        }
        final byte[] bytes = stream.get(0);
        if (ControlledFragmentHandler.Action.ABORT == handler.onFragment(
            new UnsafeBuffer(bytes), 0, bytes.length, header))
        {
            return 0;
        }
        stream.remove(0);
        return 1;
    }
}
