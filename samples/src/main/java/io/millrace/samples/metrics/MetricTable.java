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
package io.millrace.samples.metrics;

import io.aeron.AeronCounters;
import io.aeron.driver.status.SystemCounterDescriptor;
import io.millrace.samples.stat.Counter;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * The table of which metric each type of counter is, read from the resource {@code metrics.txt}.
 */
public final class MetricTable
{
    /**
     * Counters of types that the table does not have, such as those of applications.
     */
    public static final Metric OTHER = new Metric("*", Metric.Kind.GAUGE, "aeron_counter", 1, MetricLabels.TEXT,
        "Counters of other types, such as an application's");

    private static final String RESOURCE = "metrics.txt";
    private static final int COLUMNS = 6;

    private final Map<String, Metric> metrics = new LinkedHashMap<>();

    /**
     * Read the table.
     */
    public MetricTable()
    {
        try (InputStream in = MetricTable.class.getResourceAsStream(RESOURCE))
        {
            new String(in.readAllBytes(), StandardCharsets.UTF_8).lines()
                .filter((line) -> !line.isBlank() && !line.startsWith("#")).forEach(this::add);
        }
        catch (final IOException ex)
        {
            throw new UncheckedIOException(ex);
        }
    }

    private void add(final String line)
    {
        final String[] cells = line.split("\\s*\\|\\s*", COLUMNS);
        final Metric metric = new Metric(cells[0], Metric.Kind.valueOf(cells[1].toUpperCase(Locale.ROOT)), cells[2],
            divisor(cells[3]), "-".equals(cells[4]) ? MetricLabels.NONE :
            MetricLabels.valueOf(cells[4].toUpperCase(Locale.ROOT)), cells[5]);
        if (null != metrics.put(metric.id(), metric))
        {
            throw new IllegalStateException(RESOURCE + " has " + metric.id() + " twice");
        }
    }

    /**
     * All rows.
     *
     * @return in the order of the file.
     */
    public Collection<Metric> metrics()
    {
        return metrics.values();
    }

    /**
     * Metric of a counter.
     *
     * @param counter to export.
     * @return its row, {@link #OTHER} where there is none.
     */
    public Metric of(final Counter counter)
    {
        String id = Integer.toString(counter.typeId());
        if (AeronCounters.DRIVER_SYSTEM_COUNTER_TYPE_ID == counter.typeId())
        {
            final SystemCounterDescriptor descriptor = SystemCounterDescriptor.get(counter.keyInt(0));
            id += "/" + (null == descriptor ? "" : descriptor.name());
        }
        return metrics.getOrDefault(id, OTHER);
    }

    private static double divisor(final String unit)
    {
        return switch (unit)
        {
            case "ns" -> TimeUnit.SECONDS.toNanos(1);
            case "ms" -> TimeUnit.SECONDS.toMillis(1);
            default -> 1;
        };
    }
}
