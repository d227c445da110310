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

/**
 * How a counter of {@code cnc.dat} is exported.
 *
 * @param id     type id of the counter, for Aeron's system counters followed by a slash and the name.
 * @param kind   of metric.
 * @param name   of the metric, without {@code _total}.
 * @param divisor that makes base units of the counter's.
 * @param labels that tell counters of this type apart.
 * @param help   one line for people.
 */
public record Metric(String id, Kind kind, String name, double divisor, MetricLabels labels, String help)
{
    /**
     * Of what kind a metric is.
     */
    public enum Kind
    {
        /**
         * Grows until the driver restarts.
         */
        COUNTER,

        /**
         * Goes up and down.
         */
        GAUGE,

        /**
         * A semantic version, exported as a label.
         */
        VERSION
    }

    /**
     * Name as queries give it.
     *
     * @return name with the suffix of its kind.
     */
    public String exportedName()
    {
        return switch (kind)
        {
            case COUNTER -> name + "_total";
            case GAUGE -> name;
            case VERSION -> name + "_info";
        };
    }
}
