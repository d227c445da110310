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
import io.millrace.bridge.device.CopyDirection;
import io.millrace.bridge.device.KvDeviceMeter;

/**
 * Counters of one sender or receiver: written by its agent only, read from anywhere.
 */
public final class KvCounters implements AutoCloseable, KvDeviceMeter
{
    /**
     * What is counted.
     */
    public enum Kind implements CounterSet.Kind
    {
        /**
         * Transfers announced.
         */
        TRANSFERS_STARTED("transfers started"),

        /**
         * Transfers that completed.
         */
        TRANSFERS_COMPLETED("transfers completed"),

        /**
         * Transfers that ended in another way.
         */
        TRANSFERS_FAILED("transfers failed"),

        /**
         * Payload bytes published or received, repeats counted.
         */
        BYTES("bytes"),

        /**
         * Chunks published or received, repeats counted.
         */
        CHUNKS("chunks"),

        /**
         * Times that staging had no free slot.
         */
        STAGING_STALLS("staging stalls"),

        /**
         * Times that a publication or the credit gave no room.
         */
        BACK_PRESSURE("back pressure"),

        /**
         * Layers or transfers with a checksum that does not match.
         */
        CHECKSUM_ERRORS("checksum errors"),

        /**
         * Layers asked for, or sent, again.
         */
        RETRIES("retries"),

        /**
         * Messages that brought nothing new.
         */
        DUPLICATES("duplicates"),

        /**
         * Messages and transfers refused.
         */
        REJECTS("rejects"),

        /**
         * Slots set aside since their copy did not end in time.
         */
        QUARANTINED("quarantined slots"),

        /**
         * Batches of copies that completed, out of device memory.
         */
        D2H_BATCHES("copy batches from device", 1130),

        /**
         * Bytes copied out of device memory.
         */
        D2H_BYTES("copied bytes from device", 1131),

        /**
         * Nanoseconds from submission to end, summed over the batches out of device memory.
         */
        D2H_NS("copy ns from device", 1132),

        /**
         * Batches of copies that completed, into device memory.
         */
        H2D_BATCHES("copy batches to device", 1133),

        /**
         * Bytes copied into device memory.
         */
        H2D_BYTES("copied bytes to device", 1134),

        /**
         * Nanoseconds from submission to end, summed over the batches into device memory.
         */
        H2D_NS("copy ns to device", 1135),

        /**
         * Copies in completed batches.
         */
        COPIES("copies", 1136),

        /**
         * Copies saved since their ranges followed on in source and destination.
         */
        COPIES_MERGED("copies merged", 1137),

        /**
         * Batches that failed.
         */
        COPY_FAILURES("copy failures", 1138),

        /**
         * Times that a copy queue had no room.
         */
        COPY_STALLS("copy queue stalls", 1139),

        /**
         * Batches whose copies were submitted one by one.
         */
        BATCH_FALLBACKS("batches copied one by one", 1140),

        /**
         * Streams given up with the copies on them.
         */
        STREAM_ABORTS("streams aborted", 1141),

        /**
         * Staging slots that are not free now.
         */
        STAGING_IN_USE("staging slots in use", 1142),

        /**
         * Staging pools that are smaller than asked for.
         */
        STAGING_SIZE_FALLBACKS("staging size steps down", 1143),

        /**
         * Staging slabs on smaller pages than asked for, steps counted.
         */
        STAGING_PAGE_FALLBACKS("staging page steps down", 1170),

        /**
         * Staging slabs that could not be bound to their NUMA node.
         */
        STAGING_NODE_FALLBACKS("staging slabs on no certain node", 1171),

        /**
         * Staging slabs from the device's library, since host memory could not be pinned.
         */
        STAGING_PIN_FALLBACKS("staging slabs that could not be pinned", 1172),

        /**
         * Staging slabs that were used before.
         */
        STAGING_CACHE_HITS("staging slabs from the cache", 1173),

        /**
         * Transfers that lost their stream and were kept.
         */
        INTERRUPTIONS("interruptions", 1174),

        /**
         * Transfers that went on from their last committed layer.
         */
        RESUMES("resumes", 1175),

        /**
         * Payload bytes that were not sent since the receiver had their blocks or layers.
         */
        BYTES_SAVED("bytes not sent", 1176),

        /**
         * Nanoseconds of CPU for checksums, estimated from every 13th chunk.
         */
        CRC_NS("crc ns", 1177),

        /**
         * Nanoseconds of CPU for claims and the copy into or out of the log, estimated from every 13th chunk.
         */
        LOG_COPY_NS("log copy ns", 1178),

        /**
         * Media drivers that were lost and connected to again.
         */
        RECONNECTS("reconnects", 1179),

        /**
         * Payload bytes that came before their transfer's blocks were granted, and were dropped since they were not.
         */
        EAGER_BYTES_DROPPED("bytes that came too early", 1180),

        /**
         * Answers to senders that found no room and were given up.
         */
        ANSWERS_DROPPED("answers dropped", 1112);

        private final String label;
        private final int typeId;

        Kind(final String label)
        {
            this.label = "kv " + label;
            this.typeId = BASE_TYPE_ID + ordinal();
        }

        Kind(final String label, final int typeId)
        {
            this.label = "kv " + label;
            this.typeId = typeId;
        }

        /**
         * {@inheritDoc}
         */
        public int typeId()
        {
            return typeId;
        }

        /**
         * {@inheritDoc}
         */
        public String label()
        {
            return label;
        }
    }

    /**
     * Type id of the first counter.
     */
    public static final int BASE_TYPE_ID = 1100;

    private final CounterSet<Kind> counters;

    private KvCounters(final CounterSet<Kind> counters)
    {
        this.counters = counters;
    }

    /**
     * Counters in memory of this process, for users without a media driver's counters file.
     *
     * @return the counters.
     */
    public static KvCounters inMemory()
    {
        return new KvCounters(CounterSet.inMemory(Kind.class));
    }

    /**
     * Counters in the media driver's counters file.
     *
     * @param aeron client that allocates them.
     * @param label of the sender or receiver, put after the name of each.
     * @return the counters.
     */
    public static KvCounters allocate(final Aeron aeron, final String label)
    {
        return new KvCounters(CounterSet.allocate(aeron, Kind.class, label));
    }

    /**
     * Count in memory from now on, since the media driver of the counters file is gone. On the agent's thread.
     */
    public void detach()
    {
        counters.detach();
    }

    /**
     * Count in the counters file of a new media driver from now on. On the agent's thread.
     *
     * @param aeron client that allocates them.
     */
    public void attach(final Aeron aeron)
    {
        counters.attach(aeron);
    }

    /**
     * Value of one counter.
     *
     * @param kind of it.
     * @return the value.
     */
    public long get(final Kind kind)
    {
        return counters.get(kind);
    }

    /**
     * Add to a counter, on the agent's thread.
     *
     * @param kind  of it.
     * @param value to add.
     */
    public void add(final Kind kind, final long value)
    {
        counters.add(kind, value);
    }

    /**
     * Add one to a counter, on the agent's thread.
     *
     * @param kind of it.
     */
    public void increment(final Kind kind)
    {
        counters.increment(kind);
    }

    /**
     * {@inheritDoc}
     */
    public void onCopied(
        final CopyDirection direction, final int copies, final int merged, final long bytes, final long durationNs)
    {
        final boolean isFromDevice = CopyDirection.DEVICE_TO_HOST == direction;
        increment(isFromDevice ? Kind.D2H_BATCHES : Kind.H2D_BATCHES);
        add(isFromDevice ? Kind.D2H_BYTES : Kind.H2D_BYTES, bytes);
        add(isFromDevice ? Kind.D2H_NS : Kind.H2D_NS, durationNs);
        add(Kind.COPIES, copies);
        add(Kind.COPIES_MERGED, merged);
    }

    /**
     * {@inheritDoc}
     */
    public void onCopyFailed()
    {
        increment(Kind.COPY_FAILURES);
    }

    /**
     * {@inheritDoc}
     */
    public void onQueueFull()
    {
        increment(Kind.COPY_STALLS);
    }

    /**
     * {@inheritDoc}
     */
    public void onBatchFallback()
    {
        increment(Kind.BATCH_FALLBACKS);
    }

    /**
     * {@inheritDoc}
     */
    public void onStreamAborted()
    {
        increment(Kind.STREAM_ABORTS);
    }

    /**
     * {@inheritDoc}
     */
    public void onSlotsInUse(final int slotsInUse)
    {
        counters.set(Kind.STAGING_IN_USE, slotsInUse);
    }

    /**
     * {@inheritDoc}
     */
    public void onStagingPageFallback()
    {
        increment(Kind.STAGING_PAGE_FALLBACKS);
    }

    /**
     * {@inheritDoc}
     */
    public void onStagingNodeFallback()
    {
        increment(Kind.STAGING_NODE_FALLBACKS);
    }

    /**
     * {@inheritDoc}
     */
    public void onStagingPinFallback()
    {
        increment(Kind.STAGING_PIN_FALLBACKS);
    }

    /**
     * {@inheritDoc}
     */
    public void onStagingCacheHit()
    {
        increment(Kind.STAGING_CACHE_HITS);
    }

    /**
     * {@inheritDoc}
     */
    public void onStagingSizeFallback()
    {
        increment(Kind.STAGING_SIZE_FALLBACKS);
    }

    /**
     * Free the counters.
     */
    public void close()
    {
        counters.close();
    }
}
