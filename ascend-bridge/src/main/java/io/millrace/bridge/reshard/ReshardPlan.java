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

import java.util.ArrayList;
import java.util.List;

import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.KvTransferInfo;
import io.millrace.bridge.KvTransferRequest;

/**
 * Which heads go from which source rank to which destination rank so that every destination rank gets what it holds
 * once. Where several source ranks hold the same heads, as they do with a latent, one of them sends, and destination
 * ranks are spread over them.
 * <p>
 * What a copy carries is cut into units: the longest runs of tokens and heads that are one range of bytes at both ends.
 * A {@link KvTransferRequest} has them as its blocks, so that a stream knows nothing of ranks.
 */
public final class ReshardPlan
{
    private final CacheShape shape;
    private final Sharding source;
    private final Sharding destination;
    private final List<ShardCopy> copies;

    private ReshardPlan(final CacheShape shape, final Sharding source, final Sharding destination)
    {
        source.check(shape);
        destination.check(shape);
        this.shape = shape;
        this.source = source;
        this.destination = destination;
        copies = copies(shape, source, destination);
    }

    /**
     * Plan the copies.
     *
     * @param shape       of the whole cache.
     * @param source      ranks and blocks of it.
     * @param destination ranks and blocks of it.
     * @return the plan.
     * @throws IllegalArgumentException when the heads do not divide evenly over the ranks.
     */
    public static ReshardPlan of(final CacheShape shape, final Sharding source, final Sharding destination)
    {
        return new ReshardPlan(shape, source, destination);
    }

    private static List<ShardCopy> copies(final CacheShape shape, final Sharding source, final Sharding destination)
    {
        final List<ShardCopy> copies = new ArrayList<>();
        final int sourceHeads = source.headsPerRank(shape);
        final int replicas = source.replicas(shape);
        for (int rank = 0; rank < destination.tpSize(); rank++)
        {
            final int end = destination.firstHead(shape, rank) + destination.headsPerRank(shape);
            int head = destination.firstHead(shape, rank);
            while (head < end)
            {
                final int group = head / sourceHeads;
                final int count = Math.min(end, (group + 1) * sourceHeads) - head;
                copies.add(new ShardCopy(group * replicas + rank % replicas, rank, head, count));
                head += count;
            }
        }
        return List.copyOf(copies);
    }

    /**
     * The whole cache.
     *
     * @return its shape.
     */
    public CacheShape shape()
    {
        return shape;
    }

    /**
     * Side that sends.
     *
     * @return its ranks and blocks.
     */
    public Sharding source()
    {
        return source;
    }

    /**
     * Side that receives.
     *
     * @return its ranks and blocks.
     */
    public Sharding destination()
    {
        return destination;
    }

    /**
     * All copies, at most one for each pair of ranks.
     *
     * @return by destination rank, then by head.
     */
    public List<ShardCopy> copies()
    {
        return copies;
    }

    /**
     * Copies that a source rank makes.
     *
     * @param rank 0 and up.
     * @return none when other ranks send what it holds.
     */
    public List<ShardCopy> copiesFrom(final int rank)
    {
        return copies.stream().filter(copy -> copy.sourceRank() == rank).toList();
    }

    /**
     * Copies that a destination rank gets.
     *
     * @param rank 0 and up.
     * @return one or more.
     */
    public List<ShardCopy> copiesTo(final int rank)
    {
        return copies.stream().filter(copy -> copy.destinationRank() == rank).toList();
    }

    /**
     * Units of a copy, as the layout of the transfer that carries it.
     *
     * @param copy of this plan.
     * @return layout whose blocks are units.
     */
    public KvLayout units(final ShardCopy copy)
    {
        final int tokens = gcd(source.tokensPerBlock(), destination.tokensPerBlock());
        final int heads = copy.headCount();
        return fits(tokens, heads) && (1 == tokens || 1 == heads || source.order() == destination.order()) ?
            unit(tokens, heads) : fits(tokens, 1) ?
            unit(tokens, 1) : fits(1, heads) ? unit(1, heads) : unit(1, 1);
    }

    private boolean fits(final int tokens, final int heads)
    {
        return source.isContiguous(shape, tokens, heads) && destination.isContiguous(shape, tokens, heads);
    }

    private KvLayout unit(final int tokens, final int heads)
    {
        return new KvLayout(shape.layers(), heads, shape.headDim(), shape.dtype(), tokens, shape.parts());
    }

    /**
     * Units of a source rank's blocks.
     *
     * @param copy       of this plan.
     * @param blocks     of the source rank.
     * @param firstToken to send, counted from the first of the blocks; a multiple of the destination's tokens per
     *                   block.
     * @param tokenCount to send, 1 and up.
     * @return what a request sends.
     */
    public KvBlocks sourceBlocks(
        final ShardCopy copy, final KvBlocks blocks, final int firstToken, final int tokenCount)
    {
        check(blocks, source, firstToken, tokenCount);
        if (0 != firstToken % destination.tokensPerBlock())
        {
            throw new IllegalArgumentException("firstToken=" + firstToken + " is within a block of the destination: " +
                "use a multiple of its tokensPerBlock=" + destination.tokensPerBlock());
        }

        final KvLayout units = units(copy);
        return new ShardBlocks(blocks, shape, source, copy.firstHead() - source.firstHead(shape, copy.sourceRank()),
            copy.headCount(), firstToken, tokenCount, units.tokensPerBlock(), units.kvHeads());
    }

    /**
     * Units of a destination rank's blocks.
     *
     * @param copy       of this plan.
     * @param blocks     of the destination rank, the first of which gets the first token that is sent.
     * @param tokenCount that is sent, 1 and up.
     * @return what an allocator grants.
     */
    public KvBlocks destinationBlocks(final ShardCopy copy, final KvBlocks blocks, final int tokenCount)
    {
        check(blocks, destination, 0, tokenCount);
        final KvLayout units = units(copy);
        return destinationBlocks(shape, destination, copy, blocks, tokenCount, units);
    }

    static KvBlocks destinationBlocks(
        final CacheShape shape,
        final Sharding destination,
        final ShardCopy copy,
        final KvBlocks blocks,
        final int tokenCount,
        final KvLayout units)
    {
        return new ShardBlocks(blocks, shape, destination,
            copy.firstHead() - destination.firstHead(shape, copy.destinationRank()), copy.headCount(), 0, tokenCount,
            units.tokensPerBlock(), units.kvHeads());
    }

    /**
     * Request that carries a copy. Hashes of blocks are not carried, as its blocks are units.
     *
     * @param copy       of this plan.
     * @param whole      what the source rank has: its blocks, token count, request id and settings.
     * @param firstToken to send: those before are at the destination already.
     * @return the request for the sender whose receiver is the destination rank.
     */
    public KvTransferRequest request(final ShardCopy copy, final KvTransferRequest whole, final int firstToken)
    {
        whole.validate();
        if (!source.layout(shape).equals(whole.layout()))
        {
            throw new IllegalArgumentException("request has " + whole.layout() + ", a source rank of the plan has " +
                source.layout(shape) + ": use the layout of the plan");
        }

        final int tokens = whole.tokenCount() < 0 ?
            whole.blocks().blockCount() * source.tokensPerBlock() : whole.tokenCount();
        return new KvTransferRequest()
            .requestId(whole.requestId())
            .layout(units(copy))
            .blocks(sourceBlocks(copy, whole.blocks(), firstToken, tokens - firstToken))
            .tokenCount(tokens - firstToken)
            .modelTag(whole.modelTag())
            .layerwise(whole.layerwise())
            .timeoutNs(whole.timeoutNs())
            .grantTimeoutNs(whole.grantTimeoutNs())
            .resumeTimeoutNs(whole.resumeTimeoutNs())
            .priority(whole.priority())
            .failurePolicy(whole.failurePolicy())
            .acquire(whole.acquired())
            .tpRank(copy.sourceRank())
            .tpSize(source.tpSize())
            .ppRank(whole.ppRank())
            .ppSize(whole.ppSize());
    }

    /**
     * What a destination rank that knows its own side only can tell from a transfer.
     *
     * @return null when the source rank has nothing for the destination rank.
     * @throws IllegalArgumentException when the transfer's units do not fit.
     */
    static ShardCopy copyOf(
        final CacheShape shape, final Sharding destination, final int rank, final KvTransferInfo info)
    {
        final KvLayout units = info.layout();
        final Sharding source = new Sharding(info.tpSize(), units.tokensPerBlock(), HeadOrder.TOKEN_MAJOR);
        source.check(shape);
        for (final ShardCopy copy : copies(shape, source, destination))
        {
            if (copy.sourceRank() == info.tpRank() && copy.destinationRank() == rank)
            {
                final long runs = ((long)info.tokenCount() + units.tokensPerBlock() - 1) / units.tokensPerBlock();
                if (units.layers() != shape.layers() || units.headDim() != shape.headDim() ||
                    units.dtype() != shape.dtype() || units.parts() != shape.parts() ||
                    0 != copy.headCount() % units.kvHeads() || 0 == info.tokenCount() ||
                    !destination.isContiguous(shape, units.tokensPerBlock(), units.kvHeads()) ||
                    runs * (copy.headCount() / units.kvHeads()) != info.blockCount())
                {
                    throw new IllegalArgumentException(info.blockCount() + " units of " + units + " for " +
                        info.tokenCount() + " tokens do not carry " + copy + " into " + destination + " of " + shape +
                        ": plan both ends with the same shape and shardings");
                }
                return copy;
            }
        }
        return null;
    }

    private static void check(
        final KvBlocks blocks, final Sharding sharding, final int firstToken, final int tokenCount)
    {
        final long capacity = (long)blocks.blockCount() * sharding.tokensPerBlock();
        if (firstToken < 0 || tokenCount < 1 || firstToken + (long)tokenCount > capacity)
        {
            throw new IllegalArgumentException("tokens " + firstToken + " + " + tokenCount + " are not within the " +
                capacity + " tokens of " + blocks.blockCount() + " blocks of " + sharding.tokensPerBlock());
        }
    }

    private static int gcd(final int a, final int b)
    {
        return 0 == b ? a : gcd(b, a % b);
    }
}
