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

import io.millrace.samples.failure.CommandFailure;
import io.millrace.samples.stat.CncFile;
import io.millrace.samples.stat.Counter;
import io.millrace.samples.stat.Snapshot;
import io.prometheus.metrics.model.registry.MultiCollector;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot.InfoDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import org.agrona.SemanticVersion;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * All counters of a driver's {@code cnc.dat}, read anew at each scrape: the driver may end and another start.
 */
public final class DriverCollector implements MultiCollector
{
    /**
     * Gauge: 1 while there is a driver and it shows signs of life.
     */
    public static final String UP = "aeron_driver_up";

    /**
     * Gauge: time since the driver's last sign of life.
     */
    public static final String HEARTBEAT_AGE = "aeron_driver_heartbeat_age_seconds";

    /**
     * Gauge: when the driver started.
     */
    public static final String START_TIME = "aeron_driver_start_time_seconds";

    /**
     * Gauge: entries in the distinct error log.
     */
    public static final String DISTINCT_ERRORS = "aeron_driver_distinct_errors";

    private static final double MILLIS = TimeUnit.SECONDS.toMillis(1);
    private static final String COUNTER_ID = "counter_id";
    private static final String DIRECTORY = "dir";

    private final MetricTable table = new MetricTable();
    private final Path directory;

    /**
     * Export the driver of a directory.
     *
     * @param directory of the driver, who need not run yet.
     */
    public DriverCollector(final Path directory)
    {
        this.directory = directory;
    }

    /**
     * {@inheritDoc}
     */
    public MetricSnapshots collect()
    {
        final List<MetricSnapshot> snapshots = new ArrayList<>();
        try (CncFile file = CncFile.openNow(directory))
        {
            final Snapshot snapshot = file.read();
            final long ageMs = snapshot.heartbeatAgeMs();
            final boolean isUp = ageMs >= 0 && ageMs <= CncFile.DRIVER_TIMEOUT_MS;
            snapshots.add(up(isUp));
            if (isUp)
            {
                snapshots.add(gauge(HEARTBEAT_AGE, "Time since the driver's last sign of life", ageMs / MILLIS));
                snapshots.add(gauge(START_TIME, "When the driver started", file.startMs() / MILLIS));
                snapshots.add(gauge(DISTINCT_ERRORS, "Entries in the distinct error log", snapshot.errors().size()));
                add(snapshots, snapshot.counters());
            }
        }
        catch (final CommandFailure ex)
        {
            // No driver: that is what there is to export.
            snapshots.add(up(false));
        }
        return new MetricSnapshots(snapshots);
    }

    private MetricSnapshot up(final boolean isUp)
    {
        return GaugeSnapshot.builder().name(UP).help("1 while the driver shows signs of life").dataPoint(
            point(Labels.of(DIRECTORY, directory.toString()), isUp ? 1 : 0)).build();
    }

    private void add(final List<MetricSnapshot> snapshots, final List<Counter> counters)
    {
        final Map<Metric, Map<Labels, Counter>> byMetric = new LinkedHashMap<>();
        for (final Counter counter : counters)
        {
            final Metric metric = table.of(counter);
            final Map<Labels, Counter> series = byMetric.computeIfAbsent(metric, (key) -> new LinkedHashMap<>());
            final Labels labels = MetricTable.OTHER == metric ?
                metric.labels().of(counter).add("type_id", Integer.toString(counter.typeId())) :
                metric.labels().of(counter);
            // Where labels do not tell two counters apart, as those of two receivers of one name, their ids do.
            series.put(series.containsKey(labels) ? labels.add(COUNTER_ID, Integer.toString(counter.id())) : labels,
                counter);
        }
        byMetric.forEach((metric, series) -> snapshots.add(snapshot(metric, series)));
    }

    private static MetricSnapshot snapshot(final Metric metric, final Map<Labels, Counter> series)
    {
        switch (metric.kind())
        {
            case COUNTER:
            {
                final CounterSnapshot.Builder builder = CounterSnapshot.builder().name(metric.name())
                    .help(metric.help());
                // Positions of streams that have none yet are negative, which a counter never is.
                series.forEach((labels, counter) -> builder.dataPoint(CounterDataPointSnapshot.builder()
                    .labels(labels).value(Math.max(0, counter.value()) / metric.divisor()).build()));
                return builder.build();
            }

            case VERSION:
            {
                final InfoSnapshot.Builder builder = InfoSnapshot.builder().name(metric.name()).help(metric.help());
                series.forEach((labels, counter) -> builder.dataPoint(InfoDataPointSnapshot.builder().labels(labels.add(
                    "version", SemanticVersion.toString((int)counter.value()))).build()));
                return builder.build();
            }

            default:
            {
                final GaugeSnapshot.Builder builder = GaugeSnapshot.builder().name(metric.name()).help(metric.help());
                series.forEach((labels, counter) ->
                    builder.dataPoint(point(labels, counter.value() / metric.divisor())));
                return builder.build();
            }
        }
    }

    private static MetricSnapshot gauge(final String name, final String help, final double value)
    {
        return GaugeSnapshot.builder().name(name).help(help).dataPoint(point(Labels.EMPTY, value)).build();
    }

    private static GaugeDataPointSnapshot point(final Labels labels, final double value)
    {
        return GaugeDataPointSnapshot.builder().labels(labels).value(value).build();
    }
}
