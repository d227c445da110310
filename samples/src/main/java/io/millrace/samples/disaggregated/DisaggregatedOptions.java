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
package io.millrace.samples.disaggregated;

import java.nio.file.Path;
import java.util.List;

/**
 * What the user asked for.
 *
 * @param prefill         instances at the start.
 * @param decode          instances at the start.
 * @param requests        to replay at most.
 * @param trace           file, or null to make conversations up.
 * @param speed           of the replay, 1 as in the trace, 0 for as fast as it goes.
 * @param model           shape of the KV cache.
 * @param cacheBlocks     that a decode instance keeps.
 * @param tokensPerSecond that a prefill instance computes.
 * @param changes         of the instances while it runs.
 * @param archive         whether there is one.
 * @param protocol        of the drivers, or null for what is configured.
 * @param directory       for the drivers' files, or null for shared memory.
 * @param archiveParent   for the recordings, or null for the directory of temporary files.
 * @param seed            of prompts that are made up.
 * @param verbose         whether to show what the processes write to standard error.
 */
public record DisaggregatedOptions(
    int prefill,
    int decode,
    int requests,
    Path trace,
    double speed,
    String model,
    int cacheBlocks,
    int tokensPerSecond,
    List<Change> changes,
    boolean archive,
    String protocol,
    Path directory,
    Path archiveParent,
    long seed,
    boolean verbose)
{
}
