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

import io.millrace.samples.stat.Columns;

import java.util.List;
import java.util.Locale;

/**
 * Results for people.
 */
public final class MarketTable
{
    private MarketTable()
    {
    }

    /**
     * Lay out results.
     *
     * @param results of all transports.
     * @return lines.
     */
    public static String of(final List<MarketResult> results)
    {
        final StringBuilder text = new StringBuilder();
        for (final MarketResult result : results)
        {
            text.append(text.isEmpty() ? "" : "\n").append(result.transport()).append('\n');
            final Columns hops = new Columns("HOP", "MESSAGES", "GAPS", "P50 us", "P99 us", "P99.9 us", "MAX us", "");
            result.hops().forEach((hop) -> hops.row(hop.hop(), Long.toString(hop.messages()),
                Long.toString(hop.gaps()), micros(hop.p50Micros()), micros(hop.p99Micros()),
                micros(hop.p999Micros()), micros(hop.maxMicros()), ""));
            hops.lines().forEach((line) -> text.append(line).append('\n'));
            text.append(String.format(Locale.ROOT, "%d messages in %.1f s, %d and %d orders%n", result.messages(),
                result.seconds(), result.strategies().get(0).orders(), result.strategies().get(1).orders()));
            text.append("conflated for the strategies: ").append(result.conflated()).append('\n');
            final long frames = result.fabricFrames() + result.udpFrames();
            text.append(0 == frames ? "" : String.format(Locale.ROOT, "%d frames, %.1f %% of them on the fabric%n",
                frames, 100.0 * result.fabricFrames() / frames));
            result.lateJoins().forEach((late) -> text.append(String.format(Locale.ROOT,
                "late join %s: %d messages from the archive, %d live, %d gaps, %s%n", late.strategy(), late.history(),
                late.live(), late.gaps(), late.identical() ? "orders identical" : "ORDERS DIFFER")));
            result.replays().forEach((replay) -> text.append(String.format(Locale.ROOT, "replay %-4s  %6.1f s  %s%n",
                replay.speed(), replay.seconds(), replay.identical() ? "orders identical" : "ORDERS DIFFER")));
        }
        return text.toString();
    }

    private static String micros(final double value)
    {
        return String.format(Locale.ROOT, "%.1f", value);
    }
}
