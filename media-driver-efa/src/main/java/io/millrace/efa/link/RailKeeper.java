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

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.ObjIntConsumer;

/**
 * Opens the rails of the agents, and those that failed again, with back-off. Part of the fabric conductor.
 */
final class RailKeeper implements AutoCloseable
{
    private static final long RETRY_INTERVAL_NS = TimeUnit.SECONDS.toNanos(1);
    private static final long LONG_LIVED_NS = TimeUnit.MINUTES.toNanos(1);
    private static final int MAX_SHIFT = 6;

    private final RailOpener opener;
    private final List<AgentSide> sides;
    private final Consumer<String> onFallback;
    private final ObjIntConsumer<AgentSide> onReopened;
    private final Consumer<Runnable> events;
    private final RailObserver observer;
    private final List<Repair> repairs = new ArrayList<>();
    private final List<Rail> unclosed = new ArrayList<>();

    RailKeeper(
        final RailOpener opener,
        final List<AgentSide> sides,
        final Consumer<String> onFallback,
        final ObjIntConsumer<AgentSide> onReopened,
        final Consumer<Runnable> events,
        final RailObserver observer)
    {
        this.observer = observer;
        this.opener = opener;
        this.sides = sides;
        this.onFallback = onFallback;
        this.onReopened = onReopened;
        this.events = events;
    }

    /**
     * Open all rails. Those that cannot be opened are tried again like those that failed.
     */
    void open(final long nowNs)
    {
        final List<List<Rail>> opened = sides.stream().<List<Rail>>map((side) -> new ArrayList<>()).toList();
        RuntimeException cause = null;
        for (int i = 0; i < opener.rails(); i++)
        {
            for (int j = 0; j < sides.size(); j++)
            {
                cause = open(sides.get(j), i, opened.get(j), cause, nowNs);
            }
        }

        for (int j = 0; j < sides.size(); j++)
        {
            final AgentSide side = sides.get(j);
            opened.get(j).forEach((rail) -> observer.onOpened(side, rail));
            side.rails(opened.get(j), opener.rails());
        }
        if (null != cause)
        {
            final int least = opened.stream().mapToInt(List::size).min().orElse(0);
            onFallback.accept((0 == least ? "rails cannot be opened, all channels go by UDP: " :
                "rails " + least + " of " + opener.rails() + " can be opened: ") + cause.getMessage());
        }
    }

    private RuntimeException open(
        final AgentSide side,
        final int index,
        final List<Rail> rails,
        final RuntimeException cause,
        final long nowNs)
    {
        try
        {
            rails.add(opener.open(side.railSet(), side.role(), index));
            return cause;
        }
        catch (final RuntimeException ex)
        {
            repair(side, index).onFailed(nowNs);
            return ex;
        }
    }

    /**
     * Make no more paths of a rail and open it again later.
     *
     * @return false when it was not in use any more.
     */
    boolean onFailed(final AgentSide side, final Rail rail, final long nowNs)
    {
        final boolean isInUse = side.exclude(rail);
        if (isInUse)
        {
            repair(side, rail.index()).onFailed(nowNs);
        }
        return isInUse;
    }

    /**
     * Make no more paths of a rail that is worn.
     *
     * @return false when it was not in use any more.
     */
    boolean onWorn(final AgentSide side, final Rail rail)
    {
        return side.exclude(rail);
    }

    /**
     * Open a rail anew at once: nothing is wrong with its NIC.
     */
    void reopen(final AgentSide side, final Rail rail, final long nowNs)
    {
        reopen(repair(side, rail.index()), nowNs);
    }

    /**
     * Close a rail that failed as soon as its agent has let go of it.
     */
    void retire(final AgentSide side, final Rail rail)
    {
        unclosed.add(rail);
        side.removeExcluded(() -> events.accept(
            () ->
            {
                unclosed.remove(rail);
                opener.close(rail);
            }));
    }

    int doWork(final long nowNs)
    {
        int workCount = 0;
        final Iterator<Repair> iterator = repairs.iterator();
        while (iterator.hasNext())
        {
            final Repair repair = iterator.next();
            if (repair.isOpen)
            {
                if (nowNs - repair.openedNs > LONG_LIVED_NS)
                {
                    iterator.remove();
                }
            }
            else if (nowNs - repair.nextNs >= 0)
            {
                reopen(repair, nowNs);
                workCount++;
            }
        }

        return workCount;
    }

    /**
     * Close all rails. The agents must have ended.
     */
    @Override
    public void close()
    {
        sides.forEach((side) -> side.rails().forEach(opener::close));
        unclosed.forEach(opener::close);
    }

    private void reopen(final Repair repair, final long nowNs)
    {
        try
        {
            final Rail rail = opener.open(repair.side.railSet(), repair.side.role(), repair.index);
            observer.onOpened(repair.side, rail);
            repair.side.add(rail);
            repair.isOpen = true;
            repair.openedNs = nowNs;
            onReopened.accept(repair.side, repair.index);
        }
        catch (final RuntimeException ex)
        {
            repair.onFailed(nowNs);
            onFallback.accept("rail " + repair.index + " cannot be opened again: " + ex.getMessage());
        }
    }

    private Repair repair(final AgentSide side, final int index)
    {
        for (final Repair repair : repairs)
        {
            if (repair.side == side && repair.index == index)
            {
                return repair;
            }
        }

        final Repair repair = new Repair(side, index);
        repairs.add(repair);
        return repair;
    }

    private static final class Repair
    {
        private final AgentSide side;
        private final int index;
        private int failures;
        private boolean isOpen;
        private long openedNs;
        private long nextNs;

        Repair(final AgentSide side, final int index)
        {
            this.side = side;
            this.index = index;
        }

        void onFailed(final long nowNs)
        {
            isOpen = false;
            nextNs = nowNs + (RETRY_INTERVAL_NS << Math.min(failures++, MAX_SHIFT));
        }
    }
}
