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
package io.millrace.efa.libfabric;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

/**
 * Reads and writes native memory by absolute address in host byte order, without garbage.
 */
final class RawMemory
{
    private static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);
    private static final int MAX_STRING_LENGTH = 4096;

    private RawMemory()
    {
    }

    static long getLong(final long address)
    {
        return ALL.get(JAVA_LONG_UNALIGNED, address);
    }

    static void putLong(final long address, final long value)
    {
        ALL.set(JAVA_LONG_UNALIGNED, address, value);
    }

    static int getInt(final long address)
    {
        return ALL.get(JAVA_INT_UNALIGNED, address);
    }

    static void putInt(final long address, final int value)
    {
        ALL.set(JAVA_INT_UNALIGNED, address, value);
    }

    static int getUnsignedShort(final long address)
    {
        return ALL.get(JAVA_SHORT_UNALIGNED, address) & 0xFFFF;
    }

    static int getUnsignedByte(final long address)
    {
        return ALL.get(JAVA_BYTE, address) & 0xFF;
    }

    static void putByte(final long address, final byte value)
    {
        ALL.set(JAVA_BYTE, address, value);
    }

    static byte[] getBytes(final long address, final int length)
    {
        final byte[] bytes = new byte[length];
        MemorySegment.copy(ALL, JAVA_BYTE, address, bytes, 0, length);
        return bytes;
    }

    static void putBytes(final long address, final byte[] bytes)
    {
        MemorySegment.copy(bytes, 0, ALL, JAVA_BYTE, address, bytes.length);
    }

    static void copy(final long from, final long to, final long length)
    {
        MemorySegment.copy(ALL, from, ALL, to, length);
    }

    static void zero(final long address, final long length)
    {
        ALL.asSlice(address, length).fill((byte)0);
    }

    /**
     * Read a NUL terminated string.
     *
     * @param address of it, may be 0.
     * @return the string, or null for address 0.
     */
    static String getString(final long address)
    {
        if (0 == address)
        {
            return null;
        }

        int length = 0;
        while (length < MAX_STRING_LENGTH && 0 != getUnsignedByte(address + length))
        {
            length++;
        }
        return new String(getBytes(address, length), StandardCharsets.UTF_8);
    }
}
