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

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;

import io.aeron.FragmentAssembler;
import io.aeron.Subscription;
import io.millrace.bridge.CounterSet;
import io.millrace.bridge.protocol.ClientLink;
import org.agrona.CloseHelper;
import org.agrona.concurrent.Agent;
import org.agrona.concurrent.NanoClock;

/**
 * Duty cycle of an instance's sessions. A session begins when either side's Hello was answered; from then on only
 * answers to probes and Hellos count as signs of life, since they prove both directions.
 */
final class SessionAgent implements Agent, SessionReader.Handler
{
    private static final int FRAGMENT_LIMIT = 32;
    private static final int REFUSAL_FACTOR = 20;
    private static final int LINKS_PER_SESSION = 2;

    private final KvSessions.Context ctx;
    private final NanoClock clock;
    private final ClientLink client;
    private final CounterSet<SessionCounter> counters;
    private final KvSessionListener listener;
    private Subscription subscription;
    private final String localEndpoint;
    private final String localChannel;
    private final SessionReader reader;
    private final FragmentAssembler assembler;
    private final SessionWriter writer;
    private final List<Link> links = new ArrayList<>();
    private final ConcurrentLinkedQueue<Runnable> commands = new ConcurrentLinkedQueue<>();
    private volatile List<KvSession> sessions = List.of();
    private volatile boolean isClosed;
    private int nextStreamId;
    private long quarantined;

    SessionAgent(
        final KvSessions.Context ctx,
        final long incarnation,
        final Subscription subscription,
        final String localEndpoint,
        final String localChannel)
    {
        this.ctx = ctx;
        this.clock = ctx.nanoClock();
        client = new ClientLink(ctx);
        this.counters = ctx.counters();
        this.listener = ctx.listener();
        this.subscription = subscription;
        this.localEndpoint = localEndpoint;
        this.localChannel = localChannel;
        this.nextStreamId = ctx.baseStreamId();
        reader = new SessionReader(ctx.instance(), incarnation, this);
        assembler = new FragmentAssembler(reader);
        writer = new SessionWriter(ctx.instance(), incarnation, localEndpoint, counters);
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
            workCount += work(links.get(i), nowNs);
        }
        return workCount;
    }

    public void onClose()
    {
        isClosed = true;
        client.isRenewed(clock.nanoTime());
        for (final Link link : new ArrayList<>(links))
        {
            leave(link, "instance " + ctx.instance().name() + " was closed");
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
            links.forEach(this::register);
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
        return sessions;
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
            for (final Link link : isClosed ? List.<Link>of() : new ArrayList<>(links))
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
        withLink(session, link -> quarantine(link, clock.nanoTime(), text));
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
        withLink(session, link -> leave(link, "closed by " + ctx.instance().name()));
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
        Link link = find(endpoint);
        if (null == link)
        {
            if (sessions.size() >= ctx.maxSessions() || links.size() >= ctx.maxSessions() * LINKS_PER_SESSION)
            {
                future.completeExceptionally(new SessionException(SessionError.OVERLOADED, overloaded()));
                return;
            }
            link = add(endpoint);
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

    private String overloaded()
    {
        return ctx.instance().name() + " has " + sessions.size() + " sessions, maxSessions=" + ctx.maxSessions() +
            ": raise it or connect elsewhere";
    }

    private Link add(final String endpoint)
    {
        final Link link = new Link(endpoint, nextStreamId());
        links.add(link);
        register(link);
        return link;
    }

    private void register(final Link link)
    {
        link.publication = null;
        link.registrationId = Link.NOT_ADDED;
        try
        {
            link.registrationId = ctx.aeron().asyncAddExclusivePublication(
                "aeron:udp?endpoint=" + link.endpoint + "|term-length=64k", ctx.streamId());
        }
        catch (final RuntimeException ex)
        {
            ctx.errorHandler().onError(ex);
        }
    }

    private int nextStreamId()
    {
        final int streamId = nextStreamId;
        nextStreamId += 2;
        return streamId;
    }

    private Link find(final String endpoint)
    {
        for (final Link link : links)
        {
            if (link.endpoint.equals(endpoint))
            {
                return link;
            }
        }
        return null;
    }

    private int work(final Link link, final long nowNs)
    {
        final String failure = open(link);
        if (link.isAnswerDue && writer.hello(link.publication, link.answerTo,
            null == link.session ? link.streamId : link.sessionStreamId,
            null == link.session ? 0 : link.sessionPeerStreamId, link.refusal))
        {
            link.isAnswerDue = false;
        }

        if (null != link.session)
        {
            return KvSession.State.QUARANTINED == link.session.state() ? retry(link, nowNs) : watch(link, nowNs);
        }
        if (link.isAsking)
        {
            return ask(link, nowNs, failure);
        }
        if (nowNs - link.refusedUntilNs >= 0)
        {
            remove(link);
            return 1;
        }
        return 0;
    }

    /**
     * Get the publication once the driver has it.
     *
     * @return why there is none, null while there is no reason.
     */
    private String open(final Link link)
    {
        if (null == link.publication && Link.NOT_ADDED != link.registrationId)
        {
            try
            {
                link.publication = ctx.aeron().getExclusivePublication(link.registrationId);
            }
            catch (final RuntimeException ex)
            {
                link.registrationId = Link.NOT_ADDED;
                return ex.getMessage();
            }
        }
        return null == link.publication && Link.NOT_ADDED == link.registrationId ? "no publication" : null;
    }

    private int ask(final Link link, final long nowNs, final String failure)
    {
        if (null != failure)
        {
            fail(link, new SessionException(SessionError.NO_ANSWER, "channel to " + link.endpoint +
                " was refused by the driver: " + failure));
            return 1;
        }
        if (nowNs - link.bootstrapDeadlineNs >= 0)
        {
            counters.increment(SessionCounter.BOOTSTRAP_TIMEOUTS);
            fail(link, new SessionException(SessionError.NO_ANSWER, "nobody answered at " + link.endpoint + " within " +
                ctx.bootstrapTimeoutNs() + " ns, bootstrapTimeoutNs" + (null == link.lastAnswer ? ": is an instance " +
                "up there, and its port open for UDP" : "; last " + link.lastAnswer.getMessage())));
            return 1;
        }
        if (nowNs - link.nextHelloNs >= 0 && writer.hello(link.publication, 0, link.streamId, 0, null))
        {
            link.nextHelloNs = nowNs + ctx.helloIntervalNs();
            return 1;
        }
        return 0;
    }

    private int watch(final Link link, final long nowNs)
    {
        if (nowNs - link.lastAnswerNs >= ctx.probeTimeoutNs())
        {
            quarantine(link, nowNs, "no probe was answered for " + (nowNs - link.lastAnswerNs) + " ns");
            return 1;
        }
        if (nowNs - link.nextProbeNs >= 0 &&
            writer.probe(link.publication, link.session.incarnation(), nowNs, false))
        {
            counters.increment(SessionCounter.PROBES);
            link.nextProbeNs = nowNs + ctx.probeIntervalNs();
            return 1;
        }
        return 0;
    }

    private int retry(final Link link, final long nowNs)
    {
        if (nowNs - link.quarantinedNs >= ctx.forgetTimeoutNs())
        {
            counters.increment(SessionCounter.LOST);
            end(link, SessionError.LOST, "silent for " + (nowNs - link.quarantinedNs) + " ns in quarantine");
            remove(link);
            return 1;
        }
        if (nowNs - link.retryNs >= 0)
        {
            counters.increment(SessionCounter.RETRIES);
            // The probe finds the same incarnation, the Hello one that took its place.
            writer.probe(link.publication, link.session.incarnation(), nowNs, false);
            writer.hello(link.publication, 0, link.streamId, 0, null);
            link.retryNs = nowNs + link.backoffNs;
            link.backoffNs = Math.min(link.backoffNs * 2, ctx.maxBackoffNs());
            return 1;
        }
        return 0;
    }

    public void onHello(final SessionReader.Hello hello)
    {
        final boolean isAnswer = 0 != hello.answered();
        Link link = find(hello);
        if (null == link)
        {
            if (isAnswer || links.size() >= ctx.maxSessions() * LINKS_PER_SESSION)
            {
                counters.increment(SessionCounter.REFUSALS);
                return;
            }
            link = add(hello.endpoint());
            link.refusedUntilNs = clock.nanoTime() + ctx.helloIntervalNs() * REFUSAL_FACTOR;
        }

        if (null != hello.refused() && isAnswer)
        {
            onRefused(link, hello);
        }
        else if (isSame(link, hello))
        {
            onSame(link, isAnswer);
        }
        else if (isAnswer && link.streamId != hello.peerStreamId())
        {
            // It keeps a session that this side has forgotten: it has to end it before there can be another.
            writer.bye(link.publication, hello.incarnation(), "session was forgotten by " + ctx.instance().name());
        }
        else
        {
            accept(link, hello);
        }
        if (!isAnswer)
        {
            link.isAnswerDue = true;
            link.answerTo = hello.incarnation();
        }
    }

    private Link find(final SessionReader.Hello hello)
    {
        for (final Link link : links)
        {
            if (null != link.session && link.session.incarnation() == hello.incarnation())
            {
                return link;
            }
        }
        final Link known = find(hello.endpoint());
        if (null == known && 0 != hello.answered())
        {
            for (final Link link : links)
            {
                // Asked under another name than the instance gives its endpoint.
                if (link.streamId == hello.peerStreamId())
                {
                    return link;
                }
            }
        }
        return known;
    }

    private static boolean isSame(final Link link, final SessionReader.Hello hello)
    {
        return null != link.session && link.session.incarnation() == hello.incarnation() && (0 == hello.answered() ||
            link.sessionPeerStreamId == hello.streamId() && link.sessionStreamId == hello.peerStreamId());
    }

    private void onSame(final Link link, final boolean isAnswer)
    {
        if (isAnswer)
        {
            onAlive(link);
        }
        else if (link.isQuarantined())
        {
            link.retryNs = clock.nanoTime();
        }
    }

    private void onRefused(final Link link, final SessionReader.Hello hello)
    {
        counters.increment(SessionCounter.REFUSALS);
        final SessionError error = hello.refused().error();
        if (null == link.session && (SessionError.NAME_IN_USE == error || SessionError.OVERLOADED == error))
        {
            link.lastAnswer = hello.refused();
            return;
        }
        if (null != link.session)
        {
            end(link, error, hello.refused().getMessage());
        }
        fail(link, hello.refused());
    }

    private void accept(final Link link, final SessionReader.Hello hello)
    {
        final SessionException refusal = null != hello.refusal() ? hello.refusal() :
            sessions.size() >= ctx.maxSessions() && null == link.session ?
            new SessionException(SessionError.OVERLOADED, overloaded()) : nameInUse(link, hello);
        link.refusal = refusal;
        if (null != refusal)
        {
            refuse(link, hello, refusal);
            return;
        }

        if (null != link.session)
        {
            counters.increment(SessionCounter.RESTARTS);
            end(link, SessionError.RESTARTED, "incarnation " + Long.toHexString(hello.incarnation()) +
                " took the place of " + Long.toHexString(link.session.incarnation()));
        }
        final KvSession session = new KvSession(ctx.instance(), hello.instance(), hello.incarnation(), hello.endpoint(),
            link.streamId, hello.streamId(), localChannel, ctx.channelParameters());
        link.session = session;
        link.sessionStreamId = link.streamId;
        link.sessionPeerStreamId = hello.streamId();
        link.streamId = nextStreamId();
        link.isAsking = false;
        link.lastAnswerNs = clock.nanoTime();
        link.nextProbeNs = link.lastAnswerNs;
        counters.increment(SessionCounter.ESTABLISHED);
        snapshot();
        tell(() -> listener.onSession(session));
        link.waiting.forEach(future -> future.complete(session));
        link.waiting.clear();
    }

    private void refuse(final Link link, final SessionReader.Hello hello, final SessionException refusal)
    {
        counters.increment(SessionCounter.REFUSALS);
        link.refusedUntilNs = clock.nanoTime() + ctx.helloIntervalNs() * REFUSAL_FACTOR;
        if (null != link.session)
        {
            end(link, refusal.error(), refusal.getMessage());
        }
        if (0 != hello.answered())
        {
            // It has a session already: say that there is none.
            writer.bye(link.publication, hello.incarnation(), refusal.getMessage());
            fail(link, refusal);
        }
    }

    /**
     * A name belongs to one instance; one in quarantine loses it to the newcomer, which is most likely the same
     * instance on another port.
     */
    private SessionException nameInUse(final Link link, final SessionReader.Hello hello)
    {
        final String name = hello.instance().name();
        if (ctx.instance().name().equals(name))
        {
            return new SessionException(SessionError.NAME_IN_USE, "both instances are named " + name +
                ": give each a name of its own");
        }
        for (final Link other : new ArrayList<>(links))
        {
            if (other != link && null != other.session && other.session.peer().name().equals(name))
            {
                if (!other.isQuarantined())
                {
                    return new SessionException(SessionError.NAME_IN_USE, "instance " + name + " is live at " +
                        other.endpoint + ": give each instance a name of its own");
                }
                counters.increment(SessionCounter.RESTARTS);
                end(other, SessionError.RESTARTED, name + " is at " + hello.endpoint() + " now");
                remove(other);
            }
        }
        return null;
    }

    public void onProbe(final long incarnation, final long timeNs, final boolean isAnswer)
    {
        for (final Link link : links)
        {
            if (null != link.session && link.session.incarnation() == incarnation)
            {
                if (isAnswer)
                {
                    counters.increment(SessionCounter.PROBE_ANSWERS);
                    link.session.roundTripNs(clock.nanoTime() - timeNs);
                    onAlive(link);
                }
                else
                {
                    writer.probe(link.publication, incarnation, timeNs, true);
                }
                return;
            }
        }
    }

    public void onBye(final long incarnation, final SessionError reason, final String text)
    {
        for (final Link link : new ArrayList<>(links))
        {
            if (null != link.session && link.session.incarnation() == incarnation)
            {
                end(link, reason, "peer: " + text);
                remove(link);
            }
        }
    }

    public void onBadMessage(final String text)
    {
        counters.increment(SessionCounter.BAD_MESSAGES);
        ctx.errorHandler().onError(new IllegalArgumentException("at " + localEndpoint + ": " + text));
    }

    private void onAlive(final Link link)
    {
        link.lastAnswerNs = clock.nanoTime();
        if (link.isQuarantined())
        {
            link.session.state(KvSession.State.ESTABLISHED);
            counters.increment(SessionCounter.RECOVERIES);
            counters.set(SessionCounter.QUARANTINED, --quarantined);
            link.nextProbeNs = link.lastAnswerNs + ctx.probeIntervalNs();
            tell(() -> listener.onRecovery(link.session));
        }
    }

    private void quarantine(final Link link, final long nowNs, final String text)
    {
        if (link.isQuarantined())
        {
            return;
        }
        link.session.state(KvSession.State.QUARANTINED);
        link.quarantinedNs = nowNs;
        link.backoffNs = ctx.minBackoffNs();
        link.retryNs = nowNs + link.backoffNs;
        counters.increment(SessionCounter.QUARANTINES);
        counters.set(SessionCounter.QUARANTINED, ++quarantined);
        tell(() -> listener.onQuarantine(link.session, text));
    }

    private void leave(final Link link, final String text)
    {
        if (null != link.session)
        {
            writer.bye(link.publication, link.session.incarnation(), text);
            end(link, SessionError.LEFT, text);
        }
        fail(link, new SessionException(SessionError.LEFT, text));
    }

    private void end(final Link link, final SessionError reason, final String text)
    {
        final KvSession session = link.session;
        if (link.isQuarantined())
        {
            counters.set(SessionCounter.QUARANTINED, --quarantined);
        }
        session.state(KvSession.State.ENDED);
        link.session = null;
        snapshot();
        tell(() -> listener.onEnd(session, reason, text));
    }

    private void fail(final Link link, final SessionException reason)
    {
        link.waiting.forEach(future -> future.completeExceptionally(reason));
        link.waiting.clear();
        remove(link);
    }

    private void remove(final Link link)
    {
        links.remove(link);
        if (null != link.publication)
        {
            link.publication.close();
        }
        else if (Link.NOT_ADDED != link.registrationId && !ctx.aeron().isClosed())
        {
            ctx.aeron().asyncRemovePublication(link.registrationId);
        }
    }

    private void snapshot()
    {
        sessions = links.stream().map(link -> link.session).filter(Objects::nonNull).toList();
        counters.set(SessionCounter.SESSIONS, sessions.size());
    }

    private void tell(final Runnable callback)
    {
        try
        {
            callback.run();
        }
        catch (final RuntimeException ex)
        {
            ctx.errorHandler().onError(ex);
        }
    }
}
