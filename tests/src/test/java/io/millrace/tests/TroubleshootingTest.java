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

import io.millrace.archive.KvArchiveError;
import io.millrace.bridge.KvError;
import io.millrace.bridge.session.SessionError;
import io.millrace.codecs.handshake.AckStatus;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Whoever looks for a counter or an error on the page of symptoms finds it.
 */
class TroubleshootingTest
{
    private static final Set<String> NO_REMEDY = Set.of("", "–");
    private static final Set<String> NO_ERROR = Set.of("NONE", "ACCEPTED", "CHALLENGE", "NULL_VAL");

    private static String page(final String name) throws IOException
    {
        return Files.readString(Tool.ROOT.resolve("docs").resolve(name));
    }

    @Test
    void namesEveryCounterThatTellsOfSomethingWrong() throws IOException
    {
        final String symptoms = page("troubleshooting.md").split("## By counter")[1].split("## By error")[0];
        final Set<String> counters = page("counters.md").lines()
            .filter((line) -> line.matches("\\| 1\\d{3} \\|.*"))
            .map((line) -> line.split("\\|", -1))
            .filter((cells) -> !NO_REMEDY.contains(cells[4].strip()))
            .map((cells) -> cells[1].strip())
            .collect(Collectors.toSet());
        assertThat(counters).hasSizeGreaterThan(40)
            .allSatisfy((counter) -> assertThat(symptoms).containsPattern("\\b" + counter + "\\b"));
    }

    @Test
    void namesEveryErrorWithItsRemedy() throws IOException
    {
        final String[] sections = page("troubleshooting.md").split("Of (KV transfers|sessions|the archive) \\(");
        assertThat(sections).hasSize(4);
        hasRows(sections[0].split("Of a handshake")[1], AckStatus.values());
        hasRows(sections[1], KvError.values());
        hasRows(sections[2], SessionError.values());
        hasRows(sections[3], KvArchiveError.values());
    }

    private static void hasRows(final String section, final Enum<?>[] errors)
    {
        final Set<String> named = section.lines().filter((line) -> line.startsWith("| `"))
            .flatMap((line) -> Stream.of(line.split("\\|")[1].split(",")))
            .map((name) -> name.replace("`", "").strip())
            .collect(Collectors.toSet());
        assertThat(named).containsExactlyInAnyOrderElementsOf(
            Stream.of(errors).map(Enum::name).filter((name) -> !NO_ERROR.contains(name)).toList());
    }
}
