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

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * All that a benchmark found.
 */
public final class BenchReport
{
    // A round trip meets the stalls of both sides, so that one message of a hundred does from here on.
    private static final double MOST_STALLS = 0.005;

    private final Map<String, String> environment;
    private final List<CaseResult> results;
    private final List<CoreMeter.Stalls> stalls;

    /**
     * Create.
     *
     * @param environment that it ran in, by name.
     * @param results     of the cases.
     * @param stalls      of the cores, empty where no case times single messages.
     */
    BenchReport(
        final Map<String, String> environment, final List<CaseResult> results, final List<CoreMeter.Stalls> stalls)
    {
        this.environment = environment;
        this.results = results;
        this.stalls = stalls;
    }

    /**
     * What it ran in.
     *
     * @return values by name.
     */
    Map<String, String> environment()
    {
        return environment;
    }

    /**
     * What was found.
     *
     * @return results of the cases.
     */
    List<CaseResult> results()
    {
        return results;
    }

    /**
     * What takes worth from the figures.
     *
     * @return sentences.
     */
    List<String> warnings()
    {
        final List<String> warnings = new ArrayList<>();
        addLoad(warnings);
        stalls.stream().max(Comparator.comparingDouble(CoreMeter.Stalls::share))
            .filter((most) -> most.share() > MOST_STALLS)
            .ifPresent((most) -> warnings.add(String.format(Locale.ROOT,
                "cores that stand still: core %d for %.2f %% of the time in gaps of up to %,d µs, under a thread " +
                "that only reads the clock: p99 and more tell of the machine", most.core(), 100 * most.share(),
                TimeUnit.NANOSECONDS.toMicros(most.longestNs()))));
        return warnings;
    }

    // Others that used the machine when it began.
    private void addLoad(final List<String> warnings)
    {
        final String cores = environment.get(Environment.CORES);
        final String load = environment.getOrDefault(Environment.LOAD, "").split(" ")[0];
        if (null != cores && load.matches("[0-9.]+") && Double.parseDouble(load) > Integer.parseInt(cores))
        {
            warnings.add("loaded machine: " + load + " on " + cores + " cores, figures are noise");
        }
    }

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
        final ArrayNode warningsNode = node.putArray("warnings");
        warnings().forEach(warningsNode::add);
        final ArrayNode cases = node.putArray("cases");
        results.forEach((result) -> cases.add(result.json()));
        return node;
    }

    /**
     * Rounds that failed.
     *
     * @return their number.
     */
    public long failures()
    {
        return results.stream().mapToLong(CaseResult::failures).sum();
    }
}
