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
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

import io.aeron.Aeron;
import io.aeron.exceptions.ConfigurationException;
import io.millrace.bridge.CounterSet;
import org.agrona.concurrent.AgentInvoker;
import org.agrona.concurrent.AgentRunner;
import org.slf4j.LoggerFactory;

/**
 * Sessions of one instance with its peers. It listens on one UDP endpoint, whose port may be the system's choice, for
 * its own messages and for all streams of its sessions. Peers join by {@link #connect} of either side, at any time.
 */
public final class KvSessions implements AutoCloseable
{
    /**
     * Property for the endpoint to listen on.
     */
    public static final String ENDPOINT_PROP_NAME = "millrace.kv.session.endpoint";

    /**
     * Endpoint to listen on.
     */
    public static final String ENDPOINT_DEFAULT = "localhost:0";

    /**
     * Property for the time that a peer has for its first answer.
     */
    public static final String BOOTSTRAP_TIMEOUT_PROP_NAME = "millrace.kv.session.bootstrap.timeout";

    /**
     * Time that a peer has for its first answer.
     */
    public static final long BOOTSTRAP_TIMEOUT_NS_DEFAULT = TimeUnit.SECONDS.toNanos(10);

    /**
     * Property for the time between probes.
     */
    public static final String PROBE_INTERVAL_PROP_NAME = "millrace.kv.session.probe.interval";

    /**
     * Time between probes.
     */
    public static final long PROBE_INTERVAL_NS_DEFAULT = TimeUnit.SECONDS.toNanos(1);

    /**
     * Property for the silence after which a peer goes into quarantine.
     */
    public static final String PROBE_TIMEOUT_PROP_NAME = "millrace.kv.session.probe.timeout";

    /**
     * Silence after which a peer goes into quarantine.
     */
    public static final long PROBE_TIMEOUT_NS_DEFAULT = TimeUnit.SECONDS.toNanos(3);

    /**
     * Property for the time in quarantine after which a session is lost.
     */
    public static final String FORGET_TIMEOUT_PROP_NAME = "millrace.kv.session.forget.timeout";

    /**
     * Time in quarantine after which a session is lost.
     */
    public static final long FORGET_TIMEOUT_NS_DEFAULT = TimeUnit.SECONDS.toNanos(60);

    /**
     * Stream of the sessions' own messages.
     */
    public static final int STREAM_ID_DEFAULT = 9104;

    /**
     * First stream of transfers.
     */
    public static final int BASE_STREAM_ID_DEFAULT = 20_000;

    /**
     * Sessions at a time.
     */
    public static final int MAX_SESSIONS_DEFAULT = 256;

    private static final int MAX_SESSIONS = 65536;

    private final Context ctx;
    private final long incarnation = ThreadLocalRandom.current().nextLong(1, Long.MAX_VALUE);
    private final String endpoint;
    private final SessionAgent agent;
    private final AgentRunner runner;
    private final AgentInvoker invoker;

    private KvSessions(final Context ctx)
    {
        this.ctx = ctx;
        ctx.conclude();
        try
        {
            final LocalEndpoint local = LocalEndpoint.open(ctx);
            endpoint = ctx.host() + ":" + local.port;
            agent = new SessionAgent(ctx, incarnation, local.subscription, endpoint, local.channel);
        }
        catch (final RuntimeException ex)
        {
            ctx.closeOwned();
            throw ex;
        }

        if (ctx.useAgentInvoker())
        {
            runner = null;
            invoker = new AgentInvoker(ctx.errorHandler(), null, agent);
            invoker.start();
        }
        else
        {
            invoker = null;
            runner = new AgentRunner(ctx.idleStrategy(), ctx.errorHandler(), null, agent);
            AgentRunner.startOnThread(runner, ctx.threadFactory());
        }
    }

    static String configuredEndpoint()
    {
        return System.getProperty(ENDPOINT_PROP_NAME, ENDPOINT_DEFAULT);
    }

    /**
     * Start with a context that is not used for anything else.
     *
     * @param ctx to conclude and use.
     * @return the running sessions.
     */
    public static KvSessions launch(final Context ctx)
    {
        return new KvSessions(ctx);
    }

    /**
     * Ask an instance for a session. May be called from any thread.
     *
     * @param peerEndpoint host:port that it listens on.
     * @return completes with the session, the one there is already if so; or with a {@link SessionException} when the
     * peer refuses, or does not answer before the bootstrap deadline.
     */
    public CompletableFuture<KvSession> connect(final String peerEndpoint)
    {
        if (null == peerEndpoint || !SessionReader.ENDPOINT.matcher(peerEndpoint).matches())
        {
            throw new IllegalArgumentException("endpoint '" + peerEndpoint + "' is not host:port");
        }
        return agent.connect(peerEndpoint);
    }

    /**
     * Put a peer in quarantine, for one whose transfers fail. May be called from any thread.
     *
     * @param session of the peer.
     * @param text    why, for a person.
     */
    public void reportFailure(final KvSession session, final String text)
    {
        agent.reportFailure(session, text);
    }

    /**
     * Probe a peer now, also one in quarantine. May be called from any thread.
     *
     * @param session of the peer.
     */
    public void probe(final KvSession session)
    {
        agent.probe(session);
    }

    /**
     * End a session and tell the peer. May be called from any thread.
     *
     * @param session to end.
     */
    public void leave(final KvSession session)
    {
        agent.leave(session);
    }

    /**
     * Sessions that have not ended.
     *
     * @return as they are now, those in quarantine included.
     */
    public List<KvSession> sessions()
    {
        return agent.sessions();
    }

    /**
     * Where this instance listens, for peers to connect to.
     *
     * @return host:port.
     */
    public String endpoint()
    {
        return endpoint;
    }

    /**
     * This start of the instance.
     *
     * @return random, non-zero.
     */
    public long incarnation()
    {
        return incarnation;
    }

    /**
     * Counters of the sessions.
     *
     * @return the counters.
     */
    public CounterSet<SessionCounter> counters()
    {
        return ctx.counters();
    }

    /**
     * Invoker to call in a duty cycle of the caller's.
     *
     * @return null unless {@link Context#useAgentInvoker(boolean)} was set.
     */
    public AgentInvoker invoker()
    {
        return invoker;
    }

    /**
     * Settings.
     *
     * @return the concluded context.
     */
    public Context context()
    {
        return ctx;
    }

    /**
     * Leave all sessions and tell the peers.
     */
    public void close()
    {
        if (null != runner)
        {
            runner.close();
        }
        else
        {
            invoker.close();
        }
        ctx.closeOwned();
    }

    /**
     * Settings of {@link KvSessions}.
     */
    public static final class Context extends KvSessionSettings<Context>
    {
        private String endpoint = KvSessions.configuredEndpoint();
        private String advertisedHost;
        private int streamId = STREAM_ID_DEFAULT;
        private int baseStreamId = BASE_STREAM_ID_DEFAULT;
        private String channelParameters = "|term-length=16m";
        private int maxSessions = MAX_SESSIONS_DEFAULT;
        private KvInstance instance;
        private KvSessionListener listener = new KvSessionListener()
        {
        };
        private CounterSet<SessionCounter> counters;
        private boolean ownsCounters;

        /**
         * With defaults.
         */
        public Context()
        {
        }

        /**
         * Check what was set and create what was not. Called by {@link KvSessions#launch}.
         */
        void conclude()
        {
            if (null == instance)
            {
                throw new ConfigurationException("instance must be set");
            }
            if (null == endpoint || !SessionReader.ENDPOINT.matcher(endpoint).matches())
            {
                throw new ConfigurationException("endpoint '" + endpoint + "' is not host:port");
            }
            final String host = host();
            if ("0.0.0.0".equals(host) || "[::]".equals(host))
            {
                throw new ConfigurationException("endpoint " + endpoint +
                    " is no address that peers can send to: set advertisedHost");
            }
            if (maxSessions < 1 || maxSessions > MAX_SESSIONS)
            {
                throw new ConfigurationException(
                    "maxSessions=" + maxSessions + " is out of range: use 1 to " + MAX_SESSIONS);
            }
            concludeTimes();
            if (null == errorHandler())
            {
                errorHandler(ex -> LoggerFactory.getLogger(KvSessions.class).error("{}", instance.name(), ex));
            }
            connect();
            if (null == counters)
            {
                ownsCounters = true;
                counters = CounterSet.allocate(aeron(), SessionCounter.class, instance.name());
            }
        }

        void closeOwned()
        {
            if (ownsCounters && !aeron().isClosed())
            {
                counters.close();
            }
            disconnect();
        }

        /**
         * {@inheritDoc}
         */
        protected Context self()
        {
            return this;
        }

        /**
         * {@inheritDoc}
         */
        public void onClientLost()
        {
            counters.detach();
        }

        /**
         * {@inheritDoc}
         */
        public void onClientRenewed(final Aeron client)
        {
            counters.attach(client);
            counters.increment(SessionCounter.RECONNECTS);
        }

        /**
         * The endpoint with the port that the system chose, so that peers find it there again.
         */
        String bound(final int port)
        {
            return endpoint.substring(0, endpoint.lastIndexOf(':') + 1) + port;
        }

        String host()
        {
            return null != advertisedHost ? advertisedHost : endpoint.substring(0, endpoint.lastIndexOf(':'));
        }

        /**
         * Set the endpoint.
         *
         * @param newEndpoint host:port to listen on; port 0 for one that the system chooses.
         * @return this for a fluent API.
         */
        public Context endpoint(final String newEndpoint)
        {
            endpoint = newEndpoint;
            return this;
        }

        /**
         * Get the endpoint.
         *
         * @return host:port to listen on; port 0 for one that the system chooses.
         */
        public String endpoint()
        {
            return endpoint;
        }

        /**
         * Set the advertisedHost.
         *
         * @param newAdvertisedHost host that peers reach this instance under, where the endpoint is a wildcard address.
         * @return this for a fluent API.
         */
        public Context advertisedHost(final String newAdvertisedHost)
        {
            advertisedHost = newAdvertisedHost;
            return this;
        }

        /**
         * Get the advertisedHost.
         *
         * @return host that peers reach this instance under, where the endpoint is a wildcard address.
         */
        public String advertisedHost()
        {
            return advertisedHost;
        }

        /**
         * Set the streamId.
         *
         * @param newStreamId stream of the sessions' own messages, the same on all instances.
         * @return this for a fluent API.
         */
        public Context streamId(final int newStreamId)
        {
            streamId = newStreamId;
            return this;
        }

        /**
         * Get the streamId.
         *
         * @return stream of the sessions' own messages, the same on all instances.
         */
        public int streamId()
        {
            return streamId;
        }

        /**
         * Set the baseStreamId.
         *
         * @param newBaseStreamId first stream of transfers at this endpoint, two are used for each session.
         * @return this for a fluent API.
         */
        public Context baseStreamId(final int newBaseStreamId)
        {
            baseStreamId = newBaseStreamId;
            return this;
        }

        /**
         * Get the baseStreamId.
         *
         * @return first stream of transfers at this endpoint, two are used for each session.
         */
        public int baseStreamId()
        {
            return baseStreamId;
        }

        /**
         * Set the channelParameters.
         *
         * @param newChannelParameters parameters of the channels that transfers go to peers on, each with | before it.
         * @return this for a fluent API.
         */
        public Context channelParameters(final String newChannelParameters)
        {
            channelParameters = newChannelParameters;
            return this;
        }

        /**
         * Get the channelParameters.
         *
         * @return parameters of the channels that transfers go to peers on, each with | before it.
         */
        public String channelParameters()
        {
            return channelParameters;
        }

        /**
         * Set the maxSessions.
         *
         * @param newMaxSessions sessions at a time, 1 to 65536.
         * @return this for a fluent API.
         */
        public Context maxSessions(final int newMaxSessions)
        {
            maxSessions = newMaxSessions;
            return this;
        }

        /**
         * Get the maxSessions.
         *
         * @return sessions at a time, 1 to 65536.
         */
        public int maxSessions()
        {
            return maxSessions;
        }

        /**
         * Set the instance.
         *
         * @param newInstance what this instance tells of itself.
         * @return this for a fluent API.
         */
        public Context instance(final KvInstance newInstance)
        {
            instance = newInstance;
            return this;
        }

        /**
         * Get the instance.
         *
         * @return what this instance tells of itself.
         */
        public KvInstance instance()
        {
            return instance;
        }

        /**
         * Set the listener.
         *
         * @param newListener told of peers.
         * @return this for a fluent API.
         */
        public Context listener(final KvSessionListener newListener)
        {
            listener = newListener;
            return this;
        }

        /**
         * Get the listener.
         *
         * @return told of peers.
         */
        public KvSessionListener listener()
        {
            return listener;
        }

        /**
         * Set the counters.
         *
         * @param newCounters to count in, not closed here; own Aeron counters when null.
         * @return this for a fluent API.
         */
        public Context counters(final CounterSet<SessionCounter> newCounters)
        {
            counters = newCounters;
            return this;
        }

        /**
         * Get the counters.
         *
         * @return to count in, not closed here; own Aeron counters when null.
         */
        public CounterSet<SessionCounter> counters()
        {
            return counters;
        }
    }
}
