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
package io.millrace.bridge.staging;

import java.nio.ByteBuffer;

import io.millrace.bridge.device.KvCopyBatch;
import org.agrona.concurrent.UnsafeBuffer;

/**
 * A piece of staging memory that carries a range of one layer of one transfer. Owned by one agent.
 * <p>
 * A slot goes FREE, COPYING (bytes are written into it), FILLED, PUBLISHED (bytes are read out of it), FREE. From
 * COPYING and FILLED it may be discarded to FREE. When a device copy does not end in time, it goes from COPYING or
 * PUBLISHED to QUARANTINED, and to FREE only when the copy has ended.
 */
public final class StagingSlot
{
    /**
     * State of a slot.
     */
    public enum State
    {
        /**
         * In the pool.
         */
        FREE,

        /**
         * Bytes are written into it.
         */
        COPYING,

        /**
         * Bytes are there and nobody touches them.
         */
        FILLED,

        /**
         * Bytes are read out of it.
         */
        PUBLISHED,

        /**
         * A device copy may still touch it after its deadline.
         */
        QUARANTINED;

        boolean mayBecome(final State next)
        {
            return switch (this)
            {
                case FREE -> COPYING == next;
                case COPYING -> FILLED == next || FREE == next || QUARANTINED == next;
                case FILLED -> PUBLISHED == next || FREE == next;
                case PUBLISHED -> FREE == next || QUARANTINED == next;
                case QUARANTINED -> FREE == next;
            };
        }
    }

    private final int index;
    private final UnsafeBuffer buffer;
    private final ByteBuffer byteBuffer;
    private final KvCopyBatch batch = new KvCopyBatch();
    private State state = State.FREE;
    private Object owner;
    private int layer;
    private int attempt;
    private long layerOffset;
    private int length;
    private int cursor;

    StagingSlot(final int index, final ByteBuffer byteBuffer)
    {
        this.index = index;
        this.byteBuffer = byteBuffer;
        this.buffer = new UnsafeBuffer(byteBuffer);
    }

    /**
     * Move to the next state.
     *
     * @param next state.
     * @throws IllegalStateException when the life-cycle does not allow it.
     */
    void transition(final State next)
    {
        if (!state.mayBecome(next))
        {
            throw new IllegalStateException("staging slot " + index + " is " + state + " and cannot become " + next);
        }
        state = next;
    }

    /**
     * The bytes are all there.
     */
    public void filled()
    {
        transition(State.FILLED);
    }

    /**
     * The bytes are being read.
     */
    public void published()
    {
        transition(State.PUBLISHED);
    }

    /**
     * State of the slot.
     *
     * @return the state.
     */
    public State state()
    {
        return state;
    }

    /**
     * The memory.
     *
     * @return buffer over the whole slot.
     */
    public UnsafeBuffer buffer()
    {
        return buffer;
    }

    /**
     * The memory between two indexes, for checksums; the same object each time.
     *
     * @param offset of the first byte.
     * @param count  of bytes.
     * @return direct buffer with position and limit set.
     */
    public ByteBuffer window(final int offset, final int count)
    {
        return byteBuffer.limit(offset + count).position(offset);
    }

    /**
     * Copies into or out of the slot.
     *
     * @return the slot's own batch.
     */
    public KvCopyBatch batch()
    {
        return batch;
    }

    /**
     * Say what the slot carries.
     *
     * @param newOwner       transfer.
     * @param newLayer       from 0.
     * @param newAttempt     0 for the first sending of the layer.
     * @param newLayerOffset of the slot's first byte within the layer.
     * @param newLength      bytes, 0 and up.
     */
    public void assign(
        final Object newOwner,
        final int newLayer,
        final int newAttempt,
        final long newLayerOffset,
        final int newLength)
    {
        owner = newOwner;
        layer = newLayer;
        attempt = newAttempt;
        layerOffset = newLayerOffset;
        length = newLength;
        cursor = 0;
    }

    /**
     * Transfer whose bytes these are.
     *
     * @return null when free.
     */
    public Object owner()
    {
        return owner;
    }

    /**
     * Layer of the bytes.
     *
     * @return from 0.
     */
    public int layer()
    {
        return layer;
    }

    /**
     * Sending of the layer.
     *
     * @return 0 for the first.
     */
    public int attempt()
    {
        return attempt;
    }

    /**
     * Offset of the first byte within the layer.
     *
     * @return bytes.
     */
    public long layerOffset()
    {
        return layerOffset;
    }

    /**
     * Bytes carried.
     *
     * @return bytes.
     */
    public int length()
    {
        return length;
    }

    /**
     * Carry more bytes.
     *
     * @param bytes added behind.
     */
    public void grow(final int bytes)
    {
        length += bytes;
    }

    /**
     * Bytes read out so far.
     *
     * @return bytes.
     */
    public int cursor()
    {
        return cursor;
    }

    /**
     * More bytes were read out.
     *
     * @param bytes read.
     */
    public void advance(final int bytes)
    {
        cursor += bytes;
    }
}
