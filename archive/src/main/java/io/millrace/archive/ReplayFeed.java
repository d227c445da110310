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

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.aeron.Image;
import io.aeron.Subscription;
import io.aeron.logbuffer.ControlledFragmentHandler;
import io.aeron.logbuffer.Header;
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvInboundTransfer;
import io.millrace.bridge.KvReceiverListener;
import io.millrace.bridge.KvSource;
import io.millrace.bridge.KvTransferStats;
import io.millrace.codecs.kv.KvMessages;
import io.millrace.codecs.kv.MessageHeaderDecoder;
import io.millrace.codecs.kv.TransferCommitDecoder;
import org.agrona.DirectBuffer;
import org.agrona.SystemUtil;
import org.agrona.collections.Long2ObjectHashMap;
import org.agrona.collections.LongHashSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Feeds a receiver from a replay, on the receiver's agent: finds the end of the range, waits until what it committed
 * has landed, and finds out why a replay broke off.
 */
final class ReplayFeed implements KvSource, KvReceiverListener, ControlledFragmentHandler, AutoCloseable
{
    private static final Logger LOGGER = LoggerFactory.getLogger(ReplayFeed.class);
    private static final long CHECK_INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(10);
    private static final long ERROR_GRACE_NS = TimeUnit.SECONDS.toNanos(1);
    private static final long DRAIN_LIMIT_NS = TimeUnit.SECONDS.toNanos(10);

    private final ArchiveSession session;
    private final Subscription subscription;
    private final KvReceiverListener listener;
    private final long recordingId;
    private final long fromPosition;
    private final RangeLook look;
    private final long limitPosition;
    private final long timeoutNs;
    private final long startNs = System.nanoTime();
    private final CompletableFuture<KvReplayState> future = new CompletableFuture<>();
    private final Long2ObjectHashMap<KvInboundTransfer> open = new Long2ObjectHashMap<>();
    private final LongHashSet committed = new LongHashSet();
    private final MessageHeaderDecoder messageHeader = new MessageHeaderDecoder();
    private final TransferCommitDecoder transferCommit = new TransferCommitDecoder();
    private ControlledFragmentHandler receiver;
    private Image image;
    private KvReplayState outcome;
    private long checkNs = startNs;
    private long silentSinceNs;
    private long closedSinceNs;
    private String told;
    private volatile long position;
    private volatile int transfersCompleted;
    private volatile int transfersFailed;
    private volatile KvArchiveError error = KvArchiveError.NONE;
    private volatile String errorText;
    private volatile KvReplayState state = KvReplayState.RUNNING;

    ReplayFeed(
        final ArchiveSession session,
        final Subscription subscription,
        final KvReceiverListener listener,
        final long recordingId,
        final long fromPosition,
        final RangeLook look,
        final long limitPosition,
        final long timeoutNs)
    {
        this.session = session;
        this.subscription = subscription;
        this.listener = listener;
        this.recordingId = recordingId;
        this.fromPosition = fromPosition;
        this.look = look;
        this.limitPosition = limitPosition;
        this.timeoutNs = timeoutNs;
        position = fromPosition;
    }

    public int controlledPoll(final ControlledFragmentHandler handler, final int fragmentLimit)
    {
        if (null != outcome)
        {
            finishWhenQuiet();
            return 0;
        }

        receiver = handler;
        int fragments = 0;
        if (null != image)
        {
            fragments = image.controlledPoll(this, fragmentLimit);
            position = image.position();
            look.onConsumed(position);
            silentSinceNs = fragments > 0 ? 0 : silentSinceNs;
        }
        else if (subscription.imageCount() > 0)
        {
            image = subscription.imageAtIndex(0);
        }

        final long endPosition = look.end();
        // What is committed lands yet: closing the image would fail it.
        if (position >= endPosition && committed.isEmpty())
        {
            if (endPosition < limitPosition)
            {
                fail(KvArchiveError.BAD_FRAME, FrameGuard.at(recordingId, endPosition));
            }
            else
            {
                end(KvReplayState.COMPLETED, KvArchiveError.NONE, null);
            }
        }
        else
        {
            check(System.nanoTime(), 0 == fragments && position < endPosition);
        }
        return fragments;
    }

    public Action onFragment(final DirectBuffer buffer, final int offset, final int length, final Header header)
    {
        final Action action = receiver.onFragment(buffer, offset, length, header);
        if (Action.ABORT != action && TransferCommitDecoder.TEMPLATE_ID == KvMessages.check(buffer, offset, length))
        {
            final long transferId = transferCommit.wrapAndApplyHeader(buffer, offset, messageHeader).transferId();
            final KvInboundTransfer transfer = open.get(transferId);
            // Another commit follows layers that were sent again: the end of the range is not to wait for that.
            if (null != transfer && transfer.hasArrived())
            {
                open.remove(transferId);
                committed.add(transferId);
            }
        }
        return action;
    }

    public void onTransferBegin(final KvInboundTransfer transfer)
    {
        open.put(transfer.info().transferId(), transfer);
        listener.onTransferBegin(transfer);
    }

    public void onLayer(final KvInboundTransfer transfer, final int layer)
    {
        listener.onLayer(transfer, layer);
    }

    public void onTransferComplete(final long transferId, final long requestId, final KvTransferStats stats)
    {
        remove(transferId);
        transfersCompleted = transfersCompleted + 1;
        listener.onTransferComplete(transferId, requestId, stats);
    }

    public void onTransferFailed(
        final long transferId, final long requestId, final KvError reason, final String text)
    {
        remove(transferId);
        transfersFailed = transfersFailed + 1;
        listener.onTransferFailed(transferId, requestId, reason, text);
    }

    public void onRefused(final long transferId, final KvError reason, final String text)
    {
        listener.onRefused(transferId, reason, text);
    }

    /**
     * Cancel unless ended. The receiver must not run any more.
     */
    public void close()
    {
        subscription.close();
        look.close();
        if (KvReplayState.RUNNING == state)
        {
            if (null == outcome)
            {
                end(KvReplayState.CANCELED, KvArchiveError.CANCELED, "closed before the end of the range");
            }
            finish();
        }
    }

    long recordingId()
    {
        return recordingId;
    }

    long fromPosition()
    {
        return fromPosition;
    }

    long limitPosition()
    {
        return limitPosition;
    }

    long position()
    {
        return position;
    }

    int transfersCompleted()
    {
        return transfersCompleted;
    }

    int transfersFailed()
    {
        return transfersFailed;
    }

    KvReplayState state()
    {
        return state;
    }

    KvArchiveError error()
    {
        return KvReplayState.RUNNING == state ? KvArchiveError.NONE : error;
    }

    String errorText()
    {
        return KvReplayState.RUNNING == state ? null : errorText;
    }

    CompletableFuture<KvReplayState> future()
    {
        return future;
    }

    private void check(final long nowNs, final boolean isStarved)
    {
        if (nowNs - checkNs < 0)
        {
            return;
        }

        checkNs = nowNs + CHECK_INTERVAL_NS;
        if (nowNs - startNs >= timeoutNs)
        {
            end(KvReplayState.TIMEOUT, KvArchiveError.DEADLINE, "not consumed within " +
                SystemUtil.formatDuration(timeoutNs) + ": see whether the receiver has blocks, and whether " +
                "the archive answers, or allow more time");
        }
        else if (null != look.error())
        {
            fail(look.error().error(), look.error().getMessage());
        }
        else if (isStarved)
        {
            checkArchive(nowNs);
        }
    }

    /**
     * What the archive tells may overtake what it sent before, which a receiver without room takes later.
     */
    private void checkArchive(final long nowNs)
    {
        // Seen before the error is asked for: the archive tells before it closes, however long this thread stood still.
        final boolean isClosed = null != image && image.isClosed();
        closedSinceNs = isClosed && 0 == closedSinceNs ? nowNs : closedSinceNs;
        final String text = session.pollError();
        told = null == told ? text : told;
        silentSinceNs = 0 == silentSinceNs ? nowNs : silentSinceNs;
        final long silentNs = nowNs - silentSinceNs;
        if (null != told)
        {
            final KvArchiveError newError = ArchiveErrors.ofText(told);
            final boolean isDrained = null == image ? silentNs >= ERROR_GRACE_NS :
                isClosed || image.isEndOfStream() || silentNs >= DRAIN_LIMIT_NS;
            if (isDrained || KvArchiveError.ARCHIVE_GONE == newError)
            {
                fail(newError, told);
            }
        }
        else if (isClosed && nowNs - closedSinceNs >= ERROR_GRACE_NS)
        {
            fail(KvArchiveError.ARCHIVE_GONE, "its publication closed, and the archive told no reason");
        }
    }

    private void fail(final KvArchiveError newError, final String text)
    {
        end(KvReplayState.FAILED, newError, ArchiveErrors.withRemedy(newError, text));
    }

    /**
     * Closing the subscription makes the receiver fail the transfers that can get no further data.
     */
    private void end(final KvReplayState newOutcome, final KvArchiveError newError, final String text)
    {
        outcome = newOutcome;
        error = newError;
        errorText = null == text ? null : "replay of recording " + recordingId + " from " + fromPosition + " to " +
            limitPosition + " ended at position " + position + ": " + text;
        subscription.close();
        look.close();
        finishWhenQuiet();
    }

    private void finishWhenQuiet()
    {
        if (KvReplayState.RUNNING == state && open.isEmpty() && committed.isEmpty())
        {
            finish();
        }
    }

    private void finish()
    {
        state = outcome;
        if (KvReplayState.FAILED == outcome || KvReplayState.TIMEOUT == outcome)
        {
            LOGGER.warn("{} {}", error, errorText);
        }
        else
        {
            LOGGER.info("replay of recording {} from {} to {}: {} at {}, {} transfers completed, {} failed",
                recordingId, fromPosition, limitPosition, outcome, position, transfersCompleted, transfersFailed);
        }
        future.complete(outcome);
    }

    private void remove(final long transferId)
    {
        open.remove(transferId);
        committed.remove(transferId);
    }
}
