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

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A report as tables for people.
 */
public final class BenchTable
{
    private static final int STAGE_WIDTH = 30;

    private BenchTable()
    {
    }

    /**
     * Lay out a report.
     *
     * @param report to show.
     * @return lines, each ended.
     */
    public static String of(final BenchReport report)
    {
        final StringBuilder text = new StringBuilder(Environment.table(report.environment()));
        for (final CaseResult result : report.results())
        {
            text.append('\n').append(result.benchCase()).append('\n');
            if (!result.coreDistance().isEmpty())
            {
                text.append("  ").append(result.coreDistance()).append('\n');
            }
            append(text, result);
        }
        text.append("\nMedians of the rounds, least and greatest in brackets; a ratio pairs the two values of one " +
            "round.\n");
        Legend.of(report.results()).forEach((name, meaning) ->
            text.append("  ").append(name).append(": ").append(meaning).append('\n'));
        report.warnings().forEach((warning) -> text.append(warning).append('\n'));
        return text.toString();
    }

    private static void append(final StringBuilder text, final CaseResult result)
    {
        final List<String> metrics = result.benchCase().kind().metrics();
        final List<List<String>> rows = new ArrayList<>();
        final List<String> head = new ArrayList<>(List.of(""));
        head.addAll(metrics);
        rows.add(head);
        result.series().forEach((transport, series) ->
        {
            final List<String> row = new ArrayList<>(List.of(transport.label()));
            for (int i = 0; i < metrics.size(); i++)
            {
                final double[] sorted = series.sorted(i);
                row.add(0 == sorted.length ? "failed" : number(Series.median(sorted)) + brackets(
                    sorted.length, sorted[0], sorted[sorted.length - 1]));
            }
            rows.add(row);
        });
        final int[] widths = new int[head.size()];
        rows.forEach((row) ->
        {
            for (int i = 0; i < row.size(); i++)
            {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        });
        for (final List<String> row : rows)
        {
            text.append("  ").append(row.get(0)).repeat(' ', widths[0] - row.get(0).length());
            for (int i = 1; i < row.size(); i++)
            {
                text.repeat(' ', widths[i] - row.get(i).length() + 2).append(row.get(i));
            }
            text.append('\n');
        }
        appendStages(text, result);
        for (final Map.Entry<String, CaseResult.Ratio> ratio : result.ratios().entrySet())
        {
            final CaseResult.Ratio value = ratio.getValue();
            text.append("  ").append(ratio.getKey()).append(' ').append(number(value.median()))
                .append(brackets(value.rounds(), value.least(), value.most())).append('\n');
        }
        result.series().forEach((transport, series) ->
        {
            final long failed = series.rounds().stream().filter((round) -> null != round.failure()).count();
            if (0 != failed)
            {
                text.append("  ").append(failed).append(" of ").append(series.rounds().size())
                    .append(" rounds failed on ").append(transport.label()).append('\n');
            }
        });
    }

    private static void appendStages(final StringBuilder text, final CaseResult result)
    {
        final Map<Transport, Map<KvStage, Double>> byTransport = result.stages();
        if (byTransport.isEmpty())
        {
            return;
        }
        text.append("  CPU, ms/GB").repeat(' ', STAGE_WIDTH - "CPU, ms/GB".length());
        byTransport.keySet().forEach((transport) -> text.append(String.format("%14s", transport.label())));
        text.append('\n');
        for (final KvStage stage : KvStage.values())
        {
            text.append("  ").append(stage.label()).repeat(' ', STAGE_WIDTH - stage.label().length());
            byTransport.values().forEach((stages) ->
                text.append(String.format("%14s", stages.containsKey(stage) ? number(stages.get(stage)) : "")));
            text.append('\n');
        }
    }

    /**
     * From the least to the greatest.
     *
     * @param count of values.
     * @param least of them.
     * @param most  of them.
     * @return text, empty where there is one value only.
     */
    static String range(final int count, final double least, final double most)
    {
        return count < 2 ? "" : number(least) + (least < 0 ? " to " : "–") + number(most);
    }

    static String brackets(final int count, final double least, final double most)
    {
        return count < 2 ? "" : " [" + range(count, least, most) + "]";
    }

    /**
     * A number with three digits that count, or more where it is long.
     *
     * @param value to show.
     * @return text.
     */
    static String number(final double value)
    {
        final double magnitude = Math.abs(value);
        return String.format(Locale.ROOT, magnitude >= 100 ? "%,.0f" : magnitude >= 10 ? "%.1f" :
            magnitude >= 1 ? "%.2f" : "%.3f", value);
    }
}
