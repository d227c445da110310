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
 * Asynchronous copies of one agent, such as an ACL stream. Opened, used and closed on that agent's thread.
 */
public interface KvCopyQueue extends AutoCloseable
{
    /**
     * Start the copies of a batch. A batch with a range outside of device memory fails and copies nothing.
     *
     * @param batch not in flight; belongs to the queue until {@link #poll} says it is complete or failed.
     * @return false when the queue has no room; the batch is unchanged.
     */
    boolean submit(KvCopyBatch batch);

    /**
     * Ask for completion without waiting.
     *
     * @param batch that was submitted here.
     * @return {@link KvCopyBatch#PENDING}, {@link KvCopyBatch#COMPLETED} or {@link KvCopyBatch#FAILED}.
     */
    int poll(KvCopyBatch batch);

    /**
     * Copy now, on the calling thread, between device memory and any memory of this process. A batch with a range
     * outside of device memory fails and copies nothing; {@link #poll} tells. An acquired event is not waited for.
     *
     * @param batch not in flight.
     * @throws UnsupportedOperationException unless the device {@link KvDevice#isHostAccessible()}.
     */
    default void copy(final KvCopyBatch batch)
    {
        throw new UnsupportedOperationException("the processor cannot copy device memory: submit the batch");
    }

    /**
     * Wait for the copies that are in flight and close.
     *
     * @throws IllegalStateException when copies still run after the device's own time limit: their memory must not be
     *                               freed.
     */
    void close();
}
