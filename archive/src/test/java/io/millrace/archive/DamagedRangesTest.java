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
package io.millrace.archive;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.LongStream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

@Timeout(150)
class DamagedRangesTest
{
    private static final int RANGES = 8;
    private static final int FETCHES = 4;

    @TempDir
    private Path directory;

    @Test
    void eachRangeFailsForWhatTheArchiveToldOfIt()
    {
        final Path archiveDirectory = directory.resolve("archive");
        try (Rig rig = new Rig(archiveDirectory);
            Rig.Destination target = new Rig.Destination();
            KvBlockStore store = KvBlockStore.open(rig.client,
                new KvBlockStore.Context().indexFile(directory.resolve("index")).updateIntervalNs(0)))
        {
            final List<KvRecordingInfo> recordings =
                LongStream.rangeClosed(1, RANGES).mapToObj(rig::recordOnly).toList();
            store.update(KvScanProgress.NONE);
            recordings.forEach(info -> Frames.damage(archiveDirectory, info, 0));
            final long[] hashes = LongStream.rangeClosed(1, RANGES).map(id -> id * 1000).toArray();
            for (int i = 0; i < FETCHES; i++)
            {
                final KvFetchPlan plan =
                    KvFetchPlan.of(store.index(), new KvScope("", Rig.LAYOUT), hashes, -1, ignore -> false);
                assertThat(plan.replays()).isEqualTo(RANGES);
                final List<String> warnings = warningsOf(() ->
                {
                    try (KvFetch fetch = store.fetch(plan, target.cache.allocate(RANGES), target.receiverContext()))
                    {
                        assertThat(fetch.await(Rig.LIMIT_NS)).isEqualTo(KvReplayState.FAILED);
                        assertThat(fetch.failed()).hasSize(RANGES);
                        assertThat(fetch.errorText()).contains("checksum mismatch");
                    }
                });
                assertThat(warnings).singleElement().asString()
                    .contains(RANGES + " of " + RANGES + " ranges failed, the first: ", "checksum mismatch");
            }
        }
    }

    @Test
    void aFileThatIsGoneIsToldOnceAndCounted() throws IOException
    {
        final Path archiveDirectory = directory.resolve("archive");
        try (Rig rig = new Rig(archiveDirectory))
        {
            final KvRecordingInfo info = rig.recordOnly(LongStream.rangeClosed(1, RANGES).toArray());
            Files.delete(Frames.segment(archiveDirectory, info, Rig.SEGMENT_LENGTH));
            final List<String> warnings = warningsOf(() ->
            {
                for (int i = 0; i < FETCHES; i++)
                {
                    rig.client.frames()
                        .look(info.recordingId(), Rig.SEGMENT_LENGTH, info.position(), () -> false, Rig.LIMIT_NS)
                        .close();
                }
            });
            assertThat(warnings).singleElement().asString().contains("is not read ahead", "said once and counted");
            assertThat(BlockReaderTest.counter(rig.client, ArchiveCounters.READ_AHEAD_ERRORS_TYPE_ID))
                .isEqualTo(FETCHES);
        }
    }

    private static List<String> warningsOf(final Runnable work)
    {
        return linesOf(work).stream().filter(line -> line.contains("WARN io.millrace.archive")).toList();
    }

    /**
     * What is logged.
     */
    static List<String> linesOf(final Runnable work)
    {
        final PrintStream err = System.err;
        final ByteArrayOutputStream said = new ByteArrayOutputStream();
        System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
        try
        {
            work.run();
        }
        finally
        {
            System.setErr(err);
        }
        return said.toString(StandardCharsets.UTF_8).lines().toList();
    }
}
