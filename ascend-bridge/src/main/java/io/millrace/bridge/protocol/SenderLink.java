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
import io.millrace.bridge.KvSender;
import org.agrona.CloseHelper;

/**
 * The streams of a sender and the receivers that answer on them: says Hello until they do, notices when they are gone,
 * and adds the streams again after the media driver was lost.
 */
final class SenderLink
{
    /**
     * Told of receivers that are gone.
     */
    interface Handler
    {
        /**
         * A receiver is gone.
         *
         * @param peer that is gone, null for the subscribers of a sender that nobody answers.
         * @param text why.
         */
        void onGone(Peer peer, String text, long nowNs);
    }

    private static final int REVERSE_FRAGMENT_LIMIT = 32;
    private static final int MAX_HELLO_BACKOFF = 64;
    private static final int HELLOS_ANSWERED = 3;

    final Peers peers;
    final ForwardWriter writer;
    private final KvSender.Context ctx;
    private final ClientLink client;
    private final Handler handler;
    private final long senderId;
    private ExclusivePublication publication;
    private Subscription reverseSubscription;
    private long helloDeadlineNs;
    private long helloIntervalNs;
    private volatile boolean isConnected;

    SenderLink(final KvSender.Context ctx, final long senderId, final Handler handler)
    {
        this.ctx = ctx;
        this.senderId = senderId;
        this.handler = handler;
        client = new ClientLink(ctx);
        peers = new Peers(ctx.helloIntervalNs() * HELLOS_ANSWERED);
        helloIntervalNs = ctx.helloIntervalNs();
        helloDeadlineNs = ctx.nanoClock().nanoTime();
        try
        {
            publication = ctx.aeron().addExclusivePublication(ctx.channel(), ctx.streamId());
            writer = new ForwardWriter(publication);
            reverseSubscription = addReverse();
        }
        catch (final RuntimeException ex)
        {
            client.close();
            CloseHelper.close(publication);
            throw ex;
        }
    }

    /**
     * Have enough receivers answered on the current connection.
     */
    boolean isConnected()
    {
        return isConnected;
    }

    boolean isFor(final long id)
    {
        return senderId == id;
    }

    void onAnswer(final Peer peer, final long nowNs)
    {
        if (peers.add(peer, nowNs))
        {
            // The others are asked at once.
            helloDeadlineNs = nowNs;
            helloIntervalNs = ctx.helloIntervalNs();
        }
    }

    int poll(final long nowNs, final ReverseReader reader)
    {
        if (client.isRenewed(nowNs))
        {
            renew();
        }
        final boolean isUp = publication.isConnected();
        int workCount = dropPeers(!isUp, nowNs);
        if (!isUp)
        {
            helloDeadlineNs = nowNs;
        }
        else if (null != reverseSubscription && nowNs - helloDeadlineNs >= 0 &&
            (peers.size() < ctx.minReceivers() || peers.hasSilent() || peers.hasStranger(reverseSubscription)))
        {
            // Before the try, which throws at the end of the stream's positions.
            helloDeadlineNs = nowNs + helloIntervalNs;
            workCount += writer.hello(senderId) ? 1 : 0;
            // Strangers may be receivers of other senders, which never answer.
            helloIntervalNs = peers.size() < ctx.minReceivers() ? ctx.helloIntervalNs() :
                Math.min(helloIntervalNs * 2, ctx.helloIntervalNs() * MAX_HELLO_BACKOFF);
        }
        if (null == reverseSubscription && isConnected && !isUp)
        {
            handler.onGone(null, gone(), nowNs);
        }
        if (null != reverseSubscription)
        {
            workCount += reverseSubscription.poll(reader, REVERSE_FRAGMENT_LIMIT);
        }
        isConnected = isUp && (ctx.unacknowledged() || peers.size() >= ctx.minReceivers());
        return workCount;
    }

    /**
     * Why transfers do not begin.
     */
    String disconnection()
    {
        return peers.size() > 0 ? peers.size() + " receivers answer, minReceivers=" + ctx.minReceivers() :
            "no receiver answers on stream " + ctx.streamId() + " of " + ctx.channel();
    }

    void close()
    {
        client.close();
        CloseHelper.closeAll(ctx.errorHandler(), reverseSubscription, publication);
    }

    private Subscription addReverse()
    {
        return ctx.unacknowledged() ? null :
            ctx.aeron().addSubscription(ctx.reverseChannel(), ctx.reverseStreamId());
    }

    private int dropPeers(final boolean isAll, final long nowNs)
    {
        int workCount = 0;
        Peer peer = isAll ? peers.poll() : peers.pollGone();
        while (null != peer)
        {
            helloDeadlineNs = nowNs;
            helloIntervalNs = ctx.helloIntervalNs();
            handler.onGone(peer, gone(), nowNs);
            workCount++;
            peer = isAll ? peers.poll() : peers.pollGone();
        }
        return workCount;
    }

    private String gone()
    {
        return ctx.aeron().isClosed() ? "media driver of " + ctx.aeronDirectoryName() + " is gone" :
            publication.isConnected() ? "receiver's reverse stream " + ctx.reverseStreamId() + " of " +
            ctx.reverseChannel() + " ended" :
            "no subscriber is left on stream " + ctx.streamId() + " of " + ctx.channel();
    }

    private void renew()
    {
        try
        {
            publication = ctx.aeron().addExclusivePublication(ctx.channel(), ctx.streamId());
            writer.bind(publication);
            reverseSubscription = addReverse();
        }
        catch (final RuntimeException ex)
        {
            // Without them the client is of no use.
            ctx.errorHandler().onError(ex);
            client.drop();
        }
    }
}
