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
package io.millrace.bridge.device;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

@Timeout(150)
class HostDeviceTest
{
    private final HostDevice device = new HostDevice(3, 2);

    @AfterEach
    void tearDown()
    {
        device.close();
    }

    @Test
    void freeWaitsForTheHostsCopies() throws InterruptedException
    {
        final byte[] bytes = new byte[1 << 20];
        // So large that the allocator gives it back to the system at once: a copy after that would crash.
        final long address = device.allocate(64L << 20);
        final AtomicLong copies = new AtomicLong();
        final AtomicReference<Throwable> end = new AtomicReference<>();
        final Thread host = new Thread(() ->
        {
            try
            {
                while (true)
                {
                    device.put(address, bytes, 0, bytes.length);
                    device.get(address, bytes, 0, bytes.length);
                    copies.incrementAndGet();
                }
            }
            catch (final IllegalArgumentException ex)
            {
                end.set(ex);
            }
        });
        host.start();
        while (copies.get() < 10)
        {
            LockSupport.parkNanos(1000);
        }

        device.free(address);

        host.join();
        assertThat(end.get()).hasMessageContaining("host:3");
    }

    @Test
    void registryFindsInteriorRangesAndRefusesOverlaps()
    {
        final MemoryRegistry registry = new MemoryRegistry();
        registry.add(1000, 100);
        registry.add(1100, 50);
        assertThat(registry.contains(1050, 50)).isTrue();
        assertThat(registry.contains(1050, 51)).isFalse();
        assertThat(registry.contains(999, 1)).isFalse();
        assertThat(registry.contains(1149, 1)).isTrue();
        assertThat(registry.contains(1150, 1)).isFalse();
        assertThat(registry.contains(1000, Long.MAX_VALUE)).isFalse();
        assertThatThrownBy(() -> registry.add(1149, 10)).hasMessageContaining("overlaps 0x44c");
        assertThatThrownBy(() -> registry.add(900, 101)).hasMessageContaining("overlaps 0x3e8");
        assertThatThrownBy(() -> registry.add(1000, 1)).hasMessageContaining("overlaps");
        assertThatThrownBy(() -> registry.add(Long.MAX_VALUE, 2)).hasMessageContaining("must be over 0");
        assertThat(registry.remove(1000)).isEqualTo(100);
        assertThat(registry.contains(1000, 1)).isFalse();
        assertThat(registry.size()).isEqualTo(1);
    }

    @Test
    void batchMergesRangesThatFollowOnAndIsBounded()
    {
        final KvCopyBatch batch = new KvCopyBatch().reset(CopyDirection.DEVICE_TO_HOST);
        batch.add(100, 1000, 10);
        batch.add(110, 1010, 10);
        batch.add(120, 1021, 10);
        batch.add(131, 1031, 10);
        assertThat(batch.count()).isEqualTo(3);
        assertThat(batch.length(0)).isEqualTo(20);
        assertThat(batch.totalBytes()).isEqualTo(40);
        for (int i = 3; i < KvCopyBatch.MAX_COPIES; i++)
        {
            assertThat(batch.add(10_000L * i, 7, 1)).isTrue();
        }
        assertThat(batch.add(1, 1, 1)).isFalse();
        batch.onSubmitted();
        assertThatThrownBy(() -> batch.reset(CopyDirection.DEVICE_TO_HOST)).hasMessageContaining("in flight");
    }
}
