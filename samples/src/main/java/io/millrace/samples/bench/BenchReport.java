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

import java.util.List;
import java.util.Map;

/**
 * All that a benchmark found.
 */
public final class BenchReport
{
    private final Map<String, String> environment;
    private final List<CaseResult> results;

    /**
     * Create.
     *
     * @param environment that it ran in, by name.
     * @param results     of the cases.
     */
    BenchReport(final Map<String, String> environment, final List<CaseResult> results)
    {
        this.environment = environment;
        this.results = results;
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
     * Whether others used the machine when it began.
     *
     * @return a sentence, or null if they did not, or nobody knows.
     */
    String warning()
    {
        final String cores = environment.get(Environment.CORES);
        final String load = environment.getOrDefault(Environment.LOAD, "").split(" ")[0];
        if (null == cores || !load.matches("[0-9.]+") || Double.parseDouble(load) <= Integer.parseInt(cores))
        {
            return null;
        }
        return "loaded machine: " + load + " on " + cores + " cores, figures are noise";
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
