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
package io.millrace.archive;

import java.util.Map;
import java.util.TreeMap;

import io.millrace.archive.index.StoredTransfer;
import io.millrace.bridge.KvBlocks;

/**
 * Which blocks of a stored transfer are wanted, and which blocks of the request they are.
 */
final class FetchTransfer
{
    private final StoredTransfer stored;
    private final Map<Integer, Integer> targetByOrdinal = new TreeMap<>();

    FetchTransfer(final StoredTransfer stored)
    {
        this.stored = stored;
    }

    void add(final int ordinal, final int target)
    {
        targetByOrdinal.put(ordinal, target);
    }

    StoredTransfer stored()
    {
        return stored;
    }

    /**
     * Ordinals of the wanted blocks in the transfer, rising.
     */
    int[] ordinals()
    {
        return targetByOrdinal.keySet().stream().mapToInt(Integer::intValue).toArray();
    }

    /**
     * Indexes of the same blocks in the request.
     */
    int[] targets()
    {
        return targetByOrdinal.values().stream().mapToInt(Integer::intValue).toArray();
    }

    /**
     * The blocks of the request that it fills.
     */
    static KvBlocks select(final KvBlocks destination, final int[] targets)
    {
        return new KvBlocks()
        {
            public int blockCount()
            {
                return targets.length;
            }

            public long address(final int layer, final int part, final int block)
            {
                return destination.address(layer, part, targets[block]);
            }
        };
    }
}
