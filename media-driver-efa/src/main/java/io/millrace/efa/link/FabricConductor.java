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
import io.millrace.efa.rail.RailPeer;
import org.agrona.ErrorHandler;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.ManyToOneConcurrentArrayQueue;
import org.agrona.concurrent.NanoClock;

import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;

/**
 * Agent for all that is slow or rare: opening rails, the handshake with its timers, address insertion, and what happens
 * when peers or rails fail. Sender and Receiver only ever look at links that are ready.
 */
final class FabricConductor implements Agent, FabricEvents
{
    private static final int EVENT_CAPACITY = 4096;
    private static final int EVENT_DRAIN_LIMIT = 64;
    private static final long DRAIN_QUIET_NS = TimeUnit.MILLISECONDS.toNanos(5);
    private static final long DRAIN_LIMIT_NS = TimeUnit.MILLISECONDS.toNanos(200);

    private final ManyToOneConcurrentArrayQueue<Runnable> events = new ManyToOneConcurrentArrayQueue<>(EVENT_CAPACITY);
    private final HandshakeCodec codec = new HandshakeCodec();
    private final NanoClock nanoClock;
    private final RailKeeper railKeeper;
    private final int mtuLength;
    private final FabricCounters counters;
    private final ErrorHandler errorHandler;
    private final Linking sender;
    private final Linking receiver;
    private final SenderHandshake senderHandshake;
    private final ReceiverHandshake receiverHandshake;

    FabricConductor(
        final FabricSettings settings,
        final FabricCounters counters,
        final ErrorHandler errorHandler,
        final NanoClock nanoClock,
        final RailOpener opener,
        final int mtuLength)
    {
        this.nanoClock = nanoClock;
        this.mtuLength = mtuLength;
        this.counters = counters;
        this.errorHandler = errorHandler;
        sender = newLinking(settings);
        receiver = newLinking(settings);
        senderHandshake = new SenderHandshake(sender, nanoClock);
        receiverHandshake = new ReceiverHandshake(receiver, nanoClock);
        railKeeper = new RailKeeper(opener, sender.side(), receiver.side(), this::onFallback, this::offer);
    }

    private Linking newLinking(final FabricSettings settings)
    {
        final RailSet railSet = new RailSet(
            this, counters.framesRejected(), errorHandler, settings.context().linkTimeoutNs());
        return new Linking(
            settings, counters, errorHandler, new AgentSide(railSet), this::offer);
    }

    AgentSide sender()
    {
        return sender.side();
    }

    AgentSide receiver()
    {
        return receiver.side();
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
    public void onStart()
    {
        railKeeper.open();
        if (!sender.side().rails().isEmpty() && mtuLength > sender.side().rails().get(0).maxSendLength())
        {
            final int maxLength = sender.side().rails().get(0).maxSendLength();
            onFallback("aeron.mtu.length=" + mtuLength + " exceeds " + maxLength +
                " bytes, the longest message of a rail: longer frames go by UDP. Set it to at most " +
                maxLength / 32 * 32);
        }
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onClose()
    {
        drain();
        railKeeper.close();
    }

    /**
     * Let what peers have sent arrive, so that their operations end, and let them take leave. The agents have ended.
     */
    private void drain()
    {
        final long startNs = nanoClock.nanoTime();
        long lastReceivedNs = startNs;
        long nowNs = startNs;
        while (nowNs - lastReceivedNs < DRAIN_QUIET_NS && nowNs - startNs < DRAIN_LIMIT_NS)
        {
            if (sender.side().railSet().poll() + receiver.side().railSet().poll() > 0)
            {
                lastReceivedNs = nowNs;
            }
            events.drain(Runnable::run, EVENT_DRAIN_LIMIT);
            Thread.onSpinWait();
            nowNs = nanoClock.nanoTime();
        }
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public int doWork()
    {
        final long nowNs = nanoClock.nanoTime();
        return events.drain(Runnable::run, EVENT_DRAIN_LIMIT) +
            sender.side().pollUnattended() +
            receiver.side().pollUnattended() +
            sender.side().flush() +
            receiver.side().flush() +
            railKeeper.doWork(nowNs) +
            senderHandshake.doWork(nowNs) +
            receiverHandshake.doWork(nowNs);
    }

    /**
     * End all links for good. UDP goes on.
     *
     * @param reason for people.
     */
    void stop(final String reason)
    {
        offer(
            () ->
            {
                onFallback(reason);
                senderHandshake.stop(reason);
                receiverHandshake.stop(reason);
                sender.side().disable();
                receiver.side().disable();
            });
    }

    /**
     * Count and report that something goes on by UDP.
     *
     * @param reason for people.
     */
    void onFallback(final String reason)
    {
        sender.onFallback(reason);
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public boolean onDestination(final RailChannel channel, final InetSocketAddress address)
    {
        return offer(() -> senderHandshake.onDestination(new Peering.Key(channel, address)));
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public boolean onPeerAlive(final RailChannel channel, final InetSocketAddress address)
    {
        return offer(() -> senderHandshake.onPeerAlive(new Peering.Key(channel, address)));
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onPeerDeaf(final RailChannel channel, final InetSocketAddress address)
    {
        offer(() -> senderHandshake.onPeerDeaf(new Peering.Key(channel, address)));
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onHandshake(final RailChannel channel, final InetSocketAddress source, final byte[] frame)
    {
        offer(() -> dispatch(channel, source, frame));
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
                senderHandshake.onPeerFailed(peer, reason);
                receiverHandshake.onPeerFailed(peer, reason);
            });
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onPeerStalled(final RailChannel channel, final InetSocketAddress address)
    {
        offer(() -> senderHandshake.onPeerStalled(new Peering.Key(channel, address)));
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onPeerRemoved(final Rail rail, final RailPeer peer)
    {
        offer(() -> rail.onRemoved(peer));
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onRailFailed(final RailSet railSet, final Rail rail, final String reason)
    {
        offer(
            () ->
            {
                onFallback("rail " + rail.index() + " of the " + (railSet == sender.side().railSet() ? "sender" :
                    "receiver") + " on " + rail.endpoint().nic().domainName() + " failed: " + reason);
                if (railSet == sender.side().railSet())
                {
                    senderHandshake.onRailFailed(rail, reason);
                    railKeeper.onFailed(sender.side(), rail, nanoClock.nanoTime());
                }
                else
                {
                    receiverHandshake.onRailFailed(rail, reason);
                    railKeeper.onFailed(receiver.side(), rail, nanoClock.nanoTime());
                }
            });
    }

    private void dispatch(final RailChannel channel, final InetSocketAddress source, final byte[] frame)
    {
        final HandshakeMessage message = codec.decode(frame);
        if (message instanceof final HandshakeMessage.Hello hello)
        {
            receiverHandshake.onHello(new Peering.Key(channel, source), hello);
        }
        else if (message instanceof final HandshakeMessage.HelloAck ack)
        {
            senderHandshake.onAck(channel, ack);
        }
        else if (message instanceof final HandshakeMessage.Bye bye)
        {
            if (!senderHandshake.onBye(channel, bye))
            {
                receiverHandshake.onBye(channel, bye);
            }
        }
        else
        {
            sender.onRejected();
        }
    }

    private boolean offer(final Runnable event)
    {
        if (events.offer(event))
        {
            return true;
        }

        sender.onRejected();
        return false;
    }
}
