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

import io.millrace.bridge.session.KvRole;
import io.millrace.samples.failure.CommandFailure;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class PromptsTest
{
    @Test
    void madeUpConversationsRepeatWhatWasSaidBefore()
    {
        final List<Prompt> prompts = Prompts.of(null, 200, 7);
        final Set<Long> seen = new HashSet<>();
        long known = 0;
        long all = 0;
        long lastMs = 0;
        for (final Prompt prompt : prompts)
        {
            int prefix = 0;
            while (prefix < prompt.hashes().length && seen.contains(prompt.hashes()[prefix]))
            {
                prefix++;
            }
            final int length = prefix;
            assertThat(Arrays.stream(prompt.hashes()).skip(length).noneMatch(seen::contains))
                .as("what is new follows what is known").isTrue();
            assertThat(Arrays.stream(prompt.hashes()).distinct().count()).isEqualTo(prompt.hashes().length);
            assertThat(prompt.tokens()).isBetween(
                (prompt.hashes().length - 1) * Prompt.TOKENS_PER_BLOCK + 1,
                prompt.hashes().length * Prompt.TOKENS_PER_BLOCK);
            assertThat(prompt.arrivalMs()).isGreaterThanOrEqualTo(lastMs);
            lastMs = prompt.arrivalMs();
            known += prefix;
            all += prompt.hashes().length;
            Arrays.stream(prompt.hashes()).forEach(seen::add);
        }
        assertThat(known / (double)all).isBetween(0.3, 0.9);
        assertThat(Prompts.of(null, 200, 7)).usingRecursiveComparison().isEqualTo(prompts);
    }

    @Test
    void readsATraceUpToTheCount(@TempDir final Path directory) throws IOException
    {
        final Path trace = Files.writeString(directory.resolve("trace.jsonl"), """
            {"timestamp": 3000, "input_length": 1000, "output_length": 5, "hash_ids": [4, 5]}
            {"timestamp": 2000, "input_length": 9000, "output_length": 6, "hash_ids": [4, 6]}
            {"timestamp": 4000, "input_length": 10, "output_length": 7, "hash_ids": []}
            """);
        final List<Prompt> prompts = Prompts.of(trace, 2, 1);
        assertThat(prompts).usingRecursiveComparison().isEqualTo(List.of(
            new Prompt(0, 3000, 1000, 5, new long[]{ 4, 5 }),
            new Prompt(1, 3000, 1024, 6, new long[]{ 4, 6 })));
        assertThat(prompts.getFirst().tokensOf(0, 1)).isEqualTo(512);
        assertThat(prompts.getFirst().tokensOf(1, 2)).isEqualTo(488);
        assertThatThrownBy(() -> Prompts.of(trace, 3, 1)).isInstanceOf(CommandFailure.class)
            .hasMessageContaining("request 3 has no \"hash_ids\"");
    }

    @Test
    void readsChanges()
    {
        assertThat(Change.parse("2s:+decode")).isEqualTo(new Change(2, true, KvRole.DECODE));
        assertThat(Change.parse("0.25s:-prefill")).isEqualTo(new Change(0.25, false, KvRole.PREFILL));
    }

    @ParameterizedTest
    @ValueSource(strings = { "", "2:+decode", "s:+decode", "2s:decode", "2s:+cat", "2s:+both", "-1s:+decode" })
    void refusesOtherChanges(final String text)
    {
        assertThatThrownBy(() -> Change.parse(text)).isInstanceOf(CommandFailure.class)
            .hasMessageContaining("--change is " + text + ": it must be a time");
    }
}
