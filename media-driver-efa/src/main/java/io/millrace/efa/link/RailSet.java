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
import io.millrace.efa.rail.RailListener;
import io.millrace.efa.rail.RailPeer;
import io.millrace.efa.term.PlacedImage;
import io.millrace.efa.term.PlacedImages;
import org.agrona.ErrorHandler;
import org.agrona.collections.ArrayUtil;
import org.agrona.concurrent.OneToOneConcurrentArrayQueue;
import org.agrona.concurrent.status.AtomicCounter;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * The rails of one agent, Sender or Receiver, or of both where they share rails. Aeron polls each channel endpoint
 * once a duty cycle; one of them polls the rails for all, one of the Receiver's if there is any.
 */
public final class RailSet implements RailListener
{
    private static final int COMMAND_CAPACITY = 1024;
    private static final int COMMAND_DRAIN_LIMIT = 8;
    private static final long HEALTH_INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(10);

    /**
     * An agent may have stood still for so long between the read of its clock and the poll: what it posted then looks
     * as old as the pause. Operations are checked when they have had as long to end.
     */
    private static final long PAUSE_NS = TimeUnit.MILLISECONDS.toNanos(50);

    /**
     * Status messages, NAKs and probes are what a Sender receives: nobody waits for so short a time of theirs, and a
     * look at a completion queue is a tenth of an idle duty cycle.
     */
    private static final long SENDER_REST_NS = TimeUnit.MICROSECONDS.toNanos(3);
    private static final Consumer<Runnable> RUN = Runnable::run;
    private static final Rail[] NO_RAILS = new Rail[0];
    private static final Link[] NO_LINKS = new Link[0];

    private final OneToOneConcurrentArrayQueue<Runnable> commands =
        new OneToOneConcurrentArrayQueue<>(COMMAND_CAPACITY);
    private final HandleTable handles = new HandleTable();
    private final FabricEvents events;
    private final AtomicCounter framesRejected;
    private final ErrorHandler errorHandler;
    private final PlacedImages placedImages;
    private final RailProbe probe = new RailProbe();
    private Rail[] rails = NO_RAILS;
    private Link[] warming = NO_LINKS;
    private final long stallTimeoutNs;
    private final long goneTimeoutNs;
    private RailChannel poller;
    private RailChannel other;
    private boolean isPolledBySender;
    private final AtomicInteger polls = new AtomicInteger();
    private int pollCount;
    private long nowNs = System.nanoTime();
    private long nextHealthNs = nowNs + HEALTH_INTERVAL_NS;
    private boolean hasPaused;
    private long lastPollNs = nowNs;
    private boolean hasReceived;
    private int senderBytes;

    /**
     * Create a set without rails.
     *
     * @param events         where to tell the fabric conductor what happened.
     * @param framesRejected counts messages without a link.
     * @param errorHandler   for what goes wrong in a channel endpoint.
     * @param stallTimeoutNs how long an operation of a rail may take.
     * @param goneTimeoutNs  how long an operation to a peer that is gone may take.
     * @param placedImages   images that peers write to.
     */
    RailSet(
        final FabricEvents events,
        final AtomicCounter framesRejected,
        final ErrorHandler errorHandler,
        final long stallTimeoutNs,
        final long goneTimeoutNs,
        final PlacedImages placedImages)
    {
        this.goneTimeoutNs = goneTimeoutNs;
        this.placedImages = placedImages;
        this.stallTimeoutNs = stallTimeoutNs;
        this.events = events;
        this.framesRejected = framesRejected;
        this.errorHandler = errorHandler;
    }

    /**
     * Handles of this agent's links.
     *
     * @return the table.
     */
    HandleTable handles()
    {
        return handles;
    }

    /**
     * Images that peers write to.
     *
     * @return images, of the agent.
     */
    PlacedImages placedImages()
    {
        return placedImages;
    }

    /**
     * Link of a handle. Agent only.
     *
     * @param handle of the link.
     * @return the link, or null when it is gone.
     */
    public Link link(final int handle)
    {
        return handles.lookup(handle);
    }

    /**
     * Run a command on the agent. Fabric conductor only.
     *
     * @param command to run.
     * @return false when the queue is full.
     */
    boolean offer(final Runnable command)
    {
        return commands.offer(command);
    }

    /**
     * Commands that wait for the agent.
     *
     * @return number of them.
     */
    int commands()
    {
        return commands.size();
    }

    /**
     * Take the rails into use. Agent only.
     *
     * @param rails of this agent.
     */
    void rails(final Rail[] rails)
    {
        this.rails = rails;
    }

    /**
     * Post the probes of a link until its paths are proven. Agent only.
     *
     * @param link with a {@link WarmUp}.
     */
    void warm(final Link link)
    {
        if (link.warmUp().doWork(System.nanoTime(), probe))
        {
            for (final Link known : warming)
            {
                if (known == link)
                {
                    return;
                }
            }
            warming = ArrayUtil.add(warming, link);
        }
    }

    private void advanceWarmUps()
    {
        for (int i = warming.length - 1; i >= 0; i--)
        {
            final WarmUp warmUp = warming[i].warmUp();
            if (null == warmUp || !warmUp.doWork(nowNs, probe))
            {
                warming = ArrayUtil.remove(warming, i);
            }
        }
    }

    private void onProbe(final Link link, final long address)
    {
        if (null == link.warmUp() || !link.warmUp().onProbe(address))
        {
            framesRejected.increment();
        }
        else
        {
            warm(link);
        }
    }

    /**
     * Poll the rails if it is this channel's turn to do so for all, and they are due.
     *
     * @param channel that is polled by Aeron now.
     * @param nowNs   time of {@link System#nanoTime()}, when this duty cycle began.
     * @return bytes received on rails by the Receiver.
     */
    public int poll(final RailChannel channel, final long nowNs)
    {
        if (poller != channel)
        {
            final boolean comesBefore = isPolledBySender && !channel.isSender();
            if (null != poller && !poller.isClosed() && other != channel && !comesBefore)
            {
                other = null == other ? channel : other;
                return 0;
            }

            // none yet, closed, or passed over while another was polled twice, as its close is under way; or one that
            // may rest, and that a busy Sender does not poll in each cycle
            poller = channel;
            isPolledBySender = channel.isSender();
        }

        other = null;
        onCycle(nowNs);
        return !isPolledBySender || nowNs - lastPollNs >= SENDER_REST_NS || isBusy() ? pollAll() : 0;
    }

    /** An operation of ours has to be heard of or made room for at once, and what comes seldom comes alone. */
    private boolean isBusy()
    {
        if (hasReceived)
        {
            return true;
        }

        for (final Rail rail : rails)
        {
            if (0 != rail.outstandingBytes() || rail.hasPushedBack())
            {
                return true;
            }
        }

        return false;
    }

    /**
     * Poll the rails for an agent that has no channel endpoint to poll, or has ended. Fabric conductor only.
     *
     * @return true when something was received.
     */
    boolean poll()
    {
        onCycle(System.nanoTime());
        pollAll();
        return hasReceived;
    }

    private void onCycle(final long nowNs)
    {
        // only once, for agents that always take as long
        final boolean isAfterPause = nowNs - this.nowNs > PAUSE_NS;
        if (isAfterPause && !hasPaused)
        {
            nextHealthNs = nowNs + PAUSE_NS;
        }
        hasPaused = isAfterPause;
        this.nowNs = nowNs;
    }

    private int pollAll()
    {
        commands.drain(RUN, COMMAND_DRAIN_LIMIT);

        int bytesReceived = 0;
        senderBytes = 0;
        for (final Rail rail : rails)
        {
            bytesReceived += rail.poll(nowNs);
        }

        if (0 != warming.length)
        {
            advanceWarmUps();
        }

        lastPollNs = nowNs;
        hasReceived = 0 != bytesReceived;
        polls.setOpaque(++pollCount);
        checkHealth();

        return bytesReceived - senderBytes;
    }

    /**
     * When the rails' turn to be polled last came, which is once a duty cycle. Agent only.
     *
     * @return time of {@link System#nanoTime()}.
     */
    public long nowNs()
    {
        return nowNs;
    }

    /**
     * How often the rails were polled. A number that does not change says that the agent stands still, or has nothing
     * to poll. From any thread.
     *
     * @return number that wraps around.
     */
    int polls()
    {
        return polls.getOpaque();
    }

    private void checkHealth()
    {
        if (nowNs - nextHealthNs > 0)
        {
            nextHealthNs = nowNs + HEALTH_INTERVAL_NS;
            for (final Rail rail : rails)
            {
                rail.checkHealth(nowNs, stallTimeoutNs, goneTimeoutNs);
            }
        }
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onMessage(final long immediate, final long address, final int length)
    {
        final Link link = handles.lookup(immediate);
        if (null == link || link.channel().isClosed())
        {
            framesRejected.increment();
            return;
        }

        senderBytes += link.channel().isSender() ? length : 0;
        link.onHeardOnRails();
        if (RailProbe.isProbe(address, length))
        {
            onProbe(link, address);
            return;
        }

        try
        {
            link.channel().onRailPacket(link, address, length);
        }
        catch (final Exception ex)
        {
            errorHandler.onError(ex);
        }
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public int onWrite(final long immediate, final long length)
    {
        final PlacedImage image = placedImages.commit(immediate, length);
        if (null == image)
        {
            return 0;
        }

        final Link link = (Link)image.link();
        if (handles.lookup(link.handle()) != link || link.channel().isClosed())
        {
            return 0;
        }

        link.onHeardOnRails();
        try
        {
            link.channel().onPlacedFrame(link, placedImages.committed(), image.packetLength());
        }
        catch (final Exception ex)
        {
            errorHandler.onError(ex);
        }

        return image.packetLength();
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onPeerFailed(final Rail rail, final RailPeer peer, final String reason)
    {
        events.onPeerFailed(peer, reason);
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onPeerRemoved(final Rail rail, final RailPeer peer)
    {
        events.onPeerRemoved(rail, peer);
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onRailFailed(final Rail rail, final String reason)
    {
        events.onRailFailed(this, rail, reason);
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public void onRailWorn(final Rail rail, final String reason)
    {
        events.onRailWorn(this, rail, reason);
    }
}
