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

import io.millrace.samples.report.HtmlPage;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A benchmark's report in HTML.
 */
public final class HtmlReport
{
    private HtmlReport()
    {
    }

    /**
     * Write a report.
     *
     * @param report to write.
     * @param file   to write to.
     */
    public static void write(final BenchReport report, final Path file)
    {
        final Map<String, String> environment = report.environment();
        final HtmlPage page = new HtmlPage("Millrace benchmark", environment.getOrDefault("startedAt", "") + " · " +
            environment.getOrDefault("cpu", "") + " · provider " + environment.getOrDefault("provider", ""));
        if (0 != report.failures())
        {
            page.failed(
                report.failures() + (1 == report.failures() ? " round" : " rounds") + " failed: see the tables.");
        }
        report.warnings().forEach(page::failed);
        for (final CaseKind kind : CaseKind.values())
        {
            final List<CaseResult> results =
                report.results().stream().filter((result) -> kind == result.benchCase().kind()).toList();
            if (!results.isEmpty())
            {
                page.section(kind.title(), kind.description());
                Charts.of(kind, results).forEach(page::figure);
                results.forEach((result) -> append(page, result));
                Legend.of(results).forEach((name, meaning) -> page.text(name + ": " + meaning + "."));
            }
        }
        page.environment(environment).write(
            "Medians of the rounds, least and greatest below them. A ratio pairs the two values of one round.", file);
    }

    private static void append(final HtmlPage page, final CaseResult result)
    {
        final List<String> metrics = result.benchCase().kind().metrics();
        final List<List<String>> rows = new ArrayList<>();
        result.series().forEach((transport, series) ->
        {
            final List<String> row = new ArrayList<>(List.of(transport.label()));
            for (int i = 0; i < metrics.size(); i++)
            {
                final double[] sorted = series.sorted(i);
                row.add(0 == sorted.length ? "failed" : BenchTable.number(Series.median(sorted)) + below(
                    sorted.length, sorted[0], sorted[sorted.length - 1]));
            }
            rows.add(row);
        });
        page.heading(result.benchCase().toString()).table(
            Stream.concat(Stream.of(""), metrics.stream()).toList(), rows);
        if (!result.coreDistance().isEmpty())
        {
            page.text(result.coreDistance());
        }
        appendStages(page, result.stages());
        final Map<String, String> ratios = new LinkedHashMap<>();
        result.ratios().forEach((name, ratio) -> ratios.put(name, BenchTable.number(ratio.median()) +
            below(ratio.rounds(), ratio.least(), ratio.most())));
        page.figures(ratios);
        result.series().forEach((transport, series) -> series.rounds().stream()
            .filter((round) -> null != round.failure())
            .forEach((round) -> page.failed(transport.label() + ": " + round.failure())));
    }

    private static String below(final int count, final double least, final double most)
    {
        return count < 2 ? "" : "\n" + BenchTable.range(count, least, most);
    }

    private static void appendStages(final HtmlPage page, final Map<Transport, Map<KvStage, Double>> byTransport)
    {
        if (byTransport.isEmpty())
        {
            return;
        }
        final List<List<String>> rows = new ArrayList<>();
        for (final KvStage stage : KvStage.values())
        {
            rows.add(Stream.concat(Stream.of(stage.label()), byTransport.values().stream()
                .map((stages) -> stages.containsKey(stage) ? BenchTable.number(stages.get(stage)) : "")).toList());
        }
        page.table(Stream.concat(
            Stream.of("CPU, ms/GB"), byTransport.keySet().stream().map(Transport::label)).toList(), rows);
    }
}
