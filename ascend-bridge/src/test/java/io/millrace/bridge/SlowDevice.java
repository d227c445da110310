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

import java.nio.ByteBuffer;
import java.util.ArrayDeque;

import io.millrace.bridge.device.KvCopyBatch;
import io.millrace.bridge.device.KvCopyQueue;
import io.millrace.bridge.device.KvDevice;
import io.millrace.bridge.device.KvEvent;

/**
 * A device whose copies can be held back.
 */
final class SlowDevice implements KvDevice
{
    volatile boolean isHeld;
    private final KvDevice device;
    private volatile int heldCount;

    SlowDevice(final KvDevice device)
    {
        this.device = device;
    }

    /**
     * Batches held back now.
     */
    int heldCount()
    {
        return heldCount;
    }

    public int deviceId()
    {
        return device.deviceId();
    }

    public String name()
    {
        return device.name();
    }

    public long allocate(final long lengthBytes)
    {
        return device.allocate(lengthBytes);
    }

    public void free(final long address)
    {
        device.free(address);
    }

    public void register(final long address, final long lengthBytes)
    {
        device.register(address, lengthBytes);
    }

    public void unregister(final long address)
    {
        device.unregister(address);
    }

    public boolean contains(final long address, final long lengthBytes)
    {
        return device.contains(address, lengthBytes);
    }

    public ByteBuffer allocateStaging(final int lengthBytes)
    {
        return device.allocateStaging(lengthBytes);
    }

    public void freeStaging(final ByteBuffer buffer)
    {
        device.freeStaging(buffer);
    }

    public boolean pinHost(final long address, final long lengthBytes)
    {
        return device.pinHost(address, lengthBytes);
    }

    public void unpinHost(final long address)
    {
        device.unpinHost(address);
    }

    public void put(final long address, final byte[] src, final int offset, final int length)
    {
        device.put(address, src, offset, length);
    }

    public void get(final long address, final byte[] dst, final int offset, final int length)
    {
        device.get(address, dst, offset, length);
    }

    public KvEvent recordEvent(final long computeStream)
    {
        return device.recordEvent(computeStream);
    }

    public KvCopyQueue openQueue()
    {
        return new Queue(device.openQueue());
    }

    public void close()
    {
        device.close();
    }

    /**
     * Starts what was held back when somebody polls after the hold has ended.
     */
    private final class Queue implements KvCopyQueue
    {
        private final KvCopyQueue queue;
        private final ArrayDeque<KvCopyBatch> held = new ArrayDeque<>();

        Queue(final KvCopyQueue queue)
        {
            this.queue = queue;
        }

        public boolean submit(final KvCopyBatch batch)
        {
            start();
            if (!isHeld)
            {
                return queue.submit(batch);
            }
            batch.onSubmitted();
            held.add(batch);
            heldCount = held.size();
            return true;
        }

        public int poll(final KvCopyBatch batch)
        {
            start();
            return queue.poll(batch);
        }

        public void close()
        {
            isHeld = false;
            start();
            queue.close();
        }

        private void start()
        {
            while (!isHeld && !held.isEmpty())
            {
                queue.submit(held.poll());
                heldCount = held.size();
            }
        }
    }
}
