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
package io.millrace.efa.contract;

import io.millrace.efa.libfabric.CompletionBatch;
import io.millrace.efa.libfabric.CompletionError;
import io.millrace.efa.libfabric.EfaErrors;
import io.millrace.efa.libfabric.FabricEndpoint;
import io.millrace.efa.libfabric.FabricErrors;
import io.millrace.efa.libfabric.FabricFlags;
import io.millrace.efa.libfabric.FabricProvider;
import org.agrona.collections.Long2LongHashMap;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BiConsumer;

/**
 * The completion queue as EFA has it, filled from the provider's: of a fixed depth that nothing protects, with
 * completions and arrivals in an order of the weather's, and closed by an error until that is read.
 */
final class CompletionStage implements AutoCloseable
{
    private static final int BATCH = 64;
    private static final int NO_STATUS = 0;

    private final CompletionBatch batch = new CompletionBatch(BATCH);
    private final CompletionError providerError = new CompletionError();
    private final List<StagedCompletion> held = new ArrayList<>();
    private final ArrayDeque<StagedCompletion> ready = new ArrayDeque<>();
    private final ArrayDeque<StagedCompletion> free = new ArrayDeque<>();
    private final Long2LongHashMap statusByContext = new Long2LongHashMap(NO_STATUS);
    private final FabricEndpoint provider;
    private final int depth;
    private final Weather weather;
    private final SplittableRandom random;
    private final Tallies tallies;
    private BiConsumer<ContractRule, String> violations;
    private long polls;
    private int failure;

    CompletionStage(
        final FabricEndpoint provider,
        final int depth,
        final Weather weather,
        final SplittableRandom random,
        final Tallies tallies)
    {
        this.provider = provider;
        this.depth = depth;
        this.weather = weather;
        this.random = random;
        this.tallies = tallies;
    }

    void violations(final BiConsumer<ContractRule, String> violations)
    {
        this.violations = violations;
    }

    /**
     * The completion of an operation that the provider carries out is to be an error.
     */
    void failWhenDone(final long context, final int status)
    {
        statusByContext.put(context, status);
    }

    /**
     * An operation ends with an error without the provider having seen it.
     */
    void fail(final long context, final long flags, final int status)
    {
        final StagedCompletion completion = take();
        completion.setError(FabricProvider.EFA, context, flags, 0, EfaErrors.errno(status), status);
        stage(completion, 1, 0);
    }

    int poll(final CompletionBatch to)
    {
        polls++;
        drain();
        releaseDue();

        final StagedCompletion first = ready.peek();
        if (null == first)
        {
            return failure;
        }

        if (first.isError())
        {
            return -FabricErrors.EAVAIL;
        }

        final int limit = weather.hits(random, weather.queueShortRate()) ?
            random.nextInt(to.capacity()) : to.capacity();
        int count = 0;
        while (count < limit && !ready.isEmpty() && !ready.peek().isError())
        {
            final StagedCompletion completion = ready.remove();
            to.set(count++, completion.context(), completion.flags(), completion.length(), completion.data());
            free.add(completion);
        }

        return count;
    }

    boolean readError(final CompletionError to)
    {
        final StagedCompletion first = ready.peek();
        if (null == first || !first.isError())
        {
            return false;
        }

        ready.remove();
        to.set(first.provider(), first.context(), first.flags(), first.length(), first.errno(), first.providerErrno());
        free.add(first);
        return true;
    }

    @Override
    public void close()
    {
        batch.close();
    }

    /** All there is, as a provider that runs out of room makes its peers wait, which EFA does not. */
    private void drain()
    {
        failure = 0;
        int total = 0;
        int count = 1;
        while (0 != count && 0 == failure && total <= depth)
        {
            count = provider.poll(batch);
            for (int i = 0; i < count; i++)
            {
                onCompletion(i);
            }

            if (-FabricErrors.EAVAIL == count)
            {
                if (provider.readError(providerError))
                {
                    onError();
                }
                total++;
            }
            else
            {
                failure = Math.min(0, count);
                total += count;
            }
        }
    }

    private void onCompletion(final int i)
    {
        final long context = batch.context(i);
        final long flags = batch.flags(i);
        final StagedCompletion completion = take();
        if (batch.isSend(i) || batch.isWrite(i))
        {
            final int status = (int)statusByContext.remove(context);
            if (NO_STATUS != status)
            {
                completion.setError(FabricProvider.EFA, context, flags, 0, EfaErrors.errno(status), status);
            }
            else
            {
                completion.set(context, flags, 0, 0);
            }
            stage(completion, holdPolls(weather.completionHoldRate(), weather.completionHoldPolls()), 0);
        }
        else
        {
            if (batch.isRemoteWrite(i))
            {
                setRemoteWrite(completion, i);
            }
            else
            {
                completion.set(context, flags, batch.length(i), batch.data(i) & WeatherEndpoint.IMMEDIATE_MASK);
            }
            stage(completion, holdPolls(weather.deliveryHoldRate(), weather.deliveryHoldPolls()),
                weather.delayNs(random));
        }
    }

    /** The length travels in the upper half of the immediate where the provider does not tell it, as EFA does. */
    private void setRemoteWrite(final StagedCompletion completion, final int i)
    {
        final long length = batch.length(i);
        completion.set(
            0,
            FabricFlags.RMA | FabricFlags.REMOTE_WRITE | FabricFlags.REMOTE_CQ_DATA,
            0 == length ? batch.data(i) >>> Integer.SIZE : length,
            batch.data(i) & WeatherEndpoint.IMMEDIATE_MASK);
    }

    private void onError()
    {
        statusByContext.remove(providerError.context());
        final StagedCompletion completion = take();
        completion.setError(
            provider.nic().provider(),
            providerError.context(),
            providerError.flags(),
            providerError.length(),
            providerError.errno(),
            providerError.providerErrno());
        stage(completion, 0, 0);
    }

    private int holdPolls(final double rate, final int limit)
    {
        return weather.hits(random, rate) ? 1 + random.nextInt(limit) : 0;
    }

    private void stage(final StagedCompletion completion, final int polls, final long delayNs)
    {
        if (0 == polls && 0 == delayNs)
        {
            queue(completion);
            return;
        }

        if (!completion.isError())
        {
            tallies.held.increment();
        }
        completion.due(this.polls + polls, System.nanoTime() + delayNs);
        held.add(completion);
    }

    private void releaseDue()
    {
        if (held.isEmpty())
        {
            return;
        }

        final long nowNs = System.nanoTime();
        int left = 0;
        for (int i = 0; i < held.size(); i++)
        {
            final StagedCompletion completion = held.get(i);
            if (completion.isDue(polls, nowNs))
            {
                queue(completion);
            }
            else
            {
                held.set(left++, completion);
            }
        }
        held.subList(left, held.size()).clear();
    }

    private void queue(final StagedCompletion completion)
    {
        if (ready.size() < depth)
        {
            ready.add(completion);
        }
        else
        {
            free.add(completion);
            violations.accept(ContractRule.QUEUE_OVERRUN, "the queue has " + depth + " entries");
        }
    }

    private StagedCompletion take()
    {
        final StagedCompletion known = free.poll();
        return null == known ? new StagedCompletion() : known;
    }
}
