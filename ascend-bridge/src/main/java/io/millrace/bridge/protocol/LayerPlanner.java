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

import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.device.CopyDirection;
import io.millrace.bridge.device.KvCopyBatch;
import io.millrace.bridge.device.KvDevice;

/**
 * Maps ranges of a layer's bytes, as they stand in the stream, to the blocks that hold them. The bytes of a layer are K
 * of all blocks, then V of all blocks.
 */
public final class LayerPlanner
{
    private LayerPlanner()
    {
    }

    /**
     * The longest range that always fits one batch, even when no two blocks follow each other.
     *
     * @param layout    of the blocks.
     * @param slotBytes of the staging slot.
     * @return bytes.
     */
    public static int maxRangeBytes(final KvLayout layout, final int slotBytes)
    {
        // A range may begin and end within a block: two copies more than it has whole blocks.
        return (int)Math.min(slotBytes, (long)(KvCopyBatch.MAX_COPIES - 2) * layout.partBytes());
    }

    /**
     * Fill a batch with the copies of a range.
     *
     * @param batch       to fill; reset first.
     * @param direction   of the copies.
     * @param layout      of the blocks.
     * @param blocks      that hold the layer.
     * @param blockCount  blocks that the stream carries, at most {@code blocks.blockCount()}.
     * @param layer       from 0.
     * @param layerOffset of the range's first byte.
     * @param length      of the range, at most {@link #maxRangeBytes}.
     * @param hostAddress of the range's first byte in staging memory.
     */
    public static void plan(
        final KvCopyBatch batch,
        final CopyDirection direction,
        final KvLayout layout,
        final KvBlocks blocks,
        final int blockCount,
        final int layer,
        final long layerOffset,
        final int length,
        final long hostAddress)
    {
        final int partBytes = layout.partBytes();
        final long bytesOfPart = (long)partBytes * blockCount;
        final boolean isFromDevice = CopyDirection.DEVICE_TO_HOST == direction;
        int part = (int)(layerOffset / bytesOfPart);
        final long offsetInPart = layerOffset % bytesOfPart;
        int block = (int)(offsetInPart / partBytes);
        int offsetInBlock = (int)(offsetInPart % partBytes);
        int done = 0;

        batch.reset(direction);
        while (done < length)
        {
            final int count = Math.min(length - done, partBytes - offsetInBlock);
            final long device = blocks.address(layer, part, block) + offsetInBlock;
            final long host = hostAddress + done;
            if (!batch.add(isFromDevice ? host : device, isFromDevice ? device : host, count))
            {
                throw new IllegalArgumentException("range of " + length + " bytes takes more than " +
                    KvCopyBatch.MAX_COPIES + " copies of " + partBytes + " bytes: plan shorter ranges");
            }

            done += count;
            offsetInBlock = 0;
            if (++block == blockCount)
            {
                block = 0;
                part++;
            }
        }
    }

    /**
     * Refuse blocks that are not device memory.
     *
     * @param device that holds them.
     * @param layout of the blocks.
     * @param blocks to check in every layer.
     * @throws IllegalArgumentException with the first range that is not registered.
     */
    public static void checkBlocks(final KvDevice device, final KvLayout layout, final KvBlocks blocks)
    {
        for (int layer = 0; layer < layout.layers(); layer++)
        {
            for (int part = 0; part < layout.parts(); part++)
            {
                for (int block = 0; block < blocks.blockCount(); block++)
                {
                    device.checkRange(blocks.address(layer, part, block), layout.partBytes());
                }
            }
        }
    }
}
