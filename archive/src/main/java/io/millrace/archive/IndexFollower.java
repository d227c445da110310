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
package io.millrace.archive;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The thread of a store: brings its index up to date and keeps within its limits, again and again.
 */
final class IndexFollower implements Runnable
{
    private static final Logger LOGGER = LoggerFactory.getLogger(IndexFollower.class);

    private final KvBlockStore store;
    private final KvBlockStore.Context ctx;
    private final BooleanSupplier isClosed;

    IndexFollower(final KvBlockStore store, final KvBlockStore.Context ctx, final BooleanSupplier isClosed)
    {
        this.store = store;
        this.ctx = ctx;
        this.isClosed = isClosed;
    }

    public void run()
    {
        String lastError = null;
        while (!isClosed.getAsBoolean())
        {
            try
            {
                store.update(KvScanProgress.NONE);
                if (!ctx.tagLimits().isEmpty())
                {
                    store.retention().evict(ctx.tagLimits());
                }
                if (ctx.capacityBytes() > 0)
                {
                    store.retention().evict(ctx.capacityBytes());
                }
                lastError = null;
            }
            catch (final RuntimeException ex)
            {
                if (!isClosed.getAsBoolean() && !String.valueOf(ex.getMessage()).equals(lastError))
                {
                    lastError = String.valueOf(ex.getMessage());
                    LOGGER.warn("index is not up to date, tried again every {} ms: {}",
                        TimeUnit.NANOSECONDS.toMillis(ctx.updateIntervalNs()), lastError);
                }
            }
            LockSupport.parkNanos(ctx.updateIntervalNs());
        }
    }
}
