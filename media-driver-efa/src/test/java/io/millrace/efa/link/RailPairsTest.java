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

import io.millrace.efa.link.RailPairs.Pair;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

import static org.assertj.core.api.Assertions.assertThat;

class RailPairsTest
{
    private static final int UNKNOWN_NODE = -1;

    @Test
    void shouldAlignEqualCounts()
    {
        assertThat(RailPairs.of(rails(3), rails(3))).containsExactly(new Pair(0, 0), new Pair(1, 1), new Pair(2, 2));
    }

    @Test
    void shouldUseAllOfTheLargerSide()
    {
        assertThat(RailPairs.of(rails(2), rails(4)))
            .containsExactly(new Pair(0, 0), new Pair(1, 1), new Pair(0, 2), new Pair(1, 3));
    }

    @Test
    void shouldNotMoveOtherPairsWhenARailIsOutOfUse()
    {
        final List<RailAddress> local = rails(4);
        local.set(1, local.get(1).outOfUse());
        assertThat(RailPairs.of(local, rails(4))).containsExactly(new Pair(0, 0), new Pair(2, 2), new Pair(3, 3));
    }

    @Test
    void shouldPairWhatIsLeftWhenNoPairIsWhole()
    {
        final List<RailAddress> local = rails(2);
        local.set(0, local.get(0).outOfUse());
        final List<RailAddress> remote = rails(2);
        remote.set(1, remote.get(1).outOfUse());
        assertThat(RailPairs.of(local, remote)).containsExactly(new Pair(1, 0));
        assertThat(RailPairs.of(local, List.of())).isEmpty();
    }

    @Test
    void shouldPairEqualNumaNodesWhenBothSidesTell()
    {
        final List<RailAddress> local = List.of(rail(0), rail(0), rail(1), rail(1));
        final List<RailAddress> remote = List.of(rail(1), rail(0), rail(1), rail(0));
        assertThat(RailPairs.of(local, remote)).containsExactlyInAnyOrder(
            new Pair(0, 1), new Pair(1, 3), new Pair(2, 0), new Pair(3, 2));

        final List<RailAddress> silent = List.of(rail(1), rail(0), rail(1), rail(UNKNOWN_NODE));
        assertThat(RailPairs.of(local, silent)).containsExactly(
            new Pair(0, 0), new Pair(1, 1), new Pair(2, 2), new Pair(3, 3));
    }

    @Test
    void shouldMakeNoMorePairsThanAWordHasBits()
    {
        final List<RailAddress> local = List.of(rail(0), rail(1), rail(1), rail(1));
        final List<RailAddress> remote = new ArrayList<>(Collections.nCopies(62, rail(0)));
        remote.add(rail(1));
        final List<Pair> pairs = RailPairs.of(local, remote);
        assertThat(pairs).hasSize(RailPairs.MAX_PAIRS);
        assertThat(RailPairs.of(remote, local)).containsExactlyElementsOf(
            pairs.stream().map((pair) -> new Pair(pair.remote(), pair.local())).toList());
    }

    @Property
    void shouldGiveBothSidesTheSamePairs(
        @ForAll("rails") final List<RailAddress> local, @ForAll("rails") final List<RailAddress> remote)
    {
        final List<Pair> mirrored = RailPairs.of(remote, local).stream()
            .map((pair) -> new Pair(pair.remote(), pair.local()))
            .toList();
        assertThat(RailPairs.of(local, remote)).doesNotHaveDuplicates().containsExactlyInAnyOrderElementsOf(mirrored);
    }

    @Property
    void shouldUseEveryRailAndNoneThatIsOutOfUse(
        @ForAll("rails") final List<RailAddress> local, @ForAll("rails") final List<RailAddress> remote)
    {
        final List<Pair> pairs = RailPairs.of(local, remote);
        for (final Pair pair : pairs)
        {
            assertThat(local.get(pair.local()).isInUse()).isTrue();
            assertThat(remote.get(pair.remote()).isInUse()).isTrue();
        }

        final boolean canBePaired =
            local.stream().anyMatch(RailAddress::isInUse) && remote.stream().anyMatch(RailAddress::isInUse);
        assertThat(pairs.isEmpty()).isEqualTo(!canBePaired);
        if (local.stream().allMatch(RailAddress::isInUse) && remote.stream().allMatch(RailAddress::isInUse))
        {
            assertThat(pairs.stream().map(Pair::local).distinct()).hasSize(local.size());
            assertThat(pairs.stream().map(Pair::remote).distinct()).hasSize(remote.size());
        }
    }

    @Provide
    Arbitrary<List<RailAddress>> rails()
    {
        return Combinators.combine(Arbitraries.integers().between(-1, 2), Arbitraries.of(true, true, true, false))
            .as((node, isInUse) -> isInUse ? rail(node) : rail(node).outOfUse())
            .list().ofMinSize(1).ofMaxSize(8);
    }

    private static List<RailAddress> rails(final int count)
    {
        final List<RailAddress> rails = new ArrayList<>();
        for (int i = 0; i < count; i++)
        {
            rails.add(rail(UNKNOWN_NODE));
        }
        return rails;
    }

    private static RailAddress rail(final int numaNode)
    {
        return new RailAddress(0, numaNode, 8192, new byte[] { 1 });
    }
}
