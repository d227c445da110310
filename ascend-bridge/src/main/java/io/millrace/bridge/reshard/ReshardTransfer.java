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
package io.millrace.bridge.reshard;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import io.millrace.bridge.KvTransfer;
import io.millrace.bridge.KvTransferState;

/**
 * The transfers that a source rank makes for one request, one for each destination rank it feeds. When one ends without
 * completing, the others are canceled.
 */
public final class ReshardTransfer
{
    private final List<KvTransfer> transfers;
    private final CompletableFuture<ReshardTransfer> future;

    ReshardTransfer(final List<KvTransfer> transfers)
    {
        this.transfers = List.copyOf(transfers);
        final CompletableFuture<?>[] futures = this.transfers.stream().map(KvTransfer::future)
            .map(each -> each.thenAccept(this::onEnd)).toArray(CompletableFuture[]::new);
        future = CompletableFuture.allOf(futures).thenApply(ignore -> this);
    }

    private void onEnd(final KvTransfer transfer)
    {
        if (KvTransferState.COMPLETED != transfer.state())
        {
            cancel();
        }
    }

    /**
     * The transfers.
     *
     * @return by destination rank; none when other source ranks send what this one holds.
     */
    public List<KvTransfer> transfers()
    {
        return transfers;
    }

    /**
     * Where the transfers stand.
     *
     * @return the state of the first that ended otherwise than by completing, once all have ended; COMPLETED when all
     * are, else PENDING.
     */
    public KvTransferState state()
    {
        KvTransferState worst = KvTransferState.COMPLETED;
        for (final KvTransfer transfer : transfers)
        {
            final KvTransferState state = transfer.state();
            if (!state.isTerminal())
            {
                return KvTransferState.PENDING;
            }
            // Those that were canceled on behalf of another tell less than the other.
            worst = KvTransferState.COMPLETED == worst || KvTransferState.CANCELED == worst &&
                KvTransferState.COMPLETED != state ? state : worst;
        }
        return worst;
    }

    /**
     * Payload bytes published so far.
     *
     * @return bytes.
     */
    public long bytesSent()
    {
        return transfers.stream().mapToLong(KvTransfer::bytesSent).sum();
    }

    /**
     * This layer and those before may be read.
     *
     * @param layer from 0.
     */
    public void layerReady(final int layer)
    {
        transfers.forEach(transfer -> transfer.layerReady(layer));
    }

    /**
     * Cancel what has not ended.
     */
    public void cancel()
    {
        transfers.stream().filter(transfer -> !transfer.state().isTerminal()).forEach(KvTransfer::cancel);
    }

    /**
     * Told when all have ended.
     *
     * @return completes with this, on an agent's thread, never exceptionally.
     */
    public CompletableFuture<ReshardTransfer> future()
    {
        return future;
    }

    /**
     * Wait for all to end.
     *
     * @param timeoutNs nanoseconds to wait.
     * @return the state then.
     */
    public KvTransferState await(final long timeoutNs)
    {
        try
        {
            future.get(timeoutNs, TimeUnit.NANOSECONDS);
        }
        catch (final TimeoutException | ExecutionException ex)
        {
            return state();
        }
        catch (final InterruptedException ex)
        {
            Thread.currentThread().interrupt();
        }
        return state();
    }
}
