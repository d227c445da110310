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

import io.aeron.protocol.DataHeaderFlyweight;

/**
 * One line of a benchmark.
 *
 * @param kind     of it.
 * @param size     of a message in bytes.
 * @param mtu      of the channels in bytes.
 * @param protocol that the chosen word led to.
 */
record BenchCase(CaseKind kind, int size, int mtu, String protocol)
{
    // Longer ones are no faster for any driver, and all terms of both sides no longer stay in the cache.
    private static final int MIN_TERM_LENGTH = 1 << 20;
    // A replay waits for the disk with what is in flight at most half a term.
    private static final int ARCHIVE_TERM_LENGTH = 4 << 20;
    private static final int MESSAGES_PER_TERM = 8;

    /**
     * Shortest term of the case that takes eight messages.
     *
     * @return bytes, a power of two.
     */
    int termLength()
    {
        int length = kind.isArchive() ? ARCHIVE_TERM_LENGTH : MIN_TERM_LENGTH;
        while (!kind.isKv() && !kind.isArchive() && length / MESSAGES_PER_TERM < size)
        {
            length <<= 1;
        }
        return length;
    }

    /**
     * Messages that each fill one frame.
     *
     * @return case with the same MTU.
     */
    BenchCase stream()
    {
        return new BenchCase(CaseKind.THROUGHPUT, mtu - DataHeaderFlyweight.HEADER_LENGTH, mtu, protocol);
    }

    /**
     * Writes of libfabric, one for each piece.
     *
     * @return case with the same size.
     */
    BenchCase writes()
    {
        return new BenchCase(CaseKind.THROUGHPUT, size, mtu, protocol);
    }

    /**
     * {@inheritDoc}
     */
    public String toString()
    {
        return CaseKind.ARCHIVE_INDEX == kind ? kind.key() + " " + size + " blocks" :
            kind.key() + " " + size + " B, MTU " + mtu + ", " + protocol;
    }
}
