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
package io.millrace.samples.growth;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.samples.bench.Environment;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * All that the growth benchmark found.
 *
 * @param environment that it ran in, by name.
 * @param rows        of the table.
 */
public record GrowthReport(Map<String, String> environment, List<GrowthRow> rows)
{
    private static final double MEBI = 1 << 20;
    private static final List<String> HEAD = List.of("", "", "transport", "ns/message", "ns/lone message",
        "ns/idle cycle", "connect ms", "MiB each", "MiB registered", "idle CPU %", "of the first");

    /**
     * As JSON.
     *
     * @return the object.
     */
    public ObjectNode json()
    {
        final ObjectNode node = JsonNodeFactory.instance.objectNode();
        final ObjectNode environmentNode = node.putObject("environment");
        environment.forEach(environmentNode::put);
        final ArrayNode growth = node.putArray("growth");
        final ObjectMapper mapper = new ObjectMapper();
        for (final GrowthRow row : rows)
        {
            growth.add(mapper.<ObjectNode>valueToTree(row).put("toFirst", toFirst(row)));
        }
        return node;
    }

    /**
     * Cost of a message against the first count of the same.
     */
    private double toFirst(final GrowthRow row)
    {
        return row.nanosPerMessage() / rows.stream()
            .filter((other) -> other.of().equals(row.of()) && other.transport().equals(row.transport()))
            .findFirst().orElseThrow().nanosPerMessage();
    }

    /**
     * As a table for people.
     *
     * @return lines, each ended.
     */
    public String table()
    {
        final StringBuilder text = new StringBuilder(Environment.table(environment));
        final List<List<String>> lines = new ArrayList<>(List.of(HEAD));
        for (final GrowthRow row : rows)
        {
            lines.add(List.of(
                "terms".equals(row.of()) ? (row.count() >> 20) + " MiB" : Long.toString(row.count()),
                row.of(),
                row.transport(),
                number(row.nanosPerMessage()),
                number(row.nanosPerLoneMessage()),
                number(row.idleCycleNanos()),
                number(row.connectMillis()),
                number(row.bytesPerItem() / MEBI),
                number(row.registeredBytes() / MEBI),
                number(row.idleProcessorPercent()),
                number(toFirst(row))));
        }
        final int[] widths = new int[HEAD.size()];
        lines.forEach((line) ->
        {
            for (int i = 0; i < widths.length; i++)
            {
                widths[i] = Math.max(widths[i], line.get(i).length());
            }
        });
        text.append('\n');
        for (final List<String> line : lines)
        {
            for (int i = 0; i < widths.length; i++)
            {
                text.repeat(' ', widths[i] - line.get(i).length() + 2).append(line.get(i));
            }
            text.append('\n');
        }
        return text.toString();
    }

    private static String number(final double value)
    {
        final double magnitude = Math.abs(value);
        return String.format(Locale.ROOT, magnitude >= 100 ? "%,.0f" : magnitude >= 10 ? "%.1f" : "%.2f", value);
    }
}
