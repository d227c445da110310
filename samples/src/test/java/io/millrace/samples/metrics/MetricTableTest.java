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

import com.fasterxml.jackson.databind.ObjectMapper;
import io.aeron.driver.status.SystemCounterDescriptor;
import io.millrace.bridge.KvCounters;
import io.millrace.bridge.registry.RegistryCounter;
import io.millrace.bridge.session.SessionCounter;
import io.millrace.efa.EfaCounters;
import io.millrace.samples.stat.Counter;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;

import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Holds the table of metrics against the counters there are, and what refers to metrics against the table.
 */
class MetricTableTest
{
    private static final Path ROOT = Path.of("").toAbsolutePath().getParent();
    private static final Pattern METRIC = Pattern.compile("\\b(?:aeron|millrace)_[a-z0-9_]+");

    private final MetricTable table = new MetricTable();

    private static Counter counter(final int typeId, final String label)
    {
        return new Counter(1, typeId, 0, 0, new UnsafeBuffer(new byte[112]), label, 1);
    }

    private Set<String> exported()
    {
        final Set<String> names = table.metrics().stream().map(Metric::exportedName).collect(Collectors.toSet());
        names.addAll(List.of(MetricTable.OTHER.name(), DriverCollector.UP, DriverCollector.HEARTBEAT_AGE,
            DriverCollector.START_TIME, DriverCollector.DISTINCT_ERRORS));
        return names;
    }

    @Test
    void everyCounterHasAMetric() throws Exception
    {
        final List<Integer> typeIds = new ArrayList<>();
        for (final Field field : EfaCounters.class.getFields())
        {
            if (field.getName().endsWith("_TYPE_ID"))
            {
                typeIds.add(field.getInt(null));
            }
        }
        Stream.of(KvCounters.Kind.values()).forEach((kind) -> typeIds.add(kind.typeId()));
        Stream.of(SessionCounter.values()).forEach((kind) -> typeIds.add(kind.typeId()));
        Stream.of(RegistryCounter.values()).forEach((kind) -> typeIds.add(kind.typeId()));
        assertThat(typeIds).hasSizeGreaterThan(100)
            .allSatisfy((typeId) -> assertThat(table.of(counter(typeId, ""))).isNotSameAs(MetricTable.OTHER));

        for (final SystemCounterDescriptor descriptor : SystemCounterDescriptor.values())
        {
            final Counter counter = counter(0, descriptor.label());
            ((UnsafeBuffer)counter.key()).putInt(0, descriptor.id());
            assertThat(table.of(counter).id()).isEqualTo("0/" + descriptor.name());
        }
        assertThat(table.of(counter(77_777, "an application's"))).isSameAs(MetricTable.OTHER);
    }

    @Test
    void namesFollowTheConventions()
    {
        assertThat(table.metrics()).extracting(Metric::exportedName).doesNotHaveDuplicates()
            .allSatisfy((name) -> assertThat(name).matches("[a-z][a-z0-9_]*").doesNotContain("_ns", "_ms", "nanos"));
        for (final Metric metric : table.metrics())
        {
            assertThat(metric.name()).as("the library adds the suffix").doesNotEndWith("_total");
            assertThat(metric.help()).isNotBlank();
            if (metric.divisor() > 1)
            {
                assertThat(metric.name()).endsWith("_seconds");
            }
        }
    }

    @Test
    void readsLabels()
    {
        assertThat((Object)MetricLabels.RAIL.of(counter(1010, "efa-rail snd-0 shm: bytes sent")))
            .hasToString("{nic=\"shm\",rail=\"snd-0\"}");
        assertThat((Object)MetricLabels.PEER.of(counter(
            1020, "efa-peer 10.0.0.2:20121: on rails (1) or UDP (0) aeron:udp?endpoint=10.0.0.2:20121")))
            .hasToString("{channel=\"aeron:udp?endpoint=10.0.0.2:20121\",peer=\"10.0.0.2:20121\"}");
        assertThat((Object)MetricLabels.PROTOCOL.of(counter(1000, "efa protocol=shm provider=shm: asked for by name")))
            .hasToString("{protocol=\"shm\",provider=\"shm\",reason=\"asked for by name\"}");
        assertThat((Object)MetricLabels.KV.of(counter(1103, "kv bytes: prefill 1"))).hasToString("{kv=\"prefill 1\"}");
        assertThat((Object)MetricLabels.RAIL.of(counter(1010, "of a later version")))
            .hasToString("{nic=\"\",rail=\"of a later version\"}");
    }

    @Test
    void dashboardAlertsAndPagesNameExportedMetricsOnly() throws Exception
    {
        final Path dashboard = ROOT.resolve("packaging/grafana/millrace.json");
        assertThat(new ObjectMapper().readTree(dashboard.toFile()).at("/panels").size()).isGreaterThan(10);
        for (final Path file : new Path[]{
            dashboard, ROOT.resolve("packaging/prometheus/millrace-alerts.yml"), ROOT.resolve("docs/metrics.md") })
        {
            final Matcher matcher = METRIC.matcher(Files.readString(file).replace("aeron_`", "").replace(
                "millrace_`", ""));
            final List<String> named = matcher.results().map((result) -> result.group()).distinct().toList();
            assertThat(named).as(file.toString()).hasSizeGreaterThan(10);
            assertThat(exported()).as(file.toString()).containsAll(named);
        }
    }

    @Test
    void pageHasARowForEachMetric() throws Exception
    {
        final List<String> rows = Files.readAllLines(ROOT.resolve("docs/metrics.md")).stream()
            .filter((line) -> line.startsWith("| `")).toList();
        assertThat(rows).map((row) -> row.split("`")[1])
            .containsExactlyElementsOf(table.metrics().stream().map(Metric::exportedName).toList());
        assertThat(rows).map((row) -> row.split(" \\| ")[2])
            .containsExactlyElementsOf(table.metrics().stream().map(Metric::id).toList());
    }
}
