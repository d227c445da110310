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
package io.millrace.samples.parts;

import org.agrona.BufferUtil;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;

/**
 * CRC-32C, as KV streams and archives have it.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class Checksum
{
    private static final int CACHE_LINE = 64;

    /**
     * Bytes to sum up.
     */
    @Param({ "4096", "65536" })
    public int size;

    private final CRC32C crc = new CRC32C();
    private ByteBuffer bytes;

    /**
     * Allocate.
     */
    @Setup
    public void allocate()
    {
        bytes = BufferUtil.allocateDirectAligned(size, CACHE_LINE);
    }

    /**
     * Sum up.
     *
     * @return the checksum.
     */
    @Benchmark
    public long crc32c()
    {
        crc.reset();
        crc.update(bytes.clear());
        return crc.getValue();
    }
}
