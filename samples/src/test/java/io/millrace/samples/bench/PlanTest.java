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

import io.millrace.efa.EfaContext;
import io.millrace.efa.ProtocolChoice;
import io.millrace.samples.cli.BenchCommand;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import picocli.CommandLine;

import java.util.List;
import java.util.stream.Collectors;

import static org.assertj.core.api.Assertions.assertThat;

class PlanTest
{
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "ARCHIVE_INDEX")
    void theHelpTextHasItsDefaultSizes(final CaseKind kind)
    {
        final List<BenchCase> cases = plan(kind, "udp");
        assertThat(new CommandLine(new BenchCommand()).getUsageMessage()).containsIgnoringWhitespaces(
            kind.key() + " " + cases.stream().map(BenchCase::size).distinct().map(String::valueOf)
            .collect(Collectors.joining(",")));
    }

    @Test
    void kvBlocksOnTcpTakeFramesOfOneSegment()
    {
        assertThat(plan(CaseKind.KV, "tcp")).extracting(BenchCase::mtu).containsOnly(65_408);
        assertThat(plan(CaseKind.KV, "shm")).extracting(BenchCase::mtu).containsOnly(65_504);
    }

    private static List<BenchCase> plan(final CaseKind kind, final String protocol)
    {
        return Plan.of(new BenchOptions(List.of(kind), List.of(), List.of(), List.of(), protocol,
            Threading.INVOKER, 1, 1, 1, 1, null, null, null, List.of(), false),
            ProtocolChoice.select(new EfaContext().protocol(protocol)));
    }
}
