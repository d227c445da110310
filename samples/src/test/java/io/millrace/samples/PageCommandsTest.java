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

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

/**
 * Every {@code ./millrace} command line of the pages is one that the tool takes.
 */
class PageCommandsTest
{
    private static final Path ROOT = Path.of("").toAbsolutePath().getParent();
    private static final String TOOL = "./millrace ";
    private static final Pattern STATUS = Pattern.compile("^\\| `([a-z -]+)` \\| (.*) \\|$", Pattern.MULTILINE);
    // The script itself does this one.
    private static final String TEST = "test";

    static Stream<Path> pages() throws IOException
    {
        return Stream.concat(Stream.of(ROOT.resolve("README.md")), Files.list(ROOT.resolve("docs"))
            .filter((path) -> path.toString().endsWith(".md")).sorted());
    }

    private static CommandLine tool()
    {
        return Millrace.commandLine();
    }

    @ParameterizedTest
    @MethodSource("pages")
    void commandLinesOfThePagesAreTaken(final Path page) throws IOException
    {
        boolean isCode = false;
        for (final String line : Files.readAllLines(page))
        {
            isCode ^= line.startsWith("```");
            if (isCode && line.startsWith(TOOL))
            {
                final List<String> words = words(line.substring(TOOL.length()));
                if (!TEST.equals(words.get(0)) && !words.contains("--help"))
                {
                    assertThatCode(() -> tool().parseArgs(words.toArray(String[]::new))).as(line)
                        .doesNotThrowAnyException();
                }
            }
        }
    }

    @Test
    void everyCommandHasExamplesOrStatusesInItsHelp()
    {
        tool().getSubcommands().forEach((name, command) ->
            assertThat(command.getUsageMessage()).as(name).contains("-h, --help").containsIgnoringCase("exit status"));
    }

    @Test
    void exitStatusesOfThePageAreThoseOfTheHelp() throws IOException
    {
        final Map<String, String> documented = new TreeMap<>();
        final String section = Files.readString(ROOT.resolve("docs/operations.md")).split("## Exit statuses")[1];
        for (final MatchResult row : STATUS.matcher(section).results().toList())
        {
            documented.put(row.group(1), row.group(2));
        }
        final Map<String, String> ofHelp = new TreeMap<>();
        collectStatuses("", tool(), ofHelp);
        assertThat(documented).isEqualTo(ofHelp);
    }

    private static void collectStatuses(
        final String path, final CommandLine command, final Map<String, String> statuses)
    {
        final String[] footer =
            String.join(" ", command.getCommandSpec().usageMessage().footer()).split("Exit status: ");
        if (footer.length > 1)
        {
            statuses.put(path, footer[1].strip().replaceAll("\\s+", " "));
        }
        command.getSubcommands().forEach((name, child) ->
            collectStatuses((path + " " + name).strip(), child, statuses));
    }

    /**
     * As a shell splits a line, up to a comment, a pipe, a redirection or an ampersand.
     */
    private static List<String> words(final String line)
    {
        final List<String> words = new ArrayList<>();
        for (final String part : line.replaceFirst("\\s+#\\s.*", "").split("\\s+(?=(?:[^']*'[^']*')*[^']*$)"))
        {
            if (part.matches("[|>&]"))
            {
                break;
            }
            words.add(part.replace("'", ""));
        }
        return words;
    }
}
