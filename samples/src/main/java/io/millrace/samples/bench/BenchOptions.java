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
package io.millrace.samples.bench;

import java.nio.file.Path;
import java.util.List;

/**
 * What the user asked of a benchmark. An empty list stands for the defaults of each case.
 *
 * @param kinds         of cases.
 * @param transports    to run them on.
 * @param sizes         of messages in bytes.
 * @param mtus          of the channels in bytes.
 * @param protocol      word for Millrace's driver, or null for its default.
 * @param threading     of the drivers.
 * @param rounds        of each case.
 * @param durationMs    that counts of a round.
 * @param warmupMs      before it.
 * @param ratePerSecond of messages, for {@code rtt}.
 * @param directory     for the drivers' files, or null for shared memory.
 * @param archiveDirectory for what {@code archive} records, or null for that of temporary files.
 * @param trace         file of requests for {@code kvTrace}, or null to generate them.
 * @param javaOptions   of the JVMs that measure, beside the benchmark's.
 * @param verbose       whether to show what the children write to standard error.
 */
public record BenchOptions(
    List<CaseKind> kinds,
    List<Transport> transports,
    List<Integer> sizes,
    List<Integer> mtus,
    String protocol,
    Threading threading,
    int rounds,
    long durationMs,
    long warmupMs,
    int ratePerSecond,
    Path directory,
    Path archiveDirectory,
    Path trace,
    List<String> javaOptions,
    boolean verbose)
{
}
