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
import io.aeron.CommonContext;
import io.aeron.exceptions.ConfigurationException;
import io.millrace.bridge.device.KvDevice;
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
public abstract class KvContext<C extends KvContext<C>>
{
    private static final int MAX_TRANSFERS = 4096;

    private Aeron aeron;
    private String aeronDirectoryName = CommonContext.getAeronDirectoryName();
    private String channel = KvConfiguration.channel();
    private int streamId = KvConfiguration.streamId();
    private String reverseChannel = KvConfiguration.reverseChannel();
    private int reverseStreamId = KvConfiguration.reverseStreamId();
    private KvDevice device;
    private StagingConfig staging;
    private int maxInFlight = KvConfiguration.MAX_IN_FLIGHT_DEFAULT;
    private long copyTimeoutNs = KvConfiguration.COPY_TIMEOUT_NS_DEFAULT;
    private IdleStrategy idleStrategy;
    private boolean useAgentInvoker;
    private ErrorHandler errorHandler;
    private ThreadFactory threadFactory = Thread::new;
    private NanoClock nanoClock = SystemNanoClock.INSTANCE;
    private KvCounters counters;
    private boolean ownsAeron;
    private boolean ownsCounters;

    /**
     * With defaults.
     */
    KvContext()
    {
    }

    abstract C self();

    abstract String role();

    /**
     * Check what was set and create what was not.
     */
    void concludeShared()
    {
        if (null == device)
        {
            throw new ConfigurationException("device is not set: set a HostDevice or another KvDevice");
        }
        if (maxInFlight < 1 || maxInFlight > MAX_TRANSFERS)
        {
            throw new ConfigurationException(
                "maxInFlight=" + maxInFlight + " is out of range: use 1 to " + MAX_TRANSFERS);
        }
        checkPositive("copyTimeoutNs", copyTimeoutNs);
        staging = null == staging ? StagingConfig.fromEnvironment() : staging;
        idleStrategy = null == idleStrategy ? new BackoffIdleStrategy(
            KvConfiguration.IDLE_SPINS,
            KvConfiguration.IDLE_YIELDS,
            TimeUnit.MICROSECONDS.toNanos(1),
            TimeUnit.MICROSECONDS.toNanos(100)) : idleStrategy;
        errorHandler = null == errorHandler ?
            ex -> LoggerFactory.getLogger(KvContext.class).error("{} failed", role(), ex) : errorHandler;
        if (null == aeron)
        {
            ownsAeron = true;
            aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(aeronDirectoryName));
        }
        if (null == counters)
        {
            ownsCounters = true;
            counters = KvCounters.allocate(aeron, role() + " " + device.name() + " stream=" + streamId + " " + channel);
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
        if (ownsCounters && !aeron.isClosed())
        {
            counters.close();
        }
        if (ownsAeron)
        {
            aeron.close();
        }
    }

    /**
     * Set the size of the staging pool.
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
     * Set the aeron.
     *
     * @param newAeron client to use, not closed by the agent; a client of its own when null.
     * @return this for a fluent API.
     */
    public C aeron(final Aeron newAeron)
    {
        aeron = newAeron;
        return self();
    }

    /**
     * Get the aeron.
     *
     * @return client to use, not closed by the agent; a client of its own when null.
     */
    public Aeron aeron()
    {
        return aeron;
    }

    /**
     * Set the aeronDirectoryName.
     *
     * @param newAeronDirectoryName directory of the media driver for a client of its own.
     * @return this for a fluent API.
     */
    public C aeronDirectoryName(final String newAeronDirectoryName)
    {
        aeronDirectoryName = newAeronDirectoryName;
        return self();
    }

    /**
     * Get the aeronDirectoryName.
     *
     * @return directory of the media driver for a client of its own.
     */
    public String aeronDirectoryName()
    {
        return aeronDirectoryName;
    }

    /**
     * Set the channel.
     *
     * @param newChannel of the KV stream, sender to receiver.
     * @return this for a fluent API.
     */
    public C channel(final String newChannel)
    {
        channel = newChannel;
        return self();
    }

    /**
     * Get the channel.
     *
     * @return of the KV stream, sender to receiver.
     */
    public String channel()
    {
        return channel;
    }

    /**
     * Set the streamId.
     *
     * @param newStreamId of the KV stream.
     * @return this for a fluent API.
     */
    public C streamId(final int newStreamId)
    {
        streamId = newStreamId;
        return self();
    }

    /**
     * Get the streamId.
     *
     * @return of the KV stream.
     */
    public int streamId()
    {
        return streamId;
    }

    /**
     * Set the reverseChannel.
     *
     * @param newReverseChannel of grants and acknowledgements, receiver to sender.
     * @return this for a fluent API.
     */
    public C reverseChannel(final String newReverseChannel)
    {
        reverseChannel = newReverseChannel;
        return self();
    }

    /**
     * Get the reverseChannel.
     *
     * @return of grants and acknowledgements, receiver to sender.
     */
    public String reverseChannel()
    {
        return reverseChannel;
    }

    /**
     * Set the reverseStreamId.
     *
     * @param newReverseStreamId of grants and acknowledgements.
     * @return this for a fluent API.
     */
    public C reverseStreamId(final int newReverseStreamId)
    {
        reverseStreamId = newReverseStreamId;
        return self();
    }

    /**
     * Get the reverseStreamId.
     *
     * @return of grants and acknowledgements.
     */
    public int reverseStreamId()
    {
        return reverseStreamId;
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
     * Get the device.
     *
     * @return that holds the blocks; not closed by the agent.
     */
    public KvDevice device()
    {
        return device;
    }

    /**
     * Set the staging.
     *
     * @param newStaging size of the staging pool; from the environment when null.
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
     * @return size of the staging pool; from the environment when null.
     */
    public StagingConfig staging()
    {
        return staging;
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
