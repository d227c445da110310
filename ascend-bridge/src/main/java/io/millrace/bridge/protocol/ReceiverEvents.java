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
import io.millrace.bridge.KvFailurePolicy;
import io.millrace.bridge.KvFate;
import io.millrace.bridge.KvReceiver;
import io.millrace.bridge.KvReceiverListener;
import io.millrace.bridge.KvTransferStats;
import org.agrona.ErrorHandler;

/**
 * Tells a receiver's user what happens, and counts it. What a user's code throws goes to the error handler.
 */
final class ReceiverEvents
{
    final Fates fates = new Fates();
    private final KvReceiverListener listener;
    private final ErrorHandler errorHandler;
    private final KvCounters counters;

    ReceiverEvents(final KvReceiver.Context ctx)
    {
        listener = ctx.listener();
        errorHandler = ctx.errorHandler();
        counters = ctx.counters();
    }

    void onBegin(final InboundTransfer transfer)
    {
        try
        {
            listener.onTransferBegin(transfer);
        }
        catch (final RuntimeException ex)
        {
            errorHandler.onError(ex);
        }
    }

    void onLayer(final InboundTransfer transfer, final int layer)
    {
        try
        {
            listener.onLayer(transfer, layer);
        }
        catch (final RuntimeException ex)
        {
            errorHandler.onError(ex);
        }
    }

    void onComplete(final InboundTransfer transfer, final long nowNs)
    {
        counters.increment(KvCounters.Kind.TRANSFERS_COMPLETED);
        try
        {
            listener.onTransferComplete(transfer.transferId(), transfer.info().requestId(), new KvTransferStats(
                transfer.bytesLanded(), transfer.chunks, transfer.duplicates, transfer.retries,
                nowNs - transfer.beginNs, transfer));
        }
        catch (final RuntimeException ex)
        {
            errorHandler.onError(ex);
        }
        fates.onEnd(fate(transfer));
    }

    void onFailed(final InboundTransfer transfer)
    {
        counters.increment(KvCounters.Kind.TRANSFERS_FAILED);
        try
        {
            listener.onTransferFailed(
                transfer.transferId(), transfer.info().requestId(), transfer.error(), transfer.errorText());
        }
        catch (final RuntimeException ex)
        {
            errorHandler.onError(ex);
        }
        fates.onEnd(fate(transfer));
    }

    /**
     * A transfer was refused at its begin.
     */
    void onRefusedBegin(
        final long transferId,
        final long requestId,
        final KvFailurePolicy policy,
        final KvError error,
        final String text)
    {
        counters.increment(KvCounters.Kind.REJECTS);
        try
        {
            listener.onTransferFailed(transferId, requestId, error, text);
        }
        catch (final RuntimeException ex)
        {
            errorHandler.onError(ex);
        }
        fates.onEnd(new KvFate(requestId, error.terminalState(), error, text, policy, null));
    }

    /**
     * A message was dropped.
     */
    void onRefused(final long transferId, final KvError error, final String text)
    {
        counters.increment(KvCounters.Kind.REJECTS);
        try
        {
            listener.onRefused(transferId, error, text);
        }
        catch (final RuntimeException ex)
        {
            errorHandler.onError(ex);
        }
    }

    private static KvFate fate(final InboundTransfer transfer)
    {
        return new KvFate(transfer.info().requestId(), transfer.state(), transfer.error(), transfer.errorText(),
            transfer.info().policy(), transfer);
    }
}
