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

import io.millrace.efa.libfabric.ShmLocks;
import org.agrona.concurrent.Agent;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * Sees that an agent has not polled its rails for long, as when it wants a lock in shared memory that a peer held when
 * it was killed, and has that released. On a thread of its own: the fabric conductor may be the one that stands still.
 */
final class StallWatch implements Agent
{
    /**
     * Between two looks at the agents.
     */
    static final long INTERVAL_MS = 50;
    private static final int STALLED_LOOKS = 5;

    private final ShmLocks locks = new ShmLocks();
    private final List<Watched> watched;
    private final BiConsumer<ShmLocks.Held, List<AgentSide>> onReleased;
    private final Consumer<String> onUnknown;

    StallWatch(
        final List<AgentSide> sides,
        final BiConsumer<ShmLocks.Held, List<AgentSide>> onReleased,
        final Consumer<String> onUnknown)
    {
        watched = sides.stream().map(Watched::new).toList();
        this.onReleased = onReleased;
        this.onUnknown = onUnknown;
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public String roleName()
    {
        return "aeron-efa-stall-watch";
    }

    /**
     * {@inheritDoc}
     */
    @Override
    public int doWork()
    {
        List<AgentSide> stalled = List.of();
        for (final Watched agent : watched)
        {
            if (agent.isStalled())
            {
                stalled = new ArrayList<>(stalled);
                stalled.add(agent.side);
            }
        }

        if (!stalled.isEmpty())
        {
            for (final ShmLocks.Held held : locks.releaseThoseOfTheDead(System.nanoTime(), onUnknown))
            {
                onReleased.accept(held, stalled);
            }
        }

        return 0;
    }

    private static final class Watched
    {
        private final AgentSide side;
        private int polls;
        private int looks;

        Watched(final AgentSide side)
        {
            this.side = side;
        }

        boolean isStalled()
        {
            final int now = side.railSet().polls();
            looks = polls == now ? looks + 1 : 0;
            polls = now;
            return looks >= STALLED_LOOKS;
        }
    }
}
