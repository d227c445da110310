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

/**
 * Copies that are submitted together, and the event of their completion. Reused, never allocated on a duty cycle. The
 * owner fills it while it is not in flight; a queue of the device reads it until it is complete.
 */
public final class KvCopyBatch
{
    /**
     * Most copies of a batch: more make {@code aclrtMemcpyBatchAsync} fail.
     */
    public static final int MAX_COPIES = 4096;

    /**
     * Not submitted since the last {@link #reset}.
     */
    public static final int IDLE = 0;

    /**
     * Submitted, copies may still run.
     */
    public static final int PENDING = 1;

    /**
     * All bytes are there.
     */
    public static final int COMPLETED = 2;

    /**
     * No copy runs any more and not all bytes are there, see {@link #failure()}.
     */
    public static final int FAILED = 3;

    private final long[] destinations = new long[MAX_COPIES];
    private final long[] sources = new long[MAX_COPIES];
    private final long[] lengths = new long[MAX_COPIES];
    private CopyDirection direction = CopyDirection.DEVICE_TO_HOST;
    private int count;
    private int mergedCount;
    private long totalBytes;
    private long deadlineNs;
    private long submitNs;
    private long endNs;
    private boolean isMetered;
    private KvEvent acquired;
    private String failure;
    private Object attachment;
    private volatile int status = IDLE;

    /**
     * Empty.
     */
    public KvCopyBatch()
    {
    }

    /**
     * Empty the batch.
     *
     * @param newDirection of all copies.
     * @return this for a fluent API.
     */
    public KvCopyBatch reset(final CopyDirection newDirection)
    {
        if (PENDING == status)
        {
            throw new IllegalStateException("batch is in flight: wait for its completion before it is reused");
        }
        direction = newDirection;
        count = 0;
        mergedCount = 0;
        totalBytes = 0;
        acquired = null;
        failure = null;
        isMetered = false;
        status = IDLE;
        return this;
    }

    /**
     * Add a copy; it is merged with the one before when both ranges follow on.
     *
     * @param destination address.
     * @param source      address.
     * @param lengthBytes 1 and up.
     * @return false when the batch is full and the copy was not added.
     */
    public boolean add(final long destination, final long source, final long lengthBytes)
    {
        final int last = count - 1;
        if (last >= 0 && destinations[last] + lengths[last] == destination && sources[last] + lengths[last] == source)
        {
            lengths[last] += lengthBytes;
            mergedCount++;
        }
        else if (MAX_COPIES == count)
        {
            return false;
        }
        else
        {
            destinations[count] = destination;
            sources[count] = source;
            lengths[count] = lengthBytes;
            count++;
        }
        totalBytes += lengthBytes;
        return true;
    }

    /**
     * Direction of all copies.
     *
     * @return the direction.
     */
    public CopyDirection direction()
    {
        return direction;
    }

    /**
     * Copies after merging.
     *
     * @return 0 to {@link #MAX_COPIES}.
     */
    public int count()
    {
        return count;
    }

    /**
     * Copies that were added and merged with the one before.
     *
     * @return 0 and up.
     */
    public int mergedCount()
    {
        return mergedCount;
    }

    /**
     * Let the copies start only after a compute stream reached an event; {@link #reset} takes it back.
     *
     * @param event that stays open until the batch has ended, null for none.
     * @return this for a fluent API.
     */
    public KvCopyBatch acquire(final KvEvent event)
    {
        acquired = event;
        return this;
    }

    /**
     * Event that the copies wait for.
     *
     * @return null when they wait for none.
     */
    public KvEvent acquired()
    {
        return acquired;
    }

    /**
     * Time that the copies took.
     *
     * @return nanoseconds from submission to the end that was noticed, once the batch has ended.
     */
    public long durationNs()
    {
        return endNs - submitNs;
    }

    /**
     * Sum of the lengths.
     *
     * @return bytes.
     */
    public long totalBytes()
    {
        return totalBytes;
    }

    /**
     * Destination of a copy.
     *
     * @param index from 0.
     * @return address.
     */
    public long destination(final int index)
    {
        return destinations[index];
    }

    /**
     * Source of a copy.
     *
     * @param index from 0.
     * @return address.
     */
    public long source(final int index)
    {
        return sources[index];
    }

    /**
     * Device side of a copy.
     *
     * @param index from 0.
     * @return address of its source or destination, whichever is device memory.
     */
    public long deviceAddress(final int index)
    {
        return CopyDirection.DEVICE_TO_HOST == direction ? sources[index] : destinations[index];
    }

    /**
     * Host side of a copy.
     *
     * @param index from 0.
     * @return address.
     */
    public long hostAddress(final int index)
    {
        return CopyDirection.DEVICE_TO_HOST == direction ? destinations[index] : sources[index];
    }

    /**
     * Length of a copy.
     *
     * @param index from 0.
     * @return bytes.
     */
    public long length(final int index)
    {
        return lengths[index];
    }

    /**
     * Time at which the owner gives up on the batch, for the owner's use.
     *
     * @param newDeadlineNs on the owner's monotonic clock.
     * @return this for a fluent API.
     */
    public KvCopyBatch deadlineNs(final long newDeadlineNs)
    {
        deadlineNs = newDeadlineNs;
        return this;
    }

    /**
     * Time at which the owner gives up on the batch.
     *
     * @return on the owner's monotonic clock.
     */
    public long deadlineNs()
    {
        return deadlineNs;
    }

    /**
     * Where the batch stands.
     *
     * @return {@link #IDLE}, {@link #PENDING}, {@link #COMPLETED} or {@link #FAILED}.
     */
    public int status()
    {
        return status;
    }

    /**
     * Why the batch failed.
     *
     * @return null unless {@link #FAILED}.
     */
    public String failure()
    {
        return FAILED == status ? failure : null;
    }

    /**
     * For queues: the copies start.
     */
    public void onSubmitted()
    {
        submitNs = System.nanoTime();
        endNs = submitNs;
        status = PENDING;
    }

    /**
     * For queues: there was no room, the batch was not taken.
     */
    public void onRefused()
    {
        status = IDLE;
    }

    /**
     * For queues: their own bookkeeping of the batch, such as the event that was recorded behind its copies.
     *
     * @param newAttachment kept until the next one.
     */
    public void attachment(final Object newAttachment)
    {
        attachment = newAttachment;
    }

    /**
     * For queues: what was attached last.
     *
     * @return null when nothing was.
     */
    public Object attachment()
    {
        return attachment;
    }

    /**
     * For queues: all bytes are there.
     */
    public void onCompleted()
    {
        endNs = System.nanoTime();
        status = COMPLETED;
    }

    /**
     * For queues: no copy runs any more and not all bytes are there.
     *
     * @param text with call, numbers and device.
     */
    public void onFailed(final String text)
    {
        failure = text;
        status = FAILED;
    }

    /**
     * Is this the first time that somebody asks after the batch has ended.
     */
    boolean meter()
    {
        final boolean isFirst = !isMetered;
        isMetered = true;
        return isFirst;
    }
}
