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

import io.aeron.Aeron;
import org.agrona.BitUtil;
import org.agrona.BufferUtil;
import org.agrona.concurrent.UnsafeBuffer;
import org.agrona.concurrent.status.AtomicCounter;
import org.agrona.concurrent.status.CountersReader;

/**
 * One Aeron counter for each constant of an enum. A single thread writes, any may read.
 *
 * @param <E> enum of what is counted.
 */
public final class CounterSet<E extends Enum<E> & CounterSet.Kind> implements AutoCloseable
{
    /**
     * What is counted.
     */
    public interface Kind
    {
        /**
         * Type id of the Aeron counter.
         *
         * @return unique among all counters of a driver.
         */
        int typeId();

        /**
         * Name for a person.
         *
         * @return label without the name of the one who counts.
         */
        String label();
    }

    private final Class<E> type;
    private final String label;
    private volatile AtomicCounter[] counters;

    private CounterSet(final Class<E> type, final String label, final AtomicCounter[] counters)
    {
        this.type = type;
        this.label = label;
        this.counters = counters;
    }

    /**
     * Counters in memory of this process, for users without a media driver's counters file.
     *
     * @param type of what is counted.
     * @param <E>  enum of what is counted.
     * @return the counters.
     */
    public static <E extends Enum<E> & Kind> CounterSet<E> inMemory(final Class<E> type)
    {
        return new CounterSet<>(type, null, newInMemory(type.getEnumConstants().length));
    }

    private static AtomicCounter[] newInMemory(final int count)
    {
        final AtomicCounter[] counters = new AtomicCounter[count];
        final UnsafeBuffer buffer = new UnsafeBuffer(BufferUtil.allocateDirectAligned(
            counters.length * CountersReader.COUNTER_LENGTH, BitUtil.CACHE_LINE_LENGTH));
        for (int i = 0; i < counters.length; i++)
        {
            counters[i] = new AtomicCounter(buffer, i);
        }
        return counters;
    }

    /**
     * Counters in the media driver's counters file.
     *
     * @param aeron client that allocates them.
     * @param type  of what is counted.
     * @param label of the one who counts, put after the name of each.
     * @param <E>   enum of what is counted.
     * @return the counters.
     */
    public static <E extends Enum<E> & Kind> CounterSet<E> allocate(
        final Aeron aeron, final Class<E> type, final String label)
    {
        return new CounterSet<>(type, label, newInFile(aeron, type, label));
    }

    private static <E extends Enum<E> & Kind> AtomicCounter[] newInFile(
        final Aeron aeron, final Class<E> type, final String label)
    {
        final E[] kinds = type.getEnumConstants();
        final AtomicCounter[] counters = new AtomicCounter[kinds.length];
        for (int i = 0; i < counters.length; i++)
        {
            counters[i] = aeron.addCounter(kinds[i].typeId(), kinds[i].label() + ": " + label);
        }
        return counters;
    }

    /**
     * Value of one counter.
     *
     * @param kind of it.
     * @return the value.
     */
    public long get(final E kind)
    {
        return counters[kind.ordinal()].get();
    }

    /**
     * Set a counter.
     *
     * @param kind  of it.
     * @param value to set.
     */
    public void set(final E kind, final long value)
    {
        counters[kind.ordinal()].setRelease(value);
    }

    /**
     * Add to a counter.
     *
     * @param kind  of it.
     * @param value to add.
     */
    public void add(final E kind, final long value)
    {
        counters[kind.ordinal()].getAndAddRelease(value);
    }

    /**
     * Add one to a counter.
     *
     * @param kind of it.
     */
    public void increment(final E kind)
    {
        counters[kind.ordinal()].getAndAddRelease(1);
    }

    /**
     * Count in memory from now on, since the media driver of the counters file is gone.
     */
    public void detach()
    {
        if (null != label)
        {
            counters = copyTo(newInMemory(counters.length));
        }
    }

    /**
     * Count in the counters file of a new media driver from now on.
     *
     * @param aeron client that allocates them.
     */
    public void attach(final Aeron aeron)
    {
        if (null != label)
        {
            counters = copyTo(newInFile(aeron, type, label));
        }
    }

    private AtomicCounter[] copyTo(final AtomicCounter[] next)
    {
        for (int i = 0; i < next.length; i++)
        {
            next[i].setRelease(counters[i].get());
        }
        return next;
    }

    /**
     * Free the counters.
     */
    public void close()
    {
        for (final AtomicCounter counter : counters)
        {
            counter.close();
        }
    }
}
