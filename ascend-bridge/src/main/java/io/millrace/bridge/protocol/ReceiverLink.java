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
package io.millrace.bridge.protocol;

import io.aeron.ExclusivePublication;
import io.aeron.Subscription;
import io.millrace.bridge.KvReceiver;
import io.millrace.bridge.KvSource;
import org.agrona.CloseHelper;

/**
 * The streams of a receiver, added again after the media driver was lost.
 */
final class ReceiverLink
{
    final ReverseWriter writer;
    private static final int MESSAGES_OF_TIMERS = 3;

    private final KvReceiver.Context ctx;
    private final ClientLink client;
    private final KvSource source;
    private Subscription subscription;
    private ExclusivePublication reversePublication;

    ReceiverLink(final KvReceiver.Context ctx)
    {
        this.ctx = ctx;
        client = new ClientLink(ctx);
        source = null == ctx.source() ?
            (handler, limit) -> subscription.controlledPoll(handler, limit) : ctx.source();
        try
        {
            open();
        }
        catch (final RuntimeException ex)
        {
            client.close();
            CloseHelper.close(subscription);
            throw ex;
        }
        // A copy in each slot may end at once; a timer may grant, interrupt and end each transfer.
        final int slots = null == ctx.staging() ? 0 : ctx.staging().slots();
        writer = new ReverseWriter(
            reversePublication, slots + MESSAGES_OF_TIMERS * ctx.maxInFlight(), ctx.counters());
    }

    KvSource source()
    {
        return source;
    }

    void renew(final long nowNs)
    {
        if (client.isRenewed(nowNs))
        {
            try
            {
                open();
                writer.bind(reversePublication);
            }
            catch (final RuntimeException ex)
            {
                // Without them the client is of no use.
                ctx.errorHandler().onError(ex);
                client.drop();
            }
        }
    }

    void close()
    {
        client.close();
        CloseHelper.closeAll(ctx.errorHandler(), subscription, reversePublication);
    }

    private void open()
    {
        subscription = null == ctx.source() ? ctx.aeron().addSubscription(ctx.channel(), ctx.streamId()) : null;
        reversePublication = ctx.replay() ? null :
            ctx.aeron().addExclusivePublication(ctx.reverseChannel(), ctx.reverseStreamId());
    }
}
