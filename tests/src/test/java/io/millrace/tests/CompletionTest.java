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

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

/**
 * Shells complete what {@code ./millrace} takes.
 */
class CompletionTest
{
    private static final Pattern COMMANDS = Pattern.compile("^COMMANDS=\\((.*)\\)$", Pattern.MULTILINE);
    private static final Pattern HELP = Pattern.compile("^  ([a-z]+) {2,}[A-Z]", Pattern.MULTILINE);

    @TempDir
    private Path directory;

    @Test
    void knowsEveryCommandOfTheLauncher() throws IOException
    {
        final Path script = script("bash");
        final Tool bash = run("bash", "--norc", "-c", "source " + script +
            "; COMP_WORDS=(millrace ''); COMP_CWORD=1; _complete_millrace; printf '%s\\n' \"${COMPREPLY[@]}\"");
        final String launcher = Files.readString(Tool.ROOT.resolve("millrace"));
        final Matcher commands = COMMANDS.matcher(launcher);
        assertThat(commands.find()).isTrue();
        assertThat(bash.out().lines()).containsExactlyInAnyOrder(commands.group(1).split(" "));
        assertThat(HELP.matcher(launcher).results().map((line) -> line.group(1)))
            .containsExactly(commands.group(1).split(" "));
    }

    @ParameterizedTest
    @ValueSource(strings = { "bash", "zsh" })
    void completesInAShellOfAPerson(final String shell) throws IOException
    {
        for (final String program : new String[]{ "tmux", shell })
        {
            assumeTrue(0 == Tool.startProcess(directory, Map.of(), List.of("sh", "-c", "command -v " + program))
                .awaitStatus(), "no " + program + " here");
        }
        final Path script = script(shell);
        final String server = directory.resolve("tmux").toString();
        run("tmux", "-S", server, "new-session", "-d", "-x", "100", "-y", "30",
            "bash".equals(shell) ? "bash --norc -i" : "zsh -f -i");
        try
        {
            keys(server, "source " + script + "; echo loa''ded", "Enter");
            awaitScreen(server, "loaded");
            keys(server, "./millrace bench --secon", "Tab");
            awaitScreen(server, "./millrace bench --seconds");
            // Not C-c, at which a terminal throws away what is typed next.
            keys(server, "C-u");
            keys(server, "./millrace te", "Tab");
            awaitScreen(server, "./millrace test");
            keys(server, "C-u");
            keys(server, "./millrace sample ", "Tab", "Tab");
            awaitScreen(server, "plain-aeron");
        }
        finally
        {
            run("tmux", "-S", server, "kill-server");
        }
    }

    private Path script(final String shell) throws IOException
    {
        final Tool tool = Tool.run(directory, "completion", shell);
        assertThat(tool.process().exitValue()).as(tool::toString).isZero();
        return Files.writeString(directory.resolve("completion." + shell), tool.out());
    }

    private void keys(final String server, final String... keys) throws IOException
    {
        final List<String> command = new ArrayList<>(List.of("tmux", "-S", server, "send-keys"));
        command.addAll(List.of(keys));
        run(command.toArray(String[]::new));
    }

    private void awaitScreen(final String server, final String text) throws IOException
    {
        final long deadlineMs = System.currentTimeMillis() + Tool.DEADLINE_MS;
        Tool screen = run("tmux", "-S", server, "capture-pane", "-p");
        while (!screen.out().contains(text))
        {
            assertThat(System.currentTimeMillis()).as(screen::toString).isLessThan(deadlineMs);
            Tool.pause();
            screen = run("tmux", "-S", server, "capture-pane", "-p");
        }
    }

    private Tool run(final String... command) throws IOException
    {
        final Tool tool = Tool.startProcess(directory, Map.of("TERM", "xterm"), List.of(command));
        assertThat(tool.awaitStatus()).as(tool::toString).isZero();
        return tool;
    }
}
