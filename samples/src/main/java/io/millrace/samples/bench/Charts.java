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
package io.millrace.samples.bench;

import io.millrace.samples.report.ChartStyle;
import org.HdrHistogram.Histogram;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.style.markers.SeriesMarkers;

import java.awt.Color;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Charts of a report as SVG.
 */
final class Charts
{
    private static final double NANOS_PER_MICRO = 1e3;
    private static final double MAX_NINES = 4;
    private static final double NINES_STEP = 0.05;
    // Pixels, so that there is one for each nine.
    private static final int TICK_SPACING = 150;
    private static final int KIBIBYTE = 1024;
    private static final Map<Transport, Color> COLOURS = new EnumMap<>(Map.ofEntries(
        Map.entry(Transport.MILLRACE, new Color(0x00796B)),
        Map.entry(Transport.AERON_UDP, new Color(0xE65100)),
        Map.entry(Transport.AERON_IPC, new Color(0x5C6BC0)),
        Map.entry(Transport.STREAM, new Color(0x80CBC4)),
        Map.entry(Transport.RAW, new Color(0x757575)),
        Map.entry(Transport.UNRECORDED, new Color(0x80CBC4)),
        Map.entry(Transport.RECORD, new Color(0x00796B)),
        Map.entry(Transport.DISK_WRITE, new Color(0x757575)),
        Map.entry(Transport.REPLAY, new Color(0x5C6BC0)),
        Map.entry(Transport.DISK_READ, new Color(0xBDBDBD)),
        Map.entry(Transport.FETCH_RANGE, new Color(0xE65100)),
        Map.entry(Transport.FETCH_SCATTERED, new Color(0xFFB74D))));

    private Charts()
    {
    }

    /**
     * Charts of all cases of a kind.
     *
     * @param kind    of the cases.
     * @param results of them.
     * @return SVG elements.
     */
    static List<String> of(final CaseKind kind, final List<CaseResult> results)
    {
        final List<String> charts = new ArrayList<>();
        if (kind.isLatency())
        {
            results.forEach((result) -> charts.add(ChartStyle.figure(percentiles(result))));
            return charts;
        }
        if (CaseKind.ARCHIVE_INDEX == kind)
        {
            return charts;
        }
        final Map<Integer, List<CaseResult>> byMtu = new TreeMap<>();
        results.forEach((result) ->
            byMtu.computeIfAbsent(result.benchCase().mtu(), (mtu) -> new ArrayList<>()).add(result));
        byMtu.forEach((mtu, some) -> charts.add(ChartStyle.figure(bars(kind, mtu, some))));
        return charts;
    }

    static XYChart percentiles(final CaseResult result)
    {
        final XYChart chart =
            ChartStyle.xy((CaseKind.RTT == result.benchCase().kind() ? "Round trip of " : "KV block of ") +
            size(result.benchCase().size()) + ", µs by percentile", "percentile", "time, µs");
        chart.getStyler().setYAxisLogarithmic(true);
        chart.getStyler().setXAxisMin(0.0);
        chart.getStyler().setXAxisMax(MAX_NINES);
        chart.getStyler().setXAxisTickMarkSpacingHint(TICK_SPACING);
        chart.getStyler().setxAxisTickLabelsFormattingFunction(Charts::percentile);
        result.series().forEach((transport, series) ->
        {
            final Histogram histogram = series.histogram();
            if (null != histogram)
            {
                final List<Double> nines = new ArrayList<>();
                final List<Double> micros = new ArrayList<>();
                for (double x = 0; x <= MAX_NINES; x += NINES_STEP)
                {
                    nines.add(x);
                    final long nanos = histogram.getValueAtPercentile(100 - 100 / Math.pow(10, x));
                    micros.add(Math.max(1, nanos) / NANOS_PER_MICRO);
                }
                chart.addSeries(transport.label(), nines, micros).setMarker(SeriesMarkers.NONE)
                    .setLineColor(COLOURS.get(transport));
            }
        });
        return chart;
    }

    private static String percentile(final double nines)
    {
        return new BigDecimal(100 - 100 / Math.pow(10, nines)).setScale(2, RoundingMode.HALF_UP).stripTrailingZeros()
            .toPlainString() + " %";
    }

    static CategoryChart bars(final CaseKind kind, final int mtu, final List<CaseResult> results)
    {
        final CategoryChart chart = ChartStyle.bars("GB/s, MTU " + mtu,
            "size of a " + (CaseKind.THROUGHPUT == kind ? "message" : "piece"), "throughput, GB/s");
        final int metric = 1;
        final List<String> sizes = results.stream().map((result) -> size(result.benchCase().size())).toList();
        for (final Transport transport : Transport.values())
        {
            if (results.stream().anyMatch((result) -> result.series().containsKey(transport)))
            {
                final List<Double> values = results.stream().map((result) ->
                {
                    final Series series = result.series().get(transport);
                    final double median = null == series ? Double.NaN : Series.median(series.sorted(metric));
                    return Double.isNaN(median) ? 0 : median;
                }).toList();
                chart.addSeries(transport.label(), sizes, values).setFillColor(COLOURS.get(transport));
            }
        }
        return chart;
    }

    private static String size(final int bytes)
    {
        final int mebibyte = KIBIBYTE * KIBIBYTE;
        return bytes >= mebibyte && 0 == bytes % mebibyte ? bytes / mebibyte + " MiB" :
            bytes >= KIBIBYTE && 0 == bytes % KIBIBYTE ? bytes / KIBIBYTE + " KiB" :
            bytes + " B";
    }
}
