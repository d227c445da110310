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

import io.millrace.archive.KvScanProgress;
import io.millrace.bridge.KvReceiverListener;
import io.millrace.bridge.KvTransferStats;
import io.millrace.samples.demo.ProgressDisplay;

/**
 * Bars of the long archive commands, on standard error if that is a terminal: one for each recording that is read.
 */
final class ArchiveProgress implements KvScanProgress, AutoCloseable
{
    private static final long NO_RECORDING = -1;
    private static final long UNKNOWN = -1;
    private static final long MEBIBYTE = 1 << 20;

    private long recordingId = NO_RECORDING;
    private ProgressDisplay bar;

    /**
     * A bar with an end.
     */
    static ProgressDisplay bar(final String task, final long totalBytes)
    {
        return new ProgressDisplay(task, totalBytes, " MiB", MEBIBYTE);
    }

    /**
     * A bar of what has no end yet.
     */
    static ProgressDisplay endless(final String task)
    {
        return bar(task, UNKNOWN);
    }

    /**
     * Moves a bar by what lands.
     */
    static KvReceiverListener landing(final ProgressDisplay bar)
    {
        final long[] landed = new long[1];
        return new KvReceiverListener()
        {
            public void onTransferComplete(final long transferId, final long requestId, final KvTransferStats stats)
            {
                landed[0] += stats.transfer().info().totalBytes();
                bar.stepTo(landed[0]);
            }
        };
    }

    public void onProgress(final long id, final long position, final long limit)
    {
        if (id != recordingId)
        {
            close();
            recordingId = id;
            bar = bar("recording " + id, limit);
        }
        bar.stepTo(position);
    }

    public void close()
    {
        if (null != bar)
        {
            bar.close();
        }
    }
}
