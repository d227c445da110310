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
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * What every device keeps to.
 */
@Timeout(150)
public abstract class KvDeviceContract
{
    /**
     * A point that a producer has not reached.
     */
    public interface Producer extends AutoCloseable
    {
        KvEvent event();

        void reach();

        void close();
    }

    private static final int LENGTH = 1 << 16;

    protected KvDevice device;

    /**
     * Open a device whose free and unregister give up within a short time.
     */
    protected abstract KvDevice open();

    protected abstract Producer producer();

    @BeforeEach
    final void openDevice()
    {
        device = open();
    }

    @AfterEach
    final void closeDevice()
    {
        if (null != device)
        {
            device.close();
        }
    }

    public static int complete(final KvCopyQueue queue, final KvCopyBatch batch)
    {
        while (KvCopyBatch.PENDING == queue.poll(batch))
        {
            LockSupport.parkNanos(1000);
        }
        return batch.status();
    }

    private static byte[] random(final int length, final long seed)
    {
        final byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    @Test
    void copiesAtOnceWhereTheHostReaches()
    {
        final byte[] expected = random(LENGTH, 2);
        final byte[] actual = new byte[LENGTH];
        final long source = device.allocate(LENGTH);
        final long destination = device.allocate(LENGTH);
        final ByteBuffer host = ByteBuffer.allocateDirect(LENGTH);
        final KvCopyQueue queue = device.openQueue();
        final KvCopyBatch batch = new KvCopyBatch().reset(CopyDirection.DEVICE_TO_HOST);
        batch.add(BufferUtil.address(host), source, LENGTH);
        device.put(source, expected, 0, LENGTH);
        if (!device.isHostAccessible())
        {
            assertThatThrownBy(() -> queue.copy(batch)).hasMessageContaining("submit the batch");
            assertThat(batch.status()).isEqualTo(KvCopyBatch.IDLE);
            queue.close();
            return;
        }

        queue.copy(batch);
        assertThat(queue.poll(batch)).isEqualTo(KvCopyBatch.COMPLETED);
        batch.reset(CopyDirection.HOST_TO_DEVICE).add(destination, BufferUtil.address(host), LENGTH);
        queue.copy(batch);
        assertThat(queue.poll(batch)).isEqualTo(KvCopyBatch.COMPLETED);
        device.get(destination, actual, 0, LENGTH);
        assertThat(actual).isEqualTo(expected);

        // Memory that copies held is free to go, and no longer copied.
        device.free(destination);
        batch.reset(CopyDirection.HOST_TO_DEVICE).add(destination, BufferUtil.address(host), LENGTH);
        queue.copy(batch);
        assertThat(queue.poll(batch)).isEqualTo(KvCopyBatch.FAILED);
        assertThat(batch.failure()).contains("not within one registered region");
        queue.close();
        batch.reset(CopyDirection.DEVICE_TO_HOST).add(BufferUtil.address(host), source, LENGTH);
        queue.copy(batch);
        assertThat(batch.failure()).contains("is closed");
    }

    @Test
    void copiesManyRangesBothWays()
    {
        final byte[] source = random(LENGTH, 1);
        final byte[] expected = new byte[LENGTH];
        final byte[] actual = new byte[LENGTH];
        final long address = device.allocate(LENGTH);
        final long other = device.allocate(LENGTH);
        final ByteBuffer staging = device.allocateStaging(LENGTH);
        final long host = BufferUtil.address(staging);
        final KvCopyQueue queue = device.openQueue();
        final KvCopyBatch out = new KvCopyBatch().reset(CopyDirection.DEVICE_TO_HOST);
        final KvCopyBatch in = new KvCopyBatch().reset(CopyDirection.HOST_TO_DEVICE);
        assertThat(address % 64).isZero();
        assertThat(host % 4096).isZero();
        device.put(address, source, 0, LENGTH);
        device.put(other, expected, 0, LENGTH);

        // Every other range of 64 bytes, in reverse.
        int at = 0;
        for (int offset = LENGTH - 64; offset >= 0; offset -= 128)
        {
            out.add(host + at, address + offset, 64);
            in.add(other + offset, host + at, 64);
            System.arraycopy(source, offset, expected, offset, 64);
            at += 64;
        }
        assertThat(queue.submit(out)).isTrue();
        assertThat(complete(queue, out)).as(out.failure()).isEqualTo(KvCopyBatch.COMPLETED);
        assertThat(queue.submit(in)).isTrue();
        assertThat(complete(queue, in)).as(in.failure()).isEqualTo(KvCopyBatch.COMPLETED);

        device.get(other, actual, 0, LENGTH);
        assertThat(actual).isEqualTo(expected);
        assertThat(in.durationNs()).isPositive();
        queue.close();
        device.freeStaging(staging);
        assertThatThrownBy(() -> device.freeStaging(staging)).hasMessageContaining("was freed before");
        device.free(address);
        assertThatThrownBy(() -> device.free(address)).hasMessageContaining("was freed before");
    }

    @Test
    void aBatchTakes4096CopiesAndNoMore()
    {
        final int limit = 4096;
        final int length = 16;
        final byte[] source = random(2 * limit * length, 2);
        final byte[] actual = new byte[limit * length];
        final long address = device.allocate(source.length);
        final ByteBuffer staging = device.allocateStaging(actual.length);
        final KvCopyQueue queue = device.openQueue();
        final KvCopyBatch batch = new KvCopyBatch().reset(CopyDirection.DEVICE_TO_HOST);
        device.put(address, source, 0, source.length);

        // Every other range, none of which follows on to the one before.
        for (int i = 0; i < limit; i++)
        {
            assertThat(batch.add(
                BufferUtil.address(staging) + (long)i * length, address + 2L * i * length, length)).isTrue();
        }
        assertThat(batch.add(BufferUtil.address(staging), address, length)).isFalse();
        assertThat(batch.count()).isEqualTo(limit);
        assertThat(queue.submit(batch)).isTrue();
        assertThat(complete(queue, batch)).as(batch.failure()).isEqualTo(KvCopyBatch.COMPLETED);

        staging.get(0, actual);
        for (int i = 0; i < limit; i++)
        {
            assertThat(Arrays.equals(source, 2 * i * length, (2 * i + 1) * length, actual, i * length,
                (i + 1) * length)).as("copy %d", i).isTrue();
        }
        queue.close();
        device.freeStaging(staging);
        device.free(address);
    }

    @Test
    void interiorAddressesResolveAndRangesPastTheEndAreRefused()
    {
        final long address = device.allocate(4096);
        final ByteBuffer staging = device.allocateStaging(4096);
        final KvCopyQueue queue = device.openQueue();
        final KvCopyBatch batch = new KvCopyBatch();
        assertThat(device.contains(address + 4000, 96)).isTrue();
        assertThat(device.contains(address + 4000, 97)).isFalse();
        assertThatThrownBy(() -> device.checkRange(address + 4000, 97)).isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("97 bytes").hasMessageContaining(device.name()).hasMessageContaining("register");
        assertThatThrownBy(() -> device.put(address + 4095, new byte[2], 0, 2))
            .isInstanceOf(IllegalArgumentException.class);

        device.put(address, new byte[4096], 0, 4096);
        new UnsafeBuffer(staging).setMemory(0, 4096, (byte)7);
        batch.reset(CopyDirection.HOST_TO_DEVICE)
            .add(address, BufferUtil.address(staging), 64);
        batch.add(address + 4000, BufferUtil.address(staging) + 128, 97);
        assertThat(queue.submit(batch)).isTrue();
        assertThat(complete(queue, batch)).isEqualTo(KvCopyBatch.FAILED);
        assertThat(batch.failure()).contains("97 bytes").contains(device.name());
        final byte[] bytes = new byte[4096];
        device.get(address, bytes, 0, 4096);
        assertThat(bytes).as("a batch that is refused copies nothing").isEqualTo(new byte[4096]);
        queue.close();
        device.freeStaging(staging);
    }

    @Test
    void regionsAreRegisteredByTheirStartAndOverlapsRefused()
    {
        final long address = device.allocate(8192);
        assertThatThrownBy(() -> device.register(address + 4096, 4096)).isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("overlaps").hasMessageContaining("unregister that first");
        assertThatThrownBy(() -> device.unregister(address + 64)).isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("unregister by its start");

        device.unregister(address);
        assertThat(device.contains(address, 1)).isFalse();
        device.register(address, 4096);
        device.register(address + 4096, 4096);
        assertThat(device.contains(address + 4000, 192)).isFalse();

        // Merged copies may go over the border between two regions that follow on.
        final ByteBuffer staging = device.allocateStaging(4096);
        final KvCopyQueue queue = device.openQueue();
        final KvCopyBatch batch = new KvCopyBatch().reset(CopyDirection.HOST_TO_DEVICE);
        batch.add(address + 4000, BufferUtil.address(staging), 96);
        batch.add(address + 4096, BufferUtil.address(staging) + 96, 96);
        assertThat(batch.count()).isEqualTo(1);
        assertThat(batch.mergedCount()).isEqualTo(1);
        queue.submit(batch);
        assertThat(complete(queue, batch)).as(batch.failure()).isEqualTo(KvCopyBatch.COMPLETED);
        queue.close();
        device.unregister(address + 4096);
        device.freeStaging(staging);
    }

    @Test
    void copiesWaitForAnAcquiredEventAndOthersDoNot()
    {
        final long address = device.allocate(LENGTH);
        final ByteBuffer staging = device.allocateStaging(2 * LENGTH);
        final long host = BufferUtil.address(staging);
        final KvCopyQueue queue = device.openQueue();
        final KvCopyBatch waiting = new KvCopyBatch().reset(CopyDirection.DEVICE_TO_HOST);
        final KvCopyBatch plain = new KvCopyBatch().reset(CopyDirection.DEVICE_TO_HOST);
        device.put(address, random(LENGTH, 2), 0, LENGTH);
        try (Producer producer = producer())
        {
            waiting.acquire(producer.event()).add(host, address, LENGTH);
            plain.add(host + LENGTH, address, LENGTH);
            assertThat(producer.event().isReached()).isFalse();
            queue.submit(waiting);
            queue.submit(plain);
            assertThat(complete(queue, plain)).isEqualTo(KvCopyBatch.COMPLETED);
            assertThat(queue.poll(waiting)).isEqualTo(KvCopyBatch.PENDING);
            assertThatThrownBy(() -> waiting.reset(CopyDirection.DEVICE_TO_HOST)).hasMessageContaining("in flight");

            // What the producer writes before the point is what is copied.
            device.put(address, random(LENGTH, 3), 0, LENGTH);
            producer.reach();
            assertThat(complete(queue, waiting)).as(waiting.failure()).isEqualTo(KvCopyBatch.COMPLETED);
            assertThat(producer.event().isReached()).isTrue();
        }
        final byte[] copied = new byte[LENGTH];
        staging.get(0, copied);
        assertThat(copied).isEqualTo(random(LENGTH, 3));
        assertThat(waiting.reset(CopyDirection.DEVICE_TO_HOST).acquired()).isNull();
        queue.close();
        device.freeStaging(staging);
    }

    @Test
    void memoryInUseIsNotFreedUnderItsCopies()
    {
        final long address = device.allocate(LENGTH);
        final long other = device.allocate(LENGTH);
        final ByteBuffer staging = device.allocateStaging(LENGTH);
        final KvCopyQueue queue = device.openQueue();
        final KvCopyBatch batch = new KvCopyBatch().reset(CopyDirection.DEVICE_TO_HOST);
        try (Producer producer = producer())
        {
            batch.acquire(producer.event()).add(BufferUtil.address(staging), address, LENGTH);
            queue.submit(batch);
            assertThatThrownBy(() -> device.free(address)).isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("is in use").hasMessageContaining("used by 1 batches");
            assertThat(device.contains(address, LENGTH)).isTrue();
            device.free(other);
            producer.reach();
            // Drained: free looks after the batch itself when its owner is busy freeing.
            device.free(address);
            assertThat(complete(queue, batch)).isEqualTo(KvCopyBatch.COMPLETED);
        }
        batch.reset(CopyDirection.DEVICE_TO_HOST).add(BufferUtil.address(staging), address, 1);
        queue.submit(batch);
        assertThat(complete(queue, batch)).isEqualTo(KvCopyBatch.FAILED);
        queue.close();
        device.freeStaging(staging);
    }

    @Test
    void closedQueuesTakeNothingAndOwnersOnOtherThreadsGoOn() throws InterruptedException
    {
        final long address = device.allocate(LENGTH);
        final KvCopyQueue closed = device.openQueue();
        closed.close();
        final KvCopyBatch batch = new KvCopyBatch().reset(CopyDirection.DEVICE_TO_HOST);
        batch.add(1, address, 1);
        assertThat(closed.submit(batch)).isTrue();
        assertThat(batch.status()).isEqualTo(KvCopyBatch.FAILED);
        assertThat(batch.failure()).contains("is closed");

        device.put(address, random(LENGTH, 4), 0, LENGTH);
        final AtomicReference<byte[]> seen = new AtomicReference<>();
        final Thread thread = new Thread(() ->
        {
            final KvCopyQueue queue = device.openQueue();
            final ByteBuffer staging = device.allocateStaging(LENGTH);
            final KvCopyBatch own = new KvCopyBatch().reset(CopyDirection.DEVICE_TO_HOST);
            own.add(BufferUtil.address(staging), address, LENGTH);
            queue.submit(own);
            complete(queue, own);
            final byte[] bytes = new byte[LENGTH];
            staging.get(0, bytes);
            queue.close();
            device.freeStaging(staging);
            seen.set(bytes);
        });
        thread.start();
        thread.join();
        assertThat(Arrays.equals(seen.get(), random(LENGTH, 4))).isTrue();
    }

    @Test
    void meterIsToldOfEachBatchOnce()
    {
        final long address = device.allocate(LENGTH);
        final ByteBuffer staging = device.allocateStaging(LENGTH);
        final StringBuilder told = new StringBuilder();
        final KvCopyQueue queue = device.openQueue(new KvDeviceMeter()
        {
            public void onCopied(final CopyDirection direction, final int copies, final int merged, final long bytes,
                final long durationNs)
            {
                told.append(direction).append(' ').append(copies).append(' ').append(merged).append(' ').append(bytes)
                    .append(durationNs > 0 ? ";" : "no time;");
            }

            public void onCopyFailed()
            {
                told.append("failed;");
            }
        });
        final KvCopyBatch batch = new KvCopyBatch().reset(CopyDirection.DEVICE_TO_HOST);
        batch.add(BufferUtil.address(staging), address, 64);
        batch.add(BufferUtil.address(staging) + 64, address + 64, 64);
        batch.add(BufferUtil.address(staging) + 256, address + 256, 64);
        queue.submit(batch);
        complete(queue, batch);
        queue.poll(batch);
        batch.reset(CopyDirection.HOST_TO_DEVICE).add(address + LENGTH, BufferUtil.address(staging), 1);
        queue.submit(batch);
        complete(queue, batch);
        queue.poll(batch);
        assertThat(told).hasToString("DEVICE_TO_HOST 2 1 192;failed;");
        queue.close();
        device.freeStaging(staging);
    }

    @Test
    void refusesSizesBelowOne()
    {
        assertThatThrownBy(() -> device.allocate(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> device.allocateStaging(0)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> device.free(4096)).hasMessageContaining("was not allocated by " + device.name());
    }
}
