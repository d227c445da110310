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
 * Told what copies and staging do, on the thread that does it. All methods do nothing unless overridden.
 */
public interface KvDeviceMeter
{
    /**
     * Counts nothing.
     */
    KvDeviceMeter NONE = new KvDeviceMeter()
    {
    };

    /**
     * A batch completed.
     *
     * @param direction  of its copies.
     * @param copies     that were made.
     * @param merged     copies that were saved since their ranges followed on.
     * @param bytes      in all.
     * @param durationNs nanoseconds from submission to the last byte, waiting for an acquired event included.
     */
    default void onCopied(
        final CopyDirection direction, final int copies, final int merged, final long bytes, final long durationNs)
    {
    }

    /**
     * A batch failed.
     */
    default void onCopyFailed()
    {
    }

    /**
     * A queue had no room for a batch.
     */
    default void onQueueFull()
    {
    }

    /**
     * The device refused a batched call: its copies were submitted one by one.
     */
    default void onBatchFallback()
    {
    }

    /**
     * A stream was given up with the copies on it.
     */
    default void onStreamAborted()
    {
    }

    /**
     * A slot was taken or given back.
     *
     * @param slotsInUse slots that are not free now.
     */
    default void onSlotsInUse(final int slotsInUse)
    {
    }

    /**
     * Staging memory is on smaller pages than asked for.
     */
    default void onStagingPageFallback()
    {
    }

    /**
     * Staging memory is on no certain NUMA node.
     */
    default void onStagingNodeFallback()
    {
    }

    /**
     * Staging memory comes from the device's library, since host memory that is there could not be pinned.
     */
    default void onStagingPinFallback()
    {
    }

    /**
     * Staging memory that was used before is used again.
     */
    default void onStagingCacheHit()
    {
    }

    /**
     * Staging memory is smaller than asked for.
     */
    default void onStagingSizeFallback()
    {
    }
}
