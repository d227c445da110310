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

import io.millrace.bridge.KvReceiver;
import org.agrona.DirectBuffer;

/**
 * Brings payload of chunks into device memory.
 */
interface Landing extends AutoCloseable
{
    /**
     * Told of what became of payload.
     */
    interface Handler
    {
        /**
         * Bytes are in device memory.
         */
        void onCopied(InboundTransfer transfer, int layer, int length);

        /**
         * Bytes are not all in device memory. Copies may still run unless the slot came back.
         */
        void onCopyFailed(InboundTransfer transfer, String text);

        /**
         * A transfer has one copy less in flight.
         */
        void onSlotFree(InboundTransfer transfer);
    }

    /**
     * A landing that suits the context.
     *
     * @param ctx concluded; without staging the agent itself copies between the log and device memory.
     */
    static Landing of(final KvReceiver.Context ctx, final Handler handler)
    {
        return null == ctx.staging() ? new DirectLanding(ctx, handler) : new StagedLanding(ctx, handler);
    }

    /**
     * Called on the agent's thread before anything else.
     */
    void onStart();

    /**
     * Take payload of the current layer at its next offset.
     *
     * @return bytes taken, fewer than length when staging has no room now.
     */
    int land(InboundTransfer transfer, DirectBuffer buffer, int offset, int length, int attempt, long nowNs);

    /**
     * Start the copies of all slots that are being filled.
     */
    int flushAll(long nowNs);

    /**
     * Forget the bytes that a transfer has staged and not yet given to a copy.
     */
    void discard(InboundTransfer transfer);

    /**
     * Look after the copies in flight.
     */
    int poll(long nowNs);

    /**
     * Does no copy run.
     */
    boolean isIdle();

    /**
     * Wait for the copies in flight and free what no copy uses.
     */
    void close();
}
