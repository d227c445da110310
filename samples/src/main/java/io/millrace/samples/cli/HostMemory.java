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
package io.millrace.samples.cli;

import io.millrace.bridge.KvBlockAllocator;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvReceiver;
import io.millrace.bridge.KvReceiverListener;
import io.millrace.bridge.KvTransferInfo;
import io.millrace.bridge.KvTransferStats;
import io.millrace.bridge.device.HostDevice;

/**
 * Takes transfers into host memory, where they are checked, and lets go of each when it has landed.
 */
final class HostMemory implements KvBlockAllocator, KvReceiverListener, AutoCloseable
{
    private final HostDevice device = new HostDevice();
    private volatile String firstFailure;

    HostDevice device()
    {
        return device;
    }

    KvReceiver.Context receiverContext()
    {
        return new KvReceiver.Context().device(device).allocator(this).listener(this);
    }

    public KvBlocks allocate(final KvTransferInfo info)
    {
        return KvBlocks.contiguous(info.layout(), device.allocate(info.totalBytes()), info.blockCount());
    }

    public void release(final KvTransferInfo info, final KvBlocks blocks)
    {
        device.free(blocks.address(0, 0, 0));
    }

    /**
     * Why the first transfer failed, or null.
     */
    String firstFailure()
    {
        return firstFailure;
    }

    public void onTransferFailed(
        final long transferId, final long requestId, final KvError reason, final String text)
    {
        firstFailure = null == firstFailure ? reason + " " + text : firstFailure;
    }

    public void onTransferComplete(final long transferId, final long requestId, final KvTransferStats stats)
    {
        device.free(stats.transfer().blocks().address(0, 0, 0));
    }

    public void close()
    {
        device.close();
    }
}
