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

import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;

import io.aeron.exceptions.ConfigurationException;
import io.millrace.bridge.ClientContext;
import org.agrona.ErrorHandler;
import org.agrona.SystemUtil;
import org.agrona.concurrent.IdleStrategy;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.SleepingMillisIdleStrategy;
import org.agrona.concurrent.SystemNanoClock;

/**
 * Times of sessions, and how their agent runs.
 *
 * @param <C> the concrete context.
 */
public abstract class KvSessionSettings<C extends KvSessionSettings<C>> extends ClientContext<C>
{
    private long helloIntervalNs = TimeUnit.MILLISECONDS.toNanos(100);
    private long bootstrapTimeoutNs =
        SystemUtil.getDurationInNanos(KvSessions.BOOTSTRAP_TIMEOUT_PROP_NAME, KvSessions.BOOTSTRAP_TIMEOUT_NS_DEFAULT);
    private long probeIntervalNs =
        SystemUtil.getDurationInNanos(KvSessions.PROBE_INTERVAL_PROP_NAME, KvSessions.PROBE_INTERVAL_NS_DEFAULT);
    private long probeTimeoutNs = SystemUtil.getDurationInNanos(KvSessions.PROBE_TIMEOUT_PROP_NAME, KvSessions.PROBE_TIMEOUT_NS_DEFAULT);
    private long minBackoffNs = TimeUnit.MILLISECONDS.toNanos(500);
    private long maxBackoffNs = TimeUnit.SECONDS.toNanos(10);
    private long forgetTimeoutNs =
        SystemUtil.getDurationInNanos(KvSessions.FORGET_TIMEOUT_PROP_NAME, KvSessions.FORGET_TIMEOUT_NS_DEFAULT);
    private ErrorHandler errorHandler;
    private IdleStrategy idleStrategy = new SleepingMillisIdleStrategy(1);
    private NanoClock nanoClock = SystemNanoClock.INSTANCE;
    private ThreadFactory threadFactory = Thread::new;
    private boolean useAgentInvoker;

    /**
     * With defaults.
     */
    KvSessionSettings()
    {
    }

    void concludeTimes()
    {
        if (helloIntervalNs < 1 || bootstrapTimeoutNs < 1 || probeIntervalNs < 1 ||
            probeTimeoutNs <= probeIntervalNs || minBackoffNs < 1 || maxBackoffNs < minBackoffNs ||
            forgetTimeoutNs < 1)
        {
            throw new ConfigurationException("helloIntervalNs=" + helloIntervalNs + ", bootstrapTimeoutNs=" +
                bootstrapTimeoutNs + ", probeIntervalNs=" + probeIntervalNs + ", minBackoffNs=" + minBackoffNs +
                " and forgetTimeoutNs=" + forgetTimeoutNs + " must be over 0, probeTimeoutNs=" + probeTimeoutNs +
                " over probeIntervalNs, maxBackoffNs=" + maxBackoffNs + " at least minBackoffNs");
        }
    }

    /**
     * Set the helloIntervalNs.
     *
     * @param newHelloIntervalNs nanoseconds between Hellos until one is answered.
     * @return this for a fluent API.
     */
    public C helloIntervalNs(final long newHelloIntervalNs)
    {
        helloIntervalNs = newHelloIntervalNs;
        return self();
    }

    /**
     * Get the helloIntervalNs.
     *
     * @return nanoseconds between Hellos until one is answered.
     */
    public long helloIntervalNs()
    {
        return helloIntervalNs;
    }

    /**
     * Set the bootstrapTimeoutNs.
     *
     * @param newBootstrapTimeoutNs nanoseconds that a peer has for its first answer.
     * @return this for a fluent API.
     */
    public C bootstrapTimeoutNs(final long newBootstrapTimeoutNs)
    {
        bootstrapTimeoutNs = newBootstrapTimeoutNs;
        return self();
    }

    /**
     * Get the bootstrapTimeoutNs.
     *
     * @return nanoseconds that a peer has for its first answer.
     */
    public long bootstrapTimeoutNs()
    {
        return bootstrapTimeoutNs;
    }

    /**
     * Set the probeIntervalNs.
     *
     * @param newProbeIntervalNs nanoseconds between probes of a peer.
     * @return this for a fluent API.
     */
    public C probeIntervalNs(final long newProbeIntervalNs)
    {
        probeIntervalNs = newProbeIntervalNs;
        return self();
    }

    /**
     * Get the probeIntervalNs.
     *
     * @return nanoseconds between probes of a peer.
     */
    public long probeIntervalNs()
    {
        return probeIntervalNs;
    }

    /**
     * Set the probeTimeoutNs.
     *
     * @param newProbeTimeoutNs nanoseconds without an answer after which a peer goes into quarantine; over
     *     probeIntervalNs.
     * @return this for a fluent API.
     */
    public C probeTimeoutNs(final long newProbeTimeoutNs)
    {
        probeTimeoutNs = newProbeTimeoutNs;
        return self();
    }

    /**
     * Get the probeTimeoutNs.
     *
     * @return nanoseconds without an answer after which a peer goes into quarantine; over probeIntervalNs.
     */
    public long probeTimeoutNs()
    {
        return probeTimeoutNs;
    }

    /**
     * Set the minBackoffNs.
     *
     * @param newMinBackoffNs nanoseconds to the first attempt to reach a peer in quarantine; doubled for each one
     *     after.
     * @return this for a fluent API.
     */
    public C minBackoffNs(final long newMinBackoffNs)
    {
        minBackoffNs = newMinBackoffNs;
        return self();
    }

    /**
     * Get the minBackoffNs.
     *
     * @return nanoseconds to the first attempt to reach a peer in quarantine; doubled for each one after.
     */
    public long minBackoffNs()
    {
        return minBackoffNs;
    }

    /**
     * Set the maxBackoffNs.
     *
     * @param newMaxBackoffNs most nanoseconds between attempts; at least minBackoffNs.
     * @return this for a fluent API.
     */
    public C maxBackoffNs(final long newMaxBackoffNs)
    {
        maxBackoffNs = newMaxBackoffNs;
        return self();
    }

    /**
     * Get the maxBackoffNs.
     *
     * @return most nanoseconds between attempts; at least minBackoffNs.
     */
    public long maxBackoffNs()
    {
        return maxBackoffNs;
    }

    /**
     * Set the forgetTimeoutNs.
     *
     * @param newForgetTimeoutNs nanoseconds in quarantine after which a session is lost.
     * @return this for a fluent API.
     */
    public C forgetTimeoutNs(final long newForgetTimeoutNs)
    {
        forgetTimeoutNs = newForgetTimeoutNs;
        return self();
    }

    /**
     * Get the forgetTimeoutNs.
     *
     * @return nanoseconds in quarantine after which a session is lost.
     */
    public long forgetTimeoutNs()
    {
        return forgetTimeoutNs;
    }

    /**
     * Set the errorHandler.
     *
     * @param newErrorHandler for errors that belong to no session; logs when null.
     * @return this for a fluent API.
     */
    public C errorHandler(final ErrorHandler newErrorHandler)
    {
        errorHandler = newErrorHandler;
        return self();
    }

    /**
     * Get the errorHandler.
     *
     * @return for errors that belong to no session; logs when null.
     */
    public ErrorHandler errorHandler()
    {
        return errorHandler;
    }

    /**
     * Set the idleStrategy.
     *
     * @param newIdleStrategy of the agent's thread.
     * @return this for a fluent API.
     */
    public C idleStrategy(final IdleStrategy newIdleStrategy)
    {
        idleStrategy = newIdleStrategy;
        return self();
    }

    /**
     * Get the idleStrategy.
     *
     * @return of the agent's thread.
     */
    public IdleStrategy idleStrategy()
    {
        return idleStrategy;
    }

    /**
     * Set the nanoClock.
     *
     * @param newNanoClock monotonic clock of all deadlines.
     * @return this for a fluent API.
     */
    public C nanoClock(final NanoClock newNanoClock)
    {
        nanoClock = newNanoClock;
        return self();
    }

    /**
     * Get the nanoClock.
     *
     * @return monotonic clock of all deadlines.
     */
    public NanoClock nanoClock()
    {
        return nanoClock;
    }

    /**
     * Set the threadFactory.
     *
     * @param newThreadFactory for the agent's thread.
     * @return this for a fluent API.
     */
    public C threadFactory(final ThreadFactory newThreadFactory)
    {
        threadFactory = newThreadFactory;
        return self();
    }

    /**
     * Get the threadFactory.
     *
     * @return for the agent's thread.
     */
    public ThreadFactory threadFactory()
    {
        return threadFactory;
    }

    /**
     * Set the useAgentInvoker.
     *
     * @param newUseAgentInvoker true when the caller invokes the agent through the invoker instead of a thread.
     * @return this for a fluent API.
     */
    public C useAgentInvoker(final boolean newUseAgentInvoker)
    {
        useAgentInvoker = newUseAgentInvoker;
        return self();
    }

    /**
     * Get the useAgentInvoker.
     *
     * @return true when the caller invokes the agent through the invoker instead of a thread.
     */
    public boolean useAgentInvoker()
    {
        return useAgentInvoker;
    }
}
