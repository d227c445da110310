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

import io.millrace.samples.failure.CommandFailure;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

import java.util.List;
import java.util.concurrent.Callable;

/**
 * {@code ./millrace completion}.
 */
@Command(
    name = "completion",
    description = "Prints a script by which a shell completes commands and options.",
    footer = {
        "",
        "  source <(./millrace completion bash)     # in ~/.bashrc, with the full path",
        "  source <(./millrace completion zsh)      # in ~/.zshrc",
        "",
        "Exit status: 0 printed, 2 no such shell." })
public final class CompletionCommand implements Callable<Integer>
{
    private static final String ZSH = "zsh";
    static final List<String> SHELLS = List.of("bash", ZSH);

    @Parameters(paramLabel = "SHELL", completionCandidates = Candidates.Shells.class,
        description = "bash or zsh.")
    private String shell;

    @Mixin
    private Common common;

    @Spec
    private CommandSpec spec;

    /**
     * {@inheritDoc}
     */
    public Integer call()
    {
        if (!SHELLS.contains(shell))
        {
            throw CommandFailure.usage("no completion for " + shell + ": it must be bash or zsh");
        }
        // The launcher does this one itself.
        spec.root().commandLine().addSubcommand("test", CommandSpec.create());
        final String script = AutoComplete.bash("millrace", spec.root().commandLine());
        // The script is for both, but zsh has to load its part before it knows `complete`.
        Output.print(ZSH.equals(shell) ? "autoload -U +X compinit && compinit\n" + script : script);
        return 0;
    }
}
