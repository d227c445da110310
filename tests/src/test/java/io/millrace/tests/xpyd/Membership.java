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
package io.millrace.tests.xpyd;

import io.aeron.Aeron;
import io.aeron.exceptions.AeronException;
import io.millrace.bridge.session.KvInstance;
import io.millrace.bridge.session.KvRole;
import io.millrace.bridge.session.KvSession;
import io.millrace.bridge.session.KvSessionListener;
import io.millrace.bridge.session.KvSessions;
import io.millrace.bridge.session.SessionError;
import io.millrace.samples.demo.ParentLink;
import org.agrona.CloseHelper;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * Sessions of an instance, made anew when its driver is lost. The parent is told which peers are up and down. Prefill
 * instances call decode instances until they answer.
 */
final class Membership implements KvSessionListener, AutoCloseable
{
    private final ParentLink link;
    private final NodeOrders orders;
    private final KvRole role;
    private final Map<String, KvSession> up = new ConcurrentHashMap<>();
    private final Map<String, CompletableFuture<KvSession>> calls = new ConcurrentHashMap<>();
    private Aeron aeron;
    private volatile KvSessions sessions;

    Membership(final ParentLink link, final NodeOrders orders, final KvRole role)
    {
        this.link = link;
        this.orders = orders;
        this.role = role;
    }

    /**
     * Look after the sessions, on the main thread.
     */
    void poll()
    {
        if (null == sessions || aeron.isClosed())
        {
            relaunch();
        }
        else if (KvRole.PREFILL == role)
        {
            for (int i = 0; i < orders.decodeSessions().size(); i++)
            {
                call(i);
            }
        }
    }

    /**
     * Transfers to a peer fail.
     */
    void suspect(final String peer, final String text)
    {
        final KvSession session = up.get(peer);
        final KvSessions current = sessions;
        if (null != session && null != current)
        {
            current.reportFailure(session, text);
        }
    }

    private void call(final int peer)
    {
        final String name = "decode-" + peer;
        final CompletableFuture<KvSession> call = calls.get(name);
        if (!up.containsKey(name) && (null == call || call.isDone()))
        {
            calls.put(name, sessions.connect(orders.decodeSessions().get(peer)));
        }
    }

    private void relaunch()
    {
        close();
        try
        {
            aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(orders.aeronDirectory())
                .errorHandler(ex -> System.err.println("sessions' client: " + ex)));
            sessions = KvSessions.launch(new KvSessions.Context().aeron(aeron).listener(this)
                .endpoint((KvRole.PREFILL == role ? orders.prefillSessions() : orders.decodeSessions())
                    .get(orders.index()))
                .instance(new KvInstance(
                    name(), role, orders.model(), orders.shape(), orders.sharding(), 0, 1, 1, ""))
                .probeIntervalNs(TimeUnit.MILLISECONDS.toNanos(250))
                .minBackoffNs(TimeUnit.MILLISECONDS.toNanos(100)).maxBackoffNs(TimeUnit.SECONDS.toNanos(1))
                .bootstrapTimeoutNs(TimeUnit.SECONDS.toNanos(2))
                .errorHandler(ex -> System.err.println("sessions: " + ex)));
        }
        catch (final AeronException | IllegalStateException ex)
        {
            System.err.println("sessions tried again: " + ex);
        }
    }

    private String name()
    {
        return (KvRole.PREFILL == role ? "prefill-" : "decode-") + orders.index();
    }

    private void tell(final boolean isUp, final KvSession session, final String text)
    {
        if (isUp)
        {
            up.put(session.peer().name(), session);
        }
        else if (KvSession.State.ENDED == session.state())
        {
            up.remove(session.peer().name(), session);
        }
        link.send(ParentLink.event(isUp ? "up" : "down").put("peer", session.peer().name()).put("text", text));
    }

    @Override
    public void onSession(final KvSession session)
    {
        tell(true, session, "");
    }

    @Override
    public void onQuarantine(final KvSession session, final String text)
    {
        tell(false, session, text);
    }

    @Override
    public void onRecovery(final KvSession session)
    {
        tell(true, session, "");
    }

    @Override
    public void onEnd(final KvSession session, final SessionError reason, final String text)
    {
        tell(false, session, reason + ": " + text);
    }

    @Override
    public void close()
    {
        CloseHelper.quietCloseAll(sessions, aeron);
        up.forEach((peer, session) ->
            link.send(ParentLink.event("down").put("peer", peer).put("text", "sessions closed")));
        up.clear();
        calls.clear();
        sessions = null;
    }
}
