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
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;

import io.aeron.Aeron;
import io.aeron.CommonContext;
import io.aeron.Publication;
import io.aeron.driver.MediaDriver;
import io.aeron.exceptions.ConfigurationException;
import io.millrace.bridge.ChildJvm;
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
import io.millrace.bridge.reshard.CacheShape;
import io.millrace.bridge.reshard.ReshardListener;
import io.millrace.bridge.reshard.ReshardReceiver;
import io.millrace.bridge.reshard.ReshardSender;
import io.millrace.bridge.reshard.ReshardTransfer;
import io.millrace.codecs.session.HelloEncoder;
import io.millrace.codecs.session.MessageHeaderEncoder;
import io.millrace.codecs.session.Role;
import io.millrace.codecs.session.SessionReason;
import org.agrona.CloseHelper;
import org.agrona.IoUtil;
import org.agrona.concurrent.AtomicBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

/**
 * Sessions over stock drivers: one for prefill instances, one for decode instances.
 */
@Timeout(180)
class KvSessionsTest
{
    private static final long LIMIT_NS = TimeUnit.SECONDS.toNanos(60);

    private final List<SessionNode> nodes = new ArrayList<>();
    private MediaDriver prefillDriver;
    private MediaDriver decodeDriver;
    private Aeron prefillAeron;
    private Aeron decodeAeron;

    @BeforeEach
    void launch()
    {
        prefillDriver = MediaDriver.launchEmbedded(SessionNode.driver());
        decodeDriver = MediaDriver.launchEmbedded(SessionNode.driver());
        prefillAeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(prefillDriver.aeronDirectoryName()));
        decodeAeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(decodeDriver.aeronDirectoryName()));
    }

    @AfterEach
    void close()
    {
        CloseHelper.closeAll(nodes);
        CloseHelper.closeAll(prefillAeron, decodeAeron, prefillDriver, decodeDriver);
    }

    private SessionNode prefill(final String name)
    {
        return node(prefillAeron, SessionNode.instance(name, KvRole.PREFILL, 0, 1), ctx -> ctx);
    }

    private SessionNode decode(final String name)
    {
        return node(decodeAeron, SessionNode.instance(name, KvRole.DECODE, 0, 1), ctx -> ctx);
    }

    private SessionNode node(
        final Aeron aeron, final KvInstance instance, final UnaryOperator<KvSessions.Context> tuning)
    {
        final SessionNode node = new SessionNode(aeron, instance, tuning);
        nodes.add(node);
        return node;
    }

    private void runUntil(final BooleanSupplier condition)
    {
        final long startNs = System.nanoTime();
        while (!condition.getAsBoolean())
        {
            int workCount = 0;
            for (final SessionNode node : nodes)
            {
                workCount += node.turn();
            }
            if (System.nanoTime() - startNs > LIMIT_NS)
            {
                fail("not reached in time: " + nodes.stream().map(node -> node.events).toList());
            }
            if (0 == workCount)
            {
                Thread.yield();
            }
        }
    }

    private String refusal(final SessionNode from, final SessionNode to)
    {
        final CompletableFuture<KvSession> future = from.sessions.connect(to.sessions.endpoint());
        runUntil(future::isDone);
        assertThat(future).isCompletedExceptionally();
        assertThat(from.sessions.sessions()).isEmpty();
        final Throwable[] thrown = new Throwable[1];
        future.exceptionally(ex ->
        {
            thrown[0] = ex;
            return null;
        });
        assertThat(thrown[0]).isInstanceOf(SessionException.class);
        return thrown[0].getMessage();
    }

    @Test
    void prefillAndDecodeInstancesJoinAndLeaveAtRunTime()
    {
        final SessionNode[] prefills = {prefill("p0"), prefill("p1")};
        final SessionNode[] decodes = {decode("d0"), decode("d1"), decode("d2")};
        final List<CompletableFuture<KvSession>> futures = new ArrayList<>();
        for (final SessionNode prefill : prefills)
        {
            for (final SessionNode decode : decodes)
            {
                futures.add(prefill.sessions.connect(decode.sessions.endpoint()));
                // Both ask at the same time: there is one session for all that.
                futures.add(decode.sessions.connect(prefill.sessions.endpoint()));
            }
        }

        runUntil(() -> futures.stream().allMatch(CompletableFuture::isDone));
        runUntil(() -> nodes.stream().allMatch(node -> node.count(SessionCounter.PROBE_ANSWERS) > 6));

        assertThat(futures).allMatch(future -> !future.isCompletedExceptionally());
        assertThat(prefills).allMatch(node -> 3 == node.count(SessionCounter.SESSIONS) &&
            3 == node.count(SessionCounter.ESTABLISHED));
        assertThat(decodes).allMatch(node -> 2 == node.sessions.sessions().size());
        assertThat(prefills[0].begun).allMatch(session -> session.canSend() && !session.canReceive() &&
            session.roundTripNs() > 0);
        assertThat(decodes[0].begun).allMatch(session -> session.canReceive() && !session.canSend());

        nodes.remove(decodes[1]);
        decodes[1].close();
        final SessionNode late = decode("d3");
        late.sessions.connect(prefills[1].sessions.endpoint());
        runUntil(() -> Arrays.stream(prefills).allMatch(node -> node.saw("end d1 LEFT")));
        runUntil(() -> prefills[1].saw("begin d3") &&
            late.saw("begin p1"));
        assertThat(prefills[0].sessions.sessions()).extracting(session -> session.peer().name())
            .containsExactlyInAnyOrder("d0", "d2");
        late.sessions.leave(late.begun.get(0));
        runUntil(() -> prefills[1].saw("end d3 LEFT"));
        assertThat(prefills[1].begun.get(3).state()).isEqualTo(KvSession.State.ENDED);
    }

    @Test
    void transfersUseTheStreamsOfTheSession()
    {
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
        try (HostDevice device = new HostDevice())
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

    @Test
    void sessionsOutliveTheFilesOfTheirDriver()
    {
        try (MediaDriver driver = MediaDriver.launchEmbedded(SessionNode.driver());
            Aeron aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(driver.aeronDirectoryName())
                .errorHandler(ex -> { }));
            KvSessions sessions = KvSessions.launch(new KvSessions.Context().aeron(aeron).errorHandler(ex -> { })
                .instance(SessionNode.instance("alone", KvRole.PREFILL, 0, 1))))
        {
            final CompletableFuture<KvSession> future = sessions.connect(decode("other").sessions.endpoint());
            runUntil(future::isDone);
            assertThat(sessions.counters().get(SessionCounter.ESTABLISHED)).isEqualTo(1);

            final AtomicBuffer values = aeron.countersReader().valuesBuffer();
            driver.close();
            runUntil(() -> 0 == values.capacity());

            // The counters file is unmapped: what reads or writes it ends the process.
            assertThat(sessions.counters().get(SessionCounter.ESTABLISHED)).isEqualTo(1);
            sessions.close();
            assertThat(sessions.counters().get(SessionCounter.SESSIONS)).isZero();
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
    void nobodyThereIsToldAtTheBootstrapDeadline()
    {
        final SessionNode prefill = node(prefillAeron, SessionNode.instance("p", KvRole.PREFILL, 0, 1),
            ctx -> ctx.bootstrapTimeoutNs(TimeUnit.MILLISECONDS.toNanos(200)));
        final SessionNode gone = decode("gone");
        gone.close();
        nodes.remove(gone);

        assertThat(refusal(prefill, gone)).startsWith("NO_ANSWER").contains(gone.sessions.endpoint())
            .contains("200000000 ns");
        assertThat(prefill.count(SessionCounter.BOOTSTRAP_TIMEOUTS)).isEqualTo(1);
    }

    @Test
    void refusesWhatCannotWorkAndSaysWhatBothHave()
    {
        final SessionNode prefill = prefill("p");
        final KvInstance local = prefill.sessions.context().instance();
        final SessionNode newer = node(decodeAeron, new KvInstance("newer", KvRole.DECODE, "model", SessionNode.SHAPE,
            local.sharding(), 0, 5, 3, "9.9"), ctx -> ctx);
        final SessionNode same = node(decodeAeron, SessionNode.instance("same", KvRole.PREFILL, 0, 1), ctx -> ctx);
        final SessionNode other = node(decodeAeron, new KvInstance("other", KvRole.DECODE, "model",
            CacheShape.latent(2, 64, KvDtype.FP16), local.sharding(), 0, 1, 1, "0.1"), ctx -> ctx);

        assertThat(refusal(prefill, newer)).startsWith("VERSION_MISMATCH").contains("1 to 1").contains("3 to 5")
            .contains("software 0.1").contains("software 9.9");
        assertThat(refusal(newer, prefill)).startsWith("VERSION_MISMATCH").contains("1 to 1").contains("3 to 5");
        assertThat(refusal(prefill, same)).startsWith("ROLE_MISMATCH").contains("both PREFILL");
        assertThat(refusal(prefill, other)).startsWith("MODEL_MISMATCH").contains("kvHeads=4").contains("headDim=64");
        assertThat(prefill.count(SessionCounter.REFUSALS)).isGreaterThanOrEqualTo(4);
    }

    @Test
    void aNameBelongsToOneLiveInstance()
    {
        final SessionNode prefill = prefill("p");
        final SessionNode first = decode("d");
        final CompletableFuture<KvSession> session = prefill.sessions.connect(first.sessions.endpoint());
        runUntil(session::isDone);
        final SessionNode second = node(decodeAeron, SessionNode.instance("d", KvRole.DECODE, 0, 1),
            ctx -> ctx.bootstrapTimeoutNs(TimeUnit.MILLISECONDS.toNanos(500)));

        assertThat(refusal(second, prefill)).contains("NAME_IN_USE").contains(first.sessions.endpoint());
        assertThat(prefill.sessions.sessions()).hasSize(1);
    }

    @Test
    void aPeerWhoseTransfersFailIsInQuarantineUntilAProbeFindsIt()
    {
        final SessionNode prefill = node(prefillAeron, SessionNode.instance("p", KvRole.PREFILL, 0, 1),
            ctx -> ctx.minBackoffNs(LIMIT_NS).maxBackoffNs(LIMIT_NS));
        final SessionNode decode = decode("d");
        final CompletableFuture<KvSession> future = prefill.sessions.connect(decode.sessions.endpoint());
        runUntil(future::isDone);

        prefill.sessions.reportFailure(future.join(), "transfer 1 failed");
        runUntil(() -> prefill.saw("quarantine d transfer 1 failed"));
        assertThat(future.join().state()).isEqualTo(KvSession.State.QUARANTINED);
        assertThat(prefill.count(SessionCounter.QUARANTINED)).isEqualTo(1);

        prefill.sessions.probe(future.join());
        runUntil(() -> prefill.saw("recovery d"));
        assertThat(future.join().state()).isEqualTo(KvSession.State.ESTABLISHED);
        assertThat(prefill.count(SessionCounter.QUARANTINED)).isZero();
        assertThat(prefill.begun).hasSize(1);
    }

    @Test
    void aPausedPeerRecoversAKilledOneIsLostAndARestartedOneIsAnotherIncarnation()
    {
        final SessionNode prefill = node(prefillAeron, SessionNode.instance("p", KvRole.PREFILL, 0, 1),
            ctx -> ctx.forgetTimeoutNs(LIMIT_NS));
        final String endpoint;
        final long incarnation;
        try (ChildJvm child = new ChildJvm(SessionNode.class, "d", "localhost:0"))
        {
            endpoint = child.await("endpoint ");
            final CompletableFuture<KvSession> future = prefill.sessions.connect(endpoint);
            runUntil(future::isDone);
            incarnation = future.join().incarnation();

            child.signal("STOP");
            runUntil(() -> prefill.saw("quarantine d no probe was answered"));
            child.signal("CONT");
            runUntil(() -> prefill.saw("recovery d"));
            assertThat(prefill.begun).hasSize(1);
        }

        runUntil(() -> prefill.count(SessionCounter.QUARANTINED) == 1);
        runUntil(() -> prefill.count(SessionCounter.RETRIES) > 3);
        try (ChildJvm child = new ChildJvm(SessionNode.class, "d", endpoint))
        {
            assertThat(child.await("endpoint ")).isEqualTo(endpoint);
            runUntil(() -> 2 == prefill.begun.size());
            assertThat(prefill.begun.get(1).incarnation()).isNotEqualTo(incarnation);
            assertThat(prefill.begun.get(0).state()).isEqualTo(KvSession.State.ENDED);
            assertThat(prefill.events).anyMatch(event -> event.startsWith("end d RESTARTED"));
            assertThat(prefill.count(SessionCounter.RESTARTS)).isEqualTo(1);
        }
        runUntil(() -> KvSession.State.QUARANTINED == prefill.begun.get(1).state());
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

    @Test
    void aPeerThatStaysSilentIsLost()
    {
        final SessionNode prefill = node(prefillAeron, SessionNode.instance("p", KvRole.PREFILL, 0, 1),
            ctx -> ctx.forgetTimeoutNs(TimeUnit.MILLISECONDS.toNanos(500)));
        final SessionNode silent = decode("d");
        final CompletableFuture<KvSession> future = prefill.sessions.connect(silent.sessions.endpoint());
        runUntil(future::isDone);

        nodes.remove(silent);
        runUntil(() -> prefill.saw("end d LOST"));

        assertThat(prefill.sessions.sessions()).isEmpty();
        assertThat(prefill.count(SessionCounter.LOST)).isEqualTo(1);
        nodes.add(silent);
        prefill.sessions.connect(silent.sessions.endpoint());
        // A machine that stands still for a second loses probes: then the session after this one is the one that stays.
        runUntil(() -> silent.saw("end p") && 1 == silent.sessions.sessions().size() &&
            prefill.sessions.sessions().stream().anyMatch(
                session -> KvSession.State.ESTABLISHED == session.state() && session.roundTripNs() > 0));
    }

    @Test
    void badMessagesAreCountedAndHarmNobody()
    {
        final SessionNode prefill = prefill("p");
        final SessionNode decode = decode("d");
        final UnsafeBuffer buffer = new UnsafeBuffer(new byte[1024]);
        try (Publication publication = decodeAeron.addExclusivePublication(
            "aeron:udp?endpoint=" + prefill.sessions.endpoint(), KvSessions.STREAM_ID_DEFAULT))
        {
            runUntil(publication::isConnected);
            runUntil(() -> publication.offer(buffer, 0, 7) > 0);
            runUntil(() -> publication.offer(buffer, 0, 200) > 0);
            final HelloEncoder hello = new HelloEncoder().wrapAndApplyHeader(buffer, 0, new MessageHeaderEncoder())
                .incarnation(1).role(Role.DECODE).reason(SessionReason.OK).protocolVersion(1).minProtocolVersion(1)
                .name("evil").endpoint("localhost:1|mtu=9000").modelTag("").software("").text("");
            runUntil(() -> publication.offer(buffer, 0, hello.limit()) > 0);
            runUntil(() -> publication.offer(buffer, 0, hello.limit() - 1) > 0);
            runUntil(() -> 4 == prefill.count(SessionCounter.BAD_MESSAGES));
        }

        assertThat(prefill.events).anyMatch(event -> event.contains("localhost:1|mtu=9000"));
        final CompletableFuture<KvSession> future = prefill.sessions.connect(decode.sessions.endpoint());
        runUntil(future::isDone);
        assertThat(future).isCompleted();
    }

    @Test
    void refusesSettingsThatCannotWork()
    {
        final KvInstance instance = SessionNode.instance("p", KvRole.PREFILL, 0, 1);
        assertThatThrownBy(() -> node(prefillAeron, instance, ctx -> ctx.endpoint("0.0.0.0:0")))
            .isInstanceOf(ConfigurationException.class).hasMessageContaining("advertisedHost");
        assertThatThrownBy(() -> node(prefillAeron, instance, ctx -> ctx.endpoint("here")))
            .isInstanceOf(ConfigurationException.class).hasMessageContaining("'here' is not host:port");
        assertThatThrownBy(() -> node(prefillAeron, instance, ctx -> ctx.probeTimeoutNs(1)))
            .isInstanceOf(ConfigurationException.class).hasMessageContaining("probeTimeoutNs=1");
        assertThatThrownBy(() -> SessionNode.instance("a b", KvRole.PREFILL, 0, 1))
            .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("'a b'");
        assertThatThrownBy(() -> SessionNode.instance("p", KvRole.PREFILL, 2, 2))
            .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("tpRank=2");
        assertThatThrownBy(() -> prefill("p").sessions.connect("x|y"))
            .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("'x|y'");
    }
}
