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
package io.millrace.samples.stat;

import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * Quantities for people, each short enough for a column.
 */
public final class Units
{
    private static final String[] DECIMAL = { "", "k", "M", "G", "T", "P", "E" };
    private static final String[] BINARY = { "", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei" };
    private static final String NONE = "-";

    private Units()
    {
    }

    static String count(final Long value)
    {
        return null == value ? NONE : String.format(Locale.ROOT, "%,d", value);
    }

    /**
     * A size.
     *
     * @param value in bytes, or null.
     * @return such as {@code 1.5 MiB}, or a dash.
     */
    public static String bytes(final Long value)
    {
        return null == value ? NONE : scaled(value, 1024, BINARY) + "B";
    }

    static String bytesPerSecond(final double value)
    {
        return scaled(value, 1000, DECIMAL) + "B/s";
    }

    static String perSecond(final double value)
    {
        return scaled(value, 1000, DECIMAL).replace(" ", "") + "/s";
    }

    static String duration(final long nanos)
    {
        return nanos < TimeUnit.MICROSECONDS.toNanos(10) ? nanos + " ns" :
            nanos < TimeUnit.MILLISECONDS.toNanos(10) ? TimeUnit.NANOSECONDS.toMicros(nanos) + " us" :
            nanos < TimeUnit.SECONDS.toNanos(10) ? TimeUnit.NANOSECONDS.toMillis(nanos) + " ms" :
            age(TimeUnit.NANOSECONDS.toMillis(nanos));
    }

    static String age(final long millis)
    {
        final Duration duration = Duration.ofMillis(millis);
        return millis < TimeUnit.SECONDS.toMillis(10) ? millis + " ms" :
            millis < TimeUnit.MINUTES.toMillis(2) ? duration.toSeconds() + " s" :
            millis < TimeUnit.HOURS.toMillis(2) ? duration.toMinutes() + " min" :
            millis < TimeUnit.DAYS.toMillis(2) ? duration.toHours() + " h" : duration.toDays() + " d";
    }

    private static String scaled(final double value, final int base, final String[] prefixes)
    {
        double scaled = value;
        int prefix = 0;
        while (Math.abs(scaled) >= base && prefix < prefixes.length - 1)
        {
            scaled /= base;
            prefix++;
        }
        final String format = 0 == prefix || Math.abs(scaled) >= 100 ? "%.0f %s" : "%.1f %s";
        return String.format(Locale.ROOT, format, scaled, prefixes[prefix]);
    }
}
