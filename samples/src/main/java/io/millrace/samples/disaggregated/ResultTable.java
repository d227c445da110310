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

import io.millrace.samples.demo.ReportTable;
import io.millrace.samples.disaggregated.RunResult.InstanceResult;
import io.millrace.samples.disaggregated.RunResult.Times;
import io.millrace.samples.stat.Columns;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * A result for people.
 */
public final class ResultTable
{
    private ResultTable()
    {
    }

    /**
     * Lay out a result.
     *
     * @param result to show.
     * @return lines, each ended.
     */
    public static String of(final RunResult result)
    {
        final StringBuilder text = new StringBuilder();
        final Map<String, String> rows = new LinkedHashMap<>();
        final RunResult.Blocks blocks = result.blocks();
        final long frames = result.fabricFrames() + result.udpFrames();
        rows.put("transport", result.transport());
        rows.put("requests", format("%d in %.1f s", result.requests(), result.seconds()));
        rows.put("blocks", format("%d from decode memory, %d from the archive, %d computed: hit rate %.1f %%",
            blocks.memory(), blocks.archive(), blocks.computed(), 100 * blocks.hitRate()));
        rows.put("verified", 0 == result.wrongBlocks() ? "yes, every byte of every block" :
            "NO: " + result.wrongBlocks() + " blocks are wrong");
        rows.put("computed again", ReportTable.count(result.retries()) + " transfers that failed");
        rows.put("frames", format("%d, %.1f %% of them on the fabric",
            frames, 100.0 * result.fabricFrames() / Math.max(1, frames)));
        if (!result.missedChanges().isEmpty())
        {
            rows.put("too late", String.join(", ", result.missedChanges()) + ": all was answered before");
        }
        text.append(ReportTable.of(rows)).append('\n');

        final Columns times = new Columns("TIME TO FIRST TOKEN", "MEAN ms", "P50 ms", "P99 ms", "MAX ms", "");
        add(times, "queue", result.timeToFirstToken().queue());
        add(times, "prefill (simulated)", result.timeToFirstToken().prefill());
        add(times, "transfer", result.timeToFirstToken().transfer());
        add(times, "all", result.timeToFirstToken().total());
        times.lines().forEach((line) -> text.append(line).append('\n'));
        text.append(format("transfer is %.1f %% of the time to first token%n%n", 100 * result.transferShare()));

        final Columns instances = new Columns("INSTANCE", "JOINED s", "LEFT s", "DONE", "BLOCKS", "");
        for (final InstanceResult one : result.instances())
        {
            instances.row(one.name(), one.joinedSeconds() < 0 ? "-" : number(one.joinedSeconds()),
                null == one.leftSeconds() ? "-" : number(one.leftSeconds()), Long.toString(one.served()),
                Long.toString(one.blocks()), "");
        }
        instances.lines().forEach((line) -> text.append(line).append('\n'));
        return text.toString();
    }

    private static void add(final Columns columns, final String name, final Times times)
    {
        columns.row(name, number(times.meanMs()), number(times.p50Ms()), number(times.p99Ms()),
            number(times.maxMs()), "");
    }

    private static String number(final double value)
    {
        return format("%.1f", value);
    }

    private static String format(final String pattern, final Object... values)
    {
        return String.format(Locale.ROOT, pattern, values);
    }
}
