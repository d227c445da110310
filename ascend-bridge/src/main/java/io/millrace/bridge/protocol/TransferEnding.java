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

import io.millrace.bridge.KvCounters;
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvException;
import io.millrace.bridge.KvSender;
import io.millrace.bridge.protocol.OutboundTransfer.Phase;

/**
 * Ends transfers of a sender: collects the outcomes of their receivers, tells them, and drops what was ready to go.
 */
final class TransferEnding
{
    private static final long ALL_RECEIVERS = 0;
    private static final String CANCELED = "canceled by the sender's user";

    private final KvSender.Context ctx;
    private final ForwardWriter writer;
    private final LayerPublisher publisher;
    private final KvCounters counters;

    TransferEnding(
        final KvSender.Context ctx, final ForwardWriter writer, final LayerPublisher publisher)
    {
        this.ctx = ctx;
        this.writer = writer;
        this.publisher = publisher;
        this.counters = ctx.counters();
    }

    /**
     * Begin to end a transfer: the receiver is told if it knows of it, copies in flight are waited for.
     */
    void end(final OutboundTransfer transfer, final KvError error, final String text, final long nowNs)
    {
        if (Phase.ENDING != transfer.phase)
        {
            transfer.endError = error;
            transfer.endText = text;
            transfer.phase = Phase.ENDING;
            transfer.endingDeadlineNs = nowNs + ctx.cancelTimeoutNs();
        }
    }

    /**
     * One receiver has nothing more to say. The transfer ends with the last of them.
     */
    void endDestination(
        final OutboundTransfer transfer,
        final Destination destination,
        final KvError error,
        final String text,
        final long nowNs)
    {
        final boolean isCanceling = Phase.CANCELING == transfer.phase || destination.isCanceling;
        destination.end(isCanceling && KvError.PEER_GONE == error ? KvError.CANCELED : error, text);
        settle(transfer, nowNs);
    }

    /**
     * One receiver has to be told, alone, that the transfer has ended for it.
     */
    void expel(
        final OutboundTransfer transfer,
        final Destination destination,
        final KvError error,
        final String text,
        final long nowNs)
    {
        destination.isUntold = true;
        endDestination(transfer, destination, error, text, nowNs);
    }

    /**
     * Tell single receivers what is for them alone.
     */
    void attend(final OutboundTransfer transfer, final long nowNs)
    {
        for (int i = 0; i < transfer.receivers().count(); i++)
        {
            final Destination destination = transfer.receivers().get(i);
            final long receiverId = destination.peer.receiverId();
            if (destination.isUntold)
            {
                destination.isUntold = !writer.cancel(
                    transfer.transferId(), receiverId, destination.error(), destination.errorText());
            }
            else if (destination.isCanceling)
            {
                if (nowNs - destination.cancelDeadlineNs >= 0 && !destination.isEnded())
                {
                    endDestination(transfer, destination, KvError.CANCELED, "canceled, not confirmed by the receiver " +
                        "within " + ctx.cancelTimeoutNs() + " ns", nowNs);
                }
            }
            else if (destination.isCancelRequested() && !destination.isEnded())
            {
                if (destination.isLost)
                {
                    endDestination(transfer, destination, KvError.CANCELED, CANCELED, nowNs);
                }
                else if (writer.cancel(transfer.transferId(), receiverId, KvError.CANCELED, CANCELED))
                {
                    destination.isCanceling = true;
                    destination.cancelDeadlineNs = nowNs + ctx.cancelTimeoutNs();
                }
            }
        }
    }

    // With the last receiver that has not ended the transfer ends, or waits for those that were lost.
    private void settle(final OutboundTransfer transfer, final long nowNs)
    {
        final Destinations receivers = transfer.receivers();
        if (Phase.CANCELING != transfer.phase && Phase.ENDING != transfer.phase &&
            Phase.INTERRUPTED != transfer.phase && 0 == receivers.takingPart() && receivers.hasLost())
        {
            transfer.phase = Phase.INTERRUPTED;
            transfer.interruptedNs = nowNs;
        }
        if (!receivers.isAllEnded())
        {
            return;
        }

        Destination first = null;
        int failed = 0;
        final int count = transfer.receivers().count();
        for (int i = 0; i < count; i++)
        {
            final Destination each = transfer.receivers().get(i);
            if (each.isFailed())
            {
                failed++;
                first = null == first ? each : first;
            }
        }
        if (0 == failed)
        {
            end(transfer, KvError.NONE, null, nowNs);
        }
        else
        {
            end(transfer, first.error(), 1 == count ? first.errorText() :
                failed + " of " + count + " receivers failed, the first: " + first.errorText(), nowNs);
        }
    }

    /**
     * The receiver confirmed a cancel, or canceled itself.
     */
    void onCancel(
        final OutboundTransfer transfer,
        final Destination destination,
        final KvError error,
        final String text,
        final long nowNs)
    {
        final boolean isConfirmed = Phase.CANCELING == transfer.phase || destination.isCanceling;
        endDestination(transfer, destination, isConfirmed ? KvError.CANCELED : error,
            isConfirmed ? "canceled, confirmed by the receiver" : text, nowNs);
    }

    /**
     * A receiver is gone: wait for it to come back, or go on without it.
     */
    void onGone(
        final OutboundTransfer transfer, final Destination destination, final String text, final long nowNs)
    {
        final boolean mayResume = transfer.resumeTimeoutNs > 0 && !destination.isCanceling &&
            Phase.CANCELING != transfer.phase && Phase.ENDING != transfer.phase;
        if (mayResume)
        {
            destination.isLost = true;
            counters.increment(KvCounters.Kind.INTERRUPTIONS);
            settle(transfer, nowNs);
        }
        else
        {
            endDestination(transfer, destination, KvError.PEER_GONE, text, nowNs);
        }
    }

    /**
     * What fails for one transfer ends that one: the others go on.
     */
    void onException(final OutboundTransfer transfer, final RuntimeException ex, final long nowNs)
    {
        if (ex instanceof KvException)
        {
            end(transfer, ((KvException)ex).error(), ex.getMessage(), nowNs);
        }
        else if (Phase.ENDING != transfer.phase)
        {
            ctx.errorHandler().onError(ex);
            end(transfer, KvError.DEVICE_ERROR, "sender failed: " + ex, nowNs);
        }
    }

    boolean isEnded(final OutboundTransfer transfer, final long nowNs)
    {
        if (Phase.ENDING != transfer.phase)
        {
            return false;
        }
        final boolean isTold = KvError.NONE == transfer.endError || !transfer.isBegun || transfer.isToldToEnd;
        final boolean isLate = nowNs - transfer.endingDeadlineNs >= 0;
        try
        {
            return publisher.drop(transfer, nowNs) && (isTold || writer.isGone() || isLate);
        }
        catch (final RuntimeException ex)
        {
            if (isLate)
            {
                ctx.errorHandler().onError(ex);
                publisher.abandon(transfer);
            }
            return isLate;
        }
    }

    void cancel(final OutboundTransfer transfer, final long nowNs)
    {
        if (transfer.isBegun && !ctx.unacknowledged())
        {
            transfer.phase = Phase.CANCELING;
            transfer.endError = KvError.CANCELED;
            transfer.endText = CANCELED;
            transfer.endingDeadlineNs = nowNs + ctx.cancelTimeoutNs();
            final Destinations receivers = transfer.receivers();
            for (int i = 0; i < receivers.count(); i++)
            {
                // Those that are lost confirm nothing.
                if (receivers.get(i).isLost && !receivers.get(i).isEnded())
                {
                    endDestination(transfer, receivers.get(i), KvError.CANCELED, CANCELED, nowNs);
                }
            }
        }
        else
        {
            end(transfer, KvError.CANCELED, CANCELED, nowNs);
        }
    }

    int tellEnd(final OutboundTransfer transfer, final long nowNs)
    {
        int workCount = 0;
        if (transfer.isBegun && !transfer.isToldToEnd && KvError.NONE != transfer.endError &&
            writer.cancel(transfer.transferId(), ALL_RECEIVERS, transfer.endError, transfer.endText))
        {
            transfer.isToldToEnd = true;
            workCount++;
        }
        if (Phase.CANCELING == transfer.phase && nowNs - transfer.endingDeadlineNs >= 0)
        {
            end(transfer, KvError.CANCELED, "canceled, not confirmed by the receiver within " +
                ctx.cancelTimeoutNs() + " ns", nowNs);
            workCount++;
        }
        return workCount;
    }
}
