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

import io.millrace.samples.demo.ReportTable;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.LinkedHashMap;

import static io.millrace.samples.demo.ReportTable.count;

/**
 * What a pass of a trace came to.
 *
 * @param drivers             that carried it, with the provider.
 * @param requests            of the trace.
 * @param blocks              that they refer to.
 * @param blockBytes          of one.
 * @param hits                blocks that were stored.
 * @param hitRate             hits of blocks.
 * @param failedFetches       blocks of hits that could not be had and were computed.
 * @param bytesServed         of hits, from the archive.
 * @param bytesRead           of recordings for them.
 * @param bytesRecorded       of KV streams.
 * @param evictedSegments     pieces of recordings.
 * @param evictedTransfers    that the index forgot.
 * @param refusedEvictions    that the archive refused for the time.
 * @param storedBytes         of recordings at the end.
 * @param mismatches          blocks with other contents than were computed.
 * @param verifiedBlocks      hits and misses that were compared in decode memory.
 * @param seconds             of all.
 * @param fetchMicros         p50, p99 and greatest time of a fetch.
 * @param privateMegabytes    of this process after each tenth.
 * @param indexBytesPerBlock  of memory.
 * @param fabricFrames        sent on rails.
 * @param udpDataFrames       sent over UDP by Millrace's drivers.
 */
public record TracePassReport(
    String drivers,
    long requests,
    long blocks,
    long blockBytes,
    long hits,
    double hitRate,
    long failedFetches,
    long bytesServed,
    long bytesRead,
    long bytesRecorded,
    long evictedSegments,
    long evictedTransfers,
    long refusedEvictions,
    long storedBytes,
    long mismatches,
    long verifiedBlocks,
    double seconds,
    List<Long> fetchMicros,
    List<Long> privateMegabytes,
    double indexBytesPerBlock,
    long fabricFrames,
    long udpDataFrames)
{
    /**
     * Did every block arrive as it was computed.
     *
     * @return true if so.
     */
    public boolean isVerified()
    {
        return 0 == mismatches && verifiedBlocks == blocks;
    }

    /**
     * As a table for people.
     *
     * @return lines, each ended.
     */
    public String table()
    {
        final Map<String, String> rows = new LinkedHashMap<>();
        rows.put("drivers", drivers);
        rows.put("requests", count(requests));
        rows.put("blocks", count(blocks) + " of " + count(blockBytes) + " bytes");
        rows.put("hits", String.format(Locale.ROOT, "%,d, %.1f %%", hits, 100 * hitRate));
        rows.put("served from disk", count(bytesServed) + " bytes, " + count(bytesRead) + " read for them");
        rows.put("recorded", count(bytesRecorded) + " bytes, " + count(storedBytes) + " are left");
        rows.put("evicted", count(evictedSegments) + " segments, " + count(evictedTransfers) + " transfers");
        rows.put("evictions refused", count(refusedEvictions));
        rows.put("not had after all", count(failedFetches) + " blocks");
        rows.put("time of a fetch", String.format(Locale.ROOT, "p50 %,d, p99 %,d, max %,d µs",
            fetchMicros.get(0), fetchMicros.get(1), fetchMicros.get(2)));
        rows.put("seconds", String.format(Locale.ROOT, "%.1f", seconds));
        rows.put("private memory", privateMegabytes + " MB after each tenth");
        rows.put("index", String.format(Locale.ROOT, "%.0f bytes of memory a block", indexBytesPerBlock));
        rows.put("fabric frames", count(fabricFrames));
        rows.put("UDP data frames", count(udpDataFrames));
        rows.put("verified", isVerified() ? "yes, every block" :
            "NO: " + count(mismatches) + " blocks differ, " + count(verifiedBlocks) + " were compared");
        return ReportTable.of(rows);
    }
}
