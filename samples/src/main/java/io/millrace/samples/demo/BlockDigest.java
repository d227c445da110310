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
 * A 64-bit digest of block content, computed in four lanes, so that the multiplications overlap. It shares nothing with
 * the CRC-32C of the KV stream, hence also finds what that one would miss.
 */
public final class BlockDigest
{
    private static final long PRIME = 0x9FB21C651E98DF25L;
    private static final int ROTATION = 29;
    private static final int STRIDE_BYTES = 4 * Long.BYTES;
    private static final VarHandle WORD =
        MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private BlockDigest()
    {
    }

    /**
     * Digest of bytes.
     *
     * @param bytes  to digest from index 0.
     * @param length in bytes.
     * @return 64 bits that any changed, moved or missing byte changes.
     */
    public static long of(final byte[] bytes, final int length)
    {
        long a = 1;
        long b = 2;
        long c = 3;
        long d = 4;
        final int whole = length - length % STRIDE_BYTES;
        for (int i = 0; i < whole; i += STRIDE_BYTES)
        {
            a = step(a, (long)WORD.get(bytes, i));
            b = step(b, (long)WORD.get(bytes, i + 8));
            c = step(c, (long)WORD.get(bytes, i + 16));
            d = step(d, (long)WORD.get(bytes, i + 24));
        }
        for (int i = whole; i < length; i++)
        {
            a = step(a, bytes[i]);
        }
        return combine(combine(combine(a, b), combine(c, d)), length);
    }

    // The rotation brings high bits, which a multiplication does not spread, to where the next one does.
    private static long step(final long lane, final long word)
    {
        return Long.rotateLeft((lane ^ word) * PRIME, ROTATION);
    }

    /**
     * Digest of a sequence: the digest so far with one more appended.
     *
     * @param digest of what came before.
     * @param next   to append.
     * @return digest of both in this order.
     */
    public static long combine(final long digest, final long next)
    {
        return BlockContent.mix(digest * PRIME + BlockContent.mix(next));
    }
}
