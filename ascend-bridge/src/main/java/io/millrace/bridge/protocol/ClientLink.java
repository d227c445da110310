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
package io.millrace.bridge.protocol;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

import io.aeron.Aeron;
import io.millrace.bridge.ClientContext;

/**
 * Watches the Aeron client of an agent. A client dies with its media driver; one that the agent made itself is made
 * anew, off the agent's thread, until a driver answers.
 */
public final class ClientLink
{
    private static final long RETRY_INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(200);
    // To 25 s.
    private static final int MAX_DOUBLINGS = 7;

    private final ClientContext<?> ctx;
    private ClientGuard guard;
    private CompletableFuture<Aeron> connecting;
    private long retryNs;
    private int refusals;
    private boolean isLost;

    /**
     * Watch a client from now on.
     *
     * @param ctx that has it.
     */
    public ClientLink(final ClientContext<?> ctx)
    {
        this.ctx = ctx;
        guard = new ClientGuard(ctx.aeron(), ctx.useAgentInvoker());
    }

    /**
     * Look after the client.
     *
     * @param nowNs on the context's clock.
     * @return true when a new one was connected: publications and subscriptions have to be added again.
     */
    public boolean isRenewed(final long nowNs)
    {
        if (!isLost && !ctx.aeron().isClosed())
        {
            return false;
        }
        if (!isLost)
        {
            lose(nowNs);
        }
        if (!ctx.ownsAeron())
        {
            return false;
        }
        if (null == connecting)
        {
            if (nowNs - retryNs >= 0)
            {
                retryNs = nowNs + RETRY_INTERVAL_NS;
                connecting = CompletableFuture.supplyAsync(ctx::connectClient);
            }
            return false;
        }
        return connecting.isDone() && adopt();
    }

    /**
     * Close a client that is of no use: it is made anew.
     */
    public void drop()
    {
        lose(ctx.nanoClock().nanoTime());
        ctx.aeron().close();
    }

    /**
     * Close what is still being made.
     */
    public void close()
    {
        guard.close();
        if (null != connecting)
        {
            connecting.thenAccept(Aeron::close);
        }
    }

    private void lose(final long nowNs)
    {
        isLost = true;
        retryNs = nowNs;
        // The counters lie in a file of the driver that will be unmapped.
        ctx.onClientLost();
        guard.release();
    }

    private boolean adopt()
    {
        final CompletableFuture<Aeron> done = connecting;
        connecting = null;
        final Aeron aeron;
        try
        {
            aeron = done.join();
        }
        catch (final CompletionException ex)
        {
            // The driver is not there yet: tried again.
            return false;
        }
        final ClientGuard newGuard = new ClientGuard(aeron, ctx.useAgentInvoker());
        try
        {
            ctx.onClientRenewed(aeron);
        }
        catch (final RuntimeException ex)
        {
            // Without its counters the client is of no use: tried again, ever less often while there is no room.
            refusals = Math.min(refusals + 1, MAX_DOUBLINGS);
            retryNs = ctx.nanoClock().nanoTime() + (RETRY_INTERVAL_NS << refusals);
            ctx.onClientLost();
            newGuard.close();
            aeron.close();
            ctx.errorHandler().onError(ex);
            return false;
        }
        guard = newGuard;
        ctx.aeron(aeron);
        isLost = false;
        refusals = 0;
        return true;
    }
}
