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
import org.agrona.ErrorHandler;
import org.agrona.concurrent.OneToOneConcurrentArrayQueue;
import org.agrona.concurrent.status.AtomicCounter;

import java.util.function.Consumer;

/**
 * The rails of one agent, Sender or Receiver. Aeron polls each channel endpoint once a duty cycle; the first of them
 * polls the rails for all.
 */
public final class RailSet implements RailListener
{
    private static final int COMMAND_CAPACITY = 1024;
    private static final int COMMAND_DRAIN_LIMIT = 8;
    private static final int HEALTH_POLL_MASK = 1023;
    private static final Consumer<Runnable> RUN = Runnable::run;
    private static final Rail[] NO_RAILS = new Rail[0];

    private final OneToOneConcurrentArrayQueue<Runnable> commands =
        new OneToOneConcurrentArrayQueue<>(COMMAND_CAPACITY);
    private final HandleTable handles = new HandleTable();
    private final FabricEvents events;
    private final AtomicCounter framesRejected;
    private final ErrorHandler errorHandler;
    private Rail[] rails = NO_RAILS;
    private final long stallTimeoutNs;
    private RailChannel poller;
    private RailChannel other;
    private int pollCount;

    /**
     * Create a set without rails.
     *
     * @param events         where to tell the fabric conductor what happened.
     * @param framesRejected counts messages without a link.
     * @param errorHandler   for what goes wrong in a channel endpoint.
     * @param stallTimeoutNs how long an operation of a rail may take.
     */
    RailSet(
        final FabricEvents events,
        final AtomicCounter framesRejected,
        final ErrorHandler errorHandler,
        final long stallTimeoutNs)
    {
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
     * Take the rails into use. Agent only.
     *
     * @param rails of this agent.
     */
    void rails(final Rail[] rails)
    {
        this.rails = rails;
    }

    /**
     * Poll the rails if it is this channel's turn to do so for all.
     *
     * @param channel that is polled by Aeron now.
     * @return bytes received on rails.
     */
    public int poll(final RailChannel channel)
    {
        if (poller != channel)
        {
            if (null != poller && !poller.isClosed() && other != channel)
            {
                other = null == other ? channel : other;
                return 0;
            }

            // none yet, closed, or passed over while another was polled twice, as its close is under way
            poller = channel;
        }

        other = null;
        return poll();
    }

    /**
     * Poll the rails for an agent that has no channel endpoint to poll, or has ended. Fabric conductor only.
     *
     * @return bytes received on rails.
     */
    int poll()
    {
        commands.drain(RUN, COMMAND_DRAIN_LIMIT);

        int bytesReceived = 0;
        for (final Rail rail : rails)
        {
            bytesReceived += rail.poll();
        }

        if (0 == (++pollCount & HEALTH_POLL_MASK))
        {
            final long nowNs = System.nanoTime();
            for (final Rail rail : rails)
            {
                rail.checkHealth(nowNs, stallTimeoutNs);
            }
        }

        return bytesReceived;
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

        link.onHeardOnRails();
        if (!link.isUp())
        {
            // the peer sends on rails, so it has our addresses and rails work in both directions
            link.up();
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
}
