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

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

@Timeout(20)
class HostDeviceTest
{
    private final HostDevice device = new HostDevice(3, 2);

    @AfterEach
    void tearDown()
    {
        device.close();
    }

    private static int complete(final KvCopyQueue queue, final KvCopyBatch batch)
    {
        int status = queue.poll(batch);
        while (KvCopyBatch.PENDING == status)
        {
            LockSupport.parkNanos(1000);
            status = queue.poll(batch);
        }
        return status;
    }

    @Test
    void copiesBothWays()
    {
        final long address = device.allocate(1 << 20);
        final ByteBuffer staging = device.allocateStaging(1 << 16);
        final long host = BufferUtil.address(staging);
        final KvCopyQueue queue = device.openQueue();
        final KvCopyBatch batch = new KvCopyBatch();
        assertThat(address % 4096).isZero();
        assertThat(host % 4096).isZero();

        new UnsafeBuffer(staging).setMemory(0, 1 << 16, (byte)7);
        batch.reset(CopyDirection.HOST_TO_DEVICE).add(address + 64, host, 1 << 16);
        assertThat(queue.submit(batch)).isTrue();
        assertThat(complete(queue, batch)).isEqualTo(KvCopyBatch.COMPLETED);
        final byte[] out = new byte[2];
        device.get(address + 64 + (1 << 16) - 1, out, 0, 1);
        assertThat(out[0]).isEqualTo((byte)7);

        device.put(address, new byte[]{1, 2}, 0, 2);
        batch.reset(CopyDirection.DEVICE_TO_HOST).add(host + 8, address, 2);
        queue.submit(batch);
        assertThat(complete(queue, batch)).isEqualTo(KvCopyBatch.COMPLETED);
        assertThat(staging.get(9)).isEqualTo((byte)2);
        queue.close();
        device.freeStaging(staging);
        assertThatThrownBy(() -> device.freeStaging(staging)).hasMessageContaining("was freed before");
        device.free(address);
        assertThatThrownBy(() -> device.free(address)).hasMessageContaining("was freed before");
    }

    @Test
    void refusesCopiesOutsideOfItsMemory()
    {
        final long address = device.allocate(4096);
        final ByteBuffer staging = device.allocateStaging(4096);
        final KvCopyQueue queue = device.openQueue();
        final KvCopyBatch batch = new KvCopyBatch().reset(CopyDirection.HOST_TO_DEVICE);
        batch.add(address + 4000, BufferUtil.address(staging), 97);
        queue.submit(batch);

        assertThat(complete(queue, batch)).isEqualTo(KvCopyBatch.FAILED);
        assertThat(batch.failure()).contains("97 bytes").contains("host:3").contains("register");
        device.free(address);
        batch.reset(CopyDirection.HOST_TO_DEVICE).add(address, BufferUtil.address(staging), 1);
        queue.submit(batch);
        assertThat(complete(queue, batch)).isEqualTo(KvCopyBatch.FAILED);
        device.freeStaging(staging);
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
