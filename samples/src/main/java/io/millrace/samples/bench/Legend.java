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
package io.millrace.samples.bench;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the names of ratios mean.
 */
final class Legend
{
    private static final Map<String, String> MEANINGS = Map.ofEntries(
        Map.entry("p50ToUdp", "p50 of Millrace by that of Aeron over UDP: below 1 is faster"),
        Map.entry("p99ToUdp", "p99 of Millrace by that of Aeron over UDP: below 1 is faster"),
        Map.entry("overRawMicros", "what Millrace adds to raw libfabric one way: half the difference of p50, in µs"),
        Map.entry("toUdp", "bytes a second of Millrace by those of Aeron over UDP: above 1 is faster"),
        Map.entry("toRaw", "bytes a second of Millrace by those of raw libfabric"),
        Map.entry("toThroughput", "bytes a second of KV blocks by those of messages that fill a frame"),
        Map.entry("toLongest", "bytes a second of these pieces by those of the longest"),
        Map.entry("recordToSequentialWrite", "bytes a second recorded by those of plain writes"),
        Map.entry("recordToStream", "bytes a second recorded by those of the stream that is not recorded"),
        Map.entry("recordLocalToSequentialWrite",
            "bytes a second recorded by the sender's archive by those of plain writes"),
        Map.entry("recordLocalToStream",
            "bytes a second recorded by the sender's archive by those of the stream that is not recorded"),
        Map.entry("replayToSequentialRead", "bytes a second replayed by those of plain reads"),
        Map.entry("replayToStream", "bytes a second replayed by those of the stream that is not recorded"),
        Map.entry("scatteredToRange", "bytes a second of scattered blocks by those of blocks that lie together"));

    private Legend()
    {
    }

    /**
     * Meanings of the ratios that results have.
     *
     * @param results to look at.
     * @return meanings by name, in the order of the results.
     */
    static Map<String, String> of(final List<CaseResult> results)
    {
        final Map<String, String> legend = new LinkedHashMap<>();
        results.forEach((result) -> result.ratios().keySet().forEach((name) -> legend.put(name, MEANINGS.get(name))));
        return legend;
    }
}
