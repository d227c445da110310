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

import com.sun.management.OperatingSystemMXBean;
import io.millrace.samples.failure.CommandFailure;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Checks that the machine's memory holds the largest request twice, once on each side.
 */
public final class MachineCheck
{
    private static final Path MEMORY_FILE = Path.of("/proc/meminfo");
    private static final String AVAILABLE = "MemAvailable:";
    // Heap, buffers and libraries of one child, beside its device memory.
    private static final long CHILD_BYTES = 400L << 20;

    private MachineCheck()
    {
    }

    /**
     * Check the memory.
     *
     * @param blockBytes     of a KV block in all layers.
     * @param capacityBlocks blocks of the largest request.
     * @param largestTokens  its tokens.
     * @throws CommandFailure if the machine has too little.
     */
    static void memory(final long blockBytes, final int capacityBlocks, final int largestTokens)
    {
        // A shape that nobody has memory for may exceed 64 bits.
        final BigInteger needed = BigInteger.valueOf(blockBytes).multiply(BigInteger.valueOf(capacityBlocks))
            .add(BigInteger.valueOf(CHILD_BYTES)).multiply(BigInteger.TWO);
        require(needed, "the largest request has " + largestTokens + " tokens and needs",
            "on both sides together; use a smaller --model, or fewer --requests");
    }

    /**
     * Check the memory.
     *
     * @param neededBytes of it.
     * @param who         needs it, such as "the caches need".
     * @param remedy      that follows the number.
     * @throws CommandFailure if the machine has too little.
     */
    public static void require(final BigInteger neededBytes, final String who, final String remedy)
    {
        final long availableBytes = availableBytes();
        if (neededBytes.compareTo(BigInteger.valueOf(availableBytes)) > 0)
        {
            throw CommandFailure.failed("this machine has " + (availableBytes >> 20) + " MiB of memory available: " +
                who + " " + neededBytes.shiftRight(20) + " MiB " + remedy);
        }
    }

    private static long availableBytes()
    {
        // Within a container this is the container's limit.
        final long totalBytes =
            ((OperatingSystemMXBean)ManagementFactory.getOperatingSystemMXBean()).getTotalMemorySize();
        try
        {
            if (Files.exists(MEMORY_FILE))
            {
                for (final String line : Files.readAllLines(MEMORY_FILE))
                {
                    if (line.startsWith(AVAILABLE))
                    {
                        final String kibibytes = line.replaceAll("\\D", "");
                        return Math.min(totalBytes, Long.parseLong(kibibytes) << 10);
                    }
                }
            }
        }
        catch (final IOException ignore)
        {
            // What the JVM knows is good enough.
        }
        return totalBytes;
    }
}
