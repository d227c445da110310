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
package io.millrace.tests;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;

/**
 * Runs the commands of the pages, in order, page by page; the page on contributing says how they are marked.
 */
class PageRunTest
{
    private static final Pattern PORT = Pattern.compile("(?<=--port |localhost:)\\d+");
    private static final Pattern STATUS = Pattern.compile("exit status (\\d+)");
    private static final Pattern REASON = Pattern.compile("^\\| `([a-z-]+)` \\| (\\d+) \\|", Pattern.MULTILINE);
    private static final Pattern STATEMENT = Pattern.compile(";\\s*\\n");
    private static final int TERMINATED = 143;

    // Commands that tell by a line that they are ready.
    private static final Pattern SERVER =
        Pattern.compile("\\./millrace (driver|metrics|archive serve|sample embedded-service) .*");

    private static final Pattern SHARED = Pattern.compile("/dev/shm/|/data|localhost:");

    private static final String HERE = "tests/src/test/java/io/millrace/tests/";

    /**
     * What another test runs, shorter, with these options.
     */
    private static final Map<String, String> ELSEWHERE = Map.ofEntries(
        entry("./millrace demo", HERE + "DemoTest.java"),
        entry("./millrace demo --requests 50 --trace trace.jsonl", HERE + "DemoTest.java"),
        entry("./millrace demo --archive", HERE + "DemoTest.java"),
        entry("./millrace sample disaggregated-prefill", HERE + "DisaggregatedPrefillTest.java"),
        entry("./millrace sample disaggregated-prefill --change 8s:+decode --change 16s:-prefill",
            HERE + "DisaggregatedPrefillTest.java"),
        entry("./millrace sample disaggregated-prefill --report report.html",
            HERE + "DisaggregatedPrefillTest.java"),
        entry("./millrace sample disaggregated-prefill --protocol udp", HERE + "DisaggregatedPrefillTest.java"),
        entry("./millrace sample disaggregated-prefill --no-archive --cache-blocks 150",
            HERE + "DisaggregatedPrefillTest.java"),
        entry("./millrace sample disaggregated-prefill --trace conversation_trace.jsonl --requests 500 --speed 4",
            HERE + "DisaggregatedPrefillTest.java"),
        entry("./millrace sample disaggregated-prefill --prefill 1 --prefill-rate 60000",
            HERE + "DisaggregatedPrefillTest.java"),
        entry("./millrace sample market-data --json --messages 2000", HERE + "MarketDataTest.java"),
        entry("./millrace sample market-data", HERE + "MarketDataTest.java"),
        entry("./millrace sample market-data --protocol shm --messages 20000", HERE + "MarketDataTest.java"),
        entry("./millrace sample market-data --protocol shm --compare udp --messages 5000",
            HERE + "MarketDataTest.java"),
        entry("./millrace sample market-data --protocol shm --compare udp --messages 5000 --report report.html",
            HERE + "MarketDataTest.java"),
        entry("./millrace sample market-data --rate max --messages 20000", HERE + "MarketDataTest.java"),
        entry("./millrace sample market-data --late-join 3", HERE + "MarketDataTest.java"),
        entry("./millrace sample market-data --slow 200 --rate max --messages 20000",
            HERE + "MarketDataTest.java"),
        entry("./millrace bench throughput --sizes 288 --mtu 8192", HERE + "BenchTest.java"),
        entry("./millrace bench growth", HERE + "BenchGrowthTest.java"),
        entry("./millrace bench parts", HERE + "BenchGrowthTest.java"));

    /**
     * Options that make a command short, in place of the values that it has for them.
     */
    private static final Map<String, List<String>> SHORT = Map.of(
        "./millrace bench rtt", List.of("--rounds 1", "--seconds 0.1", "--warmup 0.1", "--sizes 288", "--mtu 8192",
            "--on millrace"),
        "./millrace bench kv", List.of("--rounds 1", "--seconds 0.1", "--warmup 0.1", "--sizes 16384", "--mtu 8192",
            "--on millrace"),
        "./millrace bench archive", List.of("--rounds 1", "--seconds 0.1", "--sizes 65536", "--mtu 8192"),
        "./millrace demo --protocol tcp", List.of("--requests 3", "--model 2x1x16"),
        "./millrace sample disaggregated-prefill --speed max", List.of("--requests 3"));

    // A condition: it is met where there is no EFA.
    private static final Pattern WITHOUT_EFA = Pattern.compile("exit status \\d+ (if|as long as) ");
    private static final boolean HAS_FABRIC_DEVICES = Files.isDirectory(Path.of("/sys/class/infiniband"));

    private static final Set<String> DONE = new HashSet<>();

    @TempDir
    private Path directory;
    private Path shared;

    private final Map<String, String> ports = new HashMap<>();
    private final List<Tool> background = new ArrayList<>();

    @BeforeEach
    void linkTheCheckout() throws IOException
    {
        shared = Files.createTempDirectory(Path.of("/dev/shm"), "millrace-pages-");
        Files.createDirectory(directory.resolve("data"));
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(Tool.ROOT))
        {
            for (final Path entry : entries)
            {
                if (!entry.endsWith("target"))
                {
                    Files.createSymbolicLink(directory.resolve(entry.getFileName()), entry);
                }
            }
        }
    }

    @AfterEach
    void removeLinksAndWhatDriversLeft() throws IOException
    {
        background.forEach(Tool::close);
        final Tool remove = Tool.startShell(directory, Map.of(), "find '" + directory + "' '" + shared +
            "' -maxdepth 1 '(' -type l -o -path '" + shared + "*' ')' -exec rm -rf {} +");
        assertThat(remove.awaitStatus()).as(remove::toString).isZero();
    }

    static List<Path> pages() throws IOException
    {
        final List<Path> pages = new ArrayList<>();
        for (final Path page : PageCommand.pages())
        {
            if (PageCommand.of(page).stream().anyMatch((command) -> "".equals(command.reason())))
            {
                pages.add(page);
            }
        }
        return pages;
    }

    @ParameterizedTest
    @MethodSource("pages")
    void commandsOfThePageDoWhatTheyShould(final Path page) throws Exception
    {
        for (final PageCommand command : PageCommand.of(page))
        {
            if ("".equals(command.reason()) && !ELSEWHERE.containsKey(command.text()))
            {
                run(command);
            }
        }
        for (final Tool tool : background.reversed())
        {
            tool.signal("TERM");
            assertThat(tool.awaitStatus()).as(tool::toString).isIn(0, TERMINATED);
        }
    }

    private void run(final PageCommand command) throws IOException
    {
        // Once is enough for what does not depend on what the page started.
        if (!command.isBackground() && !SHARED.matcher(command.text()).find() && !DONE.add(command.text()))
        {
            return;
        }
        final Tool tool = Tool.startShell(directory, Map.of("MILLRACE_JAVA_OPTS", "-Daeron.threading.mode=SHARED"),
            line(command));
        if (command.isBackground())
        {
            background.add(tool);
            if (SERVER.matcher(command.text()).matches())
            {
                tool.awaitLine();
            }
            return;
        }
        assertThat(tool.awaitStatus()).as(() -> command + ": " + tool).isIn(statuses(command.comment()));
        assertThat(tool.err()).as(command.toString()).doesNotContain("\tat ");
    }

    private static List<Integer> statuses(final String comment)
    {
        final Matcher status = STATUS.matcher(comment);
        if (!status.find())
        {
            return List.of(0);
        }
        final int named = Integer.parseInt(status.group(1));
        return WITHOUT_EFA.matcher(comment).find() && HAS_FABRIC_DEVICES ? List.of(0, named) : List.of(named);
    }

    private String line(final PageCommand command)
    {
        String line = command.text();
        for (final Map.Entry<String, List<String>> entry : SHORT.entrySet())
        {
            if ((command.text() + " ").startsWith(entry.getKey() + " "))
            {
                for (final String option : entry.getValue())
                {
                    line = line.replaceFirst(" " + option.split(" ")[0] + " \\S+", "") + " " + option;
                }
            }
        }
        final String local = line.replace("/dev/shm/", shared + "/").replace("/data", directory + "/data");
        return PORT.matcher(local).replaceAll(
            (port) -> ports.computeIfAbsent(port.group(), (ignore) -> Integer.toString(Tool.freePort())));
    }

    @Test
    void commandsAreMarkedAndThoseNotRunHaveAReason() throws IOException
    {
        final Map<String, Integer> reasons = new TreeMap<>();
        final Set<String> texts = new HashSet<>();
        for (final Path page : PageCommand.pages())
        {
            for (final PageCommand command : PageCommand.of(page))
            {
                if (null == command.reason())
                {
                    assertThat(command.text()).as(page.toString())
                        .doesNotMatch("(\\./millrace|mvn|curl|sudo|gcc|aws) .*");
                }
                else if (command.reason().isEmpty())
                {
                    texts.add(command.text());
                }
                else
                {
                    reasons.merge(command.reason(), 1, Integer::sum);
                }
            }
        }
        assertThat(texts).containsAll(ELSEWHERE.keySet());
        for (final Map.Entry<String, String> elsewhere : ELSEWHERE.entrySet())
        {
            final String text = Files.readString(Tool.ROOT.resolve(elsewhere.getValue()));
            final List<String> words = List.of(elsewhere.getKey().split(" "));
            assertThat(words.stream().skip(1).takeWhile((word) -> !word.startsWith("-")))
                .as(elsewhere.toString()).allSatisfy((word) -> assertThat(text).contains('"' + word + '"'));
            // Numbers and files may be others; what all runs of a test have, such as --json, stands apart.
            final List<String> options = words.stream().dropWhile((word) -> !word.startsWith("-"))
                .filter((word) -> !"--json".equals(word) && !word.matches("\\d+|.*\\.(html|jsonl)"))
                .map((word) -> word.replaceFirst("^\\d+s:", "s:")).toList();
            assertThat(STATEMENT.split(text)).as("one call with all of " + options + " in " + elsewhere.getValue())
                .anyMatch((statement) -> options.stream().allMatch((option) -> statement.contains(option + '"')));
        }
        final Map<String, Integer> documented = new TreeMap<>();
        for (final MatchResult row :
            REASON.matcher(Files.readString(Tool.ROOT.resolve("docs/contributing.md"))).results().toList())
        {
            documented.put(row.group(1), Integer.valueOf(row.group(2)));
        }
        assertThat(documented).isEqualTo(reasons);
    }
}
