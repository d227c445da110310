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

/**
 * What is due on a link: answers, Hellos until the bootstrap deadline, probes, and attempts to reach who is in
 * quarantine. Used by the agent only.
 */
final class LinkTimers
{
    private final KvSessions.Context ctx;
    private final CounterSet<SessionCounter> counters;
    private final Links links;
    private final SessionLife life;
    private final SessionWriter writer;

    LinkTimers(final KvSessions.Context ctx, final Links links, final SessionLife life, final SessionWriter writer)
    {
        this.ctx = ctx;
        this.counters = ctx.counters();
        this.links = links;
        this.life = life;
        this.writer = writer;
    }

    int work(final Link link, final long nowNs)
    {
        final String failure = links.open(link);
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
            links.remove(link);
            return 1;
        }
        return 0;
    }

    private int ask(final Link link, final long nowNs, final String failure)
    {
        if (null != failure)
        {
            life.fail(link, new SessionException(SessionError.NO_ANSWER, "channel to " + link.endpoint +
                " was refused by the driver: " + failure));
            return 1;
        }
        if (nowNs - link.bootstrapDeadlineNs >= 0)
        {
            counters.increment(SessionCounter.BOOTSTRAP_TIMEOUTS);
            life.fail(link, new SessionException(SessionError.NO_ANSWER, "nobody answered at " + link.endpoint +
                " within " + ctx.bootstrapTimeoutNs() + " ns, bootstrapTimeoutNs" + (null == link.lastAnswer ?
                ": is an instance up there, and its port open for UDP" : "; last " + link.lastAnswer.getMessage())));
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
            life.quarantine(link, nowNs, "no probe was answered for " + (nowNs - link.lastAnswerNs) + " ns");
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
            life.end(link, SessionError.LOST, "silent for " + (nowNs - link.quarantinedNs) + " ns in quarantine");
            links.remove(link);
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
}
