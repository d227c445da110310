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
package io.millrace.bridge.session;

import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;

import io.aeron.CommonContext;
import io.millrace.bridge.ChildJvm;
import io.millrace.bridge.Drivers;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvCounters;
import io.millrace.bridge.KvDtype;
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.KvReceiver;
import io.millrace.bridge.KvSender;
import io.millrace.bridge.KvTransfer;
import io.millrace.bridge.KvTransferRequest;
import io.millrace.bridge.KvTransferState;
import io.millrace.bridge.PagedKvCache;
import io.millrace.bridge.device.HostDevice;
import io.millrace.bridge.device.KvDevice;
import io.millrace.bridge.device.acl.AclDevice;
import io.millrace.bridge.device.acl.StandIn;
import io.millrace.bridge.reshard.ReshardListener;
import io.millrace.bridge.reshard.ReshardReceiver;
import io.millrace.bridge.reshard.ReshardSender;
import io.millrace.bridge.reshard.ReshardTransfer;
import org.agrona.CloseHelper;
import org.agrona.IoUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Transfers between instances that have sessions, when all is well and when drivers and instances are killed.
 */
@Timeout(180)
class SessionTransfersTest extends SessionsFixture
{
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void transfersUseTheStreamsOfTheSession(final boolean isNpu)
    {
        Drivers.assumeWanted(true, isNpu);
        final SessionNode prefill = prefill("p");
        final SessionNode[] decodes = {
            node(decodeAeron, SessionNode.instance("d0", KvRole.DECODE, 0, 2), ctx -> ctx),
            node(decodeAeron, SessionNode.instance("d1", KvRole.DECODE, 1, 2), ctx -> ctx)};
        for (final SessionNode decode : decodes)
        {
            final CompletableFuture<KvSession> future = prefill.sessions.connect(decode.sessions.endpoint());
            runUntil(() -> future.isDone() && !decode.begun.isEmpty());
        }
        final KvInstance from = prefill.sessions.context().instance();
        final List<KvReceiver> receivers = new ArrayList<>();
        final List<KvSender> senders = new ArrayList<>();
        final List<String> events = new ArrayList<>();
        try (KvDevice device = isNpu ?
            new AclDevice(StandIn.get(StandIn.Symbols.NEW).context(0)) : new HostDevice())
        {
            final PagedKvCache source = PagedKvCache.allocate(device, from.sharding().layout(SessionNode.SHAPE), 8);
            for (int rank = 0; rank < 2; rank++)
            {
                final int destination = rank;
                final KvSession session = decodes[rank].begun.get(0);
                final ReshardReceiver assembler = new ReshardReceiver(SessionNode.SHAPE,
                    decodes[rank].sessions.context().instance().sharding(), rank, PagedKvCache.allocate(device,
                    decodes[rank].sessions.context().instance().sharding().layout(SessionNode.SHAPE), 8), LIMIT_NS,
                    new ReshardListener()
                    {
                        public void onRequestComplete(
                            final long requestId, final KvBlocks blocks, final int tokenCount)
                        {
                            events.add(destination + " complete " + tokenCount);
                        }
                    });
                receivers.add(KvReceiver.launch(session.receiver(new KvReceiver.Context().aeron(decodeAeron)
                    .device(device).allocator(assembler).listener(assembler).stagingConfig("2:1")
                    .counters(KvCounters.inMemory()).useAgentInvoker(true))));
                senders.add(KvSender.launch(prefill.begun.get(rank).sender(new KvSender.Context().aeron(prefillAeron)
                    .device(device).stagingConfig("2:1").counters(KvCounters.inMemory()).useAgentInvoker(true))));
            }
            final ReshardTransfer transfer = new ReshardSender(
                from.planTo(prefill.begun.get(0).peer()), 0, senders::get).submit(new KvTransferRequest().requestId(1)
                .layout(source.layout()).blocks(source.allocate(8)).tokenCount(120).timeoutNs(LIMIT_NS), 0);

            runUntil(() ->
            {
                senders.forEach(sender -> sender.invoker().invoke());
                receivers.forEach(receiver -> receiver.invoker().invoke());
                return transfer.future().isDone();
            });

            assertThat(transfer.state()).isEqualTo(KvTransferState.COMPLETED);
            assertThat(events).containsExactlyInAnyOrder("0 complete 120", "1 complete 120");
            CloseHelper.closeAll(senders);
            CloseHelper.closeAll(receivers);
        }
    }

    /**
     * The driver's process is killed and another takes its directory: same incarnation, same port, same session.
     */
    @Test
    void sessionsComeBackWithTheNextDriverAndSoDoTheirTransfers() throws IOException
    {
        final String directory = CommonContext.generateRandomDirName();
        final HostDevice device = new HostDevice();
        try (ChildJvm first = driverProcess(directory))
        {
            final SessionNode decode = decode("d");
            final SessionNode prefill = node(null, SessionNode.instance("p", KvRole.PREFILL, 0, 1),
                ctx -> ctx.aeronDirectoryName(directory).useAgentInvoker(false).counters(null));
            final CompletableFuture<KvSession> future = prefill.sessions.connect(decode.sessions.endpoint());
            runUntil(() -> future.isDone() && 1 == decode.begun.size());
            final KvSession session = future.join();
            final KvLayout layout = new KvLayout(2, 2, 64, KvDtype.BF16, 16);
            try (PagedKvCache source = PagedKvCache.allocate(device, layout, 10);
                PagedKvCache destination = PagedKvCache.allocate(device, layout, 20);
                KvReceiver receiver = KvReceiver.launch(decode.begun.get(0).receiver(new KvReceiver.Context()
                    .aeron(decodeAeron).device(device).stagingConfig("4:1").allocator(destination)));
                KvSender sender = KvSender.launch(session.sender(new KvSender.Context()
                    .aeronDirectoryName(directory).device(device).stagingConfig("4:1").errorHandler(error -> { }))))
            {
                final KvTransfer transfer = sender.submit(new KvTransferRequest().requestId(1).layout(layout)
                    .blocks(source.allocate(10)).layerwise(true).timeoutNs(LIMIT_NS).resumeTimeoutNs(LIMIT_NS));
                transfer.layerReady(0);
                runUntil(() -> 1 == transfer.layersAcked());

                first.close();
                runUntil(() -> prefill.saw("quarantine d") && decode.saw("quarantine p"));
                try (ChildJvm second = driverProcess(directory))
                {
                    runUntil(() -> prefill.saw("recovery d") && decode.saw("recovery p"));
                    transfer.layerReady(1);
                    runUntil(() -> transfer.state().isTerminal());

                    assertThat(transfer.state()).as(transfer.toString()).isEqualTo(KvTransferState.COMPLETED);
                    assertThat(prefill.sessions.sessions()).containsExactly(session);
                    assertThat(prefill.count(SessionCounter.RECONNECTS)).isPositive();
                    assertThat(prefill.count(SessionCounter.ESTABLISHED)).isEqualTo(1);
                    assertThat(decode.count(SessionCounter.RESTARTS)).isZero();
                    nodes.remove(prefill);
                    prefill.close();
                }
            }
        }
        finally
        {
            device.close();
            IoUtil.delete(new File(directory), true);
        }
    }

    private static ChildJvm driverProcess(final String directory)
    {
        final ChildJvm driver = new ChildJvm(DriverProcess.class, directory);
        driver.await("running");
        return driver;
    }

    @Test
    void aDecodeProcessKilledInATransferIsReplacedAndTheRequestSentAgain()
    {
        final SessionNode prefill = prefill("p");
        final KvSender[] sender = new KvSender[1];
        try (HostDevice device = new HostDevice())
        {
            final PagedKvCache cache = PagedKvCache.allocate(
                device, prefill.sessions.context().instance().sharding().layout(SessionNode.SHAPE), 64);
            final KvBlocks blocks = cache.allocate(40);
            final byte[] bytes = new byte[cache.layout().partBytes()];
            new Random(1).nextBytes(bytes);
            device.put(blocks.address(1, 1, 39), bytes, 0, bytes.length);
            final KvTransferRequest request = new KvTransferRequest().requestId(5).layout(cache.layout())
                .blocks(blocks).layerwise(true).timeoutNs(LIMIT_NS);
            final String endpoint;
            final KvTransfer failed;
            try (ChildJvm child = new ChildJvm(DecodeProcess.class, "d", "localhost:0"))
            {
                endpoint = child.await("endpoint ");
                final CompletableFuture<KvSession> session = prefill.sessions.connect(endpoint);
                runUntil(session::isDone);
                sender[0] = sender(session.join(), device);
                failed = sender[0].submit(request);
                failed.layerReady(0);
                runUntil(() -> sender[0].invoker().invoke() >= 0 && 1 == failed.layersAcked());
            }
            runUntil(() -> sender[0].invoker().invoke() >= 0 && failed.state().isTerminal());
            assertThat(failed.error()).isEqualTo(KvError.PEER_GONE);
            prefill.sessions.reportFailure(prefill.begun.get(0), failed.errorText());
            runUntil(() -> prefill.saw("quarantine d"));

            try (ChildJvm child = new ChildJvm(DecodeProcess.class, "d", endpoint))
            {
                runUntil(() -> 2 == prefill.begun.size());
                sender[0].close();
                sender[0] = sender(prefill.begun.get(1), device);
                final KvTransfer again = sender[0].submit(request.layerwise(false));
                runUntil(() -> sender[0].invoker().invoke() >= 0 && again.state().isTerminal());
                assertThat(again.state()).as(again.toString()).isEqualTo(KvTransferState.COMPLETED);
                assertThat(child.await("complete 5 ")).isEqualTo("" + DecodeProcess.checksum(device, cache, blocks));
            }
            sender[0].close();
        }
    }

    private KvSender sender(final KvSession session, final HostDevice device)
    {
        return KvSender.launch(session.sender(new KvSender.Context().aeron(prefillAeron).device(device)
            .stagingConfig("2:1").counters(KvCounters.inMemory()).useAgentInvoker(true)));
    }
}
