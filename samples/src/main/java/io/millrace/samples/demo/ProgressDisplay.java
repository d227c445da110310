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
public final class ProgressDisplay implements AutoCloseable
{
    /**
     * Set by {@code ./millrace} to the columns of standard error if that is a terminal: Java itself cannot find out.
     */
    static final String COLUMNS_PROP_NAME = "millrace.terminal.columns";

    private static final int MEBIBYTE = 1 << 20;
    private static final int MAX_WIDTH = 100;
    private static final int UPDATE_INTERVAL_MS = 200;

    private final ProgressBar bar;
    private boolean closed;

    /**
     * Show an empty bar. It has no speed: that would include filling and checking, unlike the one reported in the end.
     *
     * @param task       that makes progress.
     * @param totalBytes that make it full.
     */
    ProgressDisplay(final String task, final long totalBytes)
    {
        this(task, totalBytes, " MiB", MEBIBYTE);
    }

    /**
     * Show an empty bar.
     *
     * @param task     that makes progress.
     * @param total    that makes it full.
     * @param unit     shown behind numbers.
     * @param unitSize of the total that make one unit.
     */
    public ProgressDisplay(final String task, final long total, final String unit, final long unitSize)
    {
        bar = !isTerminal() ? null : new ProgressBarBuilder()
            .setTaskName(task)
            .setInitialMax(total)
            .setUnit(unit, unitSize)
            .setStyle(ProgressBarStyle.ASCII)
            .setUpdateIntervalMillis(UPDATE_INTERVAL_MS)
            .setConsumer(new Line())
            .build();
    }

    private static final class Line extends ConsoleProgressBarConsumer
    {
        private Line()
        {
            // A terminal wraps a line that reaches its last column.
            super(System.err, Math.min(columns() - 1, MAX_WIDTH));
        }

        /**
         * {@inheritDoc}
         */
        public void accept(final String rendered)
        {
            // The last word is the interruption's.
            if (!Interruption.happened())
            {
                super.accept(rendered);
            }
        }

        /**
         * {@inheritDoc}
         */
        public void close()
        {
            if (!Interruption.happened())
            {
                super.close();
            }
        }
    }

    /**
     * Tell what is done while there is no bar yet, if standard error is a terminal.
     *
     * @param text to show.
     */
    public static void say(final String text)
    {
        if (isTerminal())
        {
            System.err.println("millrace: " + text);
        }
    }

    /**
     * Whether standard error is a terminal that can hold a bar.
     *
     * @return true if bars are shown.
     */
    public static boolean isTerminal()
    {
        return columns() > 1;
    }

    /**
     * Move the bar forward.
     *
     * @param done so far; less than before is ignored.
     */
    public void stepTo(final long done)
    {
        if (null != bar && done > bar.getCurrent())
        {
            bar.stepTo(done);
        }
    }

    /**
     * {@inheritDoc}
     */
    public void close()
    {
        // A bar that is closed twice is drawn twice.
        if (null != bar && !closed)
        {
            closed = true;
            bar.close();
        }
    }

    /**
     * Width of standard error.
     *
     * @return columns, 0 where it is no terminal.
     */
    public static int columns()
    {
        return Integer.getInteger(COLUMNS_PROP_NAME, 0);
    }
}
