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

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * A report as a table for people.
 */
public final class ReportTable
{
    private ReportTable()
    {
    }

    /**
     * Lay out a report.
     *
     * @param report to show.
     * @return lines, each ended.
     */
    public static String of(final DemoReport report)
    {
        final Map<String, String> rows = new LinkedHashMap<>();
        rows.put("protocol", report.protocol() + " (provider " + report.provider() + ")");
        rows.put("why", report.reason());
        rows.put("rails", count(report.rails()));
        rows.put("requests", count(report.requests()));
        rows.put("tokens", count(report.tokens()));
        rows.put("bytes", count(report.bytes()));
        rows.put("seconds", String.format(Locale.ROOT, "%.3f streaming, %.3f with filling and checking",
            report.seconds(), report.wallSeconds()));
        rows.put("GB/s", String.format(Locale.ROOT, "%.3f", report.gigabytesPerSecond()));
        final DemoReport.Latency latency = report.transferLatencyMicros();
        rows.put("transfer latency", String.format(Locale.ROOT, "p50 %,d, p90 %,d, p99 %,d, max %,d µs",
            latency.p50(), latency.p90(), latency.p99(), latency.max()));
        rows.put("fabric frames", count(report.fabricFrames()));
        rows.put("UDP data frames", count(report.udpDataFrames()));
        rows.put("retransmits", count(report.retransmits()));
        rows.put("fallbacks", count(report.fallbacks()));
        rows.put("checksum errors", count(report.checksumErrors()));
        rows.put("verified", report.verified() ? "yes, every byte" : "NO");
        if (null != report.archive())
        {
            rows.put("recorded bytes", count(report.archive().recordedBytes()));
            rows.put("replayed bytes", count(report.archive().replayedBytes()));
            rows.put("replay verified", report.archive().verified() ? "yes, every byte" : "NO");
        }

        return of(rows);
    }

    /**
     * Lay out rows.
     *
     * @param rows values by their names, in their order.
     * @return lines, each ended.
     */
    public static String of(final Map<String, String> rows)
    {
        final int width = rows.keySet().stream().mapToInt(String::length).max().orElse(0);
        final StringBuilder table = new StringBuilder();
        rows.forEach((name, value) ->
            table.append(name).repeat(' ', width - name.length() + 2).append(value).append('\n'));
        return table.toString();
    }

    /**
     * A number for people.
     *
     * @param value of it.
     * @return its digits in groups.
     */
    public static String count(final long value)
    {
        return String.format(Locale.ROOT, "%,d", value);
    }
}
