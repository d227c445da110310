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

import org.agrona.concurrent.NanoClock;

/**
 * What happens to sessions: begin, quarantine, recovery, end. Each is counted, and the listener is told. Used by the
 * agent only.
 */
final class SessionLife
{
    private final KvSessions.Context ctx;
    private final NanoClock clock;
    private final Links links;
    private final SessionWriter writer;
    private final String localChannel;
    private long quarantined;

    SessionLife(
        final KvSessions.Context ctx, final Links links, final SessionWriter writer, final String localChannel)
    {
        this.ctx = ctx;
        this.clock = ctx.nanoClock();
        this.links = links;
        this.writer = writer;
        this.localChannel = localChannel;
    }

    void begin(final Link link, final SessionReader.Hello hello)
    {
        final KvSession session = new KvSession(ctx.instance(), hello.instance(), hello.incarnation(), hello.endpoint(),
            link.streamId, hello.streamId(), localChannel, ctx.channelParameters());
        link.session = session;
        link.sessionStreamId = link.streamId;
        link.sessionPeerStreamId = hello.streamId();
        link.streamId = links.nextStreamId();
        link.isAsking = false;
        link.lastAnswerNs = clock.nanoTime();
        link.nextProbeNs = link.lastAnswerNs;
        ctx.counters().increment(SessionCounter.ESTABLISHED);
        links.onSessionsChanged();
        tell(() -> ctx.listener().onSession(session));
        link.waiting.forEach(future -> future.complete(session));
        link.waiting.clear();
    }

    /**
     * The peer answered.
     */
    void onAlive(final Link link)
    {
        link.lastAnswerNs = clock.nanoTime();
        if (link.isQuarantined())
        {
            link.session.state(KvSession.State.ESTABLISHED);
            ctx.counters().increment(SessionCounter.RECOVERIES);
            ctx.counters().set(SessionCounter.QUARANTINED, --quarantined);
            link.nextProbeNs = link.lastAnswerNs + ctx.probeIntervalNs();
            tell(() -> ctx.listener().onRecovery(link.session));
        }
    }

    void quarantine(final Link link, final long nowNs, final String text)
    {
        if (link.isQuarantined())
        {
            return;
        }
        link.session.state(KvSession.State.QUARANTINED);
        link.quarantinedNs = nowNs;
        link.backoffNs = ctx.minBackoffNs();
        link.retryNs = nowNs + link.backoffNs;
        ctx.counters().increment(SessionCounter.QUARANTINES);
        ctx.counters().set(SessionCounter.QUARANTINED, ++quarantined);
        tell(() -> ctx.listener().onQuarantine(link.session, text));
    }

    /**
     * End the session, if there is one, tell the peer, and give up the link.
     */
    void leave(final Link link, final String text)
    {
        if (null != link.session)
        {
            writer.bye(link.publication, link.session.incarnation(), text);
            end(link, SessionError.LEFT, text);
        }
        fail(link, new SessionException(SessionError.LEFT, text));
    }

    /**
     * The link stays.
     */
    void end(final Link link, final SessionError reason, final String text)
    {
        final KvSession session = link.session;
        if (link.isQuarantined())
        {
            ctx.counters().set(SessionCounter.QUARANTINED, --quarantined);
        }
        session.state(KvSession.State.ENDED);
        link.session = null;
        links.onSessionsChanged();
        tell(() -> ctx.listener().onEnd(session, reason, text));
    }

    /**
     * Tell those who wait for a session that there will be none, and give up the link.
     */
    void fail(final Link link, final SessionException reason)
    {
        link.waiting.forEach(future -> future.completeExceptionally(reason));
        link.waiting.clear();
        links.remove(link);
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
