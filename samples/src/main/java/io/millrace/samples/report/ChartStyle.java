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
package io.millrace.samples.report;

import io.millrace.samples.failure.CommandFailure;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.VectorGraphicsEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.internal.chartpart.Chart;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.Styler;

import java.awt.Color;
import java.awt.Font;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/**
 * Charts that look alike, as SVG.
 */
public final class ChartStyle
{
    /**
     * Colours of series that have none of their own, told apart by those who do not see all colours too.
     */
    public static final List<Color> COLOURS = List.of(
        new Color(0x00796B), new Color(0xE65100), new Color(0x5C6BC0), new Color(0x757575), new Color(0x80CBC4));

    // The ground is the page's, by day and in the dark.
    private static final Color TRANSPARENT = new Color(0, 0, 0, 0);
    private static final int WIDTH = 860;
    private static final int HEIGHT = 420;

    private ChartStyle()
    {
    }

    /**
     * Check that charts can be drawn: text needs fonts, which a bare system has not.
     *
     * @throws CommandFailure if they cannot.
     */
    public static void check()
    {
        System.setProperty("java.awt.headless", "true");
        try
        {
            figure(xy("check", "x", "y"));
        }
        catch (final LinkageError | RuntimeException ex)
        {
            throw CommandFailure.failed("--report needs fonts to draw its charts, and this system has none (" +
                ex.getMessage() + "): install fontconfig and a font (Debian: apt-get install fontconfig " +
                "fonts-dejavu-core), or leave --report out", ex instanceof final Exception e ? e : null);
        }
    }

    /**
     * A chart of lines or points.
     *
     * @param title of it.
     * @param xAxis title of that axis, with its unit.
     * @param yAxis title of that axis, with its unit.
     * @return the chart, styled.
     */
    public static XYChart xy(final String title, final String xAxis, final String yAxis)
    {
        return style(new XYChartBuilder().width(WIDTH).height(HEIGHT).title(title).xAxisTitle(xAxis).yAxisTitle(yAxis)
            .build());
    }

    /**
     * A chart of bars.
     *
     * @param title of it.
     * @param xAxis title of that axis, with its unit.
     * @param yAxis title of that axis, with its unit.
     * @return the chart, styled.
     */
    public static CategoryChart bars(final String title, final String xAxis, final String yAxis)
    {
        final CategoryChart chart = style(new CategoryChartBuilder().width(WIDTH).height(HEIGHT).title(title)
            .xAxisTitle(xAxis).yAxisTitle(yAxis).build());
        chart.getStyler().setAvailableSpaceFill(0.8);
        return chart;
    }

    private static <C extends Chart<? extends AxesChartStyler, ?>> C style(final C chart)
    {
        final AxesChartStyler styler = chart.getStyler();
        styler.setChartBackgroundColor(TRANSPARENT);
        styler.setPlotBackgroundColor(TRANSPARENT);
        styler.setPlotBorderVisible(false);
        styler.setPlotGridLinesColor(new Color(0xE0E0E0));
        styler.setPlotGridVerticalLinesVisible(false);
        // It is the caption.
        styler.setChartTitleVisible(false);
        // In place of powers from 10 000 on.
        styler.setYAxisDecimalPattern("#,##0.###");
        styler.setAxisTickLabelsFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12));
        styler.setAxisTitleFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12));
        styler.setLegendFont(new Font(Font.SANS_SERIF, Font.PLAIN, 12));
        styler.setLegendPosition(Styler.LegendPosition.OutsideS);
        styler.setLegendLayout(Styler.LegendLayout.Horizontal);
        styler.setLegendBackgroundColor(TRANSPARENT);
        styler.setLegendBorderColor(TRANSPARENT);
        styler.setLocale(Locale.ROOT);
        return chart;
    }

    /**
     * Draw a chart.
     *
     * @param chart to draw.
     * @return what stands in an HTML figure: the chart's title as its caption, and an SVG element.
     */
    public static String figure(final Chart<?, ?> chart)
    {
        final ByteArrayOutputStream out = new ByteArrayOutputStream();
        try
        {
            VectorGraphicsEncoder.saveVectorGraphic(chart, out, VectorGraphicsEncoder.VectorGraphicsFormat.SVG);
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
        final String text = out.toString(StandardCharsets.UTF_8);
        // Without the XML head, which has no place inside a page, and with a size that follows the page's.
        return "<figcaption>" + chart.getTitle() + "</figcaption>\n" + text.substring(text.indexOf("<svg"))
            .replaceFirst("width=\"[^\"]*\"", "width=\"100%\"")
            .replaceFirst(" height=\"[^\"]*\"", "")
            // Hundredths of a pixel are enough, and half the size.
            .replaceAll("(\\.\\d\\d)\\d+", "$1");
    }
}
