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
package io.millrace.samples.marketdata;

import io.millrace.samples.marketdata.MarketResult.HopResult;
import io.millrace.samples.report.ChartStyle;
import io.millrace.samples.report.HtmlPage;
import org.knowm.xchart.CategoryChart;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/**
 * Results in HTML.
 */
public final class MarketPage
{
    // The axis is logarithmic and begins here.
    private static final double LEAST_MICROS = 1;

    private MarketPage()
    {
    }

    /**
     * Write results.
     *
     * @param results     of all transports.
     * @param environment that they ran in, by name.
     * @param file        to write to.
     */
    public static void write(
        final List<MarketResult> results, final Map<String, String> environment, final Path file)
    {
        final HtmlPage page = new HtmlPage("Market data", environment.getOrDefault("startedAt", "") + " · " +
            environment.getOrDefault("cpu", ""));
        if (results.size() > 1)
        {
            page.section("Side by side", "Time from when a message was due until it reached a stage.")
                .figure(compared("Median, µs", results, HopResult::p50Micros))
                .figure(compared("99th percentile, µs", results, HopResult::p99Micros));
        }
        results.forEach((result) -> append(page, result));
        page.environment(environment).write(
            "All processes ran on one machine. A delay counts for all messages that wait behind it.", file);
    }

    private static void append(final HtmlPage page, final MarketResult result)
    {
        final long frames = result.fabricFrames() + result.udpFrames();
        final Map<String, String> figures = new LinkedHashMap<>();
        figures.put("messages", Long.toString(result.messages()));
        figures.put("seconds", number(result.seconds()));
        figures.put("conflated", result.conflated().stream().map(String::valueOf).collect(Collectors.joining(", ")));
        if (frames > 0)
        {
            figures.put("on the fabric", number(100.0 * result.fabricFrames() / frames) + " % of frames");
        }
        page.section(result.transport(), "").figures(figures);
        if (!result.isSound())
        {
            page.failed("A message is missing, or a replay or a late join gave other orders: see the tables.");
        }
        page.figure(hops(result))
            .table(List.of("µs", "messages", "gaps", "p50", "p99", "p99.9", "max"), result.hops().stream()
                .map((hop) -> List.of(hop.hop(), Long.toString(hop.messages()), Long.toString(hop.gaps()),
                number(hop.p50Micros()), number(hop.p99Micros()), number(hop.p999Micros()), number(hop.maxMicros())))
                .toList());
        if (!result.lateJoins().isEmpty())
        {
            page.heading("Late join")
                .table(List.of("strategy", "from the archive", "live", "gaps", "orders"), result.lateJoins().stream()
                    .map((late) -> List.of(late.strategy(), Long.toString(late.history()), Long.toString(late.live()),
                    Long.toString(late.gaps()), identical(late.identical()))).toList());
        }
        page.heading("Replays")
            .table(List.of("speed", "seconds", "orders"), result.replays().stream().map((replay) -> List.of(
                replay.speed(), number(replay.seconds()), identical(replay.identical()))).toList());
    }

    private static String hops(final MarketResult result)
    {
        final CategoryChart chart = chart("From when a message was due, µs");
        final List<String> names = result.hops().stream().map(HopResult::hop).toList();
        add(chart, 0, "p50", names, result.hops(), HopResult::p50Micros);
        add(chart, 2, "p99", names, result.hops(), HopResult::p99Micros);
        add(chart, 1, "p99.9", names, result.hops(), HopResult::p999Micros);
        return ChartStyle.figure(chart);
    }

    private static String compared(
        final String title, final List<MarketResult> results, final ToDoubleFunction<HopResult> value)
    {
        final CategoryChart chart = chart(title);
        for (int i = 0; i < results.size(); i++)
        {
            add(chart, i, results.get(i).transport(),
                results.get(i).hops().stream().map(HopResult::hop).toList(), results.get(i).hops(), value);
        }
        return ChartStyle.figure(chart);
    }

    private static CategoryChart chart(final String title)
    {
        final CategoryChart chart = ChartStyle.bars(title, "hop", "time, µs");
        chart.getStyler().setYAxisLogarithmic(true);
        chart.getStyler().setYAxisMin(LEAST_MICROS);
        return chart;
    }

    private static void add(
        final CategoryChart chart,
        final int colour,
        final String series,
        final List<String> names,
        final List<HopResult> hops,
        final ToDoubleFunction<HopResult> value)
    {
        chart.addSeries(series, names, hops.stream()
            .map((hop) -> Math.max(LEAST_MICROS, value.applyAsDouble(hop))).toList())
            .setFillColor(ChartStyle.COLOURS.get(colour));
    }

    private static String identical(final boolean isIdentical)
    {
        return isIdentical ? "identical" : "DIFFER";
    }

    private static String number(final double value)
    {
        return String.format(Locale.ROOT, "%.1f", value);
    }
}
