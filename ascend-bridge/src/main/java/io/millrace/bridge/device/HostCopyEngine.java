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

import java.util.ArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

import org.agrona.UnsafeApi;
import org.agrona.concurrent.ManyToManyConcurrentArrayQueue;

/**
 * Copies batches between host memory and the memory of a {@link HostDevice}, on threads of its own, which start with
 * the first batch that is submitted to them, or at once on the caller's.
 */
final class HostCopyEngine implements AutoCloseable
{
    private static final int QUEUE_CAPACITY = 1024;
    private static final int SPINS = 200;
    private static final long MAX_PARK_NS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long CLOSE_TIMEOUT_NS = TimeUnit.SECONDS.toNanos(5);

    private final ManyToManyConcurrentArrayQueue<KvCopyBatch> batches =
        new ManyToManyConcurrentArrayQueue<>(QUEUE_CAPACITY);
    private final String deviceName;
    private final MemoryRegistry registry;
    private final Worker[] workers;
    private volatile boolean isRunning = true;
    private volatile boolean isStarted;

    HostCopyEngine(final String deviceName, final MemoryRegistry registry, final int threadCount)
    {
        this.deviceName = deviceName;
        this.registry = registry;
        workers = new Worker[threadCount];
        for (int i = 0; i < threadCount; i++)
        {
            workers[i] = new Worker("kv-copy-" + deviceName + "-" + i);
        }
    }

    KvCopyQueue openQueue()
    {
        return new Queue();
    }

    /**
     * Finish what was submitted, then stop.
     */
    public void close()
    {
        isRunning = false;
        for (final Worker worker : workers)
        {
            LockSupport.unpark(worker);
        }
        for (final Worker worker : workers)
        {
            try
            {
                worker.join(TimeUnit.NANOSECONDS.toMillis(CLOSE_TIMEOUT_NS));
            }
            catch (final InterruptedException ex)
            {
                Thread.currentThread().interrupt();
            }
        }
    }

    // Agents that copy for themselves need no threads.
    private synchronized void start()
    {
        if (!isStarted)
        {
            for (final Worker worker : workers)
            {
                worker.start();
            }
            isStarted = true;
        }
    }

    private void execute(final KvCopyBatch batch)
    {
        String failure = null;
        try
        {
            final int count = batch.count();
            for (int i = 0; i < count; i++)
            {
                UnsafeApi.copyMemory(batch.source(i), batch.destination(i), batch.length(i));
            }
            // The JVM may tell of a fault only at the thread's next native call: let that be here.
            Thread.holdsLock(batch);
        }
        catch (final InternalError ex)
        {
            // Memory whose pages are gone, as of a mapped file that became shorter. JDK 17 may tell it later.
            failure = "copies of " + batch.totalBytes() + " bytes met memory that is not there on " + deviceName +
                ": keep registered memory mapped (" + ex.getMessage() + ")";
        }
        end(batch, failure);
    }

    private static void end(final KvCopyBatch batch, final String failure)
    {
        // The owner may reuse the batch as soon as its status says so: take what is needed before.
        final InFlight copy = (InFlight)batch.attachment();
        final Queue queue = copy.queue;
        copy.regions.release();
        if (null == failure)
        {
            batch.onCompleted();
        }
        else
        {
            batch.onFailed(failure);
        }
        queue.inFlight.decrementAndGet();
    }

    private final class Worker extends Thread
    {
        /**
         * Batches whose events are not reached.
         */
        private final ArrayList<KvCopyBatch> waiting = new ArrayList<>();
        private volatile boolean isParked;

        Worker(final String name)
        {
            super(name);
            setDaemon(true);
        }

        public void run()
        {
            int idleCount = 0;
            while (true)
            {
                final KvCopyBatch batch = batches.poll();
                if (checkWaiting() || null != batch)
                {
                    take(batch);
                    idleCount = 0;
                }
                else if (!isRunning)
                {
                    waiting.forEach(late -> end(late, deviceName + " was closed before an acquired event"));
                    return;
                }
                else if (++idleCount < SPINS)
                {
                    Thread.onSpinWait();
                }
                else
                {
                    isParked = true;
                    // A batch offered before the flag was seen would wait for the park to end: look again.
                    if (batches.isEmpty() && isRunning)
                    {
                        LockSupport.parkNanos(MAX_PARK_NS);
                    }
                    isParked = false;
                }
            }
        }

        private void take(final KvCopyBatch batch)
        {
            if (null != batch && null != batch.acquired() && !batch.acquired().isReached())
            {
                waiting.add(batch);
            }
            else if (null != batch)
            {
                execute(batch);
            }
        }

        private boolean checkWaiting()
        {
            for (int i = waiting.size() - 1; i >= 0; i--)
            {
                final KvCopyBatch batch = waiting.get(i);
                final boolean isClosing = ((InFlight)batch.attachment()).queue.isClosing;
                if (isClosing || batch.acquired().isReached())
                {
                    waiting.remove(i);
                    if (isClosing)
                    {
                        end(batch, "queue of " + deviceName + " was closed before an acquired event was reached");
                    }
                    else
                    {
                        execute(batch);
                    }
                    return true;
                }
            }
            return false;
        }
    }

    private static final class InFlight
    {
        private final HeldRegions regions = new HeldRegions();
        private Queue queue;
    }

    private final class Queue implements KvCopyQueue
    {
        private final AtomicInteger inFlight = new AtomicInteger();
        private volatile boolean isClosing;

        public boolean submit(final KvCopyBatch batch)
        {
            if (!begin(batch))
            {
                return true;
            }
            if (!isStarted)
            {
                start();
            }
            if (!batches.offer(batch))
            {
                ((InFlight)batch.attachment()).regions.release();
                inFlight.decrementAndGet();
                batch.onRefused();
                return false;
            }

            for (final Worker worker : workers)
            {
                if (worker.isParked)
                {
                    LockSupport.unpark(worker);
                    break;
                }
            }
            return true;
        }

        public void copy(final KvCopyBatch batch)
        {
            if (begin(batch))
            {
                execute(batch);
            }
        }

        // Holds the batch's regions and counts it in, or fails it.
        private boolean begin(final KvCopyBatch batch)
        {
            if (!isRunning || isClosing)
            {
                batch.onFailed((isRunning ? "queue of " + deviceName : deviceName) + " is closed");
                return false;
            }

            // The engine keeps with the batch what it needs for it: batches are reused.
            final InFlight copy = batch.attachment() instanceof InFlight ?
                (InFlight)batch.attachment() : new InFlight();
            final int outside = copy.regions.hold(batch, registry);
            if (outside >= 0)
            {
                batch.onFailed(
                    KvDevice.outOfRange(deviceName, batch.deviceAddress(outside), batch.length(outside)));
                return false;
            }
            copy.queue = this;
            batch.attachment(copy);
            batch.onSubmitted();
            inFlight.incrementAndGet();
            return true;
        }

        public int poll(final KvCopyBatch batch)
        {
            return batch.status();
        }

        public void close()
        {
            isClosing = true;
            final long deadlineNs = System.nanoTime() + CLOSE_TIMEOUT_NS;
            while (inFlight.get() > 0)
            {
                if (System.nanoTime() - deadlineNs > 0)
                {
                    throw new IllegalStateException(inFlight.get() + " batches of " + deviceName +
                        " still run after " + CLOSE_TIMEOUT_NS + " ns: their memory must stay allocated");
                }
                LockSupport.parkNanos(MAX_PARK_NS);
            }
        }
    }
}
