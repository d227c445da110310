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

import io.aeron.Aeron;
import io.aeron.CommonContext;
import org.agrona.ErrorHandler;
import org.agrona.concurrent.NanoClock;

/**
 * The Aeron client of an agent: one that was set, or one of its own, which is made anew when its driver was lost.
 *
 * @param <C> the concrete context.
 */
public abstract class ClientContext<C extends ClientContext<C>>
{
    private Aeron aeron;
    private String aeronDirectoryName = CommonContext.getAeronDirectoryName();
    private boolean ownsAeron;

    /**
     * With defaults.
     */
    protected ClientContext()
    {
    }

    /**
     * This context.
     *
     * @return this for a fluent API.
     */
    protected abstract C self();

    /**
     * Get the errorHandler.
     *
     * @return told of errors that end nothing.
     */
    public abstract ErrorHandler errorHandler();

    /**
     * Get the nanoClock.
     *
     * @return monotonic clock of all deadlines.
     */
    public abstract NanoClock nanoClock();

    /**
     * Get the useAgentInvoker.
     *
     * @return true when the caller invokes the agent through the invoker instead of a thread.
     */
    public abstract boolean useAgentInvoker();

    /**
     * The client's driver is gone, and with it the file of the counters. On the agent's thread.
     */
    public abstract void onClientLost();

    /**
     * There is a new client. On the agent's thread.
     *
     * @param client to count with.
     */
    public abstract void onClientRenewed(Aeron client);

    /**
     * Connect a client of its own unless one was set.
     */
    protected void connect()
    {
        if (null == aeron)
        {
            aeron = connectClient();
            ownsAeron = true;
        }
    }

    /**
     * Connect to the media driver in {@link #aeronDirectoryName()}.
     *
     * @return a new client.
     */
    public Aeron connectClient()
    {
        // Aeron's own handler ends the process when the media driver is lost.
        return Aeron.connect(
            new Aeron.Context().aeronDirectoryName(aeronDirectoryName).errorHandler(errorHandler()));
    }

    /**
     * Was the client made here. Then it is closed with its agent, and made anew when its driver was lost.
     *
     * @return false when it was set.
     */
    public boolean ownsAeron()
    {
        return ownsAeron;
    }

    /**
     * Close the client that {@link #connect()} made.
     */
    protected void disconnect()
    {
        if (ownsAeron)
        {
            aeron.close();
        }
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
}
