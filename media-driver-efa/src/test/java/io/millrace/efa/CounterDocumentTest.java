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
package io.millrace.efa;

import org.junit.jupiter.api.Test;

import java.lang.reflect.Field;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Holds {@code docs/counters.md} against {@link EfaCounters}.
 */
class CounterDocumentTest
{
    private static final Path DOCS = Repository.ROOT.resolve("docs/counters.md");
    private static final String SUFFIX = "_TYPE_ID";

    private static Map<String, String> counters()
    {
        final Map<String, String> counters = new TreeMap<>();
        for (final Field field : EfaCounters.class.getFields())
        {
            if (field.getName().endsWith(SUFFIX))
            {
                assertThat(counters.put(Repository.constant(field).toString(), field.getName()))
                    .as("second constant of " + field.getName()).isNull();
            }
        }
        return counters;
    }

    @Test
    void everyCounterIsInTheDocument() throws Exception
    {
        final Map<String, List<String>> rows = Repository.table(DOCS, "10");
        assertThat(rows.keySet()).as("rows of " + DOCS + " for " + counters())
            .containsExactlyInAnyOrderElementsOf(counters().keySet());
        rows.forEach((id, row) ->
        {
            assertThat(row.get(1)).as("what has counter " + id).isNotBlank();
            assertThat(row.get(2)).as("meaning of counter " + id).isNotBlank();
        });
    }
}
