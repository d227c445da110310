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
package io.millrace.bridge.device.acl;

import com.sun.jna.Memory;
import io.millrace.bridge.device.HeldRegions;
import io.millrace.bridge.device.KvCopyBatch;
import io.millrace.bridge.device.MemoryRegistry;

/**
 * What a queue knows of a batch in flight: the regions it holds, the event behind its copies, and the arrays that a
 * batched call may read until then. Reused.
 */
final class AclCopy
{
    private static final int ARRAYS = 3;

    KvCopyBatch batch;
    AclStream stream;
    long event;
    long startNs;
    boolean isRecorded;
    String failure;
    private final HeldRegions regions = new HeldRegions();
    private Memory arrays;
    private int capacity;

    /**
     * Hold all regions that a batch names.
     *
     * @return index of the first copy that is not within registered regions, -1 when all are held.
     */
    int hold(final KvCopyBatch newBatch, final MemoryRegistry registry, final MemoryRegistry host)
    {
        batch = newBatch;
        return regions.hold(newBatch, registry, host);
    }

    void release()
    {
        regions.release();
        batch = null;
        failure = null;
        isRecorded = false;
    }

    /**
     * Lay out destinations, sources and sizes.
     *
     * @return address of the destinations, the other arrays follow.
     */
    long fillArrays()
    {
        final int count = batch.count();
        if (capacity < count)
        {
            capacity = Integer.highestOneBit(Math.max(16, count * 2 - 1));
            arrays = new Memory((long)capacity * ARRAYS * Long.BYTES);
        }
        for (int i = 0; i < count; i++)
        {
            final long offset = (long)i * Long.BYTES;
            arrays.setLong(offset, batch.destination(i));
            arrays.setLong(offset + arrayBytes(), batch.source(i));
            arrays.setLong(offset + 2 * arrayBytes(), batch.length(i));
        }
        return AclLibrary.address(arrays);
    }

    long arrayBytes()
    {
        return (long)capacity * Long.BYTES;
    }
}
