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
package io.millrace.efa.rail;

import io.millrace.efa.libfabric.FabricErrors;
import io.millrace.efa.libfabric.FabricException;
import io.millrace.efa.libfabric.FabricProvider;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.CountersManager;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mockito.Mockito;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

class RailTest implements RailListener
{
    private static final int SLOTS = 4;
    private static final int INJECT_LENGTH = 8;
    private static final long GONE_TIMEOUT_NS = 100;
    private static final long STALL_TIMEOUT_NS = 5_000_000_000L;
    private static final long HANDLE = 0x8000_0001L;

    private final List<String> messages = new ArrayList<>();
    private final List<String> failures = new ArrayList<>();
    private final ScriptedEndpoint endpoint = new ScriptedEndpoint(SLOTS, INJECT_LENGTH, 1024);
    private final UnsafeBuffer packet = new UnsafeBuffer(ByteBuffer.allocateDirect(8192));
    private RailCounters counters;
    private Rail rail;
    private RailPeer peer;

    @BeforeEach
    void setUp()
    {
        final CountersManager countersManager = new CountersManager(
            new UnsafeBuffer(ByteBuffer.allocateDirect(64 * 1024)),
            new UnsafeBuffer(ByteBuffer.allocateDirect(16 * 1024)), US_ASCII);
        counters = new RailCounters(countersManager, "test");
        rail = new Rail(0, endpoint, 16, 2048, 512);
        rail.attach(counters, this);
        peer = rail.peers().acquire(1, new byte[] { 9 });
    }

    @AfterEach
    void tearDown()
    {
        rail.close();
        assertThat(endpoint.isClosed).isTrue();
    }

    @Test
    void shouldTakeDepthsAndLengthsFromTheProvider()
    {
        assertThat(rail.maxSendLength()).isEqualTo(1024);
        assertThat(rail.maxReceiveLength()).isEqualTo(512);
        assertThat(endpoint.receives).hasSize(SLOTS);
        assertThat(rail.completionsRoom()).as("for writes of peers").isEqualTo(endpoint.cqDepth() - 2 * SLOTS);
    }

    @Test
    void shouldInjectWhatFitsAndCopyTheRest()
    {
        packet.putStringWithoutLengthAscii(0, "12345678");
        assertThat(send(8)).isEqualTo(Rail.POSTED);
        assertThat(send(9)).isEqualTo(Rail.POSTED);

        assertThat(endpoint.injected).containsExactly("12345678".getBytes(US_ASCII));
        assertThat(endpoint.sent).hasSize(1);
        packet.setMemory(0, 9, (byte)'x');
        assertThat(new String(endpoint.sent.get(0).bytes(), US_ASCII)).startsWith("12345678");
        assertThat(endpoint.sent.get(0).immediate()).isEqualTo(HANDLE);
        assertThat(rail.outstandingBytes()).isEqualTo(9);
        assertThat(counters.bytesSent.get()).isEqualTo(17);
        assertThat(counters.framesSent.get()).isEqualTo(4);
        assertThat(counters.dataFramesSent.get()).isEqualTo(2);
    }

    @Test
    void shouldKeepReceivesPostedWhileEachPollBringsMessages()
    {
        final int slots = 64;
        final ScriptedEndpoint busy = new ScriptedEndpoint(slots, INJECT_LENGTH, 1024);
        try (Rail busyRail = new Rail(1, busy, slots, 2048, 512))
        {
            busyRail.attach(counters, this);
            for (int i = 0; i < 3 * slots; i++)
            {
                busy.arrive("12345678".getBytes(US_ASCII), HANDLE);
                assertThat(busyRail.poll(System.nanoTime())).isPositive();
                assertThat(busy.receives).hasSizeGreaterThan(slots - slots / 8);
            }

            busy.arrive("12345678".getBytes(US_ASCII), HANDLE);
            busyRail.poll(System.nanoTime());
            assertThat(busyRail.poll(System.nanoTime())).isZero();
            assertThat(busy.receives).as("after a quiet poll").hasSize(slots);
        }
    }

    @Test
    void shouldPushBackWhenThePeerHasUsedItsCreditAndGoOnAfterCompletion()
    {
        assertThat(send(100)).isEqualTo(Rail.POSTED);
        assertThat(send(100)).isEqualTo(Rail.POSTED);
        assertThat(send(100)).isEqualTo(Rail.BUSY);
        assertThat(counters.eagain.get()).isEqualTo(1);

        endpoint.completeSend(1);
        rail.poll(System.nanoTime());
        assertThat(rail.outstandingBytes()).isEqualTo(100);
        assertThat(send(100)).isEqualTo(Rail.POSTED);
    }

    @Test
    void shouldInjectControlFramesForWhichTcpHasNoCreditLeft()
    {
        final ScriptedEndpoint tcp = new ScriptedEndpoint(SLOTS, INJECT_LENGTH, 1024);
        Mockito.when(tcp.nic().provider()).thenReturn(FabricProvider.TCP);
        final Rail tcpRail = new Rail(0, tcp, 16, 2048, 512);
        tcpRail.attach(counters, this);
        final RailPeer tcpPeer = tcpRail.peers().acquire(1, new byte[] { 9 });
        final long address = packet.addressOffset();
        for (int i = 0; i < 2; i++)
        {
            assertThat(tcpRail.send(tcpPeer, address, INJECT_LENGTH, HANDLE, 1, 0)).isEqualTo(Rail.POSTED);
        }
        assertThat(tcp.injected).isEmpty();

        assertThat(tcpRail.send(tcpPeer, address, INJECT_LENGTH, HANDLE, 1, 0)).isEqualTo(Rail.POSTED);
        assertThat(tcp.injected).hasSize(1);
        assertThat(tcpRail.send(tcpPeer, address, INJECT_LENGTH + 1, HANDLE, 1, 0)).isEqualTo(Rail.BUSY);
        tcpRail.close();
    }

    @Test
    void shouldAskForAnAnswerOnceInAWhileWhereItCostsAMessage()
    {
        final ScriptedEndpoint tcp = new ScriptedEndpoint(16, INJECT_LENGTH, 8192);
        Mockito.when(tcp.nic().provider()).thenReturn(FabricProvider.TCP);
        tcp.isDeliveryAnswered = true;
        final Rail tcpRail = new Rail(0, tcp, 64, 8192, 512);
        tcpRail.attach(counters, this);
        final RailPeer tcpPeer = tcpRail.peers().acquire(1, new byte[] { 9 });
        final long startNs = System.nanoTime();
        tcpRail.poll(startNs);

        assertSent(tcpRail, tcpPeer, 100, 1, 0, 0);
        assertSent(tcpRail, tcpPeer, 100, 0, 1, 0);
        assertSent(tcpRail, tcpPeer, INJECT_LENGTH, 0, 0, 1);
        assertSent(tcpRail, tcpPeer, 4097, 1, 0, 0);
        assertSent(tcpRail, tcpPeer, 4096, 0, 1, 0);

        tcpRail.poll(startNs + TimeUnit.MILLISECONDS.toNanos(9));
        assertSent(tcpRail, tcpPeer, 100, 0, 1, 0);
        tcpRail.poll(startNs + TimeUnit.MILLISECONDS.toNanos(10));
        assertSent(tcpRail, tcpPeer, INJECT_LENGTH, 1, 0, 0);

        for (int i = 0; i < 4; i++)
        {
            assertSent(tcpRail, tcpPeer, 4096, 0, 1, 0);
            tcp.completeSend(tcp.sent.size() - 1);
            tcpRail.poll(startNs + TimeUnit.MILLISECONDS.toNanos(11));
        }
        assertSent(tcpRail, tcpPeer, INJECT_LENGTH, 1, 0, 0);
        tcpRail.close();
    }

    @Test
    void shouldCountUnansweredMessagesWithTheOneThatIsAnsweredForThem()
    {
        final int slots = 1024;
        final int length = 1408;
        final int messages = 200;
        final ScriptedEndpoint tcp = new ScriptedEndpoint(slots, INJECT_LENGTH, 8192);
        Mockito.when(tcp.nic().provider()).thenReturn(FabricProvider.TCP);
        tcp.isDeliveryAnswered = true;
        try (Rail tcpRail = new Rail(0, tcp, slots, 8192, 512))
        {
            tcpRail.attach(counters, this);
            final RailPeer tcpPeer = tcpRail.peers().acquire(1, new byte[] { 9 });
            final List<Integer> answered = new ArrayList<>();
            final long nowNs = System.nanoTime();
            for (int i = 0; i < messages; i++)
            {
                final int unanswered = tcp.unanswered;
                assertThat(tcpRail.send(tcpPeer, packet.addressOffset(), length, HANDLE, 1, 1)).isEqualTo(Rail.POSTED);
                if (unanswered == tcp.unanswered)
                {
                    answered.add(i);
                }
                else
                {
                    // the kernel has it
                    tcp.completeSend(i);
                    tcpRail.poll(nowNs);
                }
            }

            assertThat(tcpPeer.outstandingBytes()).isEqualTo(tcpRail.outstandingBytes())
                .as("but for the last").isEqualTo((answered.get(answered.size() - 1) + 1L) * length);
            assertThat(answered.get(1)).isEqualTo(16 * 1024 / length + 2);
            assertThat(answered).as("each where 64 KiB are under way").hasSizeGreaterThan(messages / 2)
                .contains(messages - 1);

            answered.forEach(
                (index) ->
                {
                    tcp.completeSend(index);
                    tcpRail.poll(nowNs);
                });
            assertThat(tcpRail.outstandingBytes()).isZero();
            assertThat(tcpPeer.outstandingBytes()).isZero();
        }
    }

    private void assertSent(
        final Rail tcpRail,
        final RailPeer tcpPeer,
        final int length,
        final int answered,
        final int unanswered,
        final int injected)
    {
        final ScriptedEndpoint tcp = (ScriptedEndpoint)tcpRail.endpoint();
        final int sent = tcp.sent.size();
        final int unansweredBefore = tcp.unanswered;
        final int injectedBefore = tcp.injected.size();
        assertThat(tcpRail.send(tcpPeer, packet.addressOffset(), length, HANDLE, 1, 0)).isEqualTo(Rail.POSTED);
        assertThat(tcp.unanswered - unansweredBefore).isEqualTo(unanswered);
        assertThat(tcp.sent.size() - sent).isEqualTo(answered + unanswered);
        assertThat(tcp.injected.size() - injectedBefore).isEqualTo(injected);
    }

    @Test
    void shouldLeaveCreditForOtherPeers()
    {
        final RailPeer other = rail.peers().acquire(1, new byte[] { 10 });
        send(100);
        send(100);
        assertThat(send(100)).isEqualTo(Rail.BUSY);
        assertThat(rail.send(other, packet.addressOffset(), 100, HANDLE, 1, 1)).isEqualTo(Rail.POSTED);
    }

    @Test
    void shouldPushBackOnEagainOfTheProviderAndKeepTheSlot()
    {
        endpoint.postResult = -FabricErrors.EAGAIN;
        for (int i = 0; i < 3 * SLOTS; i++)
        {
            assertThat(send(100)).isEqualTo(Rail.BUSY);
        }

        endpoint.postResult = 0;
        assertThat(send(100)).isEqualTo(Rail.POSTED);
        assertThat(failures).isEmpty();
    }

    @Test
    void shouldTellOnceOfAPeerThatFails()
    {
        send(100);
        send(100);
        endpoint.failSend(0);
        endpoint.failSend(1);
        rail.poll(System.nanoTime());
        rail.poll(System.nanoTime());

        assertThat(failures).hasSize(1);
        assertThat(failures.get(0)).startsWith("peer: ").contains("security group");
        assertThat(send(100)).isEqualTo(Rail.FAILED);
        assertThat(rail.outstandingBytes()).isZero();
        assertThat(rail.isUsable()).isTrue();
    }

    /**
     * Also on shm, where the entry of a peer stays for as long as the peer lives.
     */
    @Test
    void shouldBeginAnewWithAPeerThatFailed()
    {
        assertThat(rail.peers().acquire(1, new byte[] { 9 })).as("counted").isSameAs(peer);
        rail.peers().release(peer);
        endpoint.postResult = -FabricErrors.EINVAL;
        assertThat(send(100)).isEqualTo(Rail.FAILED);
        endpoint.postResult = 0;

        assertThat(send(100)).isEqualTo(Rail.FAILED);
        rail.peers().acquire(1, new byte[] { 9 }).onAcquired();
        assertThat(send(100)).isEqualTo(Rail.POSTED);
    }

    @Test
    void shouldTellOfAPostThatIsRefused()
    {
        endpoint.postResult = -FabricErrors.EINVAL;
        assertThat(send(100)).isEqualTo(Rail.FAILED);
        assertThat(failures).hasSize(1);
        assertThat(counters.errors.get()).isEqualTo(1);
    }

    @Test
    void shouldTellOnceOfARailThatFails()
    {
        endpoint.pollFailure = -FabricErrors.EOVERRUN;
        rail.poll(System.nanoTime());
        rail.poll(System.nanoTime());

        assertThat(failures).hasSize(1);
        assertThat(failures.get(0)).startsWith("rail: completion queue: ");
        assertThat(rail.isUsable()).isFalse();
        assertThat(send(100)).isEqualTo(Rail.FAILED);
    }

    @Test
    void shouldFailWhenAnEventSaysThatTheEndpointIsUnusable()
    {
        rail.checkHealth(System.nanoTime(), STALL_TIMEOUT_NS, GONE_TIMEOUT_NS);
        assertThat(rail.isUsable()).isTrue();

        endpoint.eventError = "QP is in error";
        rail.checkHealth(System.nanoTime(), STALL_TIMEOUT_NS, GONE_TIMEOUT_NS);
        assertThat(failures).containsExactly("rail: event queue: QP is in error");
        assertThat(rail.isUsable()).isFalse();
    }

    @Test
    void shouldFailWhenErrorsCannotBeRead()
    {
        send(100);
        endpoint.failSend(0);
        endpoint.readFailure = new FabricException("fi_cq_readerr", FabricErrors.EIO, "");
        rail.poll(System.nanoTime());
        assertThat(failures).singleElement().asString().contains("rail: completion queue: fi_cq_readerr failed");
        assertThat(rail.isUsable()).isFalse();
    }

    @Test
    void shouldNotTakeASlowDutyCycleForAnOperationThatDoesNotEnd()
    {
        rail.checkHealth(System.nanoTime() - 2 * STALL_TIMEOUT_NS, STALL_TIMEOUT_NS, GONE_TIMEOUT_NS);
        rail.poll(System.nanoTime());
        send(100);
        rail.checkHealth(System.nanoTime(), STALL_TIMEOUT_NS, GONE_TIMEOUT_NS);
        assertThat(failures).isEmpty();
        assertThat(rail.isUsable()).isTrue();
    }

    @Test
    void shouldFailWhenAnOperationDoesNotEnd()
    {
        final long nowNs = System.nanoTime();
        rail.checkHealth(nowNs, STALL_TIMEOUT_NS, GONE_TIMEOUT_NS);
        send(100);
        send(100);
        endpoint.completeSend(1);
        rail.poll(System.nanoTime());
        rail.checkHealth(nowNs + STALL_TIMEOUT_NS, STALL_TIMEOUT_NS, GONE_TIMEOUT_NS);
        assertThat(rail.isUsable()).isTrue();

        rail.checkHealth(nowNs + STALL_TIMEOUT_NS + 1, STALL_TIMEOUT_NS, GONE_TIMEOUT_NS);
        assertThat(failures).containsExactly("rail: an operation has not ended for 5000 ms");
        assertThat(rail.isUsable()).isFalse();
        rail.retire(peer);
        assertThat(endpoint.removed).isEmpty();
    }

    @Test
    void shouldBeOpenedAnewWhenAnOperationToAPeerThatIsGoneDoesNotEnd()
    {
        final long nowNs = System.nanoTime();
        rail.checkHealth(nowNs, STALL_TIMEOUT_NS, GONE_TIMEOUT_NS);
        send(100);
        assertThat(rail.peers().release(peer)).isTrue();
        rail.retire(peer);
        rail.checkHealth(nowNs + GONE_TIMEOUT_NS, STALL_TIMEOUT_NS, GONE_TIMEOUT_NS);
        assertThat(rail.isUsable()).isTrue();

        rail.checkHealth(nowNs + GONE_TIMEOUT_NS + 1, STALL_TIMEOUT_NS, GONE_TIMEOUT_NS);
        assertThat(failures).containsExactly("worn: an operation to a peer that is gone has not ended");
        assertThat(rail.isUsable()).isFalse();
        assertThat(endpoint.removed).as("in flight").isEmpty();
    }

    @Test
    void shouldDispatchMessagesAndPostTheirReceivesAgain()
    {
        for (int i = 0; i < 3 * SLOTS; i++)
        {
            endpoint.arrive(("message " + i).getBytes(US_ASCII), HANDLE);
            assertThat(rail.poll(System.nanoTime())).isEqualTo(("message " + i).length());
            assertThat(endpoint.receives).hasSize(SLOTS);
        }

        assertThat(messages).hasSize(3 * SLOTS).startsWith(HANDLE + ":message 0").endsWith(HANDLE + ":message 11");
        assertThat(counters.messagesReceived.get()).isEqualTo(3 * SLOTS);
    }

    /**
     * As on NICs where lack of a receive holds up who writes.
     */
    @Test
    void shouldPostReceivesAgainThatWritesTook()
    {
        for (int i = 0; i < 3 * SLOTS; i++)
        {
            endpoint.arriveTakingReceive(i, 100);
            assertThat(rail.poll(System.nanoTime())).isEqualTo(100);
            assertThat(endpoint.receives).hasSize(SLOTS);
        }

        assertThat(messages).hasSize(3 * SLOTS).endsWith("write 11 of 100");
    }

    @Test
    void shouldRemoveAPeerOnlyWhenNothingIsInFlightToIt()
    {
        send(100);
        assertThat(rail.peers().acquire(1, new byte[] { 9 })).isSameAs(peer);
        assertThat(rail.peers().release(peer)).isFalse();
        assertThat(rail.peers().release(peer)).isTrue();
        rail.retire(peer);
        assertThat(endpoint.removed).isEmpty();

        endpoint.completeSend(0);
        rail.poll(System.nanoTime());
        assertThat(endpoint.removed).containsExactly(peer.fiAddr());
    }

    @Test
    void shouldStayOpenWhileARailOfTheProcessKnowsIt()
    {
        final ScriptedEndpoint other = new ScriptedEndpoint(SLOTS, INJECT_LENGTH, 1024);
        final Rail otherRail = new Rail(1, other, 16, 2048, 512);
        otherRail.attach(counters, this);
        final RailPeer known = rail.peers().acquire(3, other.localAddress());

        otherRail.close();
        assertThat(other.isClosed).isFalse();
        rail.peers().release(known);
        rail.retire(known);
        assertThat(other.isClosed).isTrue();
    }

    @Test
    void shouldForgetItsPeersBeforeItIsClosed()
    {
        final ScriptedEndpoint other = new ScriptedEndpoint(SLOTS, INJECT_LENGTH, 1024);
        try (Rail otherRail = new Rail(1, other, 16, 2048, 512))
        {
            otherRail.attach(counters, this);
            otherRail.peers().acquire(3, endpoint.localAddress());
        }

        assertThat(other.removed).hasSize(1);
        assertThat(other.isClosed).isTrue();
    }

    @Test
    void shouldTellIncarnationsOfOneAddressApart()
    {
        assertThat(rail.peers().acquire(2, new byte[] { 9 })).isNotSameAs(peer);
    }

    @Override
    public void onMessage(final long immediate, final long address, final int length)
    {
        final UnsafeBuffer buffer = new UnsafeBuffer();
        buffer.wrap(address, length);
        messages.add(immediate + ":" + buffer.getStringWithoutLengthAscii(0, length));
    }

    @Override
    public int onWrite(final long immediate, final long length)
    {
        messages.add("write " + immediate + " of " + length);
        return (int)length;
    }

    @Override
    public void onPeerFailed(final Rail rail, final RailPeer peer, final String reason)
    {
        failures.add("peer: " + reason);
    }

    @Override
    public void onPeerRemoved(final Rail rail, final RailPeer peer)
    {
        rail.peers().onRemoved(peer);
    }

    @Override
    public void onRailFailed(final Rail rail, final String reason)
    {
        failures.add("rail: " + reason);
    }

    @Override
    public void onRailWorn(final Rail rail, final String reason)
    {
        failures.add("worn: " + reason);
    }

    private int send(final int length)
    {
        return rail.send(peer, packet.addressOffset(), length, HANDLE, 2, 1);
    }
}
