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

import java.util.List;

import io.aeron.exceptions.ConfigurationException;
import io.millrace.bridge.protocol.SenderAgent;
import org.agrona.CloseHelper;
import org.agrona.concurrent.AgentInvoker;
import org.agrona.concurrent.AgentRunner;

/**
 * Streams blocks of KV caches from device memory to a {@link KvReceiver} on an Aeron publication: many transfers at a
 * time, interleaved fairly, each layer with a checksum, within the credit that the receiver granted. The transfers in
 * flight are at most {@link Context#maxInFlight()} and at most as many as there are staging slots.
 */
public final class KvSender implements AutoCloseable
{
    private final Context ctx;
    private final SenderAgent agent;
    private final AgentRunner runner;
    private final AgentInvoker invoker;

    private KvSender(final Context ctx)
    {
        this.ctx = ctx;
        try
        {
            ctx.conclude();
            agent = new SenderAgent(ctx);
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
     * @return the running sender.
     */
    public static KvSender launch(final Context ctx)
    {
        return new KvSender(ctx);
    }

    /**
     * Queue a transfer. May be called from any thread.
     *
     * @param request of what to send; its values are taken over.
     * @return handle of the transfer.
     * @throws KvException              with {@link KvError#QUEUE_FULL} when {@link Context#maxPending()} transfers have
     *                                  not ended, and {@link KvError#SHUTDOWN} after close.
     * @throws IllegalArgumentException when the request is wrong or its blocks are not device memory.
     */
    public KvTransfer submit(final KvTransferRequest request)
    {
        return agent.submit(request);
    }

    /**
     * Queue many transfers, all or none. May be called from any thread.
     *
     * @param requests of what to send.
     * @return handles in the same order, see {@link KvTransfer#awaitAll}.
     * @throws KvException              as {@link #submit(KvTransferRequest)}.
     * @throws IllegalArgumentException as {@link #submit(KvTransferRequest)}.
     */
    public List<KvTransfer> submit(final List<KvTransferRequest> requests)
    {
        return agent.submit(requests);
    }

    /**
     * Send and wait for the end.
     *
     * @param request of what to send.
     * @return handle of the transfer, which completed.
     * @throws KvException              when it did not complete, as {@link KvTransfer#awaitCompleted}.
     * @throws IllegalArgumentException when the request is wrong or its blocks are not device memory.
     */
    public KvTransfer send(final KvTransferRequest request)
    {
        final KvTransfer transfer = submit(request);
        // The sender ends it by its own deadline, or when the receiver does not confirm that.
        transfer.awaitCompleted(request.timeoutNs() + ctx.cancelTimeoutNs() + ctx.copyTimeoutNs());
        return transfer;
    }

    /**
     * Have {@link Context#minReceivers()} receivers with a common protocol version answered on the current connection.
     *
     * @return true when transfers can flow; for unacknowledged senders, when there is a subscriber.
     */
    public boolean isConnected()
    {
        return agent.isConnected();
    }

    /**
     * Counters of this sender.
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
     * End all transfers with {@link KvError#SHUTDOWN}, tell the other side, and free what belongs to this sender.
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
     * Settings of a {@link KvSender}.
     */
    public static final class Context extends KvContext<Context>
    {
        private int maxPending = KvConfiguration.MAX_PENDING_DEFAULT;
        private int minReceivers = 1;
        private boolean unacknowledged;
        private long helloIntervalNs = KvConfiguration.HELLO_INTERVAL_NS_DEFAULT;
        private long cancelTimeoutNs = KvConfiguration.CANCEL_TIMEOUT_NS_DEFAULT;

        /**
         * Check what was set and create what was not. Called by {@link KvSender#launch}.
         */
        void conclude()
        {
            if (maxPending < 1 || maxPending > KvConfiguration.MAX_PENDING_LIMIT)
            {
                throw new ConfigurationException("maxPending=" + maxPending + " is out of range: use 1 to " +
                    KvConfiguration.MAX_PENDING_LIMIT);
            }
            if (minReceivers < 1)
            {
                throw new ConfigurationException("minReceivers=" + minReceivers + " must be 1 or more");
            }
            checkPositive("helloIntervalNs", helloIntervalNs);
            checkPositive("cancelTimeoutNs", cancelTimeoutNs);
            concludeShared();
        }

        protected Context self()
        {
            return this;
        }

        String role()
        {
            return "kv-sender";
        }

        /**
         * Set the maxPending.
         *
         * @param newMaxPending transfers that may be submitted and not ended, 1 to 2^20.
         * @return this for a fluent API.
         */
        public Context maxPending(final int newMaxPending)
        {
            maxPending = newMaxPending;
            return this;
        }

        /**
         * Get the maxPending.
         *
         * @return transfers that may be submitted and not ended, 1 to 2^20.
         */
        public int maxPending()
        {
            return maxPending;
        }

        /**
         * Set the minReceivers. A transfer goes to every receiver that answers when it begins: several where the
         * channel has several destinations, or several subscribers on IPC.
         *
         * @param newMinReceivers receivers that must answer before transfers begin, 1 and up.
         * @return this for a fluent API.
         */
        public Context minReceivers(final int newMinReceivers)
        {
            minReceivers = newMinReceivers;
            return this;
        }

        /**
         * Get the minReceivers.
         *
         * @return receivers that must answer before transfers begin, 1 and up.
         */
        public int minReceivers()
        {
            return minReceivers;
        }

        /**
         * Set the unacknowledged.
         *
         * @param newUnacknowledged true when nobody answers, as when a stream is only recorded.
         * @return this for a fluent API.
         */
        public Context unacknowledged(final boolean newUnacknowledged)
        {
            unacknowledged = newUnacknowledged;
            return this;
        }

        /**
         * Get the unacknowledged.
         *
         * @return true when nobody answers, as when a stream is only recorded.
         */
        public boolean unacknowledged()
        {
            return unacknowledged;
        }

        /**
         * Set the helloIntervalNs.
         *
         * @param newHelloIntervalNs nanoseconds between Hellos until one is answered.
         * @return this for a fluent API.
         */
        public Context helloIntervalNs(final long newHelloIntervalNs)
        {
            helloIntervalNs = newHelloIntervalNs;
            return this;
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
         * Set the cancelTimeoutNs.
         *
         * @param newCancelTimeoutNs nanoseconds to wait for the receiver to confirm a cancel.
         * @return this for a fluent API.
         */
        public Context cancelTimeoutNs(final long newCancelTimeoutNs)
        {
            cancelTimeoutNs = newCancelTimeoutNs;
            return this;
        }

        /**
         * Get the cancelTimeoutNs.
         *
         * @return nanoseconds to wait for the receiver to confirm a cancel.
         */
        public long cancelTimeoutNs()
        {
            return cancelTimeoutNs;
        }
    }
}
