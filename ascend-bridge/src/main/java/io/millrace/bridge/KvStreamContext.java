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


/**
 * The Aeron client and streams that {@link KvSender} and {@link KvReceiver} use.
 *
 * @param <C> the concrete context.
 */
public abstract class KvStreamContext<C extends KvStreamContext<C>> extends ClientContext<C>
{
    private String channel = KvConfiguration.channel();
    private int streamId = KvConfiguration.streamId();
    private String reverseChannel = KvConfiguration.reverseChannel();
    private int reverseStreamId = KvConfiguration.reverseStreamId();

    /**
     * With defaults.
     */
    KvStreamContext()
    {
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
