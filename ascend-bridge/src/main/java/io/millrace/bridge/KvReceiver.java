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

import java.util.concurrent.CompletableFuture;

import io.aeron.exceptions.ConfigurationException;
import io.millrace.bridge.protocol.ReceiverAgent;
import org.agrona.CloseHelper;
import org.agrona.concurrent.AgentInvoker;
import org.agrona.concurrent.AgentRunner;

/**
 * Lands KV streams in device memory: asks its allocator for blocks, grants them to the sender, checks every layer, and
 * acknowledges layers that are in device memory. With {@link Context#replay(boolean)} it lands a recorded stream and
 * sends nothing.
 */
public final class KvReceiver implements AutoCloseable
{
    private final Context ctx;
    private final ReceiverAgent agent;
    private final AgentRunner runner;
    private final AgentInvoker invoker;

    private KvReceiver(final Context ctx)
    {
        this.ctx = ctx;
        try
        {
            ctx.conclude();
            agent = new ReceiverAgent(ctx);
        }
        catch (final RuntimeException ex)
        {
            CloseHelper.close(ex::addSuppressed, ctx::closeOwned);
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

    /**
     * Start with a context that is not used for anything else.
     *
     * @param ctx to conclude and use.
     * @return the running receiver.
     */
    public static KvReceiver launch(final Context ctx)
    {
        return new KvReceiver(ctx);
    }

    /**
     * Learn the fate of a request, however it ends: landed, failed, canceled, or never begun. May be called from any
     * thread, before, while and shortly after its transfer arrives. Each fate is told to those who wait for it, or kept
     * for the first that asks; the last 1024 are kept.
     *
     * @param requestId of the serving system.
     * @param timeoutNs within which a transfer must have begun; from then on the transfer's own deadline counts.
     * @return completes, never exceptionally, on the receiver's agent.
     * @throws KvException with {@link KvError#QUEUE_FULL} when 65536 requests are waited for.
     */
    public CompletableFuture<KvFate> expect(final long requestId, final long timeoutNs)
    {
        return agent.expect(requestId, timeoutNs);
    }

    /**
     * Counters of this receiver.
     *
     * @return the counters.
     */
    public KvCounters counters()
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
     * End all transfers with {@link KvError#SHUTDOWN}, tell the other side, and free what belongs to this receiver.
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
     * Settings of a {@link KvReceiver}.
     */
    public static final class Context extends KvContext<Context>
    {
        private KvBlockAllocator allocator;
        private KvReceiverListener listener = new KvReceiverListener()
        {
        };
        private KvSource source;
        private boolean replay;
        private long replayTimeoutNs = KvConfiguration.REPLAY_TIMEOUT_NS_DEFAULT;
        private long creditWindowBytes = KvConfiguration.CREDIT_WINDOW_BYTES_DEFAULT;
        private int eagerBytes = KvConfiguration.eagerBytes();
        private int maxLayerRetries = KvConfiguration.MAX_LAYER_RETRIES_DEFAULT;
        private int fragmentLimit = KvConfiguration.FRAGMENT_LIMIT_DEFAULT;

        /**
         * With defaults.
         */
        public Context()
        {
        }

        /**
         * Check what was set and create what was not. Called by {@link KvReceiver#launch}.
         */
        void conclude()
        {
            if (null == allocator)
            {
                throw new ConfigurationException(
                    "allocator is not set: set one that finds destination blocks, such as a PagedKvCache");
            }
            if (maxLayerRetries < 0)
            {
                throw new ConfigurationException("maxLayerRetries=" + maxLayerRetries + " must be 0 or more");
            }
            checkPositive("replayTimeoutNs", replayTimeoutNs);
            if (creditWindowBytes < KvConfiguration.CREDIT_WINDOW_BYTES_MIN)
            {
                throw new ConfigurationException("creditWindowBytes=" + creditWindowBytes +
                    " must hold some chunks: use " + KvConfiguration.CREDIT_WINDOW_BYTES_MIN + " or more");
            }
            if (eagerBytes < 0 || eagerBytes > creditWindowBytes)
            {
                throw new ConfigurationException("eagerBytes=" + eagerBytes +
                    " is out of range: use 0 to creditWindowBytes=" + creditWindowBytes);
            }
            checkPositive("fragmentLimit", fragmentLimit);
            concludeShared();
        }

        protected Context self()
        {
            return this;
        }

        String role()
        {
            return "kv-receiver";
        }

        /**
         * Set the allocator.
         *
         * @param newAllocator that finds destination blocks.
         * @return this for a fluent API.
         */
        public Context allocator(final KvBlockAllocator newAllocator)
        {
            allocator = newAllocator;
            return this;
        }

        /**
         * Get the allocator.
         *
         * @return that finds destination blocks.
         */
        public KvBlockAllocator allocator()
        {
            return allocator;
        }

        /**
         * Set the listener.
         *
         * @param newListener that is told of layers and transfers.
         * @return this for a fluent API.
         */
        public Context listener(final KvReceiverListener newListener)
        {
            listener = newListener;
            return this;
        }

        /**
         * Get the listener.
         *
         * @return that is told of layers and transfers.
         */
        public KvReceiverListener listener()
        {
            return listener;
        }

        /**
         * Set the source.
         *
         * @param newSource to poll instead of a subscription on the channel, such as that of an archive replay.
         * @return this for a fluent API.
         */
        public Context source(final KvSource newSource)
        {
            source = newSource;
            return this;
        }

        /**
         * Get the source.
         *
         * @return to poll instead of a subscription on the channel, such as that of an archive replay.
         */
        public KvSource source()
        {
            return source;
        }

        /**
         * Set the replay.
         *
         * @param newReplay true when the stream is a recording: nothing is sent back.
         * @return this for a fluent API.
         */
        public Context replay(final boolean newReplay)
        {
            replay = newReplay;
            return this;
        }

        /**
         * Get the replay.
         *
         * @return true when the stream is a recording: nothing is sent back.
         */
        public boolean replay()
        {
            return replay;
        }

        /**
         * Set the replayTimeoutNs.
         *
         * @param newReplayTimeoutNs nanoseconds that a transfer of a recording may take.
         * @return this for a fluent API.
         */
        public Context replayTimeoutNs(final long newReplayTimeoutNs)
        {
            replayTimeoutNs = newReplayTimeoutNs;
            return this;
        }

        /**
         * Get the replayTimeoutNs.
         *
         * @return nanoseconds that a transfer of a recording may take.
         */
        public long replayTimeoutNs()
        {
            return replayTimeoutNs;
        }

        /**
         * Set the creditWindowBytes.
         *
         * @param newCreditWindowBytes payload bytes of a transfer that may be sent ahead of their landing.
         * @return this for a fluent API.
         */
        public Context creditWindowBytes(final long newCreditWindowBytes)
        {
            creditWindowBytes = newCreditWindowBytes;
            return this;
        }

        /**
         * Get the creditWindowBytes.
         *
         * @return payload bytes of a transfer that may be sent ahead of their landing.
         */
        public long creditWindowBytes()
        {
            return creditWindowBytes;
        }

        /**
         * Set the eagerBytes.
         *
         * @param newEagerBytes payload bytes, 0 to the credit window, up to which a whole transfer to this receiver
         *                      alone may come before its blocks are granted; 0 for never.
         * @return this for a fluent API.
         */
        public Context eagerBytes(final int newEagerBytes)
        {
            eagerBytes = newEagerBytes;
            return this;
        }

        /**
         * Get the eagerBytes.
         *
         * @return payload bytes up to which a whole transfer may come before its blocks are granted.
         */
        public int eagerBytes()
        {
            return eagerBytes;
        }

        /**
         * Set the maxLayerRetries.
         *
         * @param newMaxLayerRetries times that a damaged layer is asked for again, 0 and up.
         * @return this for a fluent API.
         */
        public Context maxLayerRetries(final int newMaxLayerRetries)
        {
            maxLayerRetries = newMaxLayerRetries;
            return this;
        }

        /**
         * Get the maxLayerRetries.
         *
         * @return times that a damaged layer is asked for again, 0 and up.
         */
        public int maxLayerRetries()
        {
            return maxLayerRetries;
        }

        /**
         * Set the fragmentLimit.
         *
         * @param newFragmentLimit fragments per duty cycle.
         * @return this for a fluent API.
         */
        public Context fragmentLimit(final int newFragmentLimit)
        {
            fragmentLimit = newFragmentLimit;
            return this;
        }

        /**
         * Get the fragmentLimit.
         *
         * @return fragments per duty cycle.
         */
        public int fragmentLimit()
        {
            return fragmentLimit;
        }
    }
}
