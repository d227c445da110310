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
 * Finds destination blocks for transfers that arrive. Called on the receiver's agent: must not block.
 */
@FunctionalInterface
public interface KvBlockAllocator
{
    /**
     * Find blocks for a transfer. They belong to the caller of the transfer once it completed.
     *
     * @param info of the transfer.
     * @return at least {@code info.blockCount()} blocks, or null for not now: asked again until the deadline.
     * @throws KvException to refuse; its text goes to the sender.
     */
    KvBlocks allocate(KvTransferInfo info);

    /**
     * Find blocks for a transfer and say what of it is in them already. By default nothing is.
     *
     * @param info of the transfer.
     * @return as {@link #allocate}, with at least {@code info.blockCount()} blocks, those already there included.
     * @throws KvException to refuse; its text goes to the sender.
     */
    default KvGrant grant(final KvTransferInfo info)
    {
        final KvBlocks blocks = allocate(info);
        return null == blocks ? null : KvGrant.of(blocks);
    }

    /**
     * A transfer ended without completing and no copy writes to its blocks any more.
     *
     * @param info   of the transfer.
     * @param blocks that {@link #allocate} returned.
     */
    default void release(final KvTransferInfo info, final KvBlocks blocks)
    {
    }
}
