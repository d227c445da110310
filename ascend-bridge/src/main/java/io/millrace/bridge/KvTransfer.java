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

import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A transfer that was submitted to a {@link KvSender}. All methods may be called from any thread.
 * <p>
 * At the terminal state the blocks may be written again and freed, with one exception: after
 * {@link KvError#DEVICE_ERROR} a copy that outlasted its timeout may still read them
 * ({@link KvCounters.Kind#QUARANTINED} counts such copies). What it reads is not sent, so the blocks may be written,
 * but their memory must stay allocated until the sender is closed, which waits for copies, unless the device's own
 * {@code free} waits for them, as that of the host device does.
 */
public interface KvTransfer
{
    /**
     * Id on the stream.
     *
     * @return non-zero.
     */
    long transferId();

    /**
     * Id of the serving system.
     *
     * @return as submitted.
     */
    long requestId();

    /**
     * Where it stands.
     *
     * @return the state.
     */
    KvTransferState state();

    /**
     * Payload bytes published so far, repeats counted.
     *
     * @return bytes.
     */
    long bytesSent();

    /**
     * Payload bytes of all layers.
     *
     * @return bytes.
     */
    long totalBytes();

    /**
     * Layers that every receiver has in device memory, checked. Falls when a receiver that lost them begins again.
     *
     * @return 0 to the layout's layers; always 0 when unacknowledged.
     */
    int layersAcked();

    /**
     * Has every receiver a layer in device memory, checked.
     *
     * @param layer from 0.
     * @return true when it has.
     */
    boolean isLayerAcked(int layer);

    /**
     * Time that is left, by the clock of the sender.
     *
     * @return nanoseconds, 0 and below when the deadline has passed.
     */
    long remainingNs();

    /**
     * What the receiver's side does if the transfer fails.
     *
     * @return as submitted.
     */
    KvFailurePolicy failurePolicy();

    /**
     * The receivers that take part, known once the transfer is announced.
     *
     * @return one per receiver; empty before, and for unacknowledged senders.
     */
    List<KvDestination> destinations();

    /**
     * Why it ended.
     *
     * @return NONE unless it ended without completing.
     */
    KvError error();

    /**
     * Why it ended, with the numbers.
     *
     * @return null unless it ended without completing.
     */
    String errorText();

    /**
     * Time from submission to the terminal state, or to now.
     *
     * @return nanoseconds.
     */
    long durationNs();

    /**
     * Tell that the producer has computed layers 0 to this one. Only matters for requests with
     * {@link KvTransferRequest#layerwise(boolean)}.
     *
     * @param layer from 0.
     */
    void layerReady(int layer);

    /**
     * Ask the sender to end the transfer; the receiver is told and its confirmation waited for until the deadline.
     */
    void cancel();

    /**
     * Completes with this transfer at its terminal state, never exceptionally. Dependants run on the sender's agent.
     *
     * @return the future.
     */
    CompletableFuture<KvTransfer> future();

    /**
     * Ask for the end of the transfer to one receiver; it goes on to the others.
     *
     * @param receiverId of {@link #destinations()}.
     * @throws IllegalArgumentException when it is none of them, as before the transfer has begun.
     */
    void cancel(long receiverId);

    /**
     * Be called on the sender's agent at the terminal state, at once when it is reached already. Must not block.
     *
     * @param callback for this transfer.
     */
    default void onEnd(final Consumer<KvTransfer> callback)
    {
        future().thenAccept(callback);
    }

    /**
     * Wait for the terminal state.
     *
     * @param timeoutNs to wait at most.
     * @return the state reached.
     */
    KvTransferState await(long timeoutNs);

    /**
     * Wait for the terminal states of many transfers.
     *
     * @param transfers to wait for.
     * @param timeoutNs to wait at most, for all of them.
     * @return true when every transfer has ended, in whatever state.
     */
    static boolean awaitAll(final Collection<? extends KvTransfer> transfers, final long timeoutNs)
    {
        final long startNs = System.nanoTime();
        boolean isEnded = true;
        for (final KvTransfer transfer : transfers)
        {
            final long leftNs = Math.max(0, timeoutNs - (System.nanoTime() - startNs));
            isEnded &= transfer.await(leftNs).isTerminal();
        }
        return isEnded;
    }

    /**
     * Wait for the terminal state and insist on completion.
     *
     * @param timeoutNs to wait at most.
     * @throws KvException with {@link KvError#DEADLINE} when the time is over, or with the transfer's error.
     */
    default void awaitCompleted(final long timeoutNs)
    {
        final KvTransferState reached = await(timeoutNs);
        if (KvTransferState.COMPLETED != reached)
        {
            throw new KvException(reached.isTerminal() ? error() : KvError.DEADLINE, reached.isTerminal() ?
                errorText() : this + " has not ended within " + TimeUnit.NANOSECONDS.toMillis(timeoutNs) + " ms");
        }
    }
}
