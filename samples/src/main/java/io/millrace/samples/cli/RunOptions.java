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
package io.millrace.samples.cli;

import io.millrace.samples.bench.Environment;
import io.millrace.samples.demo.ProtocolOption;
import io.millrace.samples.failure.CommandFailure;
import io.millrace.samples.report.HtmlPage;
import picocli.CommandLine.Option;

import java.nio.file.Path;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Supplier;

/**
 * What the runs of samples have in common: the options of how a result is shown, and the rule of numbers.
 */
final class RunOptions
{
    @Option(names = "--report", paramLabel = "FILE", description = "Write an HTML page with charts as well.")
    private Path report;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    /**
     * Before the run: can the page be written, and what does it say of the machine?
     *
     * @param protocol of the run.
     * @return the machine, or null without a page.
     */
    Map<String, String> environment(final String protocol)
    {
        if (null == report)
        {
            return null;
        }
        HtmlPage.check(report);
        return Environment.ofMachine(ProtocolOption.choose(protocol));
    }

    /**
     * After the run.
     *
     * @param result      as JSON.
     * @param table       as text.
     * @param environment of before the run.
     * @param page        writes the page, given environment and file.
     */
    void show(
        final Object result,
        final Supplier<String> table,
        final Map<String, String> environment,
        final BiConsumer<Map<String, String>, Path> page)
    {
        if (json)
        {
            Json.print(result);
        }
        else
        {
            Output.print(table.get());
        }
        if (null != report)
        {
            page.accept(environment, report);
            Messages.say("report written to " + report.toAbsolutePath());
        }
    }

    static long within(final String option, final long value, final long min, final long max)
    {
        if (value < min || value > max)
        {
            throw CommandFailure.usage(option + " is " + value + ": it must be from " + min + " to " + max +
                "; give such a number or leave it out");
        }
        return value;
    }
}
