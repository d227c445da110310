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

import io.millrace.efa.libfabric.FabricException;
import io.millrace.efa.rail.Rail;
import io.millrace.efa.rail.RailPeer;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The fabric conductor's hold on one agent, Sender or Receiver: its rails, and commands to it that are never lost and
 * never reordered.
 */
final class AgentSide
{
    private final RailSet railSet;
    private final Queue<Runnable> pending = new ArrayDeque<>();
    private List<Rail> rails = List.of();
    private final AtomicInteger endpoints = new AtomicInteger();
    private volatile boolean isPolledUnattended;
    private boolean isEnabled;

    AgentSide(final RailSet railSet)
    {
        this.railSet = railSet;
    }

    RailSet railSet()
    {
        return railSet;
    }

    List<Rail> rails()
    {
        return rails;
    }

    void rails(final List<Rail> rails)
    {
        this.rails = rails;
        isEnabled = true;
        final Rail[] array = rails.toArray(new Rail[0]);
        run(() -> railSet.rails(array));
    }

    /**
     * Can links be made?
     *
     * @return true when rails are open and in use.
     */
    boolean isEnabled()
    {
        return isEnabled && !rails.isEmpty();
    }

    /**
     * Offer no rails to anybody any more. They are polled on, as links may end later.
     */
    void disable()
    {
        isEnabled = false;
    }

    /**
     * Take a rail out of use.
     *
     * @param rail     that failed.
     * @param onUnused to be run by the agent when it does not touch the rail any more.
     */
    void remove(final Rail rail, final Runnable onUnused)
    {
        final List<Rail> left = new ArrayList<>(rails);
        left.remove(rail);
        rails = left;
        final Rail[] array = left.toArray(new Rail[0]);
        run(
            () ->
            {
                railSet.rails(array);
                onUnused.run();
            });
    }

    /**
     * Take a rail into use.
     *
     * @param rail that was opened again.
     */
    void add(final Rail rail)
    {
        final List<Rail> more = new ArrayList<>(rails);
        more.add(rail);
        more.sort(Comparator.comparingInt(Rail::index));
        rails = more;
        final Rail[] array = more.toArray(new Rail[0]);
        run(() -> railSet.rails(array));
    }

    /**
     * Take note of a channel endpoint that the agent polls from now on. Before it does, this waits for the fabric
     * conductor to leave the rails alone, which is a matter of one poll.
     *
     * @return number of endpoints.
     */
    int onEndpointCreated()
    {
        final int count = endpoints.incrementAndGet();
        while (isPolledUnattended)
        {
            Thread.onSpinWait();
        }

        return count;
    }

    /**
     * Take note of a channel endpoint that the agent does not poll any more.
     */
    void onEndpointClosed()
    {
        endpoints.decrementAndGet();
    }

    /**
     * Poll the rails as long as the agent has no channel endpoint and so does not: peers' operations have to end, and
     * commands to be run. Fabric conductor only.
     *
     * @return 0: nobody waits for what is done here.
     */
    int pollUnattended()
    {
        isPolledUnattended = true;
        if (0 == endpoints.get() && !rails.isEmpty())
        {
            railSet.poll();
        }
        isPolledUnattended = false;

        return 0;
    }

    void run(final Runnable command)
    {
        pending.add(command);
        flush();
    }

    int flush()
    {
        int flushed = 0;
        while (!pending.isEmpty() && railSet.offer(pending.peek()))
        {
            pending.remove();
            flushed++;
        }

        return flushed;
    }

    List<RailAddress> addresses()
    {
        final List<RailAddress> addresses = new ArrayList<>();
        for (final Rail rail : rails)
        {
            if (isEnabled && rail.isUsable())
            {
                addresses.add(new RailAddress(
                    rail.endpoint().nic().speedMbps(),
                    rail.endpoint().nic().numaNode(),
                    rail.maxReceiveLength(),
                    rail.endpoint().localAddress()));
            }
        }

        return addresses;
    }

    /**
     * Rail-aligned paths to a peer: ours i to its i, wrapping around where it has fewer.
     *
     * @param incarnation of the peer's driver.
     * @param remote      its rails, at least one.
     * @return a path for each of our usable rails.
     * @throws FabricException when an address cannot be inserted. Nothing is left behind.
     */
    List<RailPath> acquire(final long incarnation, final List<RailAddress> remote)
    {
        final List<RailPath> paths = new ArrayList<>();
        try
        {
            for (final Rail rail : rails)
            {
                if (rail.isUsable())
                {
                    final RailAddress address = remote.get(rail.index() % remote.size());
                    final RailPeer peer = rail.acquire(incarnation, address.address());
                    paths.add(new RailPath(
                        rail, peer, (int)Math.min(rail.maxSendLength(), address.maxSendLength())));
                }
            }
        }
        catch (final FabricException ex)
        {
            release(paths);
            throw ex;
        }

        return paths;
    }

    void release(final List<RailPath> paths)
    {
        for (final RailPath path : paths)
        {
            if (path.rail().release(path.peer()))
            {
                run(() -> path.rail().retire(path.peer()));
            }
        }
    }
}
