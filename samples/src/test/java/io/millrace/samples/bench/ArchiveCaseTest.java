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

import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

import static org.assertj.core.api.Assertions.assertThat;

@Timeout(180)
class ArchiveCaseTest
{
    @TempDir
    private Path directory;

    @Test
    void measuresEachPartOfARoundAndTheirRatios() throws Exception
    {
        final CaseResult result =
            new CaseResult(new BenchCase(CaseKind.ARCHIVE, 4096, 8192, "udp"), null, ArchiveCase.PARTS);
        final Path drivers = Files.createDirectory(directory.resolve("drivers"));
        ArchiveCase.run(options(CaseKind.ARCHIVE), "udp", drivers, result);

        final JsonNode json = result.json();
        ArchiveCase.PARTS.forEach((part) -> assertThat(
            json.get("results").get(part.key()).get("gigabytesPerSecond").asDouble()).as(part.key()).isPositive());
        assertThat(json.get("ratios").get("recordToSequentialWrite").asDouble()).isPositive();
        assertThat(json.get("ratios").get("replayToSequentialRead").asDouble()).isPositive();
        assertThat(result.failures()).isZero();
        // Nothing stays on the disk.
        assertThat(directory.toFile().listFiles((File file) -> !file.getName().equals("drivers"))).isEmpty();
    }

    @Test
    void measuresAnIndex()
    {
        final CaseResult result = new CaseResult(
            new BenchCase(CaseKind.ARCHIVE_INDEX, 10_000, 65_504, "udp"), null, List.of(Transport.INDEX));
        IndexCase.run(options(CaseKind.ARCHIVE_INDEX), 10_000, result.series().get(Transport.INDEX));
        final JsonNode json = result.json().get("results").get("index");
        assertThat(json.get("lookupsPerSecond").asDouble()).isPositive();
        assertThat(json.get("bytesPerBlock").asDouble()).isPositive();
        assertThat(result.benchCase()).hasToString("archiveIndex 10000 blocks");
    }

    private BenchOptions options(final CaseKind kind)
    {
        return new BenchOptions(List.of(kind), List.of(Transport.MILLRACE), List.of(), List.of(), "udp",
            Threading.INVOKER, 2, 20, 0, 1, null, directory, null, List.of(), false);
    }
}
