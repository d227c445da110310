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
 * Tells a meter of each batch once, when its owner sees its end.
 */
final class MeteredCopyQueue implements KvCopyQueue
{
    private final KvCopyQueue queue;
    private final KvDeviceMeter meter;

    MeteredCopyQueue(final KvCopyQueue queue, final KvDeviceMeter meter)
    {
        this.queue = queue;
        this.meter = meter;
    }

    public boolean submit(final KvCopyBatch batch)
    {
        final boolean isTaken = queue.submit(batch);
        if (!isTaken)
        {
            meter.onQueueFull();
        }
        return isTaken;
    }

    public int poll(final KvCopyBatch batch)
    {
        final int status = queue.poll(batch);
        if (status > KvCopyBatch.PENDING && batch.meter())
        {
            if (KvCopyBatch.COMPLETED == status)
            {
                meter.onCopied(
                    batch.direction(), batch.count(), batch.mergedCount(), batch.totalBytes(), batch.durationNs());
            }
            else
            {
                meter.onCopyFailed();
            }
        }
        return status;
    }

    public void copy(final KvCopyBatch batch)
    {
        queue.copy(batch);
    }

    public void close()
    {
        queue.close();
    }
}
