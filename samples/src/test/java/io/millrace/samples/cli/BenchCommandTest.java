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

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.millrace.samples.Millrace;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

import static org.assertj.core.api.Assertions.assertThat;

class BenchCommandTest
{
    @ParameterizedTest
    @ValueSource(strings = { "bench", "bench bogus", "bench --cases rtt,bogus" })
    void namesAllThatCanBeMeasured(final String line)
    {
        assertThat(refusal(line)).contains("rtt, ", "archiveIndex", "growth or parts");
    }

    @ParameterizedTest
    @CsvSource({
        "bench rtt growth, goes with no case",
        "bench --cases rtt parts, goes with no case",
        "bench kvTrace --protocol udp --trace /nonexistent, JSON lines",
        "bench kvBlock --protocol udp --on raw, raw has no kvBlock",
        "bench throughput --protocol udp --on raw, raw has no throughput"
    })
    void refusesWhatGoesWithNoMeasurement(final String line, final String reason)
    {
        assertThat(refusal(line)).contains(reason);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        bench rtt --json --sizes 1                               | a message has 32
        bench --json --sizes many rtt                            | --sizes is many
        bench kv --sizes 100 --protocol udp --json               | a multiple of 128 bytes
        bench bogus --json                                       | case bogus
        bench rtt --rounds --json                                | --rounds
        bench rtt --bogus --json=true                            | --bogus
        bench rtt --protocol pigeon --json                       | protocol 'pigeon'
        bench rtt --protocol udp --json --report /absent/a.html  | --report /absent/a.html
        bench growth --json --peers none                         | --peers
        bench growth --json --protocol udp                       | growth needs rails
        bench growth --json --protocol shm --terms x             | --terms has 'x': a term's length is a power of two
        bench growth --json --protocol shm --terms 3m            | --terms has '3m'
        bench growth --json --protocol shm --terms -1            | --terms has '-1'
        bench kvTrace --json --protocol udp --trace /            | is not a regular file
        bench kvTrace --json --protocol udp --trace /dev/null    | is not a regular file
        bench kvTrace --json --protocol udp --sizes 4096         | pieces of kvTrace have 32768 bytes
        bench parts --forks -1 --json                            | forks
        """)
    void tellsAFailureAsOneObject(final String line, final String reason) throws IOException
    {
        final PrintStream out = System.out;
        final ByteArrayOutputStream printed = new ByteArrayOutputStream();
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try
        {
            assertThat(Millrace.execute(line.split(" "))).isEqualTo(2);
        }
        finally
        {
            System.setOut(out);
        }
        final JsonNode told = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .readTree(printed.toByteArray());
        assertThat(told.get("error").asText()).contains(reason).doesNotContain("Exception");
    }

    private static String refusal(final String line)
    {
        final PrintStream err = System.err;
        final ByteArrayOutputStream said = new ByteArrayOutputStream();
        System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
        try
        {
            assertThat(Millrace.execute(line.split(" "))).isEqualTo(2);
        }
        finally
        {
            System.setErr(err);
        }
        return said.toString(StandardCharsets.UTF_8);
    }
}
