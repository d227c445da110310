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

import io.aeron.driver.media.UdpChannel;
import io.millrace.efa.EfaContext;
import io.millrace.efa.ProtocolChoice;
import io.millrace.efa.libfabric.FabricException;
import io.millrace.efa.rail.Rail;
import io.millrace.efa.rail.RailCounters;
import io.millrace.efa.rail.ScriptedEndpoint;
import io.millrace.efa.term.PlacedImage;
import io.millrace.efa.term.SendLogs;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.CountersManager;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import static java.nio.charset.StandardCharsets.US_ASCII;

/**
 * A fabric conductor with few rails for each agent and one channel endpoint, on a network and a clock of the test.
 */
final class SimulatedNode implements RailChannel, RailOpener
{
    static final List<AgentRole> OWN_RAILS = List.of(AgentRole.RECEIVER, AgentRole.SENDER);
    private static final UdpChannel UDP_CHANNEL = UdpChannel.parse("aeron:udp?endpoint=127.0.0.1:1");
    record Datagram(InetSocketAddress source, InetSocketAddress target, byte[] frame)
    {
    }

    final InetSocketAddress address;
    final List<Datagram> sent;
    final List<String> errors;
    final CountersManager countersManager;
    final FabricCounters counters;
    final FabricConductor conductor;
    final FabricSettings settings;
    final List<ScriptedEndpoint> endpoints;
    final List<PlacedImage> images = new ArrayList<>();
    Link link;
    boolean canOpen = true;
    int attempts;
    private final int firstUnopenable;
    int opened;
    boolean isClosed;
    String refusal;
    private final Map<InetSocketAddress, ByteBuffer> farewells = new HashMap<>();
    private final boolean isSender;
    private final int rails;
    private final RailCounters railCounters;
    private final long maxRmaLength;

    SimulatedNode(
        final int port, final boolean isSender, final long incarnation, final long hostId, final NanoClock clock)
    {
        this(port, isSender, incarnation, hostId, clock, 1, List.of(), Integer.MAX_VALUE);
    }

    SimulatedNode(
        final int port,
        final boolean isSender,
        final long incarnation,
        final long hostId,
        final NanoClock clock,
        final int rails,
        final List<byte[]> keys,
        final int firstUnopenable)
    {
        this(port, isSender, incarnation, hostId, clock, rails, keys, firstUnopenable, null, OWN_RAILS);
    }

    /**
     * @param aeronDirectory of images' logs that are written to, or null for rails without RMA.
     * @param roles          of its agents, which share rails or do not.
     */
    SimulatedNode(
        final int port,
        final boolean isSender,
        final long incarnation,
        final long hostId,
        final NanoClock clock,
        final int rails,
        final List<byte[]> keys,
        final int firstUnopenable,
        final Path aeronDirectory,
        final List<AgentRole> roles)
    {
        sent = new ArrayList<>();
        errors = new ArrayList<>();
        endpoints = new ArrayList<>();
        maxRmaLength = null == aeronDirectory ? 0 : 1 << 30;
        this.firstUnopenable = firstUnopenable;
        this.rails = rails;
        this.address = new InetSocketAddress("127.0.0.1", port);
        this.isSender = isSender;
        final ProtocolChoice choice = new ProtocolChoice(
            "shm", "shm", "shm/1", "test", true, false, List.of(new ScriptedEndpoint(16, 64, 64).nic()));
        settings = new FabricSettings(choice, new EfaContext().placementThresholdLength(64), incarnation, hostId, keys);

        countersManager = new CountersManager(
            new UnsafeBuffer(ByteBuffer.allocateDirect(256 * 1024)),
            new UnsafeBuffer(ByteBuffer.allocateDirect(64 * 1024)),
            US_ASCII);
        counters = new FabricCounters(countersManager, choice);
        railCounters = new RailCounters(countersManager, "test");
        conductor = new FabricConductor(
            settings, roles, counters, (throwable) -> errors.add(throwable.getMessage()), clock, this,
            TermSettings.of(String.valueOf(aeronDirectory), settings.context(), choice), 1408);
        canOpen = Integer.MAX_VALUE == firstUnopenable;
        conductor.onStart();
        (isSender ? conductor.sender() : conductor.receiver()).onEndpointCreated();
    }

    /**
     * Another channel of a node's driver, run and delivered to with the node.
     */
    private SimulatedNode(final SimulatedNode node, final int port, final boolean isSender)
    {
        sent = node.sent;
        errors = node.errors;
        endpoints = node.endpoints;
        countersManager = node.countersManager;
        counters = node.counters;
        conductor = node.conductor;
        settings = node.settings;
        firstUnopenable = node.firstUnopenable;
        rails = node.rails;
        railCounters = node.railCounters;
        maxRmaLength = node.maxRmaLength;
        address = new InetSocketAddress("127.0.0.1", port);
        this.isSender = isSender;
        (isSender ? conductor.sender() : conductor.receiver()).onEndpointCreated();
    }

    SimulatedNode channel(final int port, final boolean isSender)
    {
        return new SimulatedNode(this, port, isSender);
    }

    @Override
    public int rails()
    {
        return rails;
    }

    @Override
    public Rail open(final RailSet railSet, final AgentRole role, final int index)
    {
        attempts++;
        if (!canOpen && (Integer.MAX_VALUE == firstUnopenable || index >= firstUnopenable))
        {
            throw new FabricException("fi_domain", 19, "no NIC");
        }

        opened++;
        final ScriptedEndpoint endpoint = new ScriptedEndpoint(16, 64, 64 * 1024);
        endpoint.maxRmaLength = maxRmaLength;
        endpoints.add(endpoint);
        final Rail rail = new Rail(index, endpoint, 16, 2048, 1024);
        rail.attach(railCounters, railSet);
        return rail;
    }

    @Override
    public void close(final Rail rail)
    {
        rail.close();
    }

    void run()
    {
        conductor.doWork();
        (isSender ? conductor.sender() : conductor.receiver()).railSet().poll();
    }

    @Override
    public boolean isSender()
    {
        return isSender;
    }

    @Override
    public void onRailPacket(final Link link, final long address, final int length)
    {
        throw new UnsupportedOperationException();
    }

    @Override
    public void onPlacedFrame(final Link link, final long address, final int length)
    {
        throw new UnsupportedOperationException();
    }

    @Override
    public void attach(final PlacedImage image)
    {
        images.add(image);
    }

    @Override
    public void detach(final PlacedImage image)
    {
        images.remove(image);
    }

    @Override
    public SendLogs sendLogs()
    {
        return null;
    }

    @Override
    public UdpChannel udpChannel()
    {
        return UDP_CHANNEL;
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
    public String refusal()
    {
        return refusal;
    }

    @Override
    public Map<InetSocketAddress, ByteBuffer> farewells()
    {
        return farewells;
    }

    @Override
    public boolean isClosed()
    {
        return isClosed;
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
