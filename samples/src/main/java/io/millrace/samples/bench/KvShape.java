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
package io.millrace.samples.bench;

import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvDtype;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.PagedKvCache;
import io.millrace.bridge.device.HostDevice;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * Layout and amounts of a KV case.
 *
 * @param layout            of the blocks.
 * @param blocksPerTransfer at most.
 * @param inFlight          transfers at a time.
 */
record KvShape(KvLayout layout, int blocksPerTransfer, int inFlight)
{
    /** Stream of KV data. */
    static final int STREAM_ID = 2003;
    /** Stream of acknowledgements. */
    static final int REVERSE_STREAM_ID = 2004;
    /** Pieces of a transfer are multiples of this many bytes: one token of one head. */
    static final int PIECE_UNIT = 128;
    /** Bytes of a piece of a trace's blocks. */
    static final int TRACE_PIECE = 32_768;

    private static final int HEAD_DIM = 64;
    private static final int IN_FLIGHT = 4;
    private static final int TRANSFER_BYTES = 8 << 20;
    private static final int TRACE_TOKENS_PER_BLOCK = 128;
    private static final int TRACE_IN_FLIGHT = 2;
    // Requests beyond 16 384 tokens are cut there: both sides hold them in memory.
    private static final int TRACE_BLOCKS = 128;

    /**
     * Shape of a case.
     *
     * @param order of the measurement.
     * @return the shape.
     */
    static KvShape of(final Order order)
    {
        return switch (order.kind())
        {
            case KV_TRACE -> new KvShape(
                KvLayout.parse("qwen2.5-0.5b", TRACE_TOKENS_PER_BLOCK), TRACE_BLOCKS, TRACE_IN_FLIGHT);
            case KV_BLOCK -> new KvShape(layout(order.size() / KvLayout.PARTS), 1, 1);
            default -> new KvShape(
                layout(order.size()), Math.max(1, TRANSFER_BYTES / KvLayout.PARTS / order.size()), IN_FLIGHT);
        };
    }

    /**
     * A cache that hands out its blocks in no order, as those of a paged attention that has run for a while lie.
     *
     * @param device that holds it.
     * @return cache for all transfers in flight, and one that ends.
     */
    PagedKvCache cache(final HostDevice device)
    {
        final PagedKvCache cache = PagedKvCache.allocate(device, layout, capacityBlocks());
        final List<KvBlocks> blocks = new ArrayList<>();
        while (cache.freeBlocks() > 0)
        {
            blocks.add(cache.allocate(1));
        }
        Collections.shuffle(blocks, new Random(1));
        blocks.forEach(cache::free);
        return cache;
    }

    private static KvLayout layout(final int pieceLength)
    {
        return new KvLayout(1, 1, HEAD_DIM, KvDtype.BF16, pieceLength / PIECE_UNIT);
    }

    private int capacityBlocks()
    {
        return blocksPerTransfer * (inFlight + 1);
    }
}
