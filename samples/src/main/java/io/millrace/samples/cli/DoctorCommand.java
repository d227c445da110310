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

import io.millrace.efa.libfabric.FabricProvider;
import io.millrace.samples.doctor.Doctor;
import io.millrace.samples.doctor.Finding;
import io.millrace.samples.failure.CommandFailure;
import io.millrace.samples.stat.Terminal;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help.Ansi;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;

/**
 * {@code ./millrace doctor}.
 */
@Command(
    name = "doctor",
    sortOptions = false,
    description = {
        "Checks whether this machine can run rails, and says what to do.",
        "For the user who runs it, in the container that it runs in.",
        "" },
    footer = {
        "",
        "  ok    as it should be",
        "  note  cannot be seen from here, or a matter of taste",
        "  warn  works, but slower or less surely",
        "  fail  does not work",
        "",
        "Exit status: 0 nothing fails, 1 something does, 2 wrong option or value." })
public final class DoctorCommand implements Callable<Integer>
{
    private static final String ROW = "%s  %-14s  %s%n";
    private static final String REMEDY = "                      → %s%n";
    private static final String INDENT = " ".repeat(24);

    @Option(names = "--protocol", paramLabel = "P", defaultValue = "efa",
        completionCandidates = Candidates.Fabrics.class,
        description = "What rails are to use: efa, shm or tcp. Default: efa.")
    private String protocol;

    @Option(names = "--json", description = "Print one JSON object.")
    private boolean json;

    @Mixin
    private Common common;

    /**
     * What was found.
     *
     * @param protocol that rails are to use.
     * @param usable   whether nothing fails.
     * @param checks   in the order in which to mend them.
     */
    public record Examination(String protocol, boolean usable, List<Finding> checks)
    {
    }

    /**
     * {@inheritDoc}
     */
    public Integer call()
    {
        final FabricProvider provider = Arrays.stream(FabricProvider.values())
            .filter((candidate) -> candidate.word().equalsIgnoreCase(protocol)).findFirst()
            .orElseThrow(() -> CommandFailure.usage("--protocol is " + protocol + ": it must be efa, shm or tcp; " +
                "udp needs nothing that could be missing"));
        final List<Finding> findings = Doctor.examine(provider);
        final boolean usable = findings.stream().noneMatch((finding) -> Finding.Level.FAIL == finding.level());
        if (json)
        {
            Json.print(new Examination(provider.word(), usable, findings));
        }
        else
        {
            final Terminal terminal = Terminal.get();
            Output.print(table(
                findings, terminal.columns(), terminal.isPresent() && null == System.getenv("NO_COLOR")));
            Output.print(summary(findings, provider.word()));
        }
        return usable ? 0 : CommandFailure.FAILED;
    }

    private static String table(final List<Finding> findings, final int columns, final boolean isColoured)
    {
        final StringBuilder text = new StringBuilder();
        for (final Finding finding : findings)
        {
            final String colour = switch (finding.level())
            {
                case OK -> "green";
                case NOTE -> "cyan";
                case WARN -> "yellow";
                case FAIL -> "red,bold";
            };
            final String word = String.format("%-4s", finding.level().word());
            text.append(ROW.formatted(isColoured ? Ansi.ON.string("@|" + colour + " " + word + "|@") : word,
                finding.check(), finding.found()));
            if (null != finding.remedy())
            {
                text.append(REMEDY.formatted(wrap(finding.remedy(), columns - INDENT.length())));
            }
        }
        return text.toString();
    }

    /**
     * Break lines between words; not at all where the width is not known.
     */
    private static String wrap(final String text, final int width)
    {
        final StringBuilder wrapped = new StringBuilder();
        int column = 0;
        for (final String word : text.split(" "))
        {
            final boolean isFull = width > 0 && column > 0 && column + 1 + word.length() > width;
            wrapped.append(isFull ? "\n" + INDENT : 0 == column ? "" : " ").append(word);
            column = isFull ? word.length() : column + (0 == column ? 0 : 1) + word.length();
        }
        return wrapped.toString();
    }

    private static String summary(final List<Finding> findings, final String word)
    {
        final String failed = findings.stream().filter((finding) -> Finding.Level.FAIL == finding.level())
            .map(Finding::check).collect(Collectors.joining(", "));
        return failed.isEmpty() ? "\n" + word + " can be used here.\n" :
            "\n" + word + " cannot be used here: " + failed + ".\n";
    }
}
