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

import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;

/**
 * An endpoint on which things go wrong as on EFA, by seed.
 */
final class WeatherEndpoint extends ForwardingEndpoint<FabricEndpoint>
{
    static final long IMMEDIATE_MASK = 0xFFFF_FFFFL;

    /** The provider is to carry an operation out. */
    private static final long PROCEED = 1;
    private static final long SEND_FLAGS = FabricFlags.SEND | FabricFlags.MSG;
    private static final long WRITE_FLAGS = FabricFlags.WRITE | FabricFlags.RMA;

    private final Weather weather;
    private final SplittableRandom random;
    private final SplittableRandom fates;
    private final Tallies tallies;
    private final AtomicInteger deathsLeft;
    private final CompletionStage completions;
    private final int cqDepth;
    private int eagainLeft;
    private long operations;
    private boolean isDead;
    private boolean isDrawn;
    private int status;
    private boolean isLost;
    private boolean isSilent;

    WeatherEndpoint(
        final FabricEndpoint provider,
        final DeviceLimits device,
        final Weather weather,
        final SplittableRandom random,
        final Tallies tallies,
        final AtomicInteger deathsLeft)
    {
        super(provider);
        this.weather = weather;
        this.random = random;
        fates = random.split();
        this.tallies = tallies;
        this.deathsLeft = deathsLeft;
        cqDepth = DeviceLimits.depth(device.cqDepth(), provider.cqDepth());
        completions = new CompletionStage(provider, cqDepth, weather, random, tallies);
    }

    /**
     * Whom to tell of violations that are seen while the queue is read.
     */
    void violations(final BiConsumer<ContractRule, String> violations)
    {
        completions.violations(violations);
    }

    /**
     * End an operation with an error that EFA would answer with, without the provider having seen it.
     */
    void fail(final long context, final long flags, final EfaErrors error)
    {
        completions.fail(context, flags, error.number());
    }

    @Override
    public int cqDepth()
    {
        return cqDepth;
    }

    @Override
    public long send(
        final long address,
        final int length,
        final long descriptor,
        final long immediate,
        final long fiAddr,
        final long context)
    {
        final long fate = fate(context, SEND_FLAGS);
        if (PROCEED != fate)
        {
            return fate;
        }

        return failing(below.send(address, length, descriptor, immediate, fiAddr, context), context);
    }

    @Override
    public long inject(final long address, final int length, final long immediate, final long fiAddr)
    {
        if (isRefused())
        {
            return -FabricErrors.EAGAIN;
        }

        draw();
        final long result = isLost ? 0 : below.inject(address, length, immediate, fiAddr);
        isDrawn = 0 != result;
        if (0 == result && 0 != status)
        {
            lose(0, SEND_FLAGS);
        }

        return result;
    }

    @Override
    public long receive(final long address, final long length, final long descriptor, final long context)
    {
        return isDead || isEagain() ? -FabricErrors.EAGAIN : below.receive(address, length, descriptor, context);
    }

    @Override
    public long write(
        final long address,
        final long length,
        final long descriptor,
        final long fiAddr,
        final long remoteAddress,
        final long key,
        final long context)
    {
        final long fate = fate(context, WRITE_FLAGS);
        if (PROCEED != fate)
        {
            return fate;
        }

        return failing(
            below.write(address, length, descriptor, fiAddr, remoteAddress, key, context), context);
    }

    @Override
    public long writeData(
        final long address,
        final long length,
        final long descriptor,
        final long immediate,
        final long fiAddr,
        final long remoteAddress,
        final long key,
        final long context)
    {
        final long fate = fate(context, WRITE_FLAGS);
        if (PROCEED != fate)
        {
            return fate;
        }

        final long wide = below.immediateLength() < Long.BYTES ? immediate : immediate | length << Integer.SIZE;
        return failing(
            isSilent ?
                below.write(address, length, descriptor, fiAddr, remoteAddress, key, context) :
                below.writeData(address, length, descriptor, wide, fiAddr, remoteAddress, key, context),
            context);
    }

    @Override
    public int poll(final CompletionBatch batch)
    {
        return isDead ? 0 : completions.poll(batch);
    }

    @Override
    public boolean readError(final CompletionError error)
    {
        return !isDead && completions.readError(error);
    }

    @Override
    public int pollEvents()
    {
        return isDead ? 1 : below.pollEvents();
    }

    @Override
    public String eventErrorText()
    {
        return isDead ? "the rail died of the weather, " + FabricErrors.text(FabricErrors.EIO) + " (" +
            FabricErrors.EIO + "), " + EfaErrors.text(EfaErrors.LOCAL_QP_INTERNAL.number()) : below.eventErrorText();
    }

    @Override
    public void close()
    {
        try
        {
            below.close();
        }
        finally
        {
            completions.close();
        }
    }

    /** Result of the next operation if the weather decides it, else {@link #PROCEED}. */
    private long fate(final long context, final long flags)
    {
        if (isRefused())
        {
            return -FabricErrors.EAGAIN;
        }

        draw();
        if (isLost)
        {
            lose(context, flags);
            return 0;
        }

        return PROCEED;
    }

    private boolean isRefused()
    {
        return isDead || isEagain() || isDying();
    }

    private boolean isEagain()
    {
        if (0 == eagainLeft && weather.hits(random, weather.eagainRate()))
        {
            eagainLeft = 1 + random.nextInt(weather.eagainBurst());
        }

        if (eagainLeft > 0)
        {
            eagainLeft--;
            tallies.eagains.increment();
            return true;
        }

        return false;
    }

    private boolean isDying()
    {
        operations++;
        if ((operations == weather.deathOperations() || weather.hits(random, weather.deathRate())) &&
            deathsLeft.getAndUpdate((left) -> Math.max(0, left - 1)) > 0)
        {
            isDead = true;
            tallies.deaths.increment();
        }

        return isDead;
    }

    /** What becomes of the next operation, which is the same however often it is refused before. */
    private void draw()
    {
        if (!isDrawn)
        {
            isDrawn = true;
            status = weather.errorStatus(fates);
            isLost = 0 != status && !weather.hits(fates, weather.errorDeliveredRate());
            // A write that fails may have left its bytes at the peer without having told it.
            isSilent = 0 != status && fates.nextBoolean();
        }
    }

    private void lose(final long context, final long flags)
    {
        isDrawn = false;
        tallies.errors.increment();
        completions.fail(context, flags, status);
    }

    private long failing(final long result, final long context)
    {
        if (0 == result)
        {
            isDrawn = false;
            if (0 != status)
            {
                tallies.errors.increment();
                completions.failWhenDone(context, status);
            }
        }

        return result;
    }
}
