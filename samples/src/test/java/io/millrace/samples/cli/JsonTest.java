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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;

import static org.assertj.core.api.Assertions.assertThat;

class JsonTest
{
    private final PrintStream out = System.out;
    private final PrintStream err = System.err;
    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();
    private final ByteArrayOutputStream told = new ByteArrayOutputStream();

    @BeforeEach
    void capture()
    {
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(told, true, StandardCharsets.UTF_8));
        Messages.begin();
    }

    @AfterEach
    void release()
    {
        System.setOut(out);
        System.setErr(err);
        Messages.begin();
    }

    @Test
    void printsOneObjectThoughACommandFailsThatWasReady()
    {
        Json.print(Map.of("aeronDir", "a"));
        assertThat(fail()).isEqualTo(CommandFailure.FAILED);
        assertThat(printed.toString(StandardCharsets.UTF_8)).isEqualTo("{\"aeronDir\":\"a\"}\n");
        assertThat(told.toString(StandardCharsets.UTF_8)).contains("millrace: broke off");
    }

    @Test
    void printsTheFailureInPlaceOfTheResult()
    {
        fail();
        assertThat(printed.toString(StandardCharsets.UTF_8)).isEqualTo("{\"error\":\"broke off\"}\n");
    }

    private static int fail()
    {
        final CommandLine archive = new CommandLine(new ArchiveCommand());
        return Messages.failure(CommandFailure.failed("broke off"), archive.getSubcommands().get("serve"),
            archive.parseArgs("serve", "--archive-dir", "d", "--json"));
    }
}
