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
 * A transfer that arrives. All methods may be called from any thread.
 */
public interface KvInboundTransfer
{
    /**
     * What is arriving.
     *
     * @return what TransferBegin told.
     */
    KvTransferInfo info();

    /**
     * Where it lands.
     *
     * @return blocks of the allocator.
     */
    KvBlocks blocks();

    /**
     * Where it stands.
     *
     * @return PENDING or a terminal state.
     */
    KvTransferState state();

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
     * Layers that can be used: their copies completed and their checksums matched.
     *
     * @return 0 to {@code info().layout().layers()}.
     */
    int layersReady();

    /**
     * Can a layer be used.
     *
     * @param layer from 0.
     * @return true when its copies completed and its checksum matched.
     */
    boolean isLayerReady(int layer);

    /**
     * Wait until a layer can be used.
     *
     * @param layer     from 0.
     * @param timeoutNs to wait at most.
     * @return false when the time is over.
     * @throws KvException when the transfer ended without the layer.
     */
    boolean awaitLayer(int layer, long timeoutNs);

    /**
     * Payload bytes of the layers that landed, what was there before not counted.
     *
     * @return bytes.
     */
    long bytesLanded();

    /**
     * Has everything come, and matched its checksums.
     *
     * @return true when nothing but copies is left to wait for.
     */
    boolean hasArrived();

    /**
     * Is the stream broken and the sender waited for.
     *
     * @return true while neither data can come nor the transfer has ended.
     */
    boolean isInterrupted();

    /**
     * Ask the receiver to end the transfer; the sender is told.
     */
    void cancel();
}
