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

import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Which rail of ours talks to which rail of the peer. Both sides come to the same pairs, as an EFA NIC can only be
 * written to by those it has in its address vector.
 * <p>
 * Rail i is paired with rail i. Where one side has more, its further rails wrap around, so that all are used: four
 * links of 100 Gbit/s fill two of 200, and a pair that fails leaves others to each. Where both sides tell the NUMA node
 * of each NIC, those of equal nodes are paired with each other first.
 */
final class RailPairs
{
    /**
     * A bit of a word for each: rails of nodes that the sides have in different number add up to more pairs than rails.
     */
    static final int MAX_PAIRS = Long.SIZE;

    /**
     * Two rails by their indexes.
     *
     * @param local  index of ours.
     * @param remote index of the peer's.
     */
    record Pair(int local, int remote)
    {
    }

    private RailPairs()
    {
    }

    /**
     * Pairs whose rails are both in use. Pairs are made of all rails, so that one that fails does not move the others.
     * Only when none is left are the rails that still are in use paired among themselves.
     *
     * @param local  all rails of ours.
     * @param remote all rails of the peer.
     * @return at most {@link #MAX_PAIRS} pairs, none when a side has no rail in use.
     */
    static List<Pair> of(final List<RailAddress> local, final List<RailAddress> remote)
    {
        final List<Pair> pairs = new ArrayList<>(byTopology(local, remote));
        pairs.removeIf((pair) -> !local.get(pair.local).isInUse() || !remote.get(pair.remote).isInUse());
        final List<Pair> all = pairs.isEmpty() ? wrapped(inUse(local), inUse(remote)) : pairs;
        return all.size() > MAX_PAIRS ? all.subList(0, MAX_PAIRS) : all;
    }

    private static List<Pair> byTopology(final List<RailAddress> local, final List<RailAddress> remote)
    {
        final SortedSet<Integer> shared = nodes(local);
        shared.retainAll(nodes(remote));

        final List<Pair> pairs = new ArrayList<>();
        final List<Integer> localRest = new ArrayList<>(all(local));
        final List<Integer> remoteRest = new ArrayList<>(all(remote));
        for (final int node : shared)
        {
            final List<Integer> ours = onNode(local, node);
            final List<Integer> theirs = onNode(remote, node);
            pairs.addAll(wrapped(ours, theirs));
            localRest.removeAll(ours);
            remoteRest.removeAll(theirs);
        }

        // a node that only one side has: its rails take those of the other that are left over, or else all
        if (!localRest.isEmpty() || !remoteRest.isEmpty())
        {
            pairs.addAll(wrapped(
                localRest.isEmpty() ? all(local) : localRest, remoteRest.isEmpty() ? all(remote) : remoteRest));
        }
        return pairs;
    }

    private static List<Pair> wrapped(final List<Integer> local, final List<Integer> remote)
    {
        final List<Pair> pairs = new ArrayList<>();
        final int count = local.isEmpty() || remote.isEmpty() ? 0 : Math.max(local.size(), remote.size());
        for (int i = 0; i < count; i++)
        {
            pairs.add(new Pair(local.get(i % local.size()), remote.get(i % remote.size())));
        }
        return pairs;
    }

    private static SortedSet<Integer> nodes(final List<RailAddress> rails)
    {
        final SortedSet<Integer> nodes = new TreeSet<>();
        for (final RailAddress rail : rails)
        {
            if (rail.numaNode() < 0)
            {
                return new TreeSet<>();
            }
            nodes.add(rail.numaNode());
        }
        return nodes;
    }

    private static List<Integer> onNode(final List<RailAddress> rails, final int node)
    {
        return all(rails).stream().filter((i) -> node == rails.get(i).numaNode()).toList();
    }

    private static List<Integer> inUse(final List<RailAddress> rails)
    {
        return all(rails).stream().filter((i) -> rails.get(i).isInUse()).toList();
    }

    private static List<Integer> all(final List<RailAddress> rails)
    {
        final List<Integer> indexes = new ArrayList<>();
        for (int i = 0; i < rails.size(); i++)
        {
            indexes.add(i);
        }
        return indexes;
    }
}
