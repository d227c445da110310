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

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

import io.aeron.ChannelUri;
import io.aeron.CommonContext;
import io.aeron.Image;
import io.aeron.Subscription;
import io.aeron.archive.client.ReplayParams;
import io.aeron.logbuffer.ControlledFragmentHandler;
import io.millrace.bridge.KvInboundTransfer;
import org.agrona.CloseHelper;

/**
 * The bounded replay of one range of a fetch.
 */
final class FetchReplay
{
    private static final long ERROR_GRACE_NS = TimeUnit.SECONDS.toNanos(1);
    // Twice as long as the archive waits for a replay's subscriber.
    private static final long IMAGE_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(10);

    private final FetchRange range;
    private final FetchFilter filter;
    private final List<Pending> pending = new ArrayList<>();
    private Subscription subscription;
    private int sessionId;
    private Image image;
    private long position;
    private RangeLook look;
    private long silentSinceNs;
    private String told;
    private volatile String failure;

    FetchReplay(final FetchFeed feed, final FetchRange range)
    {
        this.range = range;
        filter = new FetchFilter(feed);
        position = range.from();
    }

    /**
     * A transfer of the range that has not landed or failed yet.
     */
    static final class Pending
    {
        final FetchReplay replay;
        final TransferCut cut;
        KvInboundTransfer transfer;
        boolean isCommitted;
        boolean isDone;

        Pending(final FetchReplay replay, final TransferCut cut)
        {
            this.replay = replay;
            this.cut = cut;
        }
    }

    Pending add(final FetchTransfer transfer, final long newId)
    {
        final Pending added = new Pending(this, new TransferCut(transfer, newId));
        filter.add(transfer.stored().transferId(), added.cut);
        pending.add(added);
        return added;
    }

    List<Pending> pending()
    {
        return pending;
    }

    void open(
        final ArchiveSession session,
        final KvArchive.Context ctx,
        final FrameGuard frames,
        final BooleanSupplier isCanceled,
        final long timeoutNs)
    {
        try
        {
            look = frames.look(range.recordingId(), range.from(), range.to(), isCanceled, timeoutNs);
            if (range.from() == look.end())
            {
                return;
            }
            final ReplayParams params = look.replayParams();
            subscription = session.call(range.toString(), client ->
                client.replay(range.recordingId(), ctx.replayChannel(), ctx.replayStreamId(), params));
            sessionId = Integer.parseInt(
                ChannelUri.parse(subscription.channel()).get(CommonContext.SESSION_ID_PARAM_NAME));
        }
        catch (final KvArchiveException ex)
        {
            failure = ex.getMessage();
        }
        catch (final RuntimeException ex)
        {
            // Whoever waits for the fetch has to learn of it.
            failure = range + " was not opened: " + ex;
        }
    }

    int poll(final ControlledFragmentHandler receiver, final int fragmentLimit)
    {
        if (null == image && null != subscription && subscription.imageCount() > 0)
        {
            image = subscription.imageAtIndex(0);
        }
        if (null == image)
        {
            return 0;
        }
        final int fragments = image.controlledPoll(filter.receiver(receiver), fragmentLimit);
        position = image.position();
        look.onConsumed(position);
        silentSinceNs = fragments > 0 ? 0 : silentSinceNs;
        return fragments;
    }

    /**
     * See whether it broke off.
     *
     * @param errors that the archive sent to the session.
     * @param isGone true when the archive is gone: the image of one that was killed may stay open.
     */
    void check(final long nowNs, final ReplayErrors errors, final boolean isGone)
    {
        if (null != look && null != look.error())
        {
            fail(look.error().getMessage());
        }
        final boolean isClosed = null != image && image.isClosed();
        final boolean isSilent = position < end() && (null == image || isClosed || isGone);
        silentSinceNs = !isSilent ? 0 : 0 == silentSinceNs ? nowNs : silentSinceNs;
        final String text = errors.of(sessionId);
        told = null == text ? told : text;
        final boolean isTold = null != told && isClosed || nowNs - silentSinceNs >= ERROR_GRACE_NS;
        // An image may come and go unseen between two polls.
        final boolean isMissed = null == image && nowNs - silentSinceNs >= IMAGE_TIMEOUT_NS;
        if (isSilent && null == failure && isTold && (null != image || null != told || isGone || isMissed))
        {
            fail(null == told ? ArchiveErrors.withRemedy(KvArchiveError.ARCHIVE_GONE, "its publication closed" +
                (isMissed ? " or never came" : "") + ", and the archive told no reason") :
                ArchiveErrors.withRemedy(ArchiveErrors.ofText(told), told));
        }
    }

    void fail(final String text)
    {
        failure = null == failure ? range + " ended at position " + position + ": " + text : failure;
    }

    String failure()
    {
        final long end = end();
        return null != failure || range.to() == end ? failure : range + " ended: " +
            ArchiveErrors.withRemedy(KvArchiveError.BAD_FRAME, FrameGuard.at(range.recordingId(), end));
    }

    /**
     * Is there nothing more to come. What is committed lands yet: closing the image would fail it.
     */
    boolean isEnded()
    {
        if (null != failure)
        {
            return true;
        }
        if (position < end())
        {
            return false;
        }
        for (final Pending one : pending)
        {
            if (one.isCommitted && !one.isDone)
            {
                return false;
            }
        }
        return true;
    }

    /**
     * Closing the image makes the receiver fail what can get no further data.
     */
    void close()
    {
        CloseHelper.closeAll(subscription, look);
    }

    private long end()
    {
        return null == look ? range.to() : look.end();
    }
}
