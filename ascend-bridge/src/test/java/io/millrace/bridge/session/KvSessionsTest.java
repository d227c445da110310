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

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.aeron.Aeron;
import io.aeron.Publication;
import io.aeron.driver.MediaDriver;
import io.aeron.exceptions.ConfigurationException;
import io.millrace.bridge.ChildJvm;
import io.millrace.bridge.KvDtype;
import io.millrace.bridge.reshard.CacheShape;
import io.millrace.codecs.session.HelloEncoder;
import io.millrace.codecs.session.MessageHeaderEncoder;
import io.millrace.codecs.session.Role;
import io.millrace.codecs.session.SessionReason;
import org.agrona.concurrent.AtomicBuffer;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * Sessions over stock drivers: one for prefill instances, one for decode instances.
 */
@Timeout(180)
class KvSessionsTest extends SessionsFixture
{
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
