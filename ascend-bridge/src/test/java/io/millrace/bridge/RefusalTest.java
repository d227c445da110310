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

import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;

import io.aeron.Subscription;
import io.millrace.codecs.kv.HelloAckDecoder;
import io.millrace.codecs.kv.HelloEncoder;
import io.millrace.codecs.kv.KvMessages;
import io.millrace.codecs.kv.MessageHeaderDecoder;
import io.millrace.codecs.kv.MessageHeaderEncoder;
import io.millrace.codecs.kv.Reason;
import io.millrace.codecs.kv.RejectDecoder;
import io.millrace.codecs.kv.TransferAckDecoder;
import io.millrace.codecs.kv.TransferBeginEncoder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What a receiver refuses, with the numbers; another transfer of the same stream lands all the same.
 */
@Timeout(150)
@ParameterizedClass
@EnumSource(value = Setting.class, names = {"HOST_IPC", "HOST_STAGED_IPC", "HOST_UDP", "NPU_UDP"})
class RefusalTest
{
    private static final KvLayout LAYOUT = new KvLayout(1, 1, 16, KvDtype.BF16, 16);
    private static final KvLayout BIG = new KvLayout(2, 2, 64, KvDtype.BF16, 16);
    private static final int LAYER_BYTES = 1024;

    private final boolean isUdp;
    private final Bridge bridge;
    private final MessageHeaderDecoder messageHeader = new MessageHeaderDecoder();
    private final RejectDecoder reject = new RejectDecoder();
    private final byte[] payload = new byte[LAYER_BYTES];
    private PagedKvCache cache;
    private Subscription reverse;
    private RawSender raw;
    private String answer;

    RefusalTest(final Setting setting)
    {
        isUdp = setting.isUdp;
        bridge = setting.open();
    }

    @BeforeEach
    void setUp()
    {
        new Random(1).nextBytes(payload);
        cache = PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, 4);
        final PagedKvCache big = PagedKvCache.allocate(bridge.destinationDevice, BIG, 64);
        final KvBlockAllocator caches = new KvBlockAllocator()
        {
            public KvBlocks allocate(final KvTransferInfo info)
            {
                return (info.layout().equals(BIG) ? big : cache).allocate(info);
            }

            public void release(final KvTransferInfo info, final KvBlocks blocks)
            {
                (info.layout().equals(BIG) ? big : cache).release(info, blocks);
            }
        };
        bridge.receiver = KvReceiver.launch(bridge.receiverContext(caches)
            .creditWindowBytes(KvConfiguration.CREDIT_WINDOW_BYTES_MIN));
        reverse = bridge.aeron.addSubscription(bridge.reverseChannel, Bridge.REVERSE_STREAM_ID);
        raw = new RawSender(bridge);
        raw.begin(7, LAYOUT, 1);
        raw.sendBegin();
        raw.begin(50, LAYOUT, 1);
        raw.sendBegin();
    }

    @AfterEach
    void tearDown()
    {
        // Whatever was refused: the other transfer that was in flight is unharmed, and blocks are free again.
        try (bridge)
        {
            finish(50);
            bridge.runUntil(() -> bridge.events.contains("complete 50"));
            assertThat(cache.freeBlocks()).isGreaterThanOrEqualTo(2);
        }
    }

    private void finish(final long transferId)
    {
        final int crc = RawSender.crc(payload);
        raw.chunk(transferId, 0, 0, payload);
        raw.layerCommit(transferId, 0, LAYER_BYTES, crc);
        raw.transferCommit(transferId, LAYER_BYTES, 1, RawSender.crc(RawSender.littleEndian(crc)));
    }

    private String rejection()
    {
        answer = null;
        bridge.runUntil(() -> reverse.poll(
            (buffer, offset, length, header) ->
            {
                final int templateId = KvMessages.check(buffer, offset, length);
                if (RejectDecoder.TEMPLATE_ID == templateId)
                {
                    reject.wrapAndApplyHeader(buffer, offset, messageHeader);
                    answer = reject.reason() + " " + reject.expected() + " " + reject.actual() + " " + reject.text();
                }
                else if (HelloAckDecoder.TEMPLATE_ID == templateId)
                {
                    answer = new HelloAckDecoder().wrapAndApplyHeader(buffer, offset, messageHeader).text();
                }
            }, 10) >= 0 && null != answer);
        return answer;
    }

    @Test
    void chunkPastTheLayer()
    {
        raw.chunk(7, 0, 512, payload);
        assertThat(rejection()).startsWith("OUT_OF_RANGE 1024 1536").contains("bytes 512 to 1536");
    }

    @Test
    void chunkOfALayerThatIsNotThere()
    {
        raw.chunk(7, 1, 0, payload);
        assertThat(rejection()).contains("chunk of layer 1").contains("has 1 layers");
    }

    @Test
    void gapInALayer()
    {
        raw.chunk(7, 0, 0, new byte[256]);
        raw.chunk(7, 0, 512, new byte[256]);
        assertThat(rejection()).startsWith("OUT_OF_ORDER 256 512");
    }

    @Test
    void layerCommitThatDoesNotAddUp()
    {
        raw.chunk(7, 0, 0, new byte[256]);
        raw.layerCommit(7, 0, LAYER_BYTES, 0);
        assertThat(rejection()).startsWith("COMMIT_MISMATCH 1024 256").contains("256 arrived");
    }

    @Test
    void transferCommitBeforeItsLayers()
    {
        raw.transferCommit(7, LAYER_BYTES, 1, 0);
        assertThat(rejection()).startsWith("COMMIT_MISMATCH").contains("committed were 0");
    }

    @Test
    void transferCommitWithAnotherChecksum()
    {
        raw.chunk(7, 0, 0, payload);
        raw.layerCommit(7, 0, LAYER_BYTES, RawSender.crc(payload));
        raw.transferCommit(7, LAYER_BYTES, 1, 12345);
        assertThat(rejection()).startsWith("CHECKSUM_MISMATCH 12345");
    }

    @Test
    void unknownTransfer()
    {
        raw.chunk(8, 0, 0, payload);
        assertThat(rejection()).startsWith("UNKNOWN_TRANSFER").contains("transfer 8 is not in flight");
        finish(7);
        bridge.runUntil(() -> bridge.events.contains("complete 7"));
    }

    @Test
    void beginThatDoesNotAddUp()
    {
        raw.begin(9, LAYOUT, 1).totalBytes(99);
        raw.sendBegin();
        assertThat(rejection()).startsWith("BAD_LAYOUT 1024 99");
    }

    @Test
    void beginWithZeroLayers()
    {
        raw.begin(9, LAYOUT, 1).layers(0);
        raw.sendBegin();
        assertThat(rejection()).startsWith("BAD_LAYOUT").contains("layers=0 is out of range");
    }

    @Test
    void beginOfANewerProtocol()
    {
        raw.begin(9, LAYOUT, 1).protocolVersion(5);
        raw.sendBegin();
        assertThat(rejection()).startsWith("VERSION_MISMATCH").contains("speaks KV protocol 5 to 5")
            .contains("receiver speaks 1 to 2");
    }

    @Test
    void helloOfANewerProtocol()
    {
        new HelloEncoder().wrapAndApplyHeader(raw.buffer, 0, raw.header)
            .senderId(1).protocolVersion(9).minProtocolVersion(4);
        raw.send(MessageHeaderEncoder.ENCODED_LENGTH + HelloEncoder.BLOCK_LENGTH);
        assertThat(rejection()).contains("sender speaks KV protocol 4 to 9, receiver speaks 1 to 2");
    }

    @Test
    void foreignAndShortMessages()
    {
        raw.header.wrap(raw.buffer, 0).blockLength(8).templateId(1).schemaId(77).version(0);
        raw.send(16);
        raw.header.wrap(raw.buffer, 0).blockLength(8).templateId(99).schemaId(9102).version(0);
        raw.send(16);
        raw.send(3);
        bridge.runUntil(() -> bridge.events.size() == 3);
        assertThat(bridge.events.poll()).contains("schema is not 9102").contains("schema=77");
        assertThat(bridge.events.poll()).contains("template=99");
        assertThat(bridge.events.poll()).contains("message of 3 bytes");
    }

    @Test
    void duplicatesBringNothingNew()
    {
        raw.begin(7, LAYOUT, 1);
        raw.sendBegin();
        raw.chunk(7, 0, 0, new byte[]{payload[0], payload[1]});
        raw.chunk(7, 0, 0, new byte[]{payload[0], payload[1]});
        finish(7);
        bridge.runUntil(() -> bridge.events.contains("complete 7"));
        raw.chunk(7, 0, 0, payload);
        bridge.runUntil(() -> bridge.receiver.counters().get(KvCounters.Kind.DUPLICATES) == 3);

        final KvTransferStats stats = bridge.completed.poll();
        assertThat(stats.duplicates()).isEqualTo(1);
        final byte[] landed = new byte[512];
        bridge.destinationDevice.get(stats.transfer().blocks().address(0, 1, 0), landed, 0, 512);
        assertThat(landed).isEqualTo(Arrays.copyOfRange(payload, 512, 1024));
    }

    @Test
    void sameIdWithOtherContents()
    {
        raw.begin(7, LAYOUT, 2);
        raw.sendBegin();
        bridge.runUntil(() -> !bridge.events.isEmpty());
        assertThat(bridge.events.poll()).startsWith("refused DUPLICATE_TRANSFER").contains("1024").contains("2048");
        finish(7);
        bridge.runUntil(() -> bridge.events.contains("complete 7"));
    }

    @Test
    void unknownDtypeAndParts()
    {
        raw.begin(9, LAYOUT, 1);
        raw.buffer.putByte(8 + TransferBeginEncoder.dtypeEncodingOffset(), (byte)77);
        raw.sendBegin();
        assertThat(rejection()).startsWith("BAD_LAYOUT 4 77").contains("dtype 77 is not known");
        raw.begin(10, LAYOUT, 1).parts((short)3);
        raw.sendBegin();
        assertThat(rejection()).startsWith("BAD_LAYOUT").contains("parts=3 is out of range: use 1 to 2");
    }

    @Test
    void layoutThatTheCacheDoesNotHave()
    {
        final KvLayout other = LAYOUT.withTokensPerBlock(8);
        raw.begin(9, other, 1);
        raw.sendBegin();
        assertThat(rejection()).startsWith("BAD_LAYOUT").contains("tokensPerBlock=8").contains("tokensPerBlock=16");
    }

    @Test
    void timesOutOfRange()
    {
        raw.begin(9, LAYOUT, 1).timeoutNs(0);
        raw.sendBegin();
        assertThat(rejection()).startsWith("BAD_LAYOUT").contains("in 0 ns");
        raw.begin(10, LAYOUT, 1).resumeTimeoutNs(-1);
        raw.sendBegin();
        assertThat(rejection()).startsWith("BAD_LAYOUT");
    }

    @Test
    void aSenderThatFallsSilentLosesItsBlocksAtTheDeadline()
    {
        bridge.runUntil(() -> 2 == bridge.begun.size());
        final int free = cache.freeBlocks();
        raw.begin(11, LAYOUT, 1).timeoutNs(TimeUnit.SECONDS.toNanos(1));
        raw.sendBegin();
        bridge.runUntil(() -> 3 == bridge.begun.size());
        assertThat(cache.freeBlocks()).isEqualTo(free - 1);
        assertThat(rejection()).startsWith("DEADLINE 1000000000 ").contains("landed 0 of 1 layers");
        assertThat(bridge.events).anyMatch(event -> event.startsWith("failed 11 DEADLINE"));
        bridge.runUntil(() -> cache.freeBlocks() == free);
    }

    @Test
    void moreThanTheCredit()
    {
        Assumptions.assumeFalse(isUdp, "UDP's receive window is no larger than the smallest credit");
        Assumptions.assumeTrue(bridge.isStaged, "without staging what comes has landed, and its credit is back");
        raw.begin(20, BIG, 64);
        raw.sendBegin();
        bridge.runUntil(() -> bridge.begun.size() == 3);
        final KvReceiver receiver = bridge.receiver;
        final byte[] chunk = new byte[1024];
        // The receiver does not run and so tells no new credit: what it finds then is more than it gave.
        bridge.receiver = null;
        for (int offset = 0; offset <= KvConfiguration.CREDIT_WINDOW_BYTES_MIN; offset += chunk.length)
        {
            raw.chunk(20, 0, offset, chunk);
        }
        bridge.receiver = receiver;
        assertThat(rejection()).startsWith("OUT_OF_RANGE 131072 ").contains("its credit is 131072");
    }

    @Test
    void layerBeforeItsPredecessorEnded()
    {
        raw.begin(20, BIG, 64);
        raw.sendBegin();
        raw.chunk(20, 0, 0, new byte[256]);
        raw.chunk(20, 1, 0, new byte[256]);
        assertThat(rejection()).startsWith("OUT_OF_ORDER").contains("chunk of layer 1 starts at 0");
    }

    @Test
    void descriptorPastTheBlocks()
    {
        raw.descriptor(7, 0, 0, 2, 2048);
        assertThat(rejection()).startsWith("OUT_OF_RANGE 1 2").contains("blocks 0 to 2");
    }

    @Test
    void corruptedLayerIsAskedForAgainABoundedNumberOfTimes()
    {
        for (int i = 0; i <= KvConfiguration.MAX_LAYER_RETRIES_DEFAULT; i++)
        {
            raw.chunk(7, 0, 0, payload);
            raw.layerCommit(7, 0, LAYER_BYTES, RawSender.crc(payload) + 1);
        }
        assertThat(rejection()).startsWith("CHECKSUM_MISMATCH").contains("asked for again 3 times");
    }

    @Test
    void dataOfAnotherSenderUnderTheSameId()
    {
        final RawSender other = new RawSender(bridge);
        other.chunk(7, 0, 0, new byte[LAYER_BYTES]);
        other.layerCommit(7, 0, LAYER_BYTES, 0);
        bridge.runUntil(() -> bridge.receiver.counters().get(KvCounters.Kind.DUPLICATES) == 2);
        finish(7);
        bridge.runUntil(() -> bridge.events.contains("complete 7"));
    }

    @Test
    void beginOfATransferThatHasEnded()
    {
        finish(7);
        bridge.runUntil(() -> bridge.events.contains("complete 7"));
        raw.begin(7, LAYOUT, 1);
        raw.sendBegin();
        assertThat(rejection()).startsWith("DUPLICATE_TRANSFER").contains("has ended already");
    }

    @Test
    void aSenderThatDidNotHearTheEndIsToldAgain()
    {
        finish(7);
        bridge.runUntil(() -> bridge.events.contains("complete 7"));
        bridge.runUntil(() -> reverse.poll((buffer, offset, length, header) -> { }, 10) > 0);
        final int crc = RawSender.crc(payload);
        raw.begin(7, LAYOUT, 1).attempt(1);
        raw.sendBegin();
        final TransferAckDecoder ack = new TransferAckDecoder();
        final long[] checksum = {-1};
        bridge.runUntil(() -> reverse.poll(
            (buffer, offset, length, header) ->
            {
                if (TransferAckDecoder.TEMPLATE_ID == KvMessages.check(buffer, offset, length))
                {
                    checksum[0] = ack.wrapAndApplyHeader(buffer, offset, messageHeader).checksum();
                }
            }, 10) >= 0 && checksum[0] >= 0);
        assertThat((int)checksum[0]).isEqualTo(RawSender.crc(RawSender.littleEndian(crc)));
    }

    @Test
    void refusalsThatNameNoReasonCompleteNothing()
    {
        // A stream of its own: nothing of it reaches the receiver under test.
        final int streamId = Bridge.STREAM_ID + 100;
        final RawReceiver peer = new RawReceiver(bridge, streamId, 1);
        bridge.sender = KvSender.launch(bridge.senderContext().streamId(streamId).reverseStreamId(streamId + 1));
        final KvBlocks blocks = PagedKvCache.allocate(bridge.sourceDevice, LAYOUT, 1).allocate(1);
        assertThat(ended(peer, blocks, () -> peer.reject(Reason.OK)).error()).isEqualTo(KvError.BAD_MESSAGE);
        assertThat(ended(peer, blocks, () -> peer.cancel(Reason.OK)).error()).isEqualTo(KvError.CANCELED);
    }

    private KvTransfer ended(final RawReceiver peer, final KvBlocks blocks, final Runnable refusal)
    {
        final KvTransfer transfer = bridge.sender.submit(new KvTransferRequest().layout(LAYOUT).blocks(blocks)
            .timeoutNs(Bridge.LIMIT_NS));
        bridge.runUntil(() -> peer.poll() >= 0 && peer.transferId == transfer.transferId());
        refusal.run();
        bridge.runUntil(() -> transfer.state().isTerminal());
        return transfer;
    }
}
