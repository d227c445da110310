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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Links over several rails, some of which fail and come back, on simulated time.
 */
class RailsOfALinkTest extends SimulatedNetwork
{
    RailsOfALinkTest()
    {
        sender = keyed(true, 100, 2);
        receiver = keyed(false, 200, 2);
    }

    @Test
    void shouldGoOnOverTheRailThatIsLeftAndTakeTheOtherBack()
    {
        link();
        assertPaths(2, 2);
        final Link link = sender.link;

        sender.canOpen = false;
        failRail(sender, sender.conductor.sender(), 1);
        run(600);
        assertThat(sender.link).as("the same link").isSameAs(link);
        assertPaths(1, 1);
        assertThat(sender.counters.fallbacks().get()).isZero();
        assertThat(sender.counters.railsFailed().get()).isEqualTo(1);
        assertThat(sender.counters.pathsLost().get()).isEqualTo(1);
        assertThat(receiver.counters.pathsLost().get()).as("told by a Hello").isEqualTo(1);
        assertThat(sender.errors).anyMatch((error) -> error.contains("rail 1 of the sender"))
            .anyMatch((error) -> error.contains("goes on over rails [0]"));

        sender.canOpen = true;
        run(10_000);
        assertThat(sender.link).isSameAs(link);
        assertThat(sender.link.isUp()).isTrue();
        assertPaths(2, 2);
        assertThat(sender.counters.railsReopened().get()).isEqualTo(1);
        assertThat(sender.counters.pathsAdded().get()).isEqualTo(1);
        assertThat(receiver.counters.pathsAdded().get()).isEqualTo(1);
        assertThat(sender.counters.handshakes().get()).isEqualTo(1);
    }

    @Test
    void shouldGoOnWhenARailOfTheReceiverFails()
    {
        link();
        final Link link = sender.link;
        failRail(receiver, receiver.conductor.receiver(), 0);
        run(600);
        assertPaths(1, 1);

        run(2_000);
        assertThat(sender.link).isSameAs(link);
        assertPaths(2, 2);
        assertThat(receiver.counters.fallbacks().get() + sender.counters.fallbacks().get()).isZero();
        assertThat(receiver.counters.railsReopened().get()).isEqualTo(1);
    }

    @ParameterizedTest
    @ValueSource(booleans = { true, false })
    void shouldStartOnTheRailThatOpensAndTakeTheOtherLater(final boolean isSender)
    {
        final SimulatedNode lame = lame(isSender, 300, 2, 1);
        if (isSender)
        {
            sender = lame;
        }
        else
        {
            receiver = lame;
        }
        assertThat(lame.errors).anyMatch((error) -> error.contains("rails 1 of 2 can be opened: fi_domain"));
        assertThat(lame.counters.fallbacks().get()).as("told once").isEqualTo(1);

        link();
        assertPaths(1, 1);
        final Link link = sender.link;

        final List<Integer> gapsMs = new ArrayList<>();
        int gapMs = 0;
        int attempts = lame.attempts;
        while (gapsMs.size() < 3)
        {
            run(1);
            gapMs++;
            if (lame.attempts > attempts)
            {
                attempts = lame.attempts;
                gapsMs.add(gapMs);
                gapMs = 0;
            }
        }
        assertThat(gapsMs.get(1)).as("less and less often").isBetween(1990, 2010);
        assertThat(gapsMs.get(2)).isBetween(3990, 4010);
        assertPaths(1, 1);

        lame.canOpen = true;
        run(10_000);
        assertThat(sender.link).as("the same link").isSameAs(link);
        assertPaths(2, 2);
        assertThat(lame.counters.railsReopened().get()).isPositive();
        assertThat(sender.link.isUp()).isTrue();
    }

    @Test
    void shouldNotUseANewRailBeforeThePeerKnowsIt()
    {
        link();
        failRail(sender, sender.conductor.sender(), 1);
        runSenderAlone(2_000);
        assertThat(sender.counters.railsReopened().get()).isEqualTo(1);
        assertThat(paths(sender)).as("no answer yet").isEqualTo(1);

        run(600);
        assertPaths(2, 2);
    }

    /**
     * Late answers are to Hellos that did not have its address.
     */
    @Test
    void shouldNotUseANewRailForAnAnswerToAnEarlierHello()
    {
        link();
        recorded.clear();
        failRail(sender, sender.conductor.sender(), 1);
        runSenderAlone(2_000);
        assertThat(sender.counters.railsReopened().get()).isEqualTo(1);
        final List<HandshakeMessage.Hello> hellos = recorded.stream()
            .map((datagram) -> codec.decode(datagram.frame()))
            .filter(HandshakeMessage.Hello.class::isInstance)
            .map(HandshakeMessage.Hello.class::cast)
            .toList();
        final List<RailAddress> rails = receiver.conductor.receiver().addresses();
        final HandshakeMessage.Hello last = hellos.get(hellos.size() - 1);
        for (final HandshakeMessage.Hello hello : List.of(hellos.get(0), last))
        {
            receive(new SimulatedNode.Datagram(receiver.address, sender.address, frame(codec.encode(
                new HandshakeMessage.HelloAck(HandshakeCodec.PROTOCOL_VERSION, 200, 100, hello.sequence(),
                hello.senderHandle(), receiver.link.handle(), AckStatus.ACCEPTED, 0, rails, "")))));
            runSenderAlone(1);
            assertThat(paths(sender)).isEqualTo(hello == last ? 2 : 1);
        }
    }

    @Test
    void shouldFallBackWhenTheLastRailFails()
    {
        link();
        sender.canOpen = false;
        failRail(sender, sender.conductor.sender(), 0);
        run(10);
        failRail(sender, sender.conductor.sender(), 0);
        run(10);
        assertThat(sender.link).isNull();
        assertThat(receiver.link).as("told by Bye").isNull();
        assertThat(sender.counters.fallbacks().get()).isEqualTo(1);
        assertThat(sender.counters.links().get()).isZero();

        sender.canOpen = true;
        run(20_000);
        assertThat(sender.link).isNotNull();
        assertPaths(2, 2);
    }

    @Test
    void shouldTryAPathThatFailedLessAndLessOften()
    {
        link();
        final List<Long> heldMs = new ArrayList<>();
        for (int i = 0; i < 4; i++)
        {
            final long startNs = nowNs;
            failPath(1);
            run(1);
            assertThat(paths(sender)).isEqualTo(1);
            while (1 == paths(sender))
            {
                run(1);
            }
            heldMs.add(TimeUnit.NANOSECONDS.toMillis(nowNs - startNs));
        }

        for (int i = 0; i < heldMs.size(); i++)
        {
            assertThat(heldMs.get(i)).isBetween(1000L << i, (1000L << i) + 5);
        }
        assertThat(sender.counters.fallbacks().get()).isZero();
        assertThat(sender.counters.pathsLost().get()).isEqualTo(4);
        assertThat(sender.counters.pathsAdded().get()).isEqualTo(4);
    }

    @Test
    void shouldKeepTheOnlyPathThatIsTriedBeforeItsTime()
    {
        sender = keyed(true, 100, 1);
        receiver = keyed(false, 200, 1);
        link();
        run(31_000);
        failPath(0);
        run(300);
        assertLinked();
        final Link anew = sender.link;

        run(5_000);
        assertThat(sender.link).isSameAs(anew);
        assertThat(sender.link.isUp()).isTrue();
        assertThat(sender.counters.fallbacks().get()).isEqualTo(1);
    }

    @Test
    void shouldRefuseWhenOurRailsWentBeforeTheAnswerCame()
    {
        sender.canOpen = false;
        connect();
        while (0 == receiver.counters.handshakes().get())
        {
            nowNs += TimeUnit.MILLISECONDS.toNanos(1);
            sender.run();
            deliver();
            receiver.run();
            deliver();
        }
        failRail(sender, sender.conductor.sender(), 0);
        failRail(sender, sender.conductor.sender(), 1);
        run(1_000);
        assertThat(sender.errors).anyMatch((error) -> error.contains("no rail is in use on both sides"));
        assertThat(sender.counters.links().get()).isZero();

        sender.canOpen = true;
        run(20_000);
        assertLinked();
        assertPaths(2, 2);
    }

    @Test
    void shouldPutOffAnswersThatNobodyMisses()
    {
        link();
        final AgentSide side = receiver.conductor.receiver();
        final List<String> ran = new ArrayList<>();
        int taken = 0;
        while (taken < 10_000 && side.tryRun(() -> ran.add("answer")))
        {
            taken++;
        }
        assertThat(taken).isBetween(1, 1_000);
        side.run(() -> ran.add("link"));

        run(1_000);
        assertThat(ran).hasSize(taken + 1).contains("link");
        assertThat(side.tryRun(() -> {})).isTrue();
    }

    @Test
    void shouldUseAllRailsOfTheSideThatHasMore()
    {
        receiver = keyed(false, 200, 4);
        link();
        assertPaths(4, 4);
        failRail(receiver, receiver.conductor.receiver(), 3);
        run(600);
        assertPaths(3, 3);
    }

    private void link()
    {
        connect();
        run(300);
        assertLinked();
    }

    private void failPath(final int railIndex)
    {
        final RailChoice choice = sender.link.paths();
        for (int i = 0; i < choice.size(); i++)
        {
            if (railIndex == choice.path(i).rail().index())
            {
                sender.conductor.onPeerFailed(choice.path(i).peer(), "test");
            }
        }
    }

    private static void failRail(final SimulatedNode node, final AgentSide side, final int place)
    {
        node.conductor.onRailFailed(side.railSet(), side.rails().get(place), "test");
    }

    private void assertPaths(final int ofSender, final int ofReceiver)
    {
        assertThat(paths(sender)).isEqualTo(ofSender);
        assertThat(paths(receiver)).isEqualTo(ofReceiver);
    }

    private static int paths(final SimulatedNode node)
    {
        return node.link.paths().size();
    }

    private void runSenderAlone(final int milliseconds)
    {
        for (int i = 0; i < milliseconds; i++)
        {
            nowNs += TimeUnit.MILLISECONDS.toNanos(1);
            sender.run();
            recorded.addAll(sender.sent);
            sender.sent.clear();
        }
    }
}
