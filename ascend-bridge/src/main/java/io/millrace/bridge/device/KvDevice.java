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

/**
 * A device with memory of its own, addressed by 64-bit addresses that the host may not be able to touch. Thread-safe.
 */
public interface KvDevice extends AutoCloseable
{
    /**
     * Physical id, stamped on messages and counters.
     *
     * @return 0 and up.
     */
    int deviceId();

    /**
     * Kind and id for a person.
     *
     * @return such as {@code host:0}.
     */
    String name();

    /**
     * Allocate and register device memory. Its contents are undefined.
     *
     * @param lengthBytes 1 and up.
     * @return address, aligned to 64 bytes at least.
     */
    long allocate(long lengthBytes);

    /**
     * Free memory that {@link #allocate} returned. Waits for copies of a running batch; later batches that name it
     * fail.
     *
     * @param address of the allocation.
     * @throws IllegalStateException when copies still use it after the device's time limit: it stays allocated.
     */
    void free(long address);

    /**
     * Register device memory that somebody else allocated and keeps until {@link #unregister}.
     *
     * @param address     of the first byte.
     * @param lengthBytes 1 and up.
     * @throws IllegalArgumentException when it overlaps what is registered.
     */
    void register(long address, long lengthBytes);

    /**
     * Unregister what {@link #register} took.
     *
     * @param address that was registered.
     * @throws IllegalStateException when copies still use it after the device's time limit: it stays registered.
     */
    void unregister(long address);

    /**
     * Is a range within one registered region.
     *
     * @param address     of the first byte, interior addresses included.
     * @param lengthBytes 1 and up.
     * @return true when copies of it are allowed.
     */
    boolean contains(long address, long lengthBytes);

    /**
     * Refuse a range that is not within one registered region.
     *
     * @param address     of the first byte.
     * @param lengthBytes 1 and up.
     * @throws IllegalArgumentException with the numbers.
     */
    default void checkRange(final long address, final long lengthBytes)
    {
        if (!contains(address, lengthBytes))
        {
            throw new IllegalArgumentException(outOfRange(name(), address, lengthBytes));
        }
    }

    /**
     * Allocate host memory that asynchronous copies of this device can use, page-aligned.
     *
     * @param lengthBytes 1 and up.
     * @return direct buffer over it.
     */
    ByteBuffer allocateStaging(int lengthBytes);

    /**
     * Free what {@link #allocateStaging} returned.
     *
     * @param buffer no copy of which is in flight.
     */
    void freeStaging(ByteBuffer buffer);

    /**
     * Let asynchronous copies use host memory that somebody else allocated and keeps until {@link #unpinHost}.
     *
     * @param address     of the first byte, page-aligned.
     * @param lengthBytes whole pages.
     * @return false when this device or its software cannot; {@link #allocateStaging} is the remedy.
     */
    boolean pinHost(long address, long lengthBytes);

    /**
     * Undo {@link #pinHost}, once no copy uses the memory.
     *
     * @param address that was pinned.
     * @throws IllegalArgumentException when nothing was pinned there.
     * @throws IllegalStateException    when copies use it still: it stays pinned.
     */
    void unpinHost(long address);

    /**
     * Write device memory and wait for it.
     *
     * @param address of the first byte.
     * @param src     to read.
     * @param offset  in src.
     * @param length  in bytes.
     */
    void put(long address, byte[] src, int offset, int length);

    /**
     * Read device memory and wait for it.
     *
     * @param address of the first byte.
     * @param dst     to write.
     * @param offset  in dst.
     * @param length  in bytes.
     */
    void get(long address, byte[] dst, int offset, int length);

    /**
     * Does the processor reach device memory as it reaches its own. Agents then copy it straight into the log and out
     * of it, with {@link KvCopyQueue#copy}, and need no staging memory.
     *
     * @return false for devices with memory behind a bus.
     */
    default boolean isHostAccessible()
    {
        return false;
    }

    /**
     * Mark the point that a compute stream of the producer has come to, for {@link KvCopyBatch#acquire}.
     *
     * @param computeStream handle of the stream, 0 for the default stream.
     * @return event to close after the batches that acquired it.
     */
    KvEvent recordEvent(long computeStream);

    /**
     * Open a queue for the calling thread. Only that thread may use it.
     *
     * @return the queue.
     */
    KvCopyQueue openQueue();

    /**
     * Open a queue that counts.
     *
     * @param meter told of each batch.
     * @return the queue.
     */
    default KvCopyQueue openQueue(final KvDeviceMeter meter)
    {
        return metered(openQueue(), meter);
    }

    /**
     * Count the batches of a queue.
     *
     * @param queue to count.
     * @param meter told of each batch.
     * @return the queue to use.
     */
    static KvCopyQueue metered(final KvCopyQueue queue, final KvDeviceMeter meter)
    {
        return new MeteredCopyQueue(queue, meter);
    }

    /**
     * Stop copying and free the device memory that is still allocated.
     */
    void close();

    /**
     * The sentence for a range that is not registered.
     *
     * @param name        of the device.
     * @param address     of the first byte.
     * @param lengthBytes of the range.
     * @return value, rule and remedy.
     */
    static String outOfRange(final String name, final long address, final long lengthBytes)
    {
        return "range 0x" + Long.toHexString(address) + " + " + lengthBytes + " bytes is not within one registered " +
            "region of " + name + ": allocate or register it first, and check the block addresses";
    }
}
