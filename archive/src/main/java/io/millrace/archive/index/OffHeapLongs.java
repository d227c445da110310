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
package io.millrace.archive.index;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * A growing array of longs outside of the heap, 0 until set.
 */
final class OffHeapLongs implements AutoCloseable
{
    private static final int CHUNK_SHIFT = 17;
    private static final int CHUNK_LENGTH = 1 << CHUNK_SHIFT;

    private UnsafeBuffer[] chunks = new UnsafeBuffer[0];

    void ensureLength(final long length)
    {
        final int count = (int)((length + CHUNK_LENGTH - 1) >>> CHUNK_SHIFT);
        final int oldCount = chunks.length;
        if (count > oldCount)
        {
            chunks = Arrays.copyOf(chunks, count);
            for (int i = oldCount; i < count; i++)
            {
                chunks[i] = new UnsafeBuffer(
                    ByteBuffer.allocateDirect(CHUNK_LENGTH * Long.BYTES).order(ByteOrder.nativeOrder()));
            }
        }
    }

    long get(final long index)
    {
        return chunks[(int)(index >>> CHUNK_SHIFT)].getLong(((int)index & CHUNK_LENGTH - 1) * Long.BYTES);
    }

    void set(final long index, final long value)
    {
        chunks[(int)(index >>> CHUNK_SHIFT)].putLong(((int)index & CHUNK_LENGTH - 1) * Long.BYTES, value);
    }

    long bytes()
    {
        return (long)chunks.length * CHUNK_LENGTH * Long.BYTES;
    }

    public void close()
    {
        for (final UnsafeBuffer chunk : chunks)
        {
            BufferUtil.free(chunk);
        }
        chunks = new UnsafeBuffer[0];
    }
}
