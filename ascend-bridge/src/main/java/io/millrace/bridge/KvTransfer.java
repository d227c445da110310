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

import java.util.concurrent.CompletableFuture;

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
     * Layers that the receiver has in device memory, checked.
     *
     * @return 0 to the layout's layers; always 0 when unacknowledged.
     */
    int layersAcked();

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
     * Wait for the terminal state.
     *
     * @param timeoutNs to wait at most.
     * @return the state reached.
     */
    KvTransferState await(long timeoutNs);
}
