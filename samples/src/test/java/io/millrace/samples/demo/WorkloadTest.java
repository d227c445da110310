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
package io.millrace.samples.demo;

import io.millrace.samples.failure.CommandFailure;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class WorkloadTest
{
    private static final String LINE =
        "{\"timestamp\": 0, \"input_length\": %d, \"output_length\": 1, \"hash_ids\": []}\n";

    @TempDir
    private Path directory;

    @Test
    void surveysAsManyRequestsAsAskedFor() throws IOException
    {
        final Workload workload = trace(10, 33, 16, 17);
        assertThat(workload.survey(3, 0, 16)).isEqualTo(new Workload.Survey(3, 59, 1 + 3 + 1, 33));
        assertThat(workload.survey(100, 0, 16)).isEqualTo(new Workload.Survey(4, 76, 1 + 3 + 1 + 2, 33));
    }

    @Test
    void surveysUntilThereAreEnoughBlocks() throws IOException
    {
        assertThat(trace(10, 33, 16, 17).survey(0, 2, 16)).isEqualTo(new Workload.Survey(2, 43, 4, 33));
        final Workload.Survey generated = new Workload(null, 1).survey(0, 100_000, 16);
        assertThat(generated.blocks()).isGreaterThanOrEqualTo(100_000);
        assertThat(generated.requests()).isGreaterThan(10);
    }

    @Test
    void refusesAnEmptyTrace() throws IOException
    {
        final Workload workload = trace();
        assertThatThrownBy(() -> workload.survey(1, 0, 16))
            .isInstanceOf(CommandFailure.class)
            .hasMessageContaining("has no request");
    }

    private Workload trace(final int... tokens) throws IOException
    {
        final StringBuilder text = new StringBuilder();
        for (final int count : tokens)
        {
            text.append(LINE.formatted(count));
        }
        return new Workload(Files.writeString(directory.resolve("trace.jsonl"), text), 1);
    }
}
