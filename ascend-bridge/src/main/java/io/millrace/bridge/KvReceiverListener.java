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

/**
 * Called on the receiver's agent: must not block.
 */
public interface KvReceiverListener
{
    /**
     * Blocks were granted, no data has come yet.
     *
     * @param transfer that begins.
     */
    default void onTransferBegin(final KvInboundTransfer transfer)
    {
    }

    /**
     * A layer is in device memory and was checked.
     *
     * @param transfer it belongs to.
     * @param layer    from 0.
     */
    default void onLayer(final KvInboundTransfer transfer, final int layer)
    {
    }

    /**
     * All layers are in device memory and the commit adds up.
     *
     * @param transferId of the stream.
     * @param requestId  of the serving system.
     * @param stats      of the transfer.
     */
    default void onTransferComplete(final long transferId, final long requestId, final KvTransferStats stats)
    {
    }

    /**
     * A transfer that began, or was refused at its begin, ended without completing.
     *
     * @param transferId of the stream.
     * @param requestId  of the serving system.
     * @param reason     of the end.
     * @param text       with the numbers.
     */
    default void onTransferFailed(
        final long transferId, final long requestId, final KvError reason, final String text)
    {
    }

    /**
     * A message that belongs to no transfer in flight was dropped.
     *
     * @param transferId that it names, 0 when it cannot be read.
     * @param reason     it was dropped for.
     * @param text       with the numbers.
     */
    default void onRefused(final long transferId, final KvError reason, final String text)
    {
    }
}
