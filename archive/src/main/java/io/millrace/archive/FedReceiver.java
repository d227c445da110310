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
package io.millrace.archive;

import io.aeron.Aeron;
import io.aeron.logbuffer.ControlledFragmentHandler;
import io.millrace.bridge.KvReceiver;
import io.millrace.bridge.KvSource;
import io.millrace.bridge.protocol.ClientGuard;
import org.agrona.CloseHelper;

/**
 * A receiver that polls images of an archive's Aeron client, which need not be its own: their logs stay mapped until
 * its agent has seen that the client is closed.
 */
final class FedReceiver implements KvSource, AutoCloseable
{
    private final Aeron aeron;
    private final KvSource feed;
    private final ClientGuard guard;
    private final KvReceiver receiver;
    private boolean isReleased;

    /**
     * Launch the receiver.
     *
     * @param aeron       client of the feed's images, and of the receiver unless that has one.
     * @param receiverCtx with everything but client and source.
     * @param feed        that polls the images.
     */
    FedReceiver(final Aeron aeron, final KvReceiver.Context receiverCtx, final KvSource feed)
    {
        this.aeron = aeron;
        this.feed = feed;
        guard = new ClientGuard(aeron, receiverCtx.useAgentInvoker());
        try
        {
            receiver = KvReceiver.launch(receiverCtx
                .aeron(null == receiverCtx.aeron() ? aeron : receiverCtx.aeron())
                .source(this)
                .replay(true));
        }
        catch (final RuntimeException ex)
        {
            guard.close();
            throw ex;
        }
    }

    KvReceiver receiver()
    {
        return receiver;
    }

    /**
     * {@inheritDoc}
     */
    public int controlledPoll(final ControlledFragmentHandler handler, final int fragmentLimit)
    {
        if (!isReleased && aeron.isClosed())
        {
            // All images of the client are closed by now.
            isReleased = true;
            guard.release();
        }
        return feed.controlledPoll(handler, fragmentLimit);
    }

    /**
     * {@inheritDoc}
     */
    public void close()
    {
        CloseHelper.closeAll(receiver, guard::close);
    }
}
