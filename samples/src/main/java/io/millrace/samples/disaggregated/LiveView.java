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
package io.millrace.samples.disaggregated;

import io.millrace.samples.demo.Interruption;
import io.millrace.samples.demo.ProgressDisplay;
import io.millrace.samples.stat.Columns;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * What the instances do, drawn anew a few times a second where standard error is a terminal; elsewhere nothing is
 * shown.
 */
final class LiveView implements AutoCloseable
{
    private static final long INTERVAL_NS = TimeUnit.MILLISECONDS.toNanos(250);
    private static final int BAR_WIDTH = 16;
    private static final String CLEAR_LINE = "\033[K";
    private static final String CLEAR_BELOW = "\r\033[J";

    private long drawnNs = System.nanoTime() - INTERVAL_NS;
    private int drawnLines;

    /**
     * Tell what is done while there is nothing to draw.
     */
    void say(final String text)
    {
        draw(List.of(text + " …"));
    }

    /**
     * Draw, if it is time to.
     */
    void show(final Fleet fleet, final Router router, final long startNs, final int total, final int arrived)
    {
        final long nowNs = System.nanoTime();
        if (ProgressDisplay.isTerminal() && nowNs - drawnNs >= INTERVAL_NS)
        {
            drawnNs = nowNs;
            draw(lines(fleet, router, (nowNs - startNs) / 1e9, total, arrived));
        }
    }

    private static List<String> lines(
        final Fleet fleet, final Router router, final double seconds, final int total, final int arrived)
    {
        final Tally tally = router.tally();
        final List<String> lines = new ArrayList<>();
        lines.add(text("%6.1f s   %d of %d arrived, %d first tokens, %d answering, %d done",
            seconds, arrived, total, router.firstTokens(), router.answering(),
            router.firstTokens() - router.answering()));
        final Columns columns = new Columns("INSTANCE", "IN FLIGHT", "TOKENS DUE", "DONE", "BLOCKS", "STATE");
        fleet.instances().stream().filter(Instance::isLive).forEach((one) -> columns.row(one.name(),
            Integer.toString(one.inFlight()), Long.toString(one.loadTokens()), Long.toString(one.served()),
            Long.toString(one.blocks()), one.state().name().toLowerCase(Locale.ROOT)));
        lines.addAll(columns.lines());
        final RunResult.Blocks blocks = tally.blocks();
        lines.add(text("blocks      %s  %d memory  %d archive  %d computed", bar(
            blocks.memory(), blocks.archive(), blocks.computed(), "#+."), blocks.memory(), blocks.archive(),
            blocks.computed()));
        final RunResult.TimeToFirstToken times = tally.timeToFirstToken();
        lines.add(text("first token %s  %.0f queue  %.0f prefill  %.1f transfer, ms", bar(
            times.queue().meanMs(), times.prefill().meanMs(), times.transfer().meanMs(), "q=>"),
            times.queue().meanMs(), times.prefill().meanMs(), times.transfer().meanMs()));
        return lines;
    }

    private static String bar(final double first, final double second, final double third, final String signs)
    {
        final double sum = first + second + third;
        if (0 == sum)
        {
            return "[" + " ".repeat(BAR_WIDTH) + "]";
        }
        final int one = (int)Math.round(BAR_WIDTH * first / sum);
        final int two = (int)Math.round(BAR_WIDTH * (first + second) / sum) - one;
        return "[" + signs.substring(0, 1).repeat(one) + signs.substring(1, 2).repeat(two) +
            signs.substring(2).repeat(BAR_WIDTH - one - two) + "]";
    }

    private void draw(final List<String> lines)
    {
        if (!ProgressDisplay.isTerminal() || Interruption.happened())
        {
            return;
        }
        final int width = ProgressDisplay.columns() - 1;
        final StringBuilder text = new StringBuilder(up());
        for (final String line : lines)
        {
            text.append(line, 0, Math.min(line.length(), width)).append(CLEAR_LINE).append('\n');
        }
        text.append(CLEAR_BELOW);
        drawnLines = lines.size();
        System.err.print(text);
    }

    private String up()
    {
        return 0 == drawnLines ? "\r" : "\033[" + drawnLines + "A\r";
    }

    private static String text(final String format, final Object... values)
    {
        return String.format(Locale.ROOT, format, values);
    }

    /**
     * Remove it: the result comes.
     */
    @Override
    public void close()
    {
        draw(List.of());
    }
}
