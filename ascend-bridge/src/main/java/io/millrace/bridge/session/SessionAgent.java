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

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;

import io.aeron.FragmentAssembler;
import io.aeron.Subscription;
import io.millrace.bridge.protocol.ClientLink;
import org.agrona.CloseHelper;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.NanoClock;

/**
 * Duty cycle of an instance's sessions, and the way into it for other threads.
 */
final class SessionAgent implements Agent
{
    private static final int FRAGMENT_LIMIT = 32;

    private final KvSessions.Context ctx;
    private final NanoClock clock;
    private final ClientLink client;
    private Subscription subscription;
    private final String localChannel;
    private final FragmentAssembler assembler;
    private final Links links;
    private final SessionLife life;
    private final LinkTimers timers;
    private final ConcurrentLinkedQueue<Runnable> commands = new ConcurrentLinkedQueue<>();
    private volatile boolean isClosed;

    SessionAgent(
        final KvSessions.Context ctx,
        final long incarnation,
        final Subscription subscription,
        final String localEndpoint,
        final String localChannel)
    {
        this.ctx = ctx;
        this.clock = ctx.nanoClock();
        this.subscription = subscription;
        this.localChannel = localChannel;
        client = new ClientLink(ctx);
        final SessionWriter writer = new SessionWriter(ctx.instance(), incarnation, localEndpoint, ctx.counters());
        links = new Links(ctx);
        life = new SessionLife(ctx, links, writer, localChannel);
        timers = new LinkTimers(ctx, links, life, writer);
        assembler = new FragmentAssembler(new SessionReader(
            ctx.instance(), incarnation, new Greetings(ctx, links, life, writer, localEndpoint)));
    }

    public String roleName()
    {
        return "kv-sessions-" + ctx.instance().name();
    }

    public int doWork()
    {
        if (client.isRenewed(clock.nanoTime()))
        {
            renew();
        }
        int workCount = subscription.poll(assembler, FRAGMENT_LIMIT);
        for (Runnable command = commands.poll(); null != command; command = commands.poll())
        {
            command.run();
            workCount++;
        }

        final long nowNs = clock.nanoTime();
        for (int i = links.size() - 1; i >= 0; i--)
        {
            workCount += timers.work(links.get(i), nowNs);
        }
        return workCount;
    }

    public void onClose()
    {
        isClosed = true;
        client.isRenewed(clock.nanoTime());
        for (final Link link : links.copy())
        {
            life.leave(link, "instance " + ctx.instance().name() + " was closed");
        }
        doCommandsOfLateCallers();
        CloseHelper.close(ctx.errorHandler(), subscription);
        client.close();
    }

    /**
     * Listen and write through a new driver. Peers find the same incarnation at the same endpoint: sessions go on.
     */
    private void renew()
    {
        try
        {
            subscription = ctx.aeron().addSubscription(localChannel, ctx.streamId());
            links.registerAll();
        }
        catch (final RuntimeException ex)
        {
            // Without the subscription the client is of no use.
            ctx.errorHandler().onError(ex);
            client.drop();
        }
    }

    private void doCommandsOfLateCallers()
    {
        for (Runnable command = commands.poll(); null != command; command = commands.poll())
        {
            command.run();
        }
    }

    List<KvSession> sessions()
    {
        return links.sessions();
    }

    /**
     * From any thread: ask an endpoint for a session.
     */
    CompletableFuture<KvSession> connect(final String endpoint)
    {
        final CompletableFuture<KvSession> future = new CompletableFuture<>();
        command(() -> connect(endpoint, future));
        return future;
    }

    /**
     * From any thread: do something with the link of a session that has not ended.
     */
    private void withLink(final KvSession session, final Consumer<Link> action)
    {
        command(() ->
        {
            // When closed this may be another thread, and there are no sessions any more.
            for (final Link link : isClosed ? List.<Link>of() : links.copy())
            {
                if (link.session == session)
                {
                    action.accept(link);
                }
            }
        });
    }

    void reportFailure(final KvSession session, final String text)
    {
        withLink(session, link -> life.quarantine(link, clock.nanoTime(), text));
    }

    void probe(final KvSession session)
    {
        withLink(session, link ->
        {
            link.nextProbeNs = clock.nanoTime();
            link.retryNs = link.nextProbeNs;
        });
    }

    void leave(final KvSession session)
    {
        withLink(session, link -> life.leave(link, "closed by " + ctx.instance().name()));
    }

    private void command(final Runnable command)
    {
        commands.add(command);
        if (isClosed)
        {
            doCommandsOfLateCallers();
        }
    }

    private void connect(final String endpoint, final CompletableFuture<KvSession> future)
    {
        if (isClosed)
        {
            future.completeExceptionally(
                new SessionException(SessionError.LEFT, "instance " + ctx.instance().name() + " is closed"));
            return;
        }
        Link link = links.find(endpoint);
        if (null == link)
        {
            if (links.hasAllSessions() || links.isFull())
            {
                future.completeExceptionally(links.overloaded());
                return;
            }
            link = links.add(endpoint);
        }
        if (null != link.session)
        {
            future.complete(link.session);
            return;
        }

        link.waiting.add(future);
        if (!link.isAsking)
        {
            link.isAsking = true;
            link.refusal = null;
            link.nextHelloNs = clock.nanoTime();
            link.bootstrapDeadlineNs = link.nextHelloNs + ctx.bootstrapTimeoutNs();
        }
    }
}
