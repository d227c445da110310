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
package io.millrace.bridge;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import io.millrace.bridge.registry.RegistryCounter;
import io.millrace.bridge.session.KvSessions;
import io.millrace.bridge.session.SessionCounter;
import io.millrace.bridge.staging.SlabSource;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Holds the pages on sessions and devices against the code.
 */
class BridgeDocumentTest
{
    private static final int FIRST_ON_THESE_PAGES = 1130;
    private static final int LAST_ON_THESE_PAGES = 1173;
    private static final Pattern ROW = Pattern.compile("^\\| .* \\| ([0-9, –]+) \\| .*\\|$", Pattern.MULTILINE);
    private static final Pattern IDS = Pattern.compile("(\\d{4})(?:–(\\d{4}))?");

    private static String page(final String name) throws IOException
    {
        return Files.readString(Path.of("../docs").resolve(name));
    }

    @Test
    void everyCounterHasARow() throws IOException
    {
        final Set<Integer> documented = new TreeSet<>();
        for (final String page : new String[]{"kv-sessions.md", "ascend.md"})
        {
            for (final Matcher row = ROW.matcher(page(page)); row.find();)
            {
                for (final Matcher ids = IDS.matcher(row.group(1)); ids.find();)
                {
                    final int first = Integer.parseInt(ids.group(1));
                    final int last = null == ids.group(2) ? first : Integer.parseInt(ids.group(2));
                    IntStream.rangeClosed(first, last).forEach(id ->
                        assertThat(documented.add(id)).as("id %d stands once", id).isTrue());
                }
            }
        }

        final Set<Integer> known = Stream.of(
            Arrays.stream(KvCounters.Kind.values()).map(KvCounters.Kind::typeId)
                .filter(id -> id >= FIRST_ON_THESE_PAGES && id <= LAST_ON_THESE_PAGES),
            Arrays.stream(SessionCounter.values()).map(SessionCounter::typeId),
            Arrays.stream(RegistryCounter.values()).map(RegistryCounter::typeId))
            .flatMap(ids -> ids).collect(Collectors.toCollection(TreeSet::new));
        assertThat(documented).isEqualTo(known);
    }

    @Test
    void everyPropertyHasARow() throws IOException
    {
        assertThat(page("kv-sessions.md")).contains(
            "`" + KvSessions.ENDPOINT_PROP_NAME + "` | `" + KvSessions.ENDPOINT_DEFAULT + "`",
            "`" + KvSessions.BOOTSTRAP_TIMEOUT_PROP_NAME + "` | `10s`",
            "`" + KvSessions.PROBE_INTERVAL_PROP_NAME + "` | `1s`",
            "`" + KvSessions.PROBE_TIMEOUT_PROP_NAME + "` | `3s`",
            "`" + KvSessions.FORGET_TIMEOUT_PROP_NAME + "` | `60s`");
        assertThat(page("ascend.md")).contains("`" + SlabSource.PROP_NAME + "`", "`" + SlabSource.ENV_NAME + "`");
    }
}
