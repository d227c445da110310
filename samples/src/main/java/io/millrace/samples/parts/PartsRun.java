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
package io.millrace.samples.parts;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.millrace.samples.bench.Environment;
import io.millrace.samples.failure.CommandFailure;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.NoBenchmarksException;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

import java.util.Collection;
import java.util.Locale;
import java.util.Map;

/**
 * Runs the benchmarks of this package by JMH.
 */
public final class PartsRun
{
    private final Map<String, String> environment;
    private final Collection<RunResult> results;

    private PartsRun(final Map<String, String> environment, final Collection<RunResult> results)
    {
        this.environment = environment;
        this.results = results;
    }

    /**
     * Run.
     *
     * @param environment that it runs in, by name.
     * @param pattern     regular expression of the benchmarks' names.
     * @param iterations  that count.
     * @param millis      of each.
     * @param forks       JVMs for each benchmark, 0 for this one.
     * @return what was found.
     */
    public static PartsRun run(
        final Map<String, String> environment,
        final String pattern,
        final int iterations,
        final long millis,
        final int forks)
    {
        try
        {
            final Collection<RunResult> results = new Runner(new OptionsBuilder()
                .include(pattern)
                .warmupIterations(iterations)
                .measurementIterations(iterations)
                .warmupTime(TimeValue.milliseconds(millis))
                .measurementTime(TimeValue.milliseconds(millis))
                .forks(forks)
                .shouldFailOnError(true)
                .verbosity(VerboseMode.SILENT)
                .jvmArgs(
                "-Xmx512m",
                "--sun-misc-unsafe-memory-access=allow",
                "--enable-native-access=ALL-UNNAMED",
                "--add-opens", "java.base/jdk.internal.misc=ALL-UNNAMED")
                .build()).run();
            return new PartsRun(environment, results);
        }
        catch (final NoBenchmarksException ex)
        {
            throw CommandFailure.usage("--only " + pattern + ": it matches no part; leave it out to run all");
        }
        catch (final RunnerException ex)
        {
            throw CommandFailure.failed("the parts could not be measured: " + ex.getMessage(), ex);
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
        final ArrayNode parts = node.putArray("parts");
        for (final RunResult run : results)
        {
            final Result<?> result = run.getPrimaryResult();
            parts.addObject()
                .put("part", part(run))
                .put("nanosPerOperation", result.getScore())
                .put("least", result.getStatistics().getMin())
                .put("greatest", result.getStatistics().getMax());
        }
        return node;
    }

    /**
     * As a table for people.
     *
     * @return lines, each ended.
     */
    public String table()
    {
        final StringBuilder text = new StringBuilder(Environment.table(environment));
        text.append('\n');
        for (final RunResult run : results)
        {
            final Result<?> result = run.getPrimaryResult();
            text.append(String.format(Locale.ROOT, "%-40s %,10.1f ns [%,.1f–%,.1f]%n", part(run), result.getScore(),
                result.getStatistics().getMin(), result.getStatistics().getMax()));
        }
        return text.toString();
    }

    private static String part(final RunResult run)
    {
        final String name = run.getParams().getBenchmark();
        final String size = run.getParams().getParam("size");
        return name.substring(name.lastIndexOf('.') + 1) + (null == size ? "" : " " + size + " B");
    }
}
