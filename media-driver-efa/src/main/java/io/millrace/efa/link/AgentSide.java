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

import io.millrace.efa.libfabric.FabricErrors;
import io.millrace.efa.libfabric.FabricException;
import io.millrace.efa.rail.Rail;
import io.millrace.efa.rail.RailPeer;
import org.agrona.concurrent.status.AtomicCounter;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The fabric conductor's hold on one agent, Sender or Receiver, or on both where they share rails: its rails, and
 * commands to it that are never lost and never reordered.
 */
final class AgentSide
{
    /**
     * So many commands may wait for the agent, of which it runs some in each duty cycle, for another to be put off.
     */
    private static final int DISPENSABLE_COMMANDS = 128;
    private static final RailAddress UNKNOWN = new RailAddress(0, -1, 0, new byte[0]);

    private final AgentRole role;
    private final RailSet railSet;
    private final AtomicCounter addressInsertTime;
    private final Queue<Runnable> pending = new ArrayDeque<>();
    private final Map<RailPeer, Rail> unused = new LinkedHashMap<>();
    private List<Rail> rails = List.of();
    private RailAddress[] described = new RailAddress[0];
    private int version;
    private final AtomicInteger endpoints = new AtomicInteger();
    private volatile boolean isPolledUnattended;
    private boolean isEnabled;

    AgentSide(final AgentRole role, final RailSet railSet, final AtomicCounter addressInsertTime)
    {
        this.role = role;
        this.addressInsertTime = addressInsertTime;
        this.railSet = railSet;
    }

    AgentRole role()
    {
        return role;
    }

    RailSet railSet()
    {
        return railSet;
    }

    List<Rail> rails()
    {
        return rails;
    }

    /**
     * Take the rails into use.
     *
     * @param rails that could be opened.
     * @param count of all.
     */
    void rails(final List<Rail> rails, final int count)
    {
        described = new RailAddress[count];
        Arrays.fill(described, UNKNOWN);
        isEnabled = true;
        use(rails);
    }

    private void use(final List<Rail> rails)
    {
        this.rails = rails;
        version++;
        for (final Rail rail : rails)
        {
            described[rail.index()] = new RailAddress(
                rail.endpoint().nic().speedMbps(),
                rail.endpoint().nic().numaNode(),
                rail.maxReceiveLength(),
                rail.endpoint().localAddress());
        }
        final Rail[] array = rails.toArray(new Rail[0]);
        run(() -> railSet.rails(array));
    }

    /**
     * Number that changes with the rails in use.
     *
     * @return version of the rails.
     */
    int version()
    {
        return version;
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
     * Make no more paths of a rail. The agent has it still.
     *
     * @param rail that failed.
     * @return false when it was not in use.
     */
    boolean exclude(final Rail rail)
    {
        final List<Rail> left = new ArrayList<>(rails);
        final boolean isExcluded = left.remove(rail);
        if (isExcluded)
        {
            rails = left;
            version++;
            described[rail.index()] = described[rail.index()].outOfUse();
        }
        return isExcluded;
    }

    /**
     * Take the rails that were excluded from the agent.
     *
     * @param onUnused to be run by the agent when it does not touch them any more.
     */
    void removeExcluded(final Runnable onUnused)
    {
        final Rail[] array = rails.toArray(new Rail[0]);
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
        use(more);
    }

    /**
     * Take note of a channel endpoint that the agent polls from now on. Before it does, this waits for the fabric
     * conductor to leave the rails alone, which is a matter of one poll.
     */
    void onEndpointCreated()
    {
        endpoints.incrementAndGet();
        while (isPolledUnattended)
        {
            Thread.onSpinWait();
        }
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
     * commands to be run, also without rails: refusals are sent by them. Fabric conductor only.
     *
     * @return commands that are left for the next cycle: for what peers send nobody waits here.
     */
    int pollUnattended()
    {
        int left = 0;
        isPolledUnattended = true;
        if (0 == endpoints.get())
        {
            railSet.poll();
            left = railSet.commands();
        }
        isPolledUnattended = false;

        return left;
    }

    void run(final Runnable command)
    {
        pending.add(command);
        flush();
    }

    /**
     * Run a command that nobody misses: it gives way to those that must not be lost.
     *
     * @param command to run.
     * @return false when there is no room for it.
     */
    boolean tryRun(final Runnable command)
    {
        return pending.isEmpty() && railSet.commands() < DISPENSABLE_COMMANDS && railSet.offer(command);
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

    /**
     * Entries in the address vectors of the rails.
     */
    int addressEntries()
    {
        int entries = 0;
        for (int i = 0, size = rails.size(); i < size; i++)
        {
            entries += rails.get(i).peers().size();
        }

        return entries;
    }

    /**
     * All rails of this agent, those out of use without address.
     *
     * @return rails in the order of their indexes, none when none is in use.
     */
    List<RailAddress> addresses()
    {
        return isEnabled() ? List.of(described) : List.of();
    }

    /**
     * Paths to a peer that has none yet.
     *
     * @param failedPaths not to be used now.
     * @param incarnation of the peer's driver.
     * @param remote      its rails.
     * @return at least one path.
     * @throws FabricException when no address can be inserted, or no rail is in use. Nothing is left behind.
     */
    List<RailPath> acquire(
        final FailedPaths failedPaths, final long incarnation, final List<RailAddress> remote)
    {
        final List<RailPairs.Pair> pairs = RailPairs.of(addresses(), remote);
        final List<RailPairs.Pair> good = pairs.stream()
            .filter((pair) -> !isHeld(failedPaths, pair, incarnation, remote))
            .toList();

        if (good.isEmpty())
        {
            // nothing else is left: they are tried before their time, and wait longer when they fail again
            pairs.forEach((pair) ->
                failedPaths.release(pair.local(), incarnation, remote.get(pair.remote()).address()));
        }

        final List<RailPath> paths = new ArrayList<>();
        FabricException cause = null;
        for (final RailPairs.Pair pair : good.isEmpty() ? pairs : good)
        {
            try
            {
                paths.add(acquire(pair, incarnation, remote));
            }
            catch (final FabricException ex)
            {
                cause = ex;
            }
        }

        if (paths.isEmpty())
        {
            throw null != cause ? cause : new FabricException(
                "fi_av_insert", FabricErrors.ENODEV, "no rail is in use on both sides");
        }
        return paths;
    }

    /**
     * Paths that a link should have after rails or paths have come or gone. Those that stay are the same objects.
     *
     * @param failedPaths not to be used now.
     * @param current     paths of the link.
     * @param incarnation of the peer's driver.
     * @param remote      the peer's rails.
     * @param mayAdd      false to take no new ones, as the peer does not know all of our rails yet.
     * @return paths, none when no rail is left. Those of {@code current} that are not among them are to be released.
     */
    List<RailPath> renew(
        final FailedPaths failedPaths,
        final List<RailPath> current,
        final long incarnation,
        final List<RailAddress> remote,
        final boolean mayAdd)
    {
        final List<RailPath> paths = new ArrayList<>();
        for (final RailPairs.Pair pair : RailPairs.of(addresses(), remote))
        {
            if (!isHeld(failedPaths, pair, incarnation, remote))
            {
                final byte[] address = remote.get(pair.remote()).address();
                final RailPath known = current.stream()
                    .filter((path) -> path.rail() == rail(pair.local()) &&
                        Arrays.equals(path.remote().address(), address))
                    .findFirst()
                    .orElse(null);
                if (null != known)
                {
                    paths.add(known);
                }
                else if (mayAdd)
                {
                    addPath(paths, pair, incarnation, remote);
                }
            }
        }
        return paths;
    }

    private void addPath(
        final List<RailPath> paths,
        final RailPairs.Pair pair,
        final long incarnation,
        final List<RailAddress> remote)
    {
        try
        {
            paths.add(acquire(pair, incarnation, remote));
        }
        catch (final FabricException ignore)
        {
            // the link goes on over its other paths, and this one is tried again with the next renewal
        }
    }

    private RailPath acquire(
        final RailPairs.Pair pair, final long incarnation, final List<RailAddress> remote)
    {
        final Rail rail = rail(pair.local());
        final RailAddress address = remote.get(pair.remote());
        final long startNs = System.nanoTime();
        final RailPeer peer = rail.peers().acquire(incarnation, address.address());
        addressInsertTime.getAndAddRelease(System.nanoTime() - startNs);
        run(peer::onAcquired);
        return new RailPath(rail, peer, (int)Math.min(rail.maxSendLength(), address.maxSendLength()), address);
    }

    private static boolean isHeld(
        final FailedPaths failedPaths,
        final RailPairs.Pair pair,
        final long incarnation,
        final List<RailAddress> remote)
    {
        return failedPaths.isHeld(pair.local(), incarnation, remote.get(pair.remote()).address());
    }

    private Rail rail(final int index)
    {
        for (final Rail rail : rails)
        {
            if (rail.index() == index)
            {
                return rail;
            }
        }

        throw new IllegalStateException("no rail " + index + " in use");
    }

    /**
     * Give up paths. A peer leaves the address vector when no link refers to it and it cannot post any more.
     */
    void release(final List<RailPath> paths)
    {
        for (final RailPath path : paths)
        {
            if (path.rail().peers().release(path.peer()))
            {
                unused.put(path.peer(), path.rail());
            }
        }

        retireUnused();
    }

    /**
     * Retire the peers that cannot post any more, see {@link #release(List)}.
     */
    void retireUnused()
    {
        final Iterator<Map.Entry<RailPeer, Rail>> iterator = unused.entrySet().iterator();
        while (iterator.hasNext())
        {
            final Map.Entry<RailPeer, Rail> entry = iterator.next();
            final RailPeer peer = entry.getKey();
            final Rail rail = entry.getValue();
            if (peer.isReferenced() || !rails.contains(rail))
            {
                iterator.remove();
            }
            else if (rail.peers().forget(peer))
            {
                iterator.remove();
                run(() -> rail.retire(peer));
            }
        }
    }
}
