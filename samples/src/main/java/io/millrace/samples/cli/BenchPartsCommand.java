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

import io.millrace.efa.EfaContext;
import io.millrace.efa.ProtocolChoice;
import io.millrace.samples.bench.Environment;
import io.millrace.samples.failure.CommandFailure;
import io.millrace.samples.parts.PartsRun;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

import java.util.Map;
import java.util.concurrent.Callable;

/**
 * {@code ./millrace bench parts}.
 */
@Command(
    name = "parts",
    sortOptions = false,
    description = {
        "Measures by JMH what the parts of a message's way cost.",
        "Post and completion, commit of a placed frame, handshake, KV chunk, CRC-32C.",
        "" })
public final class BenchPartsCommand implements Callable<Integer>
{
    private static final int MAX_ROUNDS = 100;
    private static final double MAX_SECONDS = 60;

    @Option(names = "--only", paramLabel = "REGEX", defaultValue = "io.millrace.samples.parts",
        description = "Benchmarks whose names match.")
    private String only;

    @Option(names = "--rounds", paramLabel = "N", defaultValue = "5",
        description = "Iterations that count, and as many before them. Default: ${DEFAULT-VALUE}.")
    private int rounds;

    @Option(names = "--seconds", paramLabel = "S", defaultValue = "0.5",
        description = "Of each iteration. Default: ${DEFAULT-VALUE}.")
    private double seconds;

    @Option(names = "--forks", paramLabel = "N", defaultValue = "1",
        description = "JVMs for each, 0 for this one. Default: ${DEFAULT-VALUE}.")
    private int forks;

    @Option(names = "--json", description = "Print one JSON object instead of the table.")
    private boolean json;

    @Mixin
    private Common common;

    @ParentCommand
    private BenchCommand bench;

    /**
     * {@inheritDoc}
     */
    public Integer call()
    {
        bench.checkAlone("parts");
        if (rounds < 1 || rounds > MAX_ROUNDS || forks < 0 || forks > MAX_ROUNDS || seconds <= 0 ||
            seconds > MAX_SECONDS)
        {
            throw CommandFailure.usage("--rounds " + rounds + " --seconds " + seconds + " --forks " + forks +
                ": rounds must be from 1, forks from 0, both to " + MAX_ROUNDS + ", seconds above 0 to " +
                MAX_SECONDS + "; give such numbers or leave them out");
        }
        final Map<String, String> environment =
            Environment.ofMachine(ProtocolChoice.select(new EfaContext().protocol("shm")));
        environment.put("iterations", rounds + " of " + seconds + " s, forks " + forks);
        final PartsRun run =
            PartsRun.run(environment, only, rounds, Math.max(1, Math.round(seconds * 1e3)), forks);
        if (json)
        {
            Json.print(run.json());
        }
        else
        {
            Output.print(run.table());
        }
        return 0;
    }
}
