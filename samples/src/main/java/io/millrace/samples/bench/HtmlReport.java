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

import io.millrace.samples.failure.CommandFailure;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;

/**
 * A report as one HTML file that needs no other.
 */
public final class HtmlReport
{
    private static final String STYLE = "report.css";

    private HtmlReport()
    {
    }

    /**
     * Check, before minutes of work, that a report can be made.
     *
     * @param file to be written.
     * @throws CommandFailure if it cannot be.
     */
    public static void check(final Path file)
    {
        try
        {
            if (Files.isDirectory(file))
            {
                throw CommandFailure.usage("--report " + file + " is a directory: it must be a file; name one");
            }
            final boolean isNew = !Files.exists(file);
            Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND).close();
            if (isNew)
            {
                Files.delete(file);
            }
        }
        catch (final IOException ex)
        {
            throw CommandFailure.usage("--report " + file + " cannot be written (" + ex + "): it must be a file in a " +
                "directory that exists and that you may write to; name another");
        }
        Charts.check();
    }

    /**
     * Write a report.
     *
     * @param report to write.
     * @param file   to write to.
     */
    public static void write(final BenchReport report, final Path file)
    {
        try
        {
            Files.writeString(file, html(report), StandardCharsets.UTF_8);
        }
        catch (final IOException ex)
        {
            throw CommandFailure.failed("--report " + file + " could not be written: " + ex.getMessage(), ex);
        }
    }

    private static String html(final BenchReport report)
    {
        final StringBuilder html = new StringBuilder();
        html.append("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">" +
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">" +
            "<title>Millrace benchmark</title><style>\n").append(style())
            .append("</style></head><body><main>\n<h1>Millrace benchmark</h1>\n<p class=\"lead\">")
            .append(escape(report.environment().getOrDefault("startedAt", ""))).append(" · ")
            .append(escape(report.environment().getOrDefault("cpu", ""))).append(" · provider ")
            .append(escape(report.environment().getOrDefault("provider", ""))).append("</p>\n");
        if (0 != report.failures())
        {
            html.append("<p class=\"failed\">").append(report.failures())
                .append(" rounds failed: see the tables.</p>\n");
        }
        for (final CaseKind kind : CaseKind.values())
        {
            final List<CaseResult> results =
                report.results().stream().filter((result) -> kind == result.benchCase().kind()).toList();
            if (!results.isEmpty())
            {
                html.append("<section><h2>").append(kind.title()).append("</h2>\n<p>").append(kind.description())
                    .append("</p>\n");
                Charts.of(kind, results).forEach((svg) -> html.append("<figure>").append(svg).append("</figure>\n"));
                results.forEach((result) -> append(html, result));
                html.append("</section>\n");
            }
        }
        html.append("<section><h2>Environment</h2>\n<div class=\"scroll\"><table class=\"environment\">");
        report.environment().forEach((name, value) ->
            html.append("<tr><th>").append(escape(name)).append("</th><td>").append(escape(value))
            .append("</td></tr>\n"));
        html.append("</table></div></section>\n<footer>Medians of the rounds, least and greatest below them. A ratio " +
            "pairs the two values of one round.</footer>\n</main></body></html>\n");
        return html.toString();
    }

    private static void append(final StringBuilder html, final CaseResult result)
    {
        final List<String> metrics = result.benchCase().kind().metrics();
        html.append("<h3>").append(escape(result.benchCase().toString()))
            .append("</h3>\n<div class=\"scroll\"><table><tr><th></th>");
        metrics.forEach((metric) -> html.append("<th>").append(metric).append("</th>"));
        html.append("</tr>\n");
        result.series().forEach((transport, series) ->
        {
            html.append("<tr><th>").append(transport.label()).append("</th>");
            for (int i = 0; i < metrics.size(); i++)
            {
                final double[] sorted = series.sorted(i);
                html.append("<td>").append(0 == sorted.length ? "failed" : BenchTable.number(Series.median(sorted)) +
                    "<small>" + BenchTable.number(sorted[0]) + "–" + BenchTable.number(sorted[sorted.length - 1]) +
                    "</small>").append("</td>");
            }
            html.append("</tr>\n");
        });
        html.append("</table></div>\n");
        appendStages(html, result.stages());
        html.append("<p class=\"ratios\">");
        for (final Map.Entry<String, CaseResult.Ratio> ratio : result.ratios().entrySet())
        {
            html.append("<span>").append(ratio.getKey()).append(" <b>")
                .append(BenchTable.number(ratio.getValue().median())).append("</b> <small>")
                .append(BenchTable.number(ratio.getValue().least())).append("–")
                .append(BenchTable.number(ratio.getValue().most())).append("</small></span>");
        }
        html.append("</p>\n");
        result.series().forEach((transport, series) -> series.rounds().stream()
            .filter((round) -> null != round.failure())
            .forEach((round) -> html.append("<p class=\"failed\">").append(transport.label()).append(": ")
            .append(escape(round.failure())).append("</p>\n")));
    }

    private static void appendStages(
        final StringBuilder html, final Map<Transport, Map<KvStage, Double>> byTransport)
    {
        if (byTransport.isEmpty())
        {
            return;
        }
        html.append("<div class=\"scroll\"><table><tr><th>CPU, ms/GB</th>");
        byTransport.keySet().forEach((transport) -> html.append("<th>").append(transport.label()).append("</th>"));
        html.append("</tr>\n");
        for (final KvStage stage : KvStage.values())
        {
            html.append("<tr><th>").append(stage.label()).append("</th>");
            byTransport.values().forEach((stages) -> html.append("<td>")
                .append(stages.containsKey(stage) ? BenchTable.number(stages.get(stage)) : "").append("</td>"));
            html.append("</tr>\n");
        }
        html.append("</table></div>\n");
    }

    private static String style()
    {
        try (InputStream in = HtmlReport.class.getResourceAsStream(STYLE))
        {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }

    private static String escape(final String text)
    {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
