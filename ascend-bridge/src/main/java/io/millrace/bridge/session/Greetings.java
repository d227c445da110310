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

import io.millrace.bridge.CounterSet;
import org.agrona.concurrent.NanoClock;

/**
 * Decides on what peers say. A session begins when either side's Hello was answered; from then on only answers to
 * probes and Hellos count as signs of life, since they prove both directions.
 */
final class Greetings implements SessionReader.Handler
{
    private static final int REFUSAL_FACTOR = 20;

    private final KvSessions.Context ctx;
    private final NanoClock clock;
    private final CounterSet<SessionCounter> counters;
    private final Links links;
    private final SessionLife life;
    private final SessionWriter writer;
    private final String localEndpoint;

    Greetings(
        final KvSessions.Context ctx,
        final Links links,
        final SessionLife life,
        final SessionWriter writer,
        final String localEndpoint)
    {
        this.ctx = ctx;
        this.clock = ctx.nanoClock();
        this.counters = ctx.counters();
        this.links = links;
        this.life = life;
        this.writer = writer;
        this.localEndpoint = localEndpoint;
    }

    public void onHello(final SessionReader.Hello hello)
    {
        final boolean isAnswer = 0 != hello.answered();
        Link link = links.find(hello);
        if (null == link)
        {
            if (isAnswer || links.isFull())
            {
                counters.increment(SessionCounter.REFUSALS);
                return;
            }
            link = links.add(hello.endpoint());
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

    private static boolean isSame(final Link link, final SessionReader.Hello hello)
    {
        return null != link.session && link.session.incarnation() == hello.incarnation() && (0 == hello.answered() ||
            link.sessionPeerStreamId == hello.streamId() && link.sessionStreamId == hello.peerStreamId());
    }

    private void onSame(final Link link, final boolean isAnswer)
    {
        if (isAnswer)
        {
            life.onAlive(link);
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
            life.end(link, error, hello.refused().getMessage());
        }
        life.fail(link, hello.refused());
    }

    private void accept(final Link link, final SessionReader.Hello hello)
    {
        final SessionException refusal = null != hello.refusal() ? hello.refusal() :
            links.hasAllSessions() && null == link.session ? links.overloaded() : nameInUse(link, hello);
        link.refusal = refusal;
        if (null != refusal)
        {
            refuse(link, hello, refusal);
            return;
        }

        if (null != link.session)
        {
            counters.increment(SessionCounter.RESTARTS);
            life.end(link, SessionError.RESTARTED, "incarnation " + Long.toHexString(hello.incarnation()) +
                " took the place of " + Long.toHexString(link.session.incarnation()));
        }
        life.begin(link, hello);
    }

    private void refuse(final Link link, final SessionReader.Hello hello, final SessionException refusal)
    {
        counters.increment(SessionCounter.REFUSALS);
        link.refusedUntilNs = clock.nanoTime() + ctx.helloIntervalNs() * REFUSAL_FACTOR;
        if (null != link.session)
        {
            life.end(link, refusal.error(), refusal.getMessage());
        }
        if (0 != hello.answered())
        {
            // It has a session already: say that there is none.
            writer.bye(link.publication, hello.incarnation(), refusal.getMessage());
            life.fail(link, refusal);
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
        for (final Link other : links.copy())
        {
            if (other != link && null != other.session && other.session.peer().name().equals(name))
            {
                if (!other.isQuarantined())
                {
                    return new SessionException(SessionError.NAME_IN_USE, "instance " + name + " is live at " +
                        other.endpoint + ": give each instance a name of its own");
                }
                counters.increment(SessionCounter.RESTARTS);
                life.end(other, SessionError.RESTARTED, name + " is at " + hello.endpoint() + " now");
                links.remove(other);
            }
        }
        return null;
    }

    public void onProbe(final long incarnation, final long timeNs, final boolean isAnswer)
    {
        final Link link = links.find(incarnation);
        if (null != link && isAnswer)
        {
            counters.increment(SessionCounter.PROBE_ANSWERS);
            link.session.roundTripNs(clock.nanoTime() - timeNs);
            life.onAlive(link);
        }
        else if (null != link)
        {
            writer.probe(link.publication, incarnation, timeNs, true);
        }
    }

    public void onBye(final long incarnation, final SessionError reason, final String text)
    {
        final Link link = links.find(incarnation);
        if (null != link)
        {
            life.end(link, reason, "peer: " + text);
            links.remove(link);
        }
    }

    public void onBadMessage(final String text)
    {
        counters.increment(SessionCounter.BAD_MESSAGES);
        ctx.errorHandler().onError(new IllegalArgumentException("at " + localEndpoint + ": " + text));
    }
}
