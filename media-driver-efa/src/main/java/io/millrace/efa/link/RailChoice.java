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

import io.millrace.efa.EfaConfiguration;
import io.millrace.efa.rail.Rail;
import io.millrace.efa.rail.RailPeer;

/**
 * Which of a link's paths a packet takes: join the shortest queue, with a home. A quiet stream stays on its home path,
 * so that its packets stay in order; a busy one spreads over all: to where it would be through first, by the bytes that
 * are under way on each and the speed of its links. A path on which an operation takes long gets nothing while there is
 * another, one that failed never.
 */
final class RailChoice
{
    /**
     * No path can carry the packet.
     */
    static final int NONE = -1;

    /**
     * A stream leaves its home when so many bytes are under way there: about what one NIC has in flight in the time of
     * an agent's duty cycle, so that quiet streams never spread.
     */
    static final long HOME_LIMIT_BYTES = 128 * 1024;

    /**
     * Cost of a byte on the fastest link.
     */
    private static final long UNIT = 16;
    private static final long MAX_COST = UNIT << 10;

    private final RailPath[] paths;
    private final long[] railCosts;
    private final long[] peerCosts;

    /**
     * Choose among paths.
     *
     * @param paths of a link, at most {@link EfaConfiguration#RAILS_MAX}.
     */
    RailChoice(final RailPath[] paths)
    {
        this.paths = paths;
        railCosts = new long[paths.length];
        peerCosts = new long[paths.length];

        int fastestMbps = 1;
        for (final RailPath path : paths)
        {
            fastestMbps = Math.max(fastestMbps, Math.max(speedMbps(path.rail()), path.remote().speedMbps()));
        }
        for (int i = 0; i < paths.length; i++)
        {
            railCosts[i] = cost(fastestMbps, speedMbps(paths[i].rail()));
            peerCosts[i] = cost(fastestMbps, paths[i].remote().speedMbps());
        }
    }

    /**
     * Choose a path.
     *
     * @param key    of the stream.
     * @param length of the packet in bytes.
     * @param tried  bit i is set when path i pushed this packet back already.
     * @return index of a path, or {@link #NONE}.
     */
    int choose(final int key, final int length, final long tried)
    {
        if (0 == paths.length)
        {
            return NONE;
        }

        final int home = (key & Integer.MAX_VALUE) % paths.length;
        if (0 == (tried & 1L << home) && isFit(home) && load(home, 0) < HOME_LIMIT_BYTES * UNIT)
        {
            return home;
        }

        int best = NONE;
        int bestSlow = NONE;
        long bestLoad = Long.MAX_VALUE;
        long bestSlowLoad = Long.MAX_VALUE;
        for (int i = 0; i < paths.length; i++)
        {
            if (0 == (tried & 1L << i) && isUsable(i))
            {
                final long load = load(i, length);
                if (isSlow(i))
                {
                    if (load < bestSlowLoad)
                    {
                        bestSlowLoad = load;
                        bestSlow = i;
                    }
                }
                else if (load < bestLoad)
                {
                    bestLoad = load;
                    best = i;
                }
            }
        }

        return NONE == best && 0 == tried ? bestSlow : best;
    }

    RailPath path(final int index)
    {
        return paths[index];
    }

    int size()
    {
        return paths.length;
    }

    private boolean isFit(final int i)
    {
        return isUsable(i) && !isSlow(i);
    }

    private boolean isUsable(final int i)
    {
        return paths[i].rail().isUsable() && !paths[i].peer().hasFailed();
    }

    private boolean isSlow(final int i)
    {
        return paths[i].rail().isSlow(paths[i].peer());
    }

    /** Time until a packet is through at the slower of both ends, in units. */
    private long load(final int i, final int length)
    {
        final Rail rail = paths[i].rail();
        final RailPeer peer = paths[i].peer();
        return Math.max(
            (rail.outstandingBytes() + length) * railCosts[i], (peer.outstandingBytes() + length) * peerCosts[i]);
    }

    private static int speedMbps(final Rail rail)
    {
        return rail.endpoint().nic().speedMbps();
    }

    private static long cost(final int fastestMbps, final int speedMbps)
    {
        return speedMbps <= 0 ? UNIT : Math.min(UNIT * fastestMbps / speedMbps, MAX_COST);
    }
}
