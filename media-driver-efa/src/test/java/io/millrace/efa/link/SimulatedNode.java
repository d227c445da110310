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

import io.millrace.efa.EfaContext;
import io.millrace.efa.ProtocolChoice;
import io.millrace.efa.rail.Rail;
import io.millrace.efa.rail.RailCounters;
import io.millrace.efa.rail.ScriptedEndpoint;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.CountersManager;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

import static java.nio.charset.StandardCharsets.US_ASCII;

/**
 * A fabric conductor with one rail for each agent and one channel endpoint, on a network and a clock of the test.
 */
final class SimulatedNode implements RailChannel
{
    record Datagram(InetSocketAddress source, InetSocketAddress target, byte[] frame)
    {
    }

    final InetSocketAddress address;
    final List<Datagram> sent = new ArrayList<>();
    final List<String> errors = new ArrayList<>();
    final FabricCounters counters;
    final FabricConductor conductor;
    final FabricSettings settings;
    Link link;
    private final boolean isSender;

    SimulatedNode(
        final int port, final boolean isSender, final long incarnation, final long hostId, final NanoClock clock)
    {
        this.address = new InetSocketAddress("127.0.0.1", port);
        this.isSender = isSender;
        final ScriptedEndpoint endpoint = new ScriptedEndpoint(16, 64, 64 * 1024);
        final ProtocolChoice choice =
            new ProtocolChoice("shm", "shm", "shm/1", "test", true, false, List.of(endpoint.nic()));
        settings = new FabricSettings(choice, new EfaContext(), incarnation, hostId);

        final CountersManager countersManager = new CountersManager(
            new UnsafeBuffer(ByteBuffer.allocateDirect(256 * 1024)),
            new UnsafeBuffer(ByteBuffer.allocateDirect(64 * 1024)),
            US_ASCII);
        counters = new FabricCounters(countersManager, choice);
        conductor = new FabricConductor(
            settings, counters, (throwable) -> errors.add(throwable.getMessage()), clock, () -> {});

        final AgentSide side = isSender ? conductor.sender() : conductor.receiver();
        final Rail rail = new Rail(0, endpoint, 16, 1024, 1024);
        rail.attach(new RailCounters(countersManager, "test"), side.railSet());
        side.rails(List.of(rail));
    }

    void run()
    {
        conductor.doWork();
        (isSender ? conductor.sender() : conductor.receiver()).railSet().poll(this);
    }

    @Override
    public void onRailPacket(final Link link, final long address, final int length)
    {
        throw new UnsupportedOperationException();
    }

    @Override
    public void attach(final Link link)
    {
        this.link = link;
    }

    @Override
    public void detach(final Link link)
    {
        if (this.link == link)
        {
            this.link = null;
        }
    }

    @Override
    public void sendDatagram(final ByteBuffer frame, final InetSocketAddress target)
    {
        final byte[] bytes = new byte[frame.remaining()];
        frame.get(bytes);
        sent.add(new Datagram(address, target, bytes));
    }

    @Override
    public boolean isClosed()
    {
        return false;
    }

    @Override
    public String description()
    {
        return "aeron:udp?endpoint=test";
    }

    @Override
    public boolean fabricRequired()
    {
        return false;
    }

    @Override
    public void onFabricRefused(final String reason)
    {
        errors.add("refused: " + reason);
    }
}
