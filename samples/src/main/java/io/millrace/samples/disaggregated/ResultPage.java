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

import io.millrace.samples.disaggregated.RunResult.Served;
import io.millrace.samples.disaggregated.RunResult.Times;
import io.millrace.samples.report.ChartStyle;
import io.millrace.samples.report.HtmlPage;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.markers.SeriesMarkers;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * A result in HTML.
 */
public final class ResultPage
{
    private static final int SLICES = 20;
    private static final int PERCENT = 100;
    private static final double LEAST_MS = 0.01;

    private ResultPage()
    {
    }

    /**
     * Write a result.
     *
     * @param result      to write.
     * @param environment that it ran in, by name.
     * @param file        to write to.
     */
    public static void write(final RunResult result, final Map<String, String> environment, final Path file)
    {
        final RunResult.Blocks blocks = result.blocks();
        final HtmlPage page = new HtmlPage("Disaggregated prefill", format("%s · %d requests in %.1f s · %s",
            environment.getOrDefault("startedAt", ""), result.requests(), result.seconds(), result.transport()));
        if (!result.isSound())
        {
            page.failed(result.wrongBlocks() + " blocks did not hold what they must.");
        }
        final Map<String, String> figures = new LinkedHashMap<>();
        figures.put("hit rate", format("%.1f %%", PERCENT * blocks.hitRate()));
        figures.put("transfer's share", format("%.1f %%", PERCENT * result.transferShare()));
        figures.put("computed again", Long.toString(result.retries()));
        figures.put("speed", 0 == result.speed() ? "as fast as it goes" : format("%.1f x", result.speed()));

        page.section("Time to first token", "From when a request was due until its decode instance had all blocks. " +
            "Prefill is simulated, transfer is not: at a higher speed the first shrinks and the second stays.")
            .figures(figures)
            .figure(percentiles(result.served()))
            .table(List.of("ms", "mean", "p50", "p99", "max"), List.of(
                row("queue", result.timeToFirstToken().queue()),
                row("prefill", result.timeToFirstToken().prefill()),
                row("transfer", result.timeToFirstToken().transfer()),
                row("all", result.timeToFirstToken().total())))
            .section("Where blocks came from", format("%d from decode memory, %d from the archive, %d computed.",
                blocks.memory(), blocks.archive(), blocks.computed()))
            .figure(sources(result.served()))
            .section("Instances", "Seconds after the first arrival; of the archive and of prefill instances the " +
                "transfers and blocks that they sent, of decode instances their requests and the blocks they had." +
                (result.missedChanges().isEmpty() ? "" : " Too late, since all was answered before: " +
                String.join(", ", result.missedChanges()) + "."))
            .table(List.of("", "role", "joined", "left", "done", "blocks"), result.instances().stream().map((one) ->
                List.of(one.name(), one.role(), one.joinedSeconds() < 0 ? "start" : number(one.joinedSeconds()),
                null == one.leftSeconds() ? "" : number(one.leftSeconds()), Long.toString(one.served()),
                Long.toString(one.blocks()))).toList())
            .environment(environment)
            .write("All processes ran on one machine.", file);
    }

    private static String percentiles(final List<Served> served)
    {
        final XYChart chart = ChartStyle.xy("Milliseconds by percentile of requests", "percentile", "time, ms");
        chart.getStyler().setYAxisLogarithmic(true);
        chart.getStyler().setXAxisMin(0.0);
        chart.getStyler().setXAxisMax((double)PERCENT);
        chart.getStyler().setXAxisDecimalPattern("0");
        chart.getStyler().setXAxisTickMarkSpacingHint(70);
        add(chart, 0, "all", served, Served::totalMs);
        add(chart, 1, "queue", served, Served::queueMs);
        add(chart, 2, "prefill (simulated)", served, Served::prefillMs);
        add(chart, 3, "transfer", served, Served::transferMs);
        return ChartStyle.figure(chart);
    }

    private static void add(
        final XYChart chart,
        final int colour,
        final String name,
        final List<Served> served,
        final ToDoubleFunction<Served> part)
    {
        final double[] sorted = served.stream().mapToDouble(part).sorted().toArray();
        final double[] percentiles = IntStream.rangeClosed(1, PERCENT).asDoubleStream().toArray();
        // The axis is logarithmic: what needed no time is at its lower end.
        final double[] values = IntStream.rangeClosed(1, PERCENT).mapToDouble((percentile) ->
            Math.max(LEAST_MS, sorted[Math.ceilDiv(percentile * sorted.length, PERCENT) - 1])).toArray();
        final XYSeries series = chart.addSeries(name, percentiles, values);
        series.setMarker(SeriesMarkers.NONE);
        series.setLineColor(ChartStyle.COLOURS.get(colour));
    }

    private static String sources(final List<Served> served)
    {
        final CategoryChart chart = ChartStyle.bars("Blocks by arrival of their requests, s", "arrival, s", "blocks");
        chart.getStyler().setStacked(true);
        chart.getStyler().setXAxisDecimalPattern("0.#");
        final double end = served.stream().mapToDouble(Served::seconds).max().orElse(0);
        final double width = Math.max(1e-3, end / SLICES);
        final List<String> names = new ArrayList<>();
        for (int i = 0; i < SLICES; i++)
        {
            names.add(number(i * width));
        }
        // Stacked from below in this order.
        chart.addSeries("computed", names, slices(served, width, Served::computed))
            .setFillColor(ChartStyle.COLOURS.get(1));
        chart.addSeries("archive", names, slices(served, width, Served::archive))
            .setFillColor(ChartStyle.COLOURS.get(2));
        chart.addSeries("decode memory", names, slices(served, width, Served::memory))
            .setFillColor(ChartStyle.COLOURS.get(0));
        return ChartStyle.figure(chart);
    }

    private static List<Double> slices(
        final List<Served> served, final double width, final ToDoubleFunction<Served> blocks)
    {
        final double[] sums = new double[SLICES];
        served.forEach((one) ->
            sums[(int)Math.min(SLICES - 1, one.seconds() / width)] += blocks.applyAsDouble(one));
        final List<Double> values = new ArrayList<>();
        for (final double sum : sums)
        {
            values.add(sum);
        }
        return values;
    }

    private static List<String> row(final String name, final Times times)
    {
        return List.of(name, number(times.meanMs()), number(times.p50Ms()), number(times.p99Ms()),
            number(times.maxMs()));
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
