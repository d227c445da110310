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
package io.millrace.bridge.reshard;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

import io.aeron.Aeron;
import io.aeron.CommonContext;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.millrace.bridge.Drivers;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvCounters;
import io.millrace.bridge.KvDtype;
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.KvReceiver;
import io.millrace.bridge.KvSender;
import io.millrace.bridge.KvTransferRequest;
import io.millrace.bridge.KvTransferState;
import io.millrace.bridge.PagedKvCache;
import io.millrace.bridge.device.HostDevice;
import io.millrace.bridge.device.KvDevice;
import io.millrace.bridge.device.acl.AclDevice;
import io.millrace.bridge.device.acl.StandIn;
import org.agrona.CloseHelper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

/**
 * Source ranks that feed another number of destination ranks over a stock driver.
 */
@Timeout(120)
class ReshardStreamTest
{
    private static final long LIMIT_NS = TimeUnit.SECONDS.toNanos(30);
    private static final long REQUEST_ID = 7;
    private static final int TOKENS = 333;

    /**
     * A sender for each pair of ranks, a receiver for each destination rank.
     */
    private static final class Ranks implements AutoCloseable
    {
        private final KvDevice sourceDevice;
        private final KvDevice destinationDevice;
        private final ReshardPlan plan;
        private final MediaDriver driver;
        private final Aeron aeron;
        private final List<KvSender> senders = new ArrayList<>();
        private final List<KvReceiver> receivers = new ArrayList<>();
        private final List<ReshardReceiver> assemblers = new ArrayList<>();
        private final List<ReshardSender> sources = new ArrayList<>();
        private final List<PagedKvCache> sourceCaches = new ArrayList<>();
        private final List<PagedKvCache> caches = new ArrayList<>();
        private final List<String> events = new ArrayList<>();
        private final KvBlocks[] received;
        private final int[] ports;

        private Ranks(final boolean isUdp, final boolean isAcl, final ReshardPlan plan, final long timeoutNs)
        {
            Drivers.assumeWanted(isUdp, isAcl);
            this.plan = plan;
            final StandIn standIn = isAcl ? StandIn.get(StandIn.Symbols.NEW) : null;
            sourceDevice = isAcl ? new AclDevice(standIn.context(0)) : new HostDevice(0, 1);
            destinationDevice = isAcl ? new AclDevice(standIn.context(1)) : new HostDevice(1, 1);
            received = new KvBlocks[plan.destination().tpSize()];
            ports = IntStream.generate(Drivers::freePort).distinct().limit(2L * received.length).toArray();
            driver = MediaDriver.launchEmbedded(Drivers.prepare(new MediaDriver.Context()
                .aeronDirectoryName(CommonContext.generateRandomDirName())
                .threadingMode(ThreadingMode.SHARED).dirDeleteOnStart(true).dirDeleteOnShutdown(true)));
            aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(driver.aeronDirectoryName()));
            for (int rank = 0; rank < plan.destination().tpSize(); rank++)
            {
                addReceiver(rank, isUdp, timeoutNs);
            }
            for (int rank = 0; rank < plan.source().tpSize(); rank++)
            {
                sourceCaches.add(PagedKvCache.allocate(sourceDevice, plan.source().layout(plan.shape()), 64));
                sources.add(new ReshardSender(plan, rank, destination -> addSender(destination, isUdp)));
            }
        }

        private String channel(final boolean isUdp, final int rank, final boolean isReverse)
        {
            return (isUdp ? "aeron:udp?endpoint=localhost:" + ports[2 * rank + (isReverse ? 1 : 0)] + "|" :
                "aeron:ipc?") + "term-length=" + (isReverse ? "64k" : "256k") +
                (isUdp ? Drivers.CHANNEL_PARAMETERS : "");
        }

        private void addReceiver(final int rank, final boolean isUdp, final long timeoutNs)
        {
            final PagedKvCache cache =
                PagedKvCache.allocate(destinationDevice, plan.destination().layout(plan.shape()), 64);
            final ReshardReceiver assembler = new ReshardReceiver(plan.shape(), plan.destination(), rank, cache,
                timeoutNs, new ReshardListener()
                {
                    public void onLayer(final long requestId, final int layer, final KvBlocks blocks)
                    {
                        events.add(rank + " layer " + layer);
                    }

                    public void onRequestComplete(final long requestId, final KvBlocks blocks, final int tokenCount)
                    {
                        received[rank] = blocks;
                        events.add(rank + " complete " + tokenCount);
                    }

                    public void onRequestFailed(final long requestId, final KvError reason, final String text)
                    {
                        events.add(rank + " failed " + reason + " " + text);
                    }
                });
            caches.add(cache);
            assemblers.add(assembler);
            receivers.add(KvReceiver.launch(new KvReceiver.Context().aeron(aeron)
                .channel(channel(isUdp, rank, false)).streamId(1100 + rank)
                .reverseChannel(channel(isUdp, rank, true)).reverseStreamId(1200 + rank)
                .device(destinationDevice).allocator(assembler).listener(assembler)
                .stagingConfig("3:1").counters(KvCounters.inMemory()).useAgentInvoker(true)));
        }

        private KvSender addSender(final int destination, final boolean isUdp)
        {
            final KvSender sender = KvSender.launch(new KvSender.Context().aeron(aeron)
                .channel(channel(isUdp, destination, false)).streamId(1100 + destination)
                .reverseChannel(channel(isUdp, destination, true)).reverseStreamId(1200 + destination)
                .device(sourceDevice).stagingConfig("2:1").counters(KvCounters.inMemory()).useAgentInvoker(true));
            senders.add(sender);
            return sender;
        }

        private KvTransferRequest source(final int rank)
        {
            final KvLayout layout = plan.source().layout(plan.shape());
            final KvBlocks blocks = sourceCaches.get(rank).allocate(layout.blocksFor(TOKENS));
            forEachRow(plan.source(), rank, blocks, (address, seed) ->
            {
                final byte[] bytes = row(seed);
                sourceDevice.put(address, bytes, 0, bytes.length);
            });
            return new KvTransferRequest().requestId(REQUEST_ID).layout(layout).blocks(blocks).tokenCount(TOKENS)
                .timeoutNs(LIMIT_NS);
        }

        private void check(final int rank)
        {
            forEachRow(plan.destination(), rank, received[rank], (address, seed) ->
            {
                final byte[] bytes = new byte[plan.shape().rowBytes()];
                destinationDevice.get(address, bytes, 0, bytes.length);
                assertThat(bytes).isEqualTo(row(seed));
            });
        }

        private byte[] row(final long seed)
        {
            final byte[] bytes = new byte[plan.shape().rowBytes()];
            new Random(seed).nextBytes(bytes);
            return bytes;
        }

        private void forEachRow(
            final Sharding sharding, final int rank, final KvBlocks blocks, final RowConsumer consumer)
        {
            final int heads = sharding.headsPerRank(plan.shape());
            for (int layer = 0; layer < plan.shape().layers(); layer++)
            {
                for (int part = 0; part < plan.shape().parts(); part++)
                {
                    for (int i = 0; i < heads * TOKENS; i++)
                    {
                        final int head = i % heads;
                        final int token = i / heads;
                        final int inBlock = token % sharding.tokensPerBlock();
                        final long row = HeadOrder.TOKEN_MAJOR == sharding.order() ? inBlock * heads + head :
                            head * sharding.tokensPerBlock() + inBlock;
                        consumer.accept(blocks.address(layer, part, token / sharding.tokensPerBlock()) +
                            row * plan.shape().rowBytes(), 1_000_000L * (layer * 2 + part) +
                            10_000L * (head + sharding.firstHead(plan.shape(), rank)) + token);
                    }
                }
            }
        }

        private void runUntil(final BooleanSupplier condition)
        {
            final long startNs = System.nanoTime();
            while (!condition.getAsBoolean())
            {
                senders.forEach(sender -> sender.invoker().invoke());
                receivers.forEach(receiver -> receiver.invoker().invoke());
                if (System.nanoTime() - startNs > LIMIT_NS)
                {
                    fail("not reached in time: " + events);
                }
                Thread.yield();
            }
        }

        public void close()
        {
            CloseHelper.closeAll(senders);
            CloseHelper.closeAll(receivers);
            CloseHelper.closeAll(aeron, driver, sourceDevice, destinationDevice);
        }
    }

    @FunctionalInterface
    private interface RowConsumer
    {
        void accept(long address, long seed);
    }

    private static ReshardPlan plan(final int from, final int to, final boolean isLatent, final HeadOrder order)
    {
        final CacheShape shape = isLatent ? CacheShape.latent(2, 72, KvDtype.BF16) :
            CacheShape.perHead(2, 4, 16, KvDtype.BF16);
        return ReshardPlan.of(shape, new Sharding(from, 16, HeadOrder.TOKEN_MAJOR), new Sharding(to, 24, order));
    }

    @ParameterizedTest
    @CsvSource({
        "2, 4, false, false, false, TOKEN_MAJOR", "4, 2, false, false, false, HEAD_MAJOR",
        "2, 4, true, false, false, HEAD_MAJOR", "4, 2, true, false, true, TOKEN_MAJOR",
        "2, 4, false, true, true, TOKEN_MAJOR", "4, 2, false, true, false, TOKEN_MAJOR",
        "2, 4, true, true, false, HEAD_MAJOR", "4, 2, true, true, false, TOKEN_MAJOR"})
    void everyDestinationRankGetsItsHeads(
        final int from,
        final int to,
        final boolean isUdp,
        final boolean isAcl,
        final boolean isLatent,
        final HeadOrder order)
    {
        try (Ranks ranks = new Ranks(isUdp, isAcl, plan(from, to, isLatent, order), LIMIT_NS))
        {
            final List<ReshardTransfer> transfers = new ArrayList<>();
            for (int rank = 0; rank < from; rank++)
            {
                transfers.add(ranks.sources.get(rank).submit(ranks.source(rank), 0));
            }

            ranks.runUntil(() -> transfers.stream().allMatch(transfer -> transfer.future().isDone()));

            assertThat(transfers).allMatch(transfer -> KvTransferState.COMPLETED == transfer.state());
            for (int rank = 0; rank < to; rank++)
            {
                assertThat(ranks.events).containsOnlyOnce(rank + " layer 0", rank + " layer 1",
                    rank + " complete " + TOKENS);
                assertThat(ranks.assemblers.get(rank).activeRequests()).isZero();
                ranks.check(rank);
            }
            final ReshardPlan plan = ranks.plan;
            final int units = 8 * ((TOKENS + 7) / 8);
            assertThat(transfers.stream().mapToLong(ReshardTransfer::bytesSent).sum())
                .as("each destination rank's heads once, and at most a unit of padding")
                .isBetween((long)TOKENS * to * bytesPerToken(plan), (long)units * to * bytesPerToken(plan));
        }
    }

    private static long bytesPerToken(final ReshardPlan plan)
    {
        return plan.destination().layout(plan.shape()).bytesPerToken();
    }

    @Test
    void aSourceRankThatNeverBeginsFailsTheRequestAndFreesItsBlocks()
    {
        try (Ranks ranks = new Ranks(false, false, plan(4, 2, false, HeadOrder.TOKEN_MAJOR),
            TimeUnit.MILLISECONDS.toNanos(200)))
        {
            final ReshardTransfer transfer = ranks.sources.get(0).submit(ranks.source(0), 0);
            ranks.runUntil(() -> transfer.state().isTerminal());
            assertThat(transfer.state()).isEqualTo(KvTransferState.COMPLETED);

            ranks.runUntil(() -> 1 == ranks.assemblers.get(0).checkDeadlines());

            assertThat(ranks.events).hasSize(1).first().asString()
                .contains("0 failed DEADLINE transfers of 1 of 2 source ranks began, 1 ended");
            assertThat(ranks.caches.get(0).freeBlocks()).isEqualTo(64);
            assertThat(ranks.assemblers.get(0).activeRequests()).isZero();
        }
    }

    @Test
    void oneTransferThatIsCanceledEndsItsRequestOnAllRanksAndTheNextAttemptGoesThrough()
    {
        try (Ranks ranks = new Ranks(false, false, plan(2, 4, false, HeadOrder.TOKEN_MAJOR), LIMIT_NS))
        {
            final KvTransferRequest request = ranks.source(0).layerwise(true);
            final ReshardTransfer transfer = ranks.sources.get(0).submit(request, 0);
            transfer.layerReady(0);
            ranks.runUntil(() -> ranks.events.contains("0 layer 0") && ranks.events.contains("1 layer 0"));

            transfer.transfers().get(1).cancel();
            ranks.runUntil(() -> transfer.future().isDone());

            assertThat(transfer.state()).isEqualTo(KvTransferState.CANCELED);
            ranks.runUntil(() -> ranks.events.stream().filter(event -> event.contains("failed CANCELED")).count() == 2);
            ranks.runUntil(() -> 64 == ranks.caches.get(0).freeBlocks() && 64 == ranks.caches.get(1).freeBlocks());
            final ReshardTransfer again = ranks.sources.get(0).submit(request.layerwise(false), 0);
            ranks.runUntil(() -> again.future().isDone());
            assertThat(again.state()).isEqualTo(KvTransferState.COMPLETED);
            ranks.check(0);
            ranks.check(1);
        }
    }

    @Test
    void ranksThatWerePlannedOtherwiseAreRefused()
    {
        try (Ranks ranks = new Ranks(false, false, plan(2, 4, false, HeadOrder.TOKEN_MAJOR), LIMIT_NS))
        {
            final ReshardPlan wrong = ReshardPlan.of(CacheShape.perHead(2, 4, 8, KvDtype.BF16),
                ranks.plan.source(), ranks.plan.destination());
            final KvLayout layout = wrong.source().layout(wrong.shape());
            final PagedKvCache cache = PagedKvCache.allocate(ranks.sourceDevice, layout, 10);
            final ReshardTransfer transfer = new ReshardSender(wrong, 0, rank -> ranks.addSender(rank, false)).submit(
                new KvTransferRequest().requestId(9).layout(layout).blocks(cache.allocate(10)), 0);

            ranks.runUntil(() -> transfer.future().isDone());

            assertThat(transfer.state()).isEqualTo(KvTransferState.FAILED);
            assertThat(transfer.transfers().get(0).errorText()).contains("headDim=8").contains("headDim=16");
            assertThat(ranks.events).anyMatch(event -> event.startsWith("0 failed BAD_LAYOUT"));
        }
    }
}
