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
package io.millrace.efa.link;

import io.millrace.codecs.handshake.AckStatus;
import io.millrace.efa.rail.Rail;
import io.millrace.efa.EfaCounters;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Both sides of the handshake over a network that loses, repeats and reorders datagrams, on simulated time.
 */
class HandshakeTest extends SimulatedNetwork
{
    @Test
    void shouldLinkAtOnceOverAGoodNetwork()
    {
        connect();
        run(20);

        assertLinked();
        assertThat(sender.counters.handshakes().get()).isEqualTo(1);
        assertThat(receiver.counters.handshakes().get()).isEqualTo(1);
        assertThat(sender.errors).isEmpty();
    }

    /**
     * Simulated time stands still in a cycle.
     */
    @Test
    void shouldNotMeasureTheTimeBetweenCycles()
    {
        connect();
        run(20);
        assertThat(EfaCounters.sum(sender.countersManager, EfaCounters.CONDUCTOR_MAX_CYCLE_TIME_TYPE_ID)).isZero();
    }

    @Property(tries = 200)
    void shouldLinkOnceOverABadNetwork(@ForAll @IntRange(max = 60) final int loss, @ForAll final long seed)
    {
        random.setSeed(seed);
        lossPercent = loss;
        for (int i = 0; i < 6; i++)
        {
            // channels tell again and again of destinations that they send to
            connect();
            run(10_000);
        }

        lossPercent = 0;
        connect();
        run(2_000);
        assertLinked();
        assertThat(sender.counters.links().get()).isEqualTo(1);
        assertThat(receiver.counters.links().get()).isEqualTo(1);
    }

    @Test
    void shouldKeepOneLinkForAsLongAsItIsAnswered()
    {
        connect();
        run(60_000);

        assertLinked();
        assertThat(sender.counters.handshakes().get()).isEqualTo(1);
        assertThat(sender.counters.fallbacks().get()).isZero();
    }

    @Test
    void shouldFallBackWhenNothingIsAnsweredAndLinkAgain()
    {
        connect();
        run(1_000);
        isCut = true;
        run(5_600);
        assertThat(sender.link).isNull();
        assertThat(sender.counters.fallbacks().get()).isEqualTo(1);
        assertThat(sender.errors).hasSize(1);
        assertThat(sender.errors.get(0)).contains("ended, UDP goes on: no answer to Hellos for 5");

        isCut = false;
        run(3_000);
        assertLinked();
    }

    @Test
    void shouldMakeTheLinkAnewWhenTheReceiverRestarted()
    {
        connect();
        run(1_000);
        receiver = node(RECEIVER_PORT, false, 201, HOST);
        run(600);

        assertLinked();
        assertThat(sender.counters.fallbacks().get()).isEqualTo(1);
        assertThat(sender.counters.links().get()).isEqualTo(1);
    }

    @Test
    void shouldMakeTheLinkAnewWhenTheSenderRestarted()
    {
        connect();
        run(1_000);
        sender = node(SENDER_PORT, true, 101, HOST);
        connect();
        run(100);

        assertLinked();
        assertThat(receiver.counters.links().get()).isEqualTo(1);
    }

    @Test
    void shouldForgetASenderThatIsGone()
    {
        connect();
        run(1_000);
        isCut = true;
        run(11_000);

        assertThat(receiver.link).isNull();
        assertThat(receiver.counters.links().get()).isZero();
    }

    @Test
    void shouldStayOnUdpOnDifferentHosts()
    {
        receiver = node(RECEIVER_PORT, false, 200, HOST + 1);
        connect();
        run(10_000);

        assertThat(sender.link).isNull();
        assertThat(sender.counters.fallbacks().get()).isEqualTo(1);
        assertThat(sender.errors.get(0)).contains("UNREACHABLE").contains("different hosts").contains("shm/1");
    }

    @Test
    void shouldSayAtOnceThatAChannelHasNoRails()
    {
        receiver.refusal = "no rails here";
        connect();
        run(100);
        assertThat(sender.link).isNull();
        assertThat(sender.errors).hasSize(1);
        assertThat(sender.errors.get(0)).contains("stays on UDP: REFUSED: no rails here");

        run(60_000);
        assertThat(sender.counters.fallbacks().get()).isEqualTo(1);
        assertThat(receiver.conductor.peers()).isZero();
    }

    @Test
    void shouldNameBothVersionsWhenTheyDiffer()
    {
        final HandshakeMessage.Hello hello = new HandshakeMessage.Hello(
            3, 300, HOST, 5, 1, 0, List.of(), "shm", "shm/1");
        receiver.conductor.onHandshake(receiver, sender.address, bytes(hello), false);
        receiver.run();

        final HandshakeMessage.HelloAck ack =
            (HandshakeMessage.HelloAck)codec.decode(receiver.sent.get(0).frame());
        assertThat(ack.status()).isEqualTo(AckStatus.VERSION_MISMATCH);
        assertThat(ack.reason()).contains("3 of the sender").contains("2 of the receiver");
        assertThat(ack.receiverHandle()).isZero();
        assertThat(receiver.link).isNull();
    }

    @Test
    void shouldCountAPeerThatIsAliveButNoneOfOursOnce()
    {
        isCut = true;
        connect();
        run(2_000);
        sender.conductor.onPeerAlive(sender, receiver.address);
        run(60_000);

        assertThat(sender.counters.fallbacks().get()).isEqualTo(1);
        assertThat(sender.errors.get(0)).contains("stays on UDP: no answer to Hellos");
    }

    @Test
    void shouldNotCountAPeerThatIsNotThereYet()
    {
        isCut = true;
        for (int i = 0; i < 6; i++)
        {
            connect();
            run(10_000);
        }
        assertThat(sender.counters.fallbacks().get()).isZero();

        isCut = false;
        run(1_100);
        assertLinked();
    }

    @Test
    void shouldTryRailsThatDoNotReachThePeerLessAndLessOften()
    {
        connect();
        run(100);
        final List<Long> linkedAtMs = new ArrayList<>();
        for (int i = 0; i < 5; i++)
        {
            assertLinked();
            linkedAtMs.add(TimeUnit.NANOSECONDS.toMillis(nowNs));
            sender.conductor.onPeerDeaf(sender, receiver.address);
            run(2);
            assertThat(sender.link).isNull();
            assertThat(receiver.link).as("told by Bye").isNull();
            while (null == sender.link)
            {
                run(1);
            }
            run(5);
        }

        for (int i = 1; i < linkedAtMs.size(); i++)
        {
            assertThat(linkedAtMs.get(i) - linkedAtMs.get(i - 1)).isBetween(1000L << i - 1, (1000L << i - 1) + 50);
        }
        assertThat(sender.counters.fallbacks().get()).isEqualTo(5);
    }

    @Test
    void shouldOpenAFailedRailAgainAndLinkOverIt()
    {
        connect();
        run(1_000);
        final Rail failed = sender.conductor.sender().rails().get(0);
        final int opened = sender.opened;
        sender.canOpen = false;
        sender.conductor.onRailFailed(sender.conductor.sender().railSet(), failed, "test");
        run(10);
        assertThat(sender.link).isNull();
        assertThat(receiver.link).as("told by Bye").isNull();
        assertThat(sender.conductor.sender().rails()).isEmpty();
        assertThat(sender.errors.get(0)).contains("rail 0 of the sender").contains("failed: test");

        run(2_000);
        assertThat(sender.errors).anyMatch((error) -> error.contains("cannot be opened again: fi_domain"));
        sender.canOpen = true;
        run(10_000);
        assertThat(sender.opened).isEqualTo(opened + 1);
        assertThat(sender.conductor.sender().rails()).hasSize(1).doesNotContain(failed);
        assertLinked();
    }

    @Test
    void shouldForgetADestinationThatIsNotWantedAnyMore()
    {
        isCut = true;
        connect();
        run(29_000);
        sender.sent.clear();
        sender.run();
        run(5_000);
        nowNs += TimeUnit.SECONDS.toNanos(2);
        sender.run();
        assertThat(sender.sent).as("no Hello any more").isEmpty();

        isCut = false;
        connect();
        run(100);
        assertLinked();
    }

    @Test
    void shouldHaveByesReadyForAChannelThatCloses()
    {
        connect();
        run(1_000);
        final byte[] bye = frame(sender.farewells().get(receiver.address).duplicate());
        sender.isClosed = true;
        run(2);
        assertThat(sender.counters.links().get()).isZero();
        assertThat(sender.farewells()).isEmpty();

        receiver.conductor.onHandshake(receiver, sender.address, bye, true);
        run(2);
        assertThat(receiver.link).isNull();
        assertThat(receiver.farewells()).isEmpty();
        assertThat(sender.counters.fallbacks().get()).isZero();
        assertThat(receiver.counters.fallbacks().get()).isZero();
    }

    @Test
    void shouldIgnoreAnswersThatAreNotForUs()
    {
        connect();
        run(1_000);
        final HandshakeMessage.HelloAck forged = new HandshakeMessage.HelloAck(
            2, 666, 100, Long.MAX_VALUE, sender.link.handle(), 5, AckStatus.ACCEPTED, 0,
            List.of(new RailAddress(0, -1, 8192, new byte[] { 1 })), "");
        sender.conductor.onHandshake(sender, receiver.address, frame(codec.encode(forged)), true);
        sender.conductor.onHandshake(sender, receiver.address, new byte[100], true);
        run(1);

        assertThat(sender.counters.handshakesRejected().get()).isEqualTo(1);
        assertThat(sender.counters.handshakesStale().get()).isEqualTo(1);
        assertLinked();
    }
}
