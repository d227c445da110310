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

import io.millrace.efa.rail.ScriptedEndpoint;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Two nodes on simulated time, with a network that may lose, repeat and reorder datagrams, and rails that may be cut.
 */
abstract class SimulatedNetwork
{
    static final int SENDER_PORT = 1;
    static final int RECEIVER_PORT = 2;
    static final long HOST = 42;

    final HandshakeCodec codec = new HandshakeCodec();
    final Random random = new Random(7);
    long nowNs = TimeUnit.DAYS.toNanos(1);
    int lossPercent;
    boolean isCut;
    boolean areRailsCut;
    ScriptedEndpoint cutEndpoint;
    final List<SimulatedNode.Datagram> recorded = new ArrayList<>();
    SimulatedNode sender = node(SENDER_PORT, true, 100, HOST);
    SimulatedNode receiver = node(RECEIVER_PORT, false, 200, HOST);
    final Deque<SimulatedNode.Datagram> late = new ArrayDeque<>();

    void connect()
    {
        sender.conductor.onDestination(sender, receiver.address);
    }

    void run(final int milliseconds)
    {
        for (int i = 0; i < milliseconds; i++)
        {
            nowNs += TimeUnit.MILLISECONDS.toNanos(1);
            sender.run();
            receiver.run();
            deliver();
            deliverOnRails(sender);
            deliverOnRails(receiver);
        }
    }

    void deliverOnRails(final SimulatedNode node)
    {
        for (final ScriptedEndpoint endpoint : node.endpoints)
        {
            for (final ScriptedEndpoint.Message message : endpoint.takeMessages())
            {
                if (!areRailsCut && endpoint != cutEndpoint)
                {
                    Stream.concat(sender.endpoints.stream(), receiver.endpoints.stream())
                        .filter((target) -> Arrays.equals(target.localAddress(), message.target()))
                        .forEach((target) -> target.arrive(message.bytes(), message.immediate()));
                }
            }
        }
    }

    void deliver()
    {
        final List<SimulatedNode.Datagram> datagrams = new ArrayList<>(sender.sent);
        datagrams.addAll(receiver.sent);
        recorded.addAll(datagrams);
        sender.sent.clear();
        receiver.sent.clear();
        Collections.shuffle(datagrams, random);
        for (final SimulatedNode.Datagram datagram : datagrams)
        {
            if (!isCut && random.nextInt(100) >= lossPercent)
            {
                receive(datagram);
                if (lossPercent > 0 && random.nextBoolean())
                {
                    late.add(datagram);
                }
            }
        }

        if (!late.isEmpty() && 0 == random.nextInt(50))
        {
            receive(late.remove());
        }
    }

    void receive(final SimulatedNode.Datagram datagram)
    {
        final SimulatedNode target = node(datagram.target().getPort());
        target.conductor.onHandshake(target, datagram.source(), datagram.frame(), false);
    }

    SimulatedNode node(final int port)
    {
        return RECEIVER_PORT == port ? receiver : sender;
    }

    void assertLinked()
    {
        assertThat(sender.link).isNotNull();
        assertThat(receiver.link).isNotNull();
        assertThat(sender.link.isUp()).isTrue();
        assertThat(sender.link.peerHandle()).isEqualTo(receiver.link.handle());
        assertThat(receiver.link.peerHandle()).isEqualTo(sender.link.handle());
    }

    SimulatedNode keyed(final boolean isSender, final long incarnation, final int rails, final String... keys)
    {
        return new SimulatedNode(isSender ? SENDER_PORT : RECEIVER_PORT, isSender, incarnation, HOST, () -> nowNs,
            rails, Stream.of(keys).map(String::getBytes).toList(), Integer.MAX_VALUE);
    }

    /**
     * A node whose further rails cannot be opened until {@link SimulatedNode#canOpen} is set.
     */
    SimulatedNode lame(final boolean isSender, final long incarnation, final int rails, final int opened)
    {
        return new SimulatedNode(isSender ? SENDER_PORT : RECEIVER_PORT, isSender, incarnation, HOST, () -> nowNs,
            rails, List.of(), opened);
    }

    SimulatedNode node(final int port, final boolean isSender, final long incarnation, final long hostId)
    {
        return new SimulatedNode(port, isSender, incarnation, hostId, () -> nowNs);
    }

    byte[] bytes(final HandshakeMessage.Hello hello)
    {
        return frame(codec.encode(hello));
    }

    static byte[] frame(final ByteBuffer buffer)
    {
        final byte[] frame = new byte[buffer.remaining()];
        buffer.get(frame);
        return frame;
    }
}
