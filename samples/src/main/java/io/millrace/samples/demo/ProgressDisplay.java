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
package io.millrace.samples.demo;

import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * A progress bar on standard error, if that is a terminal; nothing otherwise.
 */
final class ProgressDisplay implements AutoCloseable
{
    /**
     * Set to true by {@code ./millrace} if standard error is a terminal, which Java itself cannot find out.
     */
    static final String TERMINAL_PROP_NAME = "millrace.terminal";

    private static final int MEBIBYTE = 1 << 20;
    private static final int WIDTH = 100;
    private static final int UPDATE_INTERVAL_MS = 200;

    private final ProgressBar bar;

    /**
     * Show an empty bar.
     *
     * @param task       that makes progress.
     * @param totalBytes that make it full.
     */
    ProgressDisplay(final String task, final long totalBytes)
    {
        bar = !Boolean.getBoolean(TERMINAL_PROP_NAME) ? null : new ProgressBarBuilder()
            .setTaskName(task)
            .setInitialMax(totalBytes)
            .setUnit(" MiB", MEBIBYTE)
            .setStyle(ProgressBarStyle.ASCII)
            .setUpdateIntervalMillis(UPDATE_INTERVAL_MS)
            .setConsumer(new ConsoleProgressBarConsumer(System.err, WIDTH))
            .showSpeed()
            .build();
    }

    /**
     * Move the bar forward.
     *
     * @param bytes done; fewer than before are ignored.
     */
    void stepTo(final long bytes)
    {
        if (null != bar && bytes > bar.getCurrent())
        {
            bar.stepTo(bytes);
        }
    }

    /**
     * {@inheritDoc}
     */
    public void close()
    {
        if (null != bar)
        {
            bar.close();
        }
    }
}
