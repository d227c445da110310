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

/**
 * The instances that this one knows, and its publications to them. Used by the agent only, {@link #sessions} by any
 * thread.
 */
final class Links
{
    private static final int LINKS_PER_SESSION = 2;

    private final KvSessions.Context ctx;
    private final List<Link> links = new ArrayList<>();
    private volatile List<KvSession> sessions = List.of();
    private int nextStreamId;

    Links(final KvSessions.Context ctx)
    {
        this.ctx = ctx;
        nextStreamId = ctx.baseStreamId();
    }

    List<KvSession> sessions()
    {
        return sessions;
    }

    int size()
    {
        return links.size();
    }

    Link get(final int index)
    {
        return links.get(index);
    }

    /**
     * As they are now, for callers that remove some.
     */
    List<Link> copy()
    {
        return new ArrayList<>(links);
    }

    /**
     * May another instance not even be known.
     */
    boolean isFull()
    {
        return links.size() >= ctx.maxSessions() * LINKS_PER_SESSION;
    }

    boolean hasAllSessions()
    {
        return sessions.size() >= ctx.maxSessions();
    }

    SessionException overloaded()
    {
        return new SessionException(SessionError.OVERLOADED, ctx.instance().name() + " has " + sessions.size() +
            " sessions, maxSessions=" + ctx.maxSessions() + ": raise it or connect elsewhere");
    }

    Link find(final String endpoint)
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

    Link find(final long incarnation)
    {
        for (final Link link : links)
        {
            if (null != link.session && link.session.incarnation() == incarnation)
            {
                return link;
            }
        }
        return null;
    }

    Link find(final SessionReader.Hello hello)
    {
        final Link same = find(hello.incarnation());
        final Link known = null != same ? same : find(hello.endpoint());
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

    Link add(final String endpoint)
    {
        final Link link = new Link(endpoint, nextStreamId());
        links.add(link);
        register(link);
        return link;
    }

    int nextStreamId()
    {
        final int streamId = nextStreamId;
        nextStreamId += 2;
        return streamId;
    }

    /**
     * Add all publications to a new driver.
     */
    void registerAll()
    {
        links.forEach(this::register);
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

    /**
     * Get the publication once the driver has it.
     *
     * @return why there is none, null while there is no reason.
     */
    String open(final Link link)
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

    void remove(final Link link)
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

    /**
     * To be called when a session began or ended.
     */
    void onSessionsChanged()
    {
        sessions = links.stream().map(link -> link.session).filter(Objects::nonNull).toList();
        ctx.counters().set(SessionCounter.SESSIONS, sessions.size());
    }
}
