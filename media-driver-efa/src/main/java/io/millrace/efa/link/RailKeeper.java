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

/**
 * Opens the rails of both agents, and those that failed again, with back-off. Part of the fabric conductor.
 */
final class RailKeeper implements AutoCloseable
{
    private static final long RETRY_INTERVAL_NS = TimeUnit.SECONDS.toNanos(1);
    private static final long LONG_LIVED_NS = TimeUnit.MINUTES.toNanos(1);
    private static final int MAX_SHIFT = 6;

    private final RailOpener opener;
    private final AgentSide sender;
    private final AgentSide receiver;
    private final Consumer<String> onFallback;
    private final Consumer<Runnable> events;
    private final List<Repair> repairs = new ArrayList<>();
    private final List<Rail> unclosed = new ArrayList<>();

    RailKeeper(
        final RailOpener opener,
        final AgentSide sender,
        final AgentSide receiver,
        final Consumer<String> onFallback,
        final Consumer<Runnable> events)
    {
        this.opener = opener;
        this.sender = sender;
        this.receiver = receiver;
        this.onFallback = onFallback;
        this.events = events;
    }

    void open()
    {
        final List<Rail> senderRails = new ArrayList<>();
        final List<Rail> receiverRails = new ArrayList<>();
        try
        {
            for (int i = 0; i < opener.rails(); i++)
            {
                receiverRails.add(opener.open(receiver.railSet(), false, i));
                senderRails.add(opener.open(sender.railSet(), true, i));
            }

            receiver.rails(receiverRails);
            sender.rails(senderRails);
        }
        catch (final RuntimeException ex)
        {
            senderRails.forEach(opener::close);
            receiverRails.forEach(opener::close);
            onFallback.accept("rails cannot be opened, all channels go by UDP: " + ex.getMessage());
        }
    }

    /**
     * Take a rail out of use, close it when its agent has let go, and open it again later.
     */
    void onFailed(final AgentSide side, final Rail rail, final long nowNs)
    {
        if (!side.rails().contains(rail))
        {
            return;
        }

        unclosed.add(rail);
        side.remove(rail, () -> events.accept(
            () ->
            {
                unclosed.remove(rail);
                opener.close(rail);
            }));

        final Repair known = find(side, rail.index());
        final Repair repair = null == known ? new Repair(side, rail.index()) : known;
        if (null == known)
        {
            repairs.add(repair);
        }
        repair.onFailed(nowNs);
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
        sender.rails().forEach(opener::close);
        receiver.rails().forEach(opener::close);
        unclosed.forEach(opener::close);
    }

    private void reopen(final Repair repair, final long nowNs)
    {
        try
        {
            final boolean isSender = repair.side == sender;
            repair.side.add(opener.open(repair.side.railSet(), isSender, repair.index));
            repair.isOpen = true;
            repair.openedNs = nowNs;
        }
        catch (final RuntimeException ex)
        {
            repair.onFailed(nowNs);
            onFallback.accept("rail " + repair.index + " cannot be opened again: " + ex.getMessage());
        }
    }

    private Repair find(final AgentSide side, final int index)
    {
        for (final Repair repair : repairs)
        {
            if (repair.side == side && repair.index == index)
            {
                return repair;
            }
        }

        return null;
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
