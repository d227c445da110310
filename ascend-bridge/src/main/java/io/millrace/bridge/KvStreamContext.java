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

/**
 * The Aeron client and streams that {@link KvSender} and {@link KvReceiver} use.
 *
 * @param <C> the concrete context.
 */
public abstract class KvStreamContext<C extends KvStreamContext<C>>
{
    private Aeron aeron;
    private String aeronDirectoryName = CommonContext.getAeronDirectoryName();
    private String channel = KvConfiguration.channel();
    private int streamId = KvConfiguration.streamId();
    private String reverseChannel = KvConfiguration.reverseChannel();
    private int reverseStreamId = KvConfiguration.reverseStreamId();
    private boolean ownsAeron;

    /**
     * With defaults.
     */
    KvStreamContext()
    {
    }

    abstract C self();

    /**
     * Get the errorHandler.
     *
     * @return told of errors that end nothing.
     */
    public abstract ErrorHandler errorHandler();

    /**
     * Connect a client of its own unless one was set.
     */
    void connect()
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
     * Was the client made here. Then it is closed with its sender or receiver, and made anew when its driver was lost.
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
    void disconnect()
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
}
