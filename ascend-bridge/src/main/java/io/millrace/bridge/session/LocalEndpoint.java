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
package io.millrace.bridge.session;

import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

import io.aeron.Aeron;
import io.aeron.Subscription;
import io.aeron.exceptions.RegistrationException;
import org.agrona.concurrent.AgentInvoker;
import org.agrona.concurrent.status.CountersReader;

/**
 * Where an instance listens. Its channel names the port, also one that the system chose: the subscriptions of sessions
 * and of their transfers come to the next driver in any order, and whichever is first opens the right socket there.
 */
final class LocalEndpoint
{
    private static final long TIMEOUT_NS = TimeUnit.SECONDS.toNanos(10);
    private static final int PORT_ATTEMPTS = 5;

    /**
     * Its tag is random: another instance at the same port is an error, not one more reader of the socket.
     */
    final String channel;
    final int port;
    final Subscription subscription;

    private LocalEndpoint(final String channel, final int port, final Subscription subscription)
    {
        this.channel = channel;
        this.port = port;
        this.subscription = subscription;
    }

    /**
     * Listen.
     *
     * @param ctx with the endpoint.
     * @return with an open subscription for the sessions' own messages.
     */
    static LocalEndpoint open(final KvSessions.Context ctx)
    {
        final int fixedPort = port(ctx.endpoint());
        for (int attempt = 1; ; attempt++)
        {
            final int port = 0 == fixedPort ? choosePort(ctx) : fixedPort;
            final String channel = "aeron:udp?tags=" + ThreadLocalRandom.current().nextLong(1, Long.MAX_VALUE) +
                "|endpoint=" + ctx.bound(port);
            try
            {
                return new LocalEndpoint(channel, port, ctx.aeron().addSubscription(channel, ctx.streamId()));
            }
            catch (final RegistrationException ex)
            {
                // Somebody else may have got the port that was chosen before.
                if (0 != fixedPort || PORT_ATTEMPTS == attempt)
                {
                    throw ex;
                }
            }
        }
    }

    /**
     * Have the driver find a free port: its range of ports may be limited.
     */
    private static int choosePort(final KvSessions.Context ctx)
    {
        final CountersReader counters = ctx.aeron().countersReader();
        final int statusId;
        final int port;
        try (Subscription subscription =
            ctx.aeron().addSubscription("aeron:udp?endpoint=" + ctx.endpoint(), ctx.streamId()))
        {
            await(ctx, "opened", () -> null != subscription.resolvedEndpoint());
            statusId = subscription.channelStatusId();
            port = port(subscription.resolvedEndpoint());
        }
        await(ctx, "closed", () -> CountersReader.RECORD_ALLOCATED != counters.getCounterState(statusId));
        return port;
    }

    private static int port(final String endpoint)
    {
        return Integer.parseInt(endpoint.substring(endpoint.lastIndexOf(':') + 1));
    }

    private static void await(final KvSessions.Context ctx, final String state, final BooleanSupplier condition)
    {
        final Aeron aeron = ctx.aeron();
        final long startNs = System.nanoTime();
        while (!condition.getAsBoolean())
        {
            if (System.nanoTime() - startNs > TIMEOUT_NS)
            {
                throw new IllegalStateException("endpoint " + ctx.endpoint() + " was not " + state +
                    " by the media driver within " + TIMEOUT_NS + " ns, see the driver's error log");
            }
            invoke(aeron.conductorAgentInvoker());
            invoke(aeron.context().driverAgentInvoker());
            Thread.yield();
        }
    }

    private static void invoke(final AgentInvoker invoker)
    {
        if (null != invoker)
        {
            invoker.invoke();
        }
    }
}
