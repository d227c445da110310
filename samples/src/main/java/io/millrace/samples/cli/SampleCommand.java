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

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/**
 * {@code ./millrace sample}.
 */
@Command(
    name = "sample",
    description = "Runs a sample, each a program of its own to learn from and to copy.",
    footer = {
        "",
        "Each has a page in docs/. Exit status: that of the sample, 2 without one." },
    subcommands = {
        SampleDisaggregatedPrefill.class, SampleEmbeddedService.class, SampleMarketData.class, SamplePlainAeron.class })
public final class SampleCommand implements Runnable
{
    @Spec
    private CommandSpec spec;

    @Mixin
    private Common common;

    /**
     * {@inheritDoc}
     */
    public void run()
    {
        throw new CommandLine.ParameterException(spec.commandLine(), "which sample? One of " +
            String.join(", ", spec.subcommands().keySet()));
    }
}
