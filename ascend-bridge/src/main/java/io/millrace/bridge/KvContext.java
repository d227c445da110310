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
package io.millrace.bridge;

import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;

import io.aeron.Aeron;
import io.aeron.exceptions.ConfigurationException;
import io.millrace.bridge.device.KvDevice;
import io.millrace.bridge.device.acl.KvDevices;
import io.millrace.bridge.staging.SlabSource;
import io.millrace.bridge.staging.StagingConfig;
import org.agrona.ErrorHandler;
import org.agrona.concurrent.BackoffIdleStrategy;
import org.agrona.concurrent.IdleStrategy;
import org.agrona.concurrent.NanoClock;
import org.agrona.concurrent.SystemNanoClock;
import org.slf4j.LoggerFactory;

/**
 * Settings that {@link KvSender} and {@link KvReceiver} share.
 *
 * @param <C> the concrete context.
 */
public abstract class KvContext<C extends KvContext<C>> extends KvStreamContext<C>
{
    private static final int MAX_TRANSFERS = 4096;

    private KvDevice device;
    private StagingConfig staging;
    private SlabSource slabs;
    private int maxInFlight = KvConfiguration.MAX_IN_FLIGHT_DEFAULT;
    private long copyTimeoutNs = KvConfiguration.COPY_TIMEOUT_NS_DEFAULT;
    private IdleStrategy idleStrategy;
    private boolean useAgentInvoker;
    private ErrorHandler errorHandler;
    private ThreadFactory threadFactory = Thread::new;
    private NanoClock nanoClock = SystemNanoClock.INSTANCE;
    private KvCounters counters;
    private boolean ownsCounters;

    /**
     * With defaults.
     */
    KvContext()
    {
    }

    abstract String role();

    /**
     * Check what was set and create what was not.
     */
    void concludeShared()
    {
        if (null == device())
        {
            throw new ConfigurationException("device is not set: set a HostDevice or another KvDevice, or set " +
                KvDevices.PROP_NAME + " or " + KvDevices.ENV_NAME + " to host or acl:<id>");
        }
        if (maxInFlight < 1 || maxInFlight > MAX_TRANSFERS)
        {
            throw new ConfigurationException(
                "maxInFlight=" + maxInFlight + " is out of range: use 1 to " + MAX_TRANSFERS);
        }
        checkPositive("copyTimeoutNs", copyTimeoutNs);
        staging = null == staging ? StagingConfig.of(device, slabs) : staging;
        slabs = null == slabs && null != staging ? SlabSource.configured(device) : slabs;
        idleStrategy = null == idleStrategy ? new BackoffIdleStrategy(
            KvConfiguration.IDLE_SPINS,
            KvConfiguration.IDLE_YIELDS,
            TimeUnit.MICROSECONDS.toNanos(1),
            TimeUnit.MICROSECONDS.toNanos(100)) : idleStrategy;
        errorHandler = null == errorHandler ?
            ex -> LoggerFactory.getLogger(KvContext.class).error("{} failed", role(), ex) : errorHandler;
        connect();
        if (null == counters)
        {
            counters = KvCounters.allocate(
                aeron(), role() + " " + device.name() + " stream=" + streamId() + " " + channel());
            ownsCounters = true;
        }
    }

    /**
     * Refuse a value that is not over 0.
     *
     * @param name  of the setting.
     * @param value of it.
     */
    static void checkPositive(final String name, final long value)
    {
        if (value <= 0)
        {
            throw new ConfigurationException(name + "=" + value + " must be over 0");
        }
    }

    /**
     * Close what {@link #concludeShared()} created.
     */
    void closeOwned()
    {
        try
        {
            if (ownsCounters && !aeron().isClosed())
            {
                counters.close();
            }
        }
        finally
        {
            disconnect();
        }
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
        counters.increment(KvCounters.Kind.RECONNECTS);
    }

    /**
     * Set the size of the staging pool, see {@link #staging(StagingConfig)}.
     *
     * @param text as {@code <slots>:<MiB>}.
     * @return this for a fluent API.
     */
    public C stagingConfig(final String text)
    {
        staging = StagingConfig.parse(text);
        return self();
    }

    /**
     * Set the device.
     *
     * @param newDevice that holds the blocks; not closed by the agent.
     * @return this for a fluent API.
     */
    public C device(final KvDevice newDevice)
    {
        device = newDevice;
        return self();
    }

    /**
     * Get the device. Where none was set and {@link KvDevices#PROP_NAME} or {@link KvDevices#ENV_NAME} names one, the
     * first call opens it.
     *
     * @return that holds the blocks; not closed by the agent; null when none is set or named.
     */
    public KvDevice device()
    {
        if (null == device && null != KvDevices.configured())
        {
            device = KvDevices.open(KvDevices.configured());
        }
        return device;
    }

    /**
     * Set the staging.
     *
     * @param newStaging size of the staging pool; when null, of the environment, else 8 slots of 1 MiB, or
     *                   none where {@link KvDevice#isHostAccessible()} and nothing chose their memory.
     * @return this for a fluent API.
     */
    public C staging(final StagingConfig newStaging)
    {
        staging = newStaging;
        return self();
    }

    /**
     * Get the staging.
     *
     * @return size of the staging pool; once concluded, null when the agent itself copies between device memory and
     * the log.
     */
    public StagingConfig staging()
    {
        return staging;
    }

    /**
     * Set the slabs.
     *
     * @param newSlabs memory that the device's copies can use, not closed here; of the configuration when null.
     * @return this for a fluent API.
     */
    public C slabs(final SlabSource newSlabs)
    {
        slabs = newSlabs;
        return self();
    }

    /**
     * Get the slabs.
     *
     * @return memory that the device's copies can use, not closed here; of the configuration when null, not
     * used without staging.
     */
    public SlabSource slabs()
    {
        return slabs;
    }

    /**
     * Set the maxInFlight.
     *
     * @param newMaxInFlight transfers that may be in flight, 1 to 4096.
     * @return this for a fluent API.
     */
    public C maxInFlight(final int newMaxInFlight)
    {
        maxInFlight = newMaxInFlight;
        return self();
    }

    /**
     * Get the maxInFlight.
     *
     * @return transfers that may be in flight, 1 to 4096.
     */
    public int maxInFlight()
    {
        return maxInFlight;
    }

    /**
     * Set the copyTimeoutNs.
     *
     * @param newCopyTimeoutNs nanoseconds after which a device copy that has not ended is given up.
     * @return this for a fluent API.
     */
    public C copyTimeoutNs(final long newCopyTimeoutNs)
    {
        copyTimeoutNs = newCopyTimeoutNs;
        return self();
    }

    /**
     * Get the copyTimeoutNs.
     *
     * @return nanoseconds after which a device copy that has not ended is given up.
     */
    public long copyTimeoutNs()
    {
        return copyTimeoutNs;
    }

    /**
     * Set the idleStrategy.
     *
     * @param newIdleStrategy of the agent's thread; a backoff when null.
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
     * @return of the agent's thread; a backoff when null.
     */
    public IdleStrategy idleStrategy()
    {
        return idleStrategy;
    }

    /**
     * Set the useAgentInvoker.
     *
     * @param newUseAgentInvoker true to be run by the caller through the invoker instead of a thread.
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
     * @return true to be run by the caller through the invoker instead of a thread.
     */
    public boolean useAgentInvoker()
    {
        return useAgentInvoker;
    }

    /**
     * Set the errorHandler.
     *
     * @param newErrorHandler for errors that belong to no transfer; logs when null.
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
     * @return for errors that belong to no transfer; logs when null.
     */
    public ErrorHandler errorHandler()
    {
        return errorHandler;
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
     * Set the counters.
     *
     * @param newCounters to count in, not closed by the agent; own Aeron counters when null.
     * @return this for a fluent API.
     */
    public C counters(final KvCounters newCounters)
    {
        counters = newCounters;
        return self();
    }

    /**
     * Get the counters.
     *
     * @return to count in, not closed by the agent; own Aeron counters when null.
     */
    public KvCounters counters()
    {
        return counters;
    }
}
