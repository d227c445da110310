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

import io.millrace.efa.rail.Rail;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import java.util.List;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Two drivers whose Sender and Receiver share rails, each with a channel to the other, on simulated time.
 */
class SharedRailsTest extends SimulatedNetwork
{
    private static final int BACK_SENDER_PORT = 3;
    private static final int BACK_RECEIVER_PORT = 4;

    private SimulatedNode backSender;
    private SimulatedNode backReceiver;

    SharedRailsTest()
    {
        sender = shared(SENDER_PORT, true, 100);
        receiver = shared(RECEIVER_PORT, false, 200);
        backSender = receiver.channel(BACK_SENDER_PORT, true);
        backReceiver = sender.channel(BACK_RECEIVER_PORT, false);
    }

    @BeforeEach
    void link()
    {
        connect();
        connectBack();
        run(50);
        assertLinked();
        assertThat(backSender.link.isUp()).isTrue();
        assertThat(backSender.link.peerHandle()).isEqualTo(backReceiver.link.handle());
        assertThat(backReceiver.link.peerHandle()).isEqualTo(backSender.link.handle());
    }

    @Test
    void shouldHaveOneRailAndOneAddressForBothDirections()
    {
        assertThat(sender.opened).isEqualTo(2);
        assertThat(receiver.opened).isEqualTo(2);
        assertThat(sender.counters.addressEntries().get()).as("of two rails").isEqualTo(2);
        assertThat(receiver.counters.addressEntries().get()).isEqualTo(2);
        assertThat(sender.counters.links().get()).isEqualTo(2);
        assertThat(sender.link.handle()).isNotEqualTo(backReceiver.link.handle());
    }

    @Test
    void shouldGoOnInOneDirectionWhenTheOtherEnds()
    {
        sender.isClosed = true;
        run(30_000);
        assertThat(sender.counters.links().get()).isEqualTo(1);
        assertThat(receiver.counters.links().get()).isEqualTo(1);
        assertThat(backSender.link.isUp()).isTrue();
        assertThat(backReceiver.link.isUp()).isTrue();
        assertThat(sender.counters.addressEntries().get()).as("still referred to").isEqualTo(2);
        assertThat(receiver.counters.fallbacks().get() + sender.counters.fallbacks().get()).isZero();
    }

    @Test
    void shouldTakeARailThatFailsFromBothDirectionsAndGiveItBackToBoth()
    {
        final Link link = sender.link;
        final Link backLink = backSender.link;
        failRail();
        run(600);
        assertPaths(1);
        assertThat(sender.counters.railsFailed().get()).as("one rail").isEqualTo(1);
        assertThat(sender.counters.pathsLost().get()).as("of two links").isEqualTo(2);
        assertThat(sender.errors).anyMatch((error) -> error.contains("rail 1 of the sender and receiver"));

        run(10_000);
        assertPaths(2);
        assertThat(sender.counters.railsReopened().get()).isEqualTo(1);
        assertThat(sender.link).isSameAs(link);
        assertThat(backSender.link).isSameAs(backLink);
        assertThat(receiver.counters.fallbacks().get() + sender.counters.fallbacks().get()).isZero();
    }

    @Test
    void shouldTakeAPathThatFailsFromBothDirections()
    {
        sender.conductor.onPeerFailed(sender.link.paths().path(0).peer(), "test");
        run(100);
        assertThat(List.of(sender.link.paths().size(), backReceiver.link.paths().size())).containsOnly(1);

        run(10_000);
        assertPaths(2);
        assertThat(sender.counters.pathsAdded().get()).isEqualTo(2);
    }

    @Override
    SimulatedNode node(final int port)
    {
        return BACK_SENDER_PORT == port ? backSender : BACK_RECEIVER_PORT == port ? backReceiver : super.node(port);
    }

    private SimulatedNode shared(final int port, final boolean isSender, final long incarnation)
    {
        return new SimulatedNode(port, isSender, incarnation, HOST, () -> nowNs, 2, List.of(), Integer.MAX_VALUE,
            null, List.of(AgentRole.SENDER_AND_RECEIVER));
    }

    private void connectBack()
    {
        backSender.conductor.onDestination(backSender, backReceiver.address);
    }

    private void failRail()
    {
        final AgentSide side = sender.conductor.sender();
        final Rail rail = side.rails().get(1);
        sender.conductor.onRailFailed(side.railSet(), rail, "test");
    }

    private void assertPaths(final int paths)
    {
        for (final SimulatedNode node : List.of(sender, receiver, backSender, backReceiver))
        {
            assertThat(node.link.paths().size()).isEqualTo(paths);
        }
    }
}
