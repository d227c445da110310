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
package io.millrace.samples.bench;

import io.aeron.Aeron;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.PagedKvCache;
import io.millrace.bridge.device.HostDevice;
import io.millrace.efa.EfaContext;
import io.millrace.efa.EfaCounters;
import io.millrace.efa.EfaMediaDriver;
import io.millrace.samples.demo.BlockContent;
import org.agrona.CloseHelper;
import org.agrona.concurrent.BackoffIdleStrategy;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;

/**
 * A node beside an archive: driver, client and device memory, and the contents that blocks have.
 */
final class TraceNode implements AutoCloseable
{
    private static final long SEED = 1;
    private static final int COUNTERS_LENGTH = 4 << 20;
    private static final long MAX_PARK_NS = TimeUnit.MICROSECONDS.toNanos(100);

    private final AutoCloseable driver;
    private final String description;
    private final Aeron aeron;
    private final HostDevice device = new HostDevice();
    private final PagedKvCache cache;
    private final KvLayout layout;

    TraceNode(
        final boolean isStock,
        final String protocol,
        final Path directory,
        final KvLayout layout,
        final int blocks)
    {
        this.layout = layout;
        final MediaDriver.Context ctx = new MediaDriver.Context()
            .aeronDirectoryName(directory.toString())
            .dirDeleteOnStart(true)
            .dirDeleteOnShutdown(true)
            .counterValuesBufferLength(COUNTERS_LENGTH)
            .threadingMode(ThreadingMode.SHARED)
            .sharedIdleStrategy(idleStrategy());
        if (isStock)
        {
            driver = MediaDriver.launchEmbedded(ctx);
            description = "stock Aeron, UDP";
        }
        else
        {
            final EfaContext efaCtx = new EfaContext();
            if (null != protocol)
            {
                efaCtx.protocol(protocol);
            }
            final EfaMediaDriver efaDriver = EfaMediaDriver.launchEmbedded(ctx, efaCtx);
            driver = efaDriver;
            description =
                "Millrace, " + efaDriver.protocol().protocol() + " (provider " + efaDriver.protocol().provider() + ")";
        }
        // The driver makes a name of its own from the one given.
        aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(ctx.aeronDirectoryName()));
        cache = PagedKvCache.allocate(device, layout, blocks);
    }

    static BackoffIdleStrategy idleStrategy()
    {
        return new BackoffIdleStrategy(20, 50, TimeUnit.MICROSECONDS.toNanos(1), MAX_PARK_NS);
    }

    String description()
    {
        return description;
    }

    Aeron aeron()
    {
        return aeron;
    }

    HostDevice device()
    {
        return device;
    }

    PagedKvCache cache()
    {
        return cache;
    }

    long frames(final int typeId)
    {
        return EfaCounters.sum(aeron.countersReader(), typeId);
    }

    /**
     * Compute a block in device memory.
     */
    void fill(final KvBlocks blocks, final int index, final long hash)
    {
        final byte[] bytes = new byte[layout.partBytes()];
        for (int layer = 0; layer < layout.layers(); layer++)
        {
            for (int part = 0; part < KvLayout.PARTS; part++)
            {
                BlockContent.fill(SEED, hash, layer, part, 0, bytes, bytes.length);
                device.put(blocks.address(layer, part, index), bytes, 0, bytes.length);
            }
        }
    }

    /**
     * Compare a block in device memory with what it must be.
     */
    boolean isSame(final KvBlocks blocks, final int index, final long hash)
    {
        final byte[] expected = new byte[layout.partBytes()];
        final byte[] found = new byte[layout.partBytes()];
        for (int layer = 0; layer < layout.layers(); layer++)
        {
            for (int part = 0; part < KvLayout.PARTS; part++)
            {
                BlockContent.fill(SEED, hash, layer, part, 0, expected, expected.length);
                device.get(blocks.address(layer, part, index), found, 0, found.length);
                if (!Arrays.equals(expected, found))
                {
                    return false;
                }
            }
        }
        return true;
    }

    /**
     * {@inheritDoc}
     */
    public void close()
    {
        CloseHelper.quietCloseAll(aeron, driver, cache, device);
    }
}
