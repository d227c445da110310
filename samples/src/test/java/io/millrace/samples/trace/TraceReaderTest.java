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
package io.millrace.samples.trace;

import io.millrace.samples.failure.CommandFailure;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class TraceReaderTest
{
    private static final String GOOD =
        "{\"timestamp\": 27, \"input_length\": 6758, \"output_length\": 500, \"hash_ids\": [0, 46]}";

    @TempDir
    private Path directory;

    @Test
    void readsRequestsInOrderAndSkipsBlankLines() throws IOException
    {
        final Path file = write(GOOD + "\n\n" + GOOD.replace("6758", "1") + "\n  \n");
        try (TraceReader reader = new TraceReader(file))
        {
            assertThat(reader.next()).isEqualTo(new Request(0, 6758));
            assertThat(reader.next()).isEqualTo(new Request(1, 1));
            assertThat(reader.next()).isNull();
        }
    }

    @Test
    void acceptsFieldsThatItDoesNotKnow() throws IOException
    {
        final Path file = write(GOOD.replace("\"timestamp\"", "\"user\": \"a\", \"timestamp\""));
        try (TraceReader reader = new TraceReader(file))
        {
            assertThat(reader.next().tokens()).isEqualTo(6758);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\u0001', value = {
        "{\"timestamp\": 0,                                                 | not JSON",
        "hello                                                              | not JSON",
        "{\"timestamp\": 0} trailing                                        | not JSON",
        "[1, 2]                                                             | not a JSON object",
        "{\"input_length\": 1, \"output_length\": 1, \"hash_ids\": []}      | lacks \"timestamp\"",
        "{\"timestamp\": 0, \"output_length\": 1, \"hash_ids\": []}         | lacks \"input_length\"",
        "{\"timestamp\": 0, \"input_length\": 1, \"hash_ids\": []}          | lacks \"output_length\"",
        "{\"timestamp\": 0, \"input_length\": 1, \"output_length\": 1}      | lacks \"hash_ids\"",
        "{\"timestamp\": 0, \"input_length\": 0, \"output_length\": 1, \"hash_ids\": []}     | \"input_length\" is 0",
        "{\"timestamp\": 0, \"input_length\": -5, \"output_length\": 1, \"hash_ids\": []}    | \"input_length\" is -5",
        "{\"timestamp\": 0, \"input_length\": 1e30, \"output_length\": 1, \"hash_ids\": []}  | \"input_length\" is 1",
        "{\"timestamp\": 0, \"input_length\": 99999999999, \"output_length\": 1, \"hash_ids\": []} | from 1 to",
        "{\"timestamp\": \"x\", \"input_length\": 1, \"output_length\": 1, \"hash_ids\": []} | \"timestamp\" is \"x\"",
        "{\"timestamp\": 0, \"input_length\": 1, \"output_length\": 1, \"hash_ids\": [\"a\"]} | is [\"a\"]",
    })
    void namesLineAndFaultOfABadLine(final String line, final String fault) throws IOException
    {
        final Path file = write(GOOD + "\n" + line + "\n" + GOOD + "\n");
        try (TraceReader reader = new TraceReader(file))
        {
            reader.next();
            assertThatThrownBy(reader::next)
                .isInstanceOfSatisfying(CommandFailure.class,
                    (failure) -> assertThat(failure.exitStatus()).isEqualTo(CommandFailure.USAGE))
                .hasMessageContaining(file.toString())
                .hasMessageContaining("line 2")
                .hasMessageContaining(fault)
                .hasMessageContaining("mend or remove");
        }
    }

    @Test
    void refusesTextThatIsNotUtf8() throws IOException
    {
        final Path file = directory.resolve("trace.jsonl");
        Files.write(file, new byte[]{ '{', (byte)0xFF, (byte)0xFE, '}', '\n' });
        try (TraceReader reader = new TraceReader(file))
        {
            assertThatThrownBy(reader::next).isInstanceOf(CommandFailure.class).hasMessageContaining("UTF-8");
        }
    }

    @Test
    void refusesAFileThatIsNotThere()
    {
        assertThatThrownBy(() -> new TraceReader(directory.resolve("absent")))
            .isInstanceOf(CommandFailure.class)
            .hasMessageContaining("absent does not exist");
    }

    @Test
    void refusesWhatCannotBeReadTwice()
    {
        assertThatThrownBy(() -> new TraceReader(directory))
            .isInstanceOfSatisfying(CommandFailure.class,
                (failure) -> assertThat(failure.exitStatus()).isEqualTo(CommandFailure.USAGE))
            .hasMessageContaining(directory + " is not a regular file");
        assertThatThrownBy(() -> new TraceReader(Path.of("/dev/null")))
            .isInstanceOf(CommandFailure.class)
            .hasMessageContaining("/dev/null is not a regular file");
    }

    @Test
    void tellsWhereReadingFailed()
    {
        // A file of the kernel's that opens and then refuses to be read from its start.
        try (TraceReader reader = new TraceReader(Path.of("/proc/self/mem")))
        {
            assertThatThrownBy(reader::next)
                .isInstanceOfSatisfying(CommandFailure.class,
                    (failure) -> assertThat(failure.exitStatus()).isEqualTo(CommandFailure.FAILED))
                .hasMessageContaining("/proc/self/mem cannot be read after line 0");
        }
    }

    private Path write(final String text) throws IOException
    {
        return Files.writeString(directory.resolve("trace.jsonl"), text);
    }
}
