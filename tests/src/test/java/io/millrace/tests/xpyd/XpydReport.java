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
package io.millrace.tests.xpyd;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What became of all requests.
 */
final class XpydReport
{
    int requests;
    int verified;
    int recomputed;
    int verifiedUntold;
    int failed;
    int unknown;
    long mismatches;
    long bytes;
    long heldBlocks;
    double seconds;
    final Map<String, Long> counters = new TreeMap<>();
    final List<String> events = new ArrayList<>();
    final List<String> failures = new ArrayList<>();

    int ended()
    {
        return verified + recomputed + failed;
    }

    @Override
    public String toString()
    {
        final StringBuilder text = new StringBuilder();
        row(text, "requests", requests);
        row(text, "verified", verified);
        row(text, "  sender not told so", verifiedUntold);
        row(text, "recomputed and verified", recomputed);
        row(text, "failed on both sides", failed);
        row(text, "unknown", unknown);
        row(text, "block parts that differ", mismatches);
        row(text, "blocks held at the end", heldBlocks);
        row(text, "MB verified", bytes / 1_000_000);
        row(text, "seconds", Math.round(seconds));
        counters.forEach((name, value) -> row(text, name, value));
        events.forEach(event -> text.append(event).append('\n'));
        failures.forEach(failure -> text.append(failure).append('\n'));
        return text.toString();
    }

    private static void row(final StringBuilder text, final String name, final long value)
    {
        text.append(String.format("%-30s %8d%n", name, value));
    }
}
