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

import io.aeron.exceptions.AeronEvent;
import io.aeron.exceptions.AeronException;
import io.millrace.codecs.handshake.AckStatus;
import io.millrace.efa.libfabric.FabricException;
import io.millrace.efa.rail.Rail;
import io.millrace.efa.rail.RailPeer;
import org.agrona.ErrorHandler;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.ManyToOneConcurrentArrayQueue;
import org.agrona.concurrent.NanoClock;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Agent for all that is slow or rare: the handshake with its timers, address insertion, and what happens when peers or
 * rails fail. Sender and Receiver only ever look at links that are ready.
 */
final class FabricConductor implements Agent, FabricEvents
{
    private static final int EVENT_CAPACITY = 4096;
    private static final int EVENT_DRAIN_LIMIT = 64;
    private static final int MAX_PEERINGS = 8192;
    private static final long HELLO_INTERVAL_MIN_NS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long HELLO_INTERVAL_MAX_NS = TimeUnit.SECONDS.toNanos(1);

    private final ManyToOneConcurrentArrayQueue<Runnable> events = new ManyToOneConcurrentArrayQueue<>(EVENT_CAPACITY);
    private final HandshakeCodec codec = new HandshakeCodec();
    private final Map<Peering.Key, Peering> senderPeerings = new HashMap<>();
    private final Map<Peering.Key, Peering> receiverPeerings = new HashMap<>();
    private final FabricSettings settings;
    private final FabricCounters counters;
    private final ErrorHandler errorHandler;
    private final NanoClock nanoClock;
    private final AgentSide sender;
    private final AgentSide receiver;
    private Runnable startTask;
    private volatile boolean isStopped;

    FabricConductor(
        final FabricSettings settings,
        final FabricCounters counters,
        final ErrorHandler errorHandler,
        final NanoClock nanoClock)
    {
        this.settings = settings;
        this.counters = counters;
        this.errorHandler = errorHandler;
        this.nanoClock = nanoClock;
        this.sender = new AgentSide(new RailSet(this, counters.framesRejected(), errorHandler));
        this.receiver = new AgentSide(new RailSet(this, counters.framesRejected(), errorHandler));
    }

    AgentSide sender()
    {
        return sender;
    }

    AgentSide receiver()
    {
        return receiver;
    }

    /**
     * Something to do on the conductor's thread before all else.
     *
     * @param task to run.
     */
    void onStartTask(final Runnable task)
    {
        startTask = task;
    }

    /**
     * End all links for good. UDP goes on.
     */
    void stop()
    {
        isStopped = true;
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onStart()
    {
        startTask.run();
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public String roleName()
    {
        return "aeron-efa-conductor";
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public int doWork()
    {
        int workCount = events.drain(Runnable::run, EVENT_DRAIN_LIMIT);
        workCount += sender.flush() + receiver.flush();

        final long nowNs = nanoClock.nanoTime();
        workCount += checkSenderPeerings(nowNs);
        workCount += checkReceiverPeerings(nowNs);

        return workCount;
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public boolean onDestination(final RailChannel channel, final InetSocketAddress address)
    {
        return offer(() -> addSenderPeering(new Peering.Key(channel, address)));
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public boolean onPeerAlive(final RailChannel channel, final InetSocketAddress address)
    {
        return offer(
            () ->
            {
                final Peering peering = senderPeerings.get(new Peering.Key(channel, address));
                if (null != peering)
                {
                    peering.isAliveOverUdp = true;
                }
            });
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onHandshake(final RailChannel channel, final InetSocketAddress source, final byte[] frame)
    {
        offer(
            () ->
            {
                final HandshakeMessage message = codec.decode(frame);
                if (message instanceof final HandshakeMessage.Hello hello)
                {
                    onHello(new Peering.Key(channel, source), hello);
                }
                else if (message instanceof final HandshakeMessage.HelloAck ack)
                {
                    onHelloAck(channel, ack);
                }
                else if (message instanceof final HandshakeMessage.Bye bye)
                {
                    onBye(channel, bye);
                }
                else
                {
                    counters.handshakesRejected().increment();
                }
            });
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onPeerFailed(final RailPeer peer, final String reason)
    {
        offer(
            () ->
            {
                final List<Peering> peerings = new ArrayList<>(senderPeerings.values());
                peerings.addAll(receiverPeerings.values());
                for (final Peering peering : peerings)
                {
                    if (peering.isLinked && peering.uses(peer))
                    {
                        fallBack(peering, reason);
                    }
                }
            });
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onRailFailed(final Rail rail, final String reason)
    {
        offer(
            () ->
            {
                report("rail " + rail.endpoint().nic().domainName() + " failed: " + reason);
                final List<Peering> peerings = new ArrayList<>(senderPeerings.values());
                peerings.addAll(receiverPeerings.values());
                for (final Peering peering : peerings)
                {
                    if (peering.isLinked && !peering.hasUsableRail())
                    {
                        fallBack(peering, "no rail is left, the last failed with: " + reason);
                    }
                }
            });
    }

    /**
     * Count and report that something goes on by UDP.
     *
     * @param reason for people.
     */
    void onFallback(final String reason)
    {
        counters.fallbacks().incrementRelease();
        report(reason);
    }

    private boolean offer(final Runnable event)
    {
        if (events.offer(event))
        {
            return true;
        }

        counters.handshakesRejected().increment();
        return false;
    }

    private void addSenderPeering(final Peering.Key key)
    {
        if (!key.channel().isClosed() && senderPeerings.size() < MAX_PEERINGS)
        {
            senderPeerings.computeIfAbsent(
                key,
                (k) ->
                {
                    final Peering peering = new Peering(k, true);
                    peering.helloIntervalNs = HELLO_INTERVAL_MIN_NS;
                    peering.nextHelloNs = nanoClock.nanoTime();
                    peering.firstHelloNs = peering.nextHelloNs;
                    return peering;
                });
        }
    }

    private int checkSenderPeerings(final long nowNs)
    {
        if (sender.rails().isEmpty())
        {
            return 0;
        }

        int workCount = 0;
        final Iterator<Peering> iterator = senderPeerings.values().iterator();
        while (iterator.hasNext())
        {
            final Peering peering = iterator.next();
            if (peering.key.channel().isClosed())
            {
                unlink(peering);
                iterator.remove();
                workCount++;
                continue;
            }

            if (peering.isLinked && nowNs - peering.lastHeardNs > settings.context().linkTimeoutNs())
            {
                fallBack(peering, "no answer to Hellos for " +
                    TimeUnit.NANOSECONDS.toMillis(nowNs - peering.lastHeardNs) + " ms");
                workCount++;
            }

            if (nowNs - peering.nextHelloNs >= 0)
            {
                sendHello(peering, nowNs);
                workCount++;
            }

            if (!peering.isLinked && !peering.isRefusalReported &&
                nowNs - peering.firstHelloNs > settings.context().handshakeTimeoutNs() &&
                (peering.isAliveOverUdp || peering.key.channel().fabricRequired()))
            {
                refuse(peering, "no answer to Hellos: a stock media driver, one on protocol udp, or nobody there");
            }
        }

        return workCount;
    }

    private int checkReceiverPeerings(final long nowNs)
    {
        int workCount = 0;
        final Iterator<Peering> iterator = receiverPeerings.values().iterator();
        while (iterator.hasNext())
        {
            final Peering peering = iterator.next();
            if (peering.key.channel().isClosed() ||
                nowNs - peering.lastHeardNs > 2 * settings.context().linkTimeoutNs())
            {
                unlink(peering);
                iterator.remove();
                workCount++;
            }
        }

        return workCount;
    }

    private void sendHello(final Peering peering, final long nowNs)
    {
        if (null == peering.link)
        {
            final Link link = new Link(peering.key.channel(), peering.key.address(), sender.railSet().handles().allocate());
            peering.link = link;
            sender.run(() -> sender.railSet().handles().register(link));
        }

        peering.helloIntervalNs = peering.isLinked ? settings.context().keepaliveIntervalNs() :
            Math.min(2 * peering.helloIntervalNs, HELLO_INTERVAL_MAX_NS);
        peering.nextHelloNs = nowNs + peering.helloIntervalNs;

        final List<RailAddress> addresses = sender.addresses();
        if (!addresses.isEmpty())
        {
            send(sender, peering.key, codec.encode(new HandshakeMessage.Hello(
                HandshakeCodec.PROTOCOL_VERSION,
                settings.incarnation(),
                settings.hostId(),
                peering.link.handle(),
                ++peering.sequence,
                addresses,
                settings.choice().protocol(),
                settings.choice().wireName())));
        }
    }

    private void onHello(final Peering.Key key, final HandshakeMessage.Hello hello)
    {
        final Peering known = receiverPeerings.get(key);
        if (key.channel().isClosed() || null != known && known.peerIncarnation == hello.incarnation() &&
            hello.sequence() <= known.sequence)
        {
            return;
        }

        final AckStatus status = judge(hello);
        if (AckStatus.ACCEPTED != status)
        {
            answer(key, hello, 0, status, refusalOf(hello, status));
            return;
        }

        if (null != known && known.peerIncarnation == hello.incarnation() && known.peerHandle == hello.senderHandle())
        {
            known.sequence = hello.sequence();
            known.lastHeardNs = nanoClock.nanoTime();
            answer(key, hello, known.link.handle(), status, "");
            return;
        }

        if (receiverPeerings.size() >= MAX_PEERINGS || receiver.addresses().isEmpty())
        {
            answer(key, hello, 0, AckStatus.REFUSED, "no rail is ready or " + MAX_PEERINGS + " peers are linked");
            return;
        }

        try
        {
            link(key, known, hello);
        }
        catch (final FabricException ex)
        {
            counters.handshakesRejected().increment();
            report("Hello of " + key.address() + " refused: " + ex.getMessage());
            answer(key, hello, 0, AckStatus.REFUSED, ex.getMessage());
        }
    }

    private void link(final Peering.Key key, final Peering known, final HandshakeMessage.Hello hello)
    {
        final Peering peering = new Peering(key, false);
        peering.paths.addAll(receiver.acquire(hello.incarnation(), hello.rails()));
        if (null != known)
        {
            unlink(known);
        }

        final Link link = new Link(key.channel(), key.address(), receiver.railSet().handles().allocate());
        peering.link = link;
        peering.peerIncarnation = hello.incarnation();
        peering.peerHandle = hello.senderHandle();
        peering.sequence = hello.sequence();
        peering.lastHeardNs = nanoClock.nanoTime();
        receiverPeerings.put(key, peering);

        final RailPath[] paths = peering.paths.toArray(new RailPath[0]);
        receiver.run(
            () ->
            {
                link.paths(hello.senderHandle(), paths);
                receiver.railSet().handles().register(link);
                key.channel().attach(link);
            });
        onLinked(peering);
        answer(key, hello, link.handle(), AckStatus.ACCEPTED, "");
    }

    private AckStatus judge(final HandshakeMessage.Hello hello)
    {
        if (HandshakeCodec.PROTOCOL_VERSION != hello.protocolVersion())
        {
            return AckStatus.VERSION_MISMATCH;
        }

        if (!settings.choice().wireName().equals(hello.wireName()))
        {
            return AckStatus.PROVIDER_MISMATCH;
        }

        return settings.choice().isHostLocal() && settings.hostId() != hello.hostId() ?
            AckStatus.UNREACHABLE : AckStatus.ACCEPTED;
    }

    private String refusalOf(final HandshakeMessage.Hello hello, final AckStatus status)
    {
        return switch (status)
        {
            case VERSION_MISMATCH -> "protocol version " + hello.protocolVersion() + " of the sender is not " +
                HandshakeCodec.PROTOCOL_VERSION + " of the receiver";
            case PROVIDER_MISMATCH -> "provider " + hello.wireName() + " of the sender is not " +
                settings.choice().wireName() + " of the receiver";
            case UNREACHABLE -> "sender and receiver are on different hosts, which " +
                settings.choice().wireName() + " cannot join";
            default -> status.name();
        };
    }

    private void answer(
        final Peering.Key key,
        final HandshakeMessage.Hello hello,
        final int handle,
        final AckStatus status,
        final String reason)
    {
        send(receiver, key, codec.encode(new HandshakeMessage.HelloAck(
            HandshakeCodec.PROTOCOL_VERSION,
            settings.incarnation(),
            hello.incarnation(),
            hello.sequence(),
            hello.senderHandle(),
            handle,
            status,
            AckStatus.ACCEPTED == status ? receiver.addresses() : List.of(),
            reason)));
    }

    private void onHelloAck(final RailChannel channel, final HandshakeMessage.HelloAck ack)
    {
        final Peering peering = findSender(channel, ack.senderHandle());
        if (null == peering || ack.peerIncarnation() != settings.incarnation() || ack.sequence() > peering.sequence)
        {
            counters.handshakesRejected().increment();
            return;
        }

        if (AckStatus.ACCEPTED != ack.status())
        {
            if (peering.isLinked)
            {
                fallBack(peering, ack.reason());
            }
            if (!peering.isRefusalReported)
            {
                refuse(peering, ack.status() + ": " + ack.reason());
            }
            return;
        }

        peering.lastHeardNs = nanoClock.nanoTime();
        final boolean isSameLink =
            peering.peerIncarnation == ack.incarnation() && peering.peerHandle == ack.receiverHandle();
        if (!peering.isLinked || !isSameLink)
        {
            complete(peering, ack);
        }
    }

    private void complete(final Peering peering, final HandshakeMessage.HelloAck ack)
    {
        final List<RailPath> acquired;
        try
        {
            acquired = sender.acquire(ack.incarnation(), ack.rails());
        }
        catch (final FabricException ex)
        {
            refuse(peering, ex.getMessage());
            return;
        }

        if (peering.isLinked)
        {
            onFallback("link " + peering + " of " + peering.key.channel().description() +
                " ended: the peer came back with another incarnation or handle. Frames go by UDP until it is linked");
            counters.links().decrementRelease();
        }

        final List<RailPath> released = List.copyOf(peering.paths);
        peering.paths.clear();
        peering.paths.addAll(acquired);
        peering.peerIncarnation = ack.incarnation();
        peering.peerHandle = ack.receiverHandle();
        peering.isRefusalReported = false;

        final Link link = peering.link;
        final RailPath[] paths = acquired.toArray(new RailPath[0]);
        sender.run(
            () ->
            {
                link.paths(ack.receiverHandle(), paths);
                link.up();
                link.channel().attach(link);
            });
        sender.release(released);
        onLinked(peering);
    }

    private void onBye(final RailChannel channel, final HandshakeMessage.Bye bye)
    {
        Peering peering = findSender(channel, bye.handle());
        if (null == peering)
        {
            peering = receiverPeerings.values().stream()
                .filter((p) -> p.key.channel() == channel && p.link.handle() == bye.handle())
                .findFirst().orElse(null);
        }

        if (null == peering || peering.peerIncarnation != bye.incarnation())
        {
            return;
        }

        unlink(peering);
        if (peering.isSender)
        {
            restart(peering);
        }
        else
        {
            receiverPeerings.remove(peering.key);
        }
    }

    private Peering findSender(final RailChannel channel, final int handle)
    {
        for (final Peering peering : senderPeerings.values())
        {
            if (peering.key.channel() == channel && null != peering.link && peering.link.handle() == handle)
            {
                return peering;
            }
        }

        return null;
    }

    private void onLinked(final Peering peering)
    {
        peering.isLinked = true;
        counters.handshakes().incrementRelease();
        counters.links().incrementRelease();
        if (null == peering.counter)
        {
            peering.counter = counters.peer("efa-peer " + peering + " " + settings.choice().wireName() + ": " +
                peering.key.channel().description());
        }
        if (null != peering.counter)
        {
            peering.counter.setRelease(1);
        }
    }

    private void fallBack(final Peering peering, final String reason)
    {
        onFallback("link " + peering + " of " + peering.key.channel().description() + " ended, UDP goes on: " + reason);
        final boolean isRefused = peering.key.channel().fabricRequired();
        if (0 != peering.peerHandle)
        {
            send(sideOf(peering), peering.key, codec.encode(
                new HandshakeMessage.Bye(settings.incarnation(), peering.peerHandle, reason)));
        }

        unlink(peering);
        if (peering.isSender)
        {
            restart(peering);
            if (isRefused)
            {
                peering.key.channel().onFabricRefused(reason);
            }
        }
        else
        {
            receiverPeerings.remove(peering.key);
        }
    }

    private void refuse(final Peering peering, final String reason)
    {
        peering.isRefusalReported = true;
        onFallback(
            "peer " + peering + " of " + peering.key.channel().description() + " stays on UDP: " + reason);
        if (peering.key.channel().fabricRequired())
        {
            peering.key.channel().onFabricRefused(reason);
        }
    }

    private void restart(final Peering peering)
    {
        peering.helloIntervalNs = HELLO_INTERVAL_MIN_NS;
        peering.nextHelloNs = nanoClock.nanoTime() + HELLO_INTERVAL_MIN_NS;
        peering.firstHelloNs = peering.nextHelloNs;
        peering.isAliveOverUdp = false;
    }

    private void unlink(final Peering peering)
    {
        final AgentSide side = sideOf(peering);
        final Link link = peering.link;
        if (null != link)
        {
            side.run(
                () ->
                {
                    link.down();
                    side.railSet().handles().unregister(link);
                    link.channel().detach(link);
                });
            side.railSet().handles().free(link.handle());
        }

        side.release(peering.paths);
        peering.paths.clear();
        peering.link = null;
        peering.peerHandle = 0;
        if (peering.isLinked)
        {
            peering.isLinked = false;
            counters.links().decrementRelease();
        }

        if (null != peering.counter)
        {
            peering.counter.close();
            peering.counter = null;
        }
    }

    private AgentSide sideOf(final Peering peering)
    {
        return peering.isSender ? sender : receiver;
    }

    private void send(final AgentSide side, final Peering.Key key, final ByteBuffer frame)
    {
        side.run(
            () ->
            {
                if (!key.channel().isClosed())
                {
                    key.channel().sendDatagram(frame, key.address());
                }
            });
    }

    private void report(final String text)
    {
        errorHandler.onError(new AeronEvent("millrace: " + text, AeronException.Category.WARN));
    }
}
