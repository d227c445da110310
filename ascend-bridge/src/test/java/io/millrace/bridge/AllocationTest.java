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
package io.millrace.bridge;

import java.lang.management.ManagementFactory;

import com.sun.management.ThreadMXBean;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;

@Timeout(150)
class AllocationTest
{
    private static final KvLayout LAYOUT = new KvLayout(4, 2, 64, KvDtype.BF16, 16);
    private static final int REPEATS = 4;

    @ParameterizedTest
    @EnumSource(Setting.class)
    void allocatesNothingPerChunk(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            final PagedKvCache source = Bridge.scattered(bridge.sourceDevice, LAYOUT, 2000, 1);
            final PagedKvCache destination = PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, 4000);
            bridge.launch(destination);
            final KvTransferRequest small = new KvTransferRequest().layout(LAYOUT).blocks(source.allocate(20));
            final KvTransferRequest large = new KvTransferRequest().layout(LAYOUT).blocks(source.allocate(1900));
            measure(bridge, small, destination);
            measure(bridge, large, destination);
            final long smallBytes = measure(bridge, small, destination);
            final long chunksBefore = bridge.receiver.counters().get(KvCounters.Kind.CHUNKS);
            long largeBytes = measure(bridge, large, destination);
            final long chunks = bridge.receiver.counters().get(KvCounters.Kind.CHUNKS) - chunksBefore;
            // What is not compiled yet allocates where compiled code does not: what a chunk costs, each run has.
            for (int i = 0; i < REPEATS && largeBytes - smallBytes >= chunks; i++)
            {
                largeBytes = Math.min(largeBytes, measure(bridge, large, destination));
            }

            // The destination's block ids are allocated by its cache, per transfer: 4 bytes per block.
            final long blockIdBytes = 1900 * Integer.BYTES;
            assertThat(chunks).isGreaterThan(900);
            assertThat(largeBytes - smallBytes - blockIdBytes).isLessThan(chunks * 8);
        }
    }

    private static long measure(
        final Bridge bridge, final KvTransferRequest request, final PagedKvCache destination)
    {
        final ThreadMXBean threads = (ThreadMXBean)ManagementFactory.getThreadMXBean();
        final KvTransfer transfer = bridge.sender.submit(request);
        final long before = threads.getCurrentThreadAllocatedBytes();
        while (!transfer.state().isTerminal())
        {
            if (0 == bridge.turn())
            {
                Thread.yield();
            }
        }
        final long bytes = threads.getCurrentThreadAllocatedBytes() - before;
        assertThat(transfer.state()).isEqualTo(KvTransferState.COMPLETED);
        destination.free(bridge.completed.poll().transfer().blocks());
        return bytes;
    }
}
