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
package io.millrace.bridge.reshard;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Random;

import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvDtype;
import io.millrace.bridge.KvFailurePolicy;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.KvPriority;
import io.millrace.bridge.KvTransferRequest;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * Plans against a naive copy, element by element, of caches in memory of this process.
 */
class ReshardPlanTest
{
    record Case(CacheShape shape, Sharding source, Sharding destination, int firstToken, int tokens, long seed)
    {
    }

    /**
     * A cache of bytes: its ranks' blocks, scattered, at addresses that are offsets in one array.
     */
    private static final class Caches
    {
        private final CacheShape shape;
        private final Sharding sharding;
        private final List<KvBlocks> ranks = new ArrayList<>();
        private final byte[] memory;

        private Caches(final CacheShape shape, final Sharding sharding, final int tokens, final Random random)
        {
            this.shape = shape;
            this.sharding = sharding;
            final KvLayout layout = sharding.layout(shape);
            final int blocks = layout.blocksFor(tokens);
            final long rankBytes = layout.totalBytes(blocks + 2);
            for (int rank = 0; rank < sharding.tpSize(); rank++)
            {
                final List<Integer> ids = new ArrayList<>();
                for (int i = 0; i < blocks + 2; i++)
                {
                    ids.add(i);
                }
                Collections.shuffle(ids, random);
                final long partStride = (long)layout.partBytes() * (blocks + 2);
                ranks.add(KvBlocks.strided(rank * rankBytes, partStride * layout.parts(), partStride,
                    layout.partBytes(), ids.subList(0, blocks).stream().mapToInt(i -> i).toArray()));
            }
            memory = new byte[(int)(rankBytes * sharding.tpSize())];
        }

        /**
         * Where one head of one token lies, found without units.
         */
        private long row(final int rank, final int layer, final int part, final int head, final int token)
        {
            final int local = head - sharding.firstHead(shape, rank);
            final int inBlock = token % sharding.tokensPerBlock();
            return ranks.get(rank).address(layer, part, token / sharding.tokensPerBlock()) + shape.rowBytes() *
                (HeadOrder.TOKEN_MAJOR == sharding.order() ? (long)inBlock * sharding.headsPerRank(shape) + local :
                (long)local * sharding.tokensPerBlock() + inBlock);
        }
    }

    @Provide
    Arbitrary<Case> cases()
    {
        final Arbitrary<CacheShape> perHead = Combinators.combine(
            Arbitraries.integers().between(1, 3), Arbitraries.of(1, 2, 4, 6, 8), Arbitraries.integers().between(1, 5),
            Arbitraries.of(KvDtype.class)).as(CacheShape::perHead);
        final Arbitrary<CacheShape> latent = Combinators.combine(
            Arbitraries.integers().between(1, 3), Arbitraries.integers().between(1, 9),
            Arbitraries.of(KvDtype.class)).as(CacheShape::latent);
        return Arbitraries.oneOf(perHead, perHead, latent).flatMap(shape -> Combinators.combine(
            sharding(shape), sharding(shape), Arbitraries.integers().between(0, 3),
            Arbitraries.integers().between(1, 40), Arbitraries.longs()).as((source, destination, skip, tokens, seed) ->
                new Case(shape, source, destination, skip * destination.tokensPerBlock(), tokens, seed)));
    }

    private static Arbitrary<Sharding> sharding(final CacheShape shape)
    {
        final int[] sizes = Arrays.stream(new int[]{1, 2, 3, 4, 6, 8, 12, 16})
            .filter(size -> 0 == shape.kvHeads() % size || 0 == size % shape.kvHeads()).toArray();
        return Combinators.combine(
            Arbitraries.of(Arrays.stream(sizes).boxed().toList()), Arbitraries.of(1, 2, 3, 4, 6, 8, 16),
            Arbitraries.of(HeadOrder.class)).as(Sharding::new);
    }

    @Property(tries = 3000, edgeCases = net.jqwik.api.EdgeCasesMode.NONE)
    void equalsANaiveCopy(@ForAll("cases") final Case c)
    {
        final Random random = new Random(c.seed);
        final ReshardPlan plan = ReshardPlan.of(c.shape, c.source, c.destination);
        final Caches source = new Caches(c.shape, c.source, c.firstToken + c.tokens, random);
        final Caches destination = new Caches(c.shape, c.destination, c.tokens, random);
        fill(source, c.firstToken + c.tokens, random);
        final byte[] expected = naive(c, source, destination);
        final BitSet written = new BitSet();
        boolean isWrittenTwice = false;

        for (final ShardCopy copy : plan.copies())
        {
            final KvLayout units = plan.units(copy);
            final KvBlocks from = plan.sourceBlocks(copy, source.ranks.get(copy.sourceRank()), c.firstToken, c.tokens);
            final KvBlocks to =
                plan.destinationBlocks(copy, destination.ranks.get(copy.destinationRank()), c.tokens);
            assertThat(from.blockCount()).isEqualTo(to.blockCount());
            for (int layer = 0; layer < units.layers(); layer++)
            {
                for (int part = 0; part < units.parts(); part++)
                {
                    for (int unit = 0; unit < from.blockCount(); unit++)
                    {
                        final int target = (int)to.address(layer, part, unit);
                        isWrittenTwice |= written.get(target);
                        written.set(target, target + units.partBytes());
                        System.arraycopy(source.memory, (int)from.address(layer, part, unit),
                            destination.memory, target, units.partBytes());
                    }
                }
            }
        }

        assertThat(isWrittenTwice).isFalse();
        for (int i = 0; i < expected.length; i++)
        {
            if (0 != expected[i] && expected[i] != destination.memory[i])
            {
                throw new AssertionError("byte " + i + " is " + destination.memory[i] + " and not " + expected[i]);
            }
        }
    }

    /**
     * The same bytes for the same head and token in each rank, never 0.
     */
    private static void fill(final Caches caches, final int tokens, final Random random)
    {
        final long salt = random.nextLong();
        final Random bytes = new Random();
        forEachRow(caches, tokens, (rank, layer, part, head, token) ->
        {
            bytes.setSeed(salt + 31 * (31 * (31 * (31L * layer + part) + head) + token));
            final int row = (int)caches.row(rank, layer, part, head, token);
            for (int i = 0; i < caches.shape.rowBytes(); i++)
            {
                caches.memory[row + i] = (byte)(1 + bytes.nextInt(255));
            }
        });
    }

    private static byte[] naive(final Case c, final Caches source, final Caches destination)
    {
        final byte[] expected = new byte[destination.memory.length];
        forEachRow(destination, c.tokens, (rank, layer, part, head, token) ->
        {
            int holder = 0;
            while (head < c.source.firstHead(c.shape, holder) ||
                head >= c.source.firstHead(c.shape, holder) + c.source.headsPerRank(c.shape))
            {
                holder++;
            }
            System.arraycopy(source.memory, (int)source.row(holder, layer, part, head, c.firstToken + token),
                expected, (int)destination.row(rank, layer, part, head, token), c.shape.rowBytes());
        });
        return expected;
    }

    @FunctionalInterface
    private interface RowConsumer
    {
        void accept(int rank, int layer, int part, int head, int token);
    }

    private static void forEachRow(final Caches caches, final int tokens, final RowConsumer consumer)
    {
        for (int rank = 0; rank < caches.sharding.tpSize(); rank++)
        {
            final int first = caches.sharding.firstHead(caches.shape, rank);
            for (int layer = 0; layer < caches.shape.layers(); layer++)
            {
                for (int part = 0; part < caches.shape.parts(); part++)
                {
                    for (int head = first; head < first + caches.sharding.headsPerRank(caches.shape); head++)
                    {
                        for (int token = 0; token < tokens; token++)
                        {
                            consumer.accept(rank, layer, part, head, token);
                        }
                    }
                }
            }
        }
    }

    private static Sharding nhd(final int tpSize, final int tokensPerBlock)
    {
        return new Sharding(tpSize, tokensPerBlock, HeadOrder.TOKEN_MAJOR);
    }

    @Test
    void latentComesFromOneCopyAndLoadIsSpread()
    {
        final ReshardPlan plan = ReshardPlan.of(CacheShape.latent(2, 576, KvDtype.BF16), nhd(2, 16), nhd(4, 16));

        assertThat(plan.copies()).containsExactly(new ShardCopy(0, 0, 0, 1), new ShardCopy(1, 1, 0, 1),
            new ShardCopy(0, 2, 0, 1), new ShardCopy(1, 3, 0, 1));
        assertThat(plan.units(plan.copies().get(0))).isEqualTo(new KvLayout(2, 1, 576, KvDtype.BF16, 16, 1));
    }

    @Test
    void headsAreRegrouped()
    {
        final CacheShape shape = CacheShape.perHead(2, 8, 128, KvDtype.BF16);

        assertThat(ReshardPlan.of(shape, nhd(2, 16), nhd(4, 16)).copiesFrom(1)).containsExactly(
            new ShardCopy(1, 2, 4, 2), new ShardCopy(1, 3, 6, 2));
        assertThat(ReshardPlan.of(shape, nhd(4, 16), nhd(2, 16)).copiesTo(1)).containsExactly(
            new ShardCopy(2, 1, 4, 2), new ShardCopy(3, 1, 6, 2));
    }

    @Test
    void unitsAreAsLongAsBothEndsAllow()
    {
        final CacheShape shape = CacheShape.perHead(1, 8, 128, KvDtype.BF16);
        final ReshardPlan same = ReshardPlan.of(shape, nhd(2, 32), nhd(2, 48));
        final ReshardPlan split = ReshardPlan.of(shape, nhd(2, 32), nhd(4, 48));
        final ReshardPlan heads = ReshardPlan.of(shape, new Sharding(2, 32, HeadOrder.HEAD_MAJOR),
            new Sharding(4, 48, HeadOrder.HEAD_MAJOR));

        assertThat(same.units(same.copies().get(0)).tokensPerBlock()).isEqualTo(16);
        assertThat(same.units(same.copies().get(0)).kvHeads()).isEqualTo(4);
        assertThat(split.units(split.copies().get(0))).isEqualTo(new KvLayout(1, 2, 128, KvDtype.BF16, 1));
        assertThat(heads.units(heads.copies().get(0))).isEqualTo(new KvLayout(1, 1, 128, KvDtype.BF16, 16));
    }

    @Test
    void refusesWhatCannotWork()
    {
        final CacheShape shape = CacheShape.perHead(1, 6, 128, KvDtype.BF16);
        assertThatThrownBy(() -> ReshardPlan.of(shape, nhd(4, 16), nhd(2, 16)))
            .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("kvHeads=6").hasMessageContaining("=4");
        final ReshardPlan plan = ReshardPlan.of(shape, nhd(2, 16), nhd(3, 32));
        final KvBlocks blocks = KvBlocks.contiguous(plan.source().layout(shape), 64, 4);
        final ShardCopy copy = plan.copies().get(0);
        assertThatThrownBy(() -> plan.sourceBlocks(copy, blocks, 16, 8))
            .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("firstToken=16")
            .hasMessageContaining("tokensPerBlock=32");
        assertThatThrownBy(() -> plan.sourceBlocks(copy, blocks, 32, 33))
            .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("tokens 32 + 33")
            .hasMessageContaining("64 tokens");
        assertThatThrownBy(() -> plan.request(copy, new KvTransferRequest().layout(plan.destination().layout(shape))
            .blocks(blocks), 0)).isInstanceOf(IllegalArgumentException.class).hasMessageContaining("tokensPerBlock=16");
        assertThatThrownBy(() -> new Sharding(0, 16, HeadOrder.HEAD_MAJOR))
            .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("tpSize=0");
    }

    @Test
    void aRequestKeepsTheSettingsOfTheWhole() throws IllegalAccessException
    {
        final CacheShape shape = CacheShape.perHead(2, 4, 16, KvDtype.BF16);
        final Sharding source = new Sharding(2, 16, HeadOrder.TOKEN_MAJOR);
        final ReshardPlan plan = ReshardPlan.of(shape, source, new Sharding(4, 16, HeadOrder.TOKEN_MAJOR));
        final KvLayout layout = source.layout(shape);
        final KvTransferRequest whole = new KvTransferRequest().requestId(7).layout(layout)
            .blocks(KvBlocks.strided(0, 1 << 20, 1 << 18, layout.partBytes(), new int[]{0})).modelTag("tag")
            .layerwise(true).timeoutNs(1).grantTimeoutNs(2).resumeTimeoutNs(3).priority(KvPriority.HIGH)
            .failurePolicy(KvFailurePolicy.RECOMPUTE).ppRank(1).ppSize(2);

        final KvTransferRequest request = plan.request(plan.copiesFrom(0).get(0), whole, 0);

        final List<String> changed = List.of("layout", "blocks", "tokenCount", "blockHashes", "tpRank", "tpSize");
        for (final Field field : KvTransferRequest.class.getDeclaredFields())
        {
            if (!Modifier.isStatic(field.getModifiers()) && !changed.contains(field.getName()))
            {
                field.setAccessible(true);
                assertThat(field.get(request)).as(field.getName()).isEqualTo(field.get(whole));
            }
        }
    }
}
