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
package io.millrace.samples.demo;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * The content of KV blocks, computed in place of a model's keys and values. Every part of a block can be computed on
 * its own from the seed and its place, so both sides of a transfer know what it must hold without asking each other.
 */
public final class BlockContent
{
    private static final long GOLDEN = 0x9E3779B97F4A7C15L;
    private static final VarHandle WORD =
        MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private BlockContent()
    {
    }

    /**
     * Compute the keys or the values of a block.
     *
     * @param seed    of the run.
     * @param request index of the request.
     * @param layer   of the model.
     * @param part    0 for keys, 1 for values.
     * @param block   index within the request.
     * @param bytes   that take the content from index 0.
     * @param length  of the content in bytes.
     */
    public static void fill(
        final long seed,
        final long request,
        final int layer,
        final int part,
        final int block,
        final byte[] bytes,
        final int length)
    {
        // One addition, shift and exclusive-or a word: the demonstration is about the transfer, not about this.
        long state = mix(mix(mix(seed + GOLDEN) + request) + ((long)(layer * 2 + part) << 32 | block));
        final int whole = length & ~7;
        for (int i = 0; i < whole; i += 8)
        {
            state += GOLDEN;
            WORD.set(bytes, i, state ^ (state >>> 29));
        }
        for (int i = whole; i < length; i++)
        {
            state += GOLDEN;
            bytes[i] = (byte)(state >>> 56);
        }
    }

    /**
     * Spread every bit of a value over the result (the finaliser of SplitMix64).
     *
     * @param value to spread.
     * @return 64 mixed bits.
     */
    static long mix(final long value)
    {
        long z = value;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
