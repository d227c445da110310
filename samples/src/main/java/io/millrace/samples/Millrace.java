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
package io.millrace.samples;

import io.millrace.samples.cli.ArchiveCommand;
import io.millrace.samples.cli.BenchCommand;
import io.millrace.samples.cli.CompletionCommand;
import io.millrace.samples.cli.DemoCommand;
import io.millrace.samples.cli.DoctorCommand;
import io.millrace.samples.cli.DriverCommand;
import io.millrace.samples.cli.InfoCommand;
import io.millrace.samples.cli.Messages;
import io.millrace.samples.cli.MetricsCommand;
import io.millrace.samples.cli.PagesCommand;
import io.millrace.samples.cli.SampleCommand;
import io.millrace.samples.cli.StatCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * The tool behind {@code ./millrace}.
 */
@Command(
    name = "./millrace",
    description = "Aeron over libfabric, and KV caches on it.",
    subcommands = {
        ArchiveCommand.class, BenchCommand.class, CompletionCommand.class, DemoCommand.class, DoctorCommand.class,
        DriverCommand.class, InfoCommand.class, MetricsCommand.class, PagesCommand.class, SampleCommand.class,
        StatCommand.class })
public final class Millrace
{
    @Option(names = { "-h", "--help" }, usageHelp = true, description = "Show this help.")
    private boolean help;

    private Millrace()
    {
    }

    /**
     * Run a command and end the process with its exit status.
     *
     * @param args the command and its options.
     */
    public static void main(final String[] args)
    {
        System.exit(execute(args));
    }

    /**
     * Run a command.
     *
     * @param args the command and its options.
     * @return exit status.
     */
    public static int execute(final String... args)
    {
        Messages.begin();
        return commandLine().execute(args);
    }

    static CommandLine commandLine()
    {
        return new CommandLine(new Millrace())
            .setCaseInsensitiveEnumValuesAllowed(true)
            .setParameterExceptionHandler(Messages::usage)
            .setExecutionExceptionHandler(Messages::failure);
    }
}
