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

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.Model.UsageMessageSpec;

import java.util.Arrays;
import java.util.stream.Stream;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Help texts on a terminal of 80 columns.
 */
class HelpTest
{
    private static final int COLUMNS = 78;

    @ParameterizedTest
    @MethodSource
    void breaksItsLinesByHand(final CommandLine command)
    {
        final UsageMessageSpec usage = command.getCommandSpec().usageMessage();
        assertThat(Stream.of(usage.description(), usage.footer()).flatMap(Arrays::stream))
            .allSatisfy((line) -> assertThat(line.length()).as(line).isLessThanOrEqualTo(COLUMNS));
        // What a list of commands shows of it.
        assertThat(usage.description()[0]).endsWith(".");
        assertThat(command.getUsageMessage()).startsWith("Usage: ./millrace");
    }

    static Stream<CommandLine> breaksItsLinesByHand()
    {
        return withSubcommands(Millrace.commandLine());
    }

    private static Stream<CommandLine> withSubcommands(final CommandLine command)
    {
        return Stream.concat(Stream.of(command),
            command.getSubcommands().values().stream().flatMap(HelpTest::withSubcommands));
    }
}
