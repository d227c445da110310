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

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

import io.aeron.archive.Archive;
import io.aeron.archive.codecs.SourceLocation;
import io.millrace.archive.index.IndexException;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvSender;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

@Timeout(150)
class BlockStoreTest
{
    private static final KvScope SCOPE = new KvScope("", Rig.LAYOUT);

    @TempDir
    private Path directory;

    @Test
    void fetchesScatteredBlocksOfManyRecordingsAndTellsMissesFirst()
    {
        try (Rig rig = new Rig(directory.resolve("archive")); Rig.Destination target = new Rig.Destination())
        {
            rig.recordOnly(1, 2, 3);
            rig.recordOnly(4);
            rig.recordOnly(5, 6);
            try (KvBlockStore store = open(rig))
            {
                assertThat(store.update(KvScanProgress.NONE)).isEqualTo(6);
                final long[] hashes = {2000, 2001, 77, 6023, 4010, 5000, 5007, 1003, 88, 3023, 3000, 3001};
                final KvFetchPlan plan = store.plan(SCOPE, hashes);
                assertThat(plan.misses()).containsExactly(2, 8);
                assertThat(plan.prefixLength()).isEqualTo(2);
                assertThat(plan.hits()).hasSize(10);
                assertThat(plan.bytes()).isEqualTo(Rig.LAYOUT.totalBytes(10));
                assertThat(plan.bytesToRead()).isGreaterThan(plan.bytes());
                assertThat(plan.replays()).isEqualTo(3);

                fetch(rig, target, store, plan, hashes);
            }
        }
    }

    @Test
    void aScanThatBreaksOffOnceTellsOfNoDamage()
    {
        try (Rig rig = new Rig(directory.resolve("archive")); KvBlockStore store = open(rig))
        {
            final long id = rig.recordOnly(1, 2, 3, 4, 5, 6).recordingId();
            final boolean[] isStopped = new boolean[1];
            store.update((recordingId, position, limit) ->
            {
                if (!isStopped[0])
                {
                    isStopped[0] = true;
                    // As an archive ends the replay of a subscriber that stood still for too long.
                    rig.client.session().call("stop", client ->
                    {
                        client.stopAllReplays(id);
                        return null;
                    });
                }
            });
            // Whether the scan breaks off depends on what lies in the replay's window: RecordingReaderTest counts.
            assertThat(isStopped[0]).isTrue();
            final long[] hashes = LongStream.rangeClosed(1, 6).flatMap(i -> LongStream.of(Rig.hashes(i))).toArray();
            assertThat(store.plan(SCOPE, hashes).misses()).isEmpty();
        }
    }

    @Test
    void fetchesWholeTransfersOneReplayAtATime()
    {
        try (Rig rig = new Rig(directory.resolve("archive")); Rig.Destination target = new Rig.Destination())
        {
            for (long requestId = 1; requestId <= 5; requestId++)
            {
                rig.recordOnly(requestId);
            }
            try (KvBlockStore store = KvBlockStore.open(rig.client, context().maxReplays(1)))
            {
                store.update(KvScanProgress.NONE);
                final long[] hashes =
                    LongStream.of(5, 4, 3, 2, 1).flatMap(id -> LongStream.of(Rig.hashes(id))).toArray();
                final KvFetchPlan plan = store.plan(SCOPE, hashes);
                assertThat(plan.prefixLength()).isEqualTo(hashes.length);
                fetch(rig, target, store, plan, hashes);
            }
        }
    }

    @Test
    void followsAnActiveRecordingAndSkipsWhatIsNotCommitted()
    {
        try (Rig rig = new Rig(directory.resolve("archive")); Rig.Destination target = new Rig.Destination();
            KvBlockStore store = KvBlockStore.open(rig.client, context().updateIntervalNs(1_000_000)))
        {
            final KvRecording recording = rig.client.record(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL);
            try (KvSender sender = KvSender.launch(rig.senderContext(Rig.IPC).unacknowledged(true)))
            {
                rig.send(sender, 1);
                final long id = recording.awaitStart(Rig.LIMIT_NS);
                rig.submit(sender, 2, true).layerReady(0);
                recording.await(Rig.LAYOUT.totalBytes(Rig.BLOCKS) + Rig.LAYOUT.layerBytes(Rig.BLOCKS), Rig.LIMIT_NS);
                store.awaitIndexed(id, recording.position(), Rig.LIMIT_NS);

                final long[] hashes = {1000, 2000, 1001};
                final KvFetchPlan plan = store.plan(SCOPE, hashes);
                assertThat(plan.misses()).containsExactly(1);
                fetch(rig, target, store, plan, hashes);
            }
            final KvRecordingInfo info = recording.awaitStop(Rig.LIMIT_NS);
            store.awaitIndexed(info.recordingId(), info.stopPosition(), Rig.LIMIT_NS);
            assertThat(store.plan(SCOPE, 1000, 2000).misses()).containsExactly(1);
        }
    }

    @Test
    void readsOnWhereItLeftOffAndRebuildsWhatIsLost() throws IOException
    {
        try (Rig rig = new Rig(directory.resolve("archive")))
        {
            rig.recordOnly(1, 2);
            try (KvBlockStore store = open(rig))
            {
                assertThat(store.update(KvScanProgress.NONE)).isEqualTo(2);
            }
            rig.recordOnly(3);
            try (KvBlockStore store = open(rig))
            {
                final List<Long> read = new ArrayList<>();
                assertThat(store.update((id, position, limit) -> read.add(id))).isEqualTo(1);
                assertThat(read).containsOnly(1L);
                assertThat(store.plan(SCOPE, Rig.hashes(2)).misses()).isEmpty();
                assertThat(store.rebuild(KvScanProgress.NONE)).isEqualTo(3);
                assertThat(store.verify(KvScanProgress.NONE).isClean()).isTrue();
            }
            Files.delete(directory.resolve("index"));
            try (KvBlockStore store = open(rig))
            {
                assertThat(store.index().freshReason()).isEqualTo("there was none");
                assertThat(store.update(KvScanProgress.NONE)).isEqualTo(3);
                assertThat(store.plan(SCOPE, Rig.hashes(1)).misses()).isEmpty();
            }
        }

        // The same recording ids, in another archive: none of what was indexed is there.
        try (Rig rig = new Rig(directory.resolve("other")))
        {
            rig.recordOnly(9);
            try (KvBlockStore store = open(rig))
            {
                assertThat(store.update(KvScanProgress.NONE)).isEqualTo(1);
                assertThat(store.plan(SCOPE, Rig.hashes(1)).hits()).isEmpty();
                assertThat(store.plan(SCOPE, Rig.hashes(9)).misses()).isEmpty();
            }
        }
    }

    @Test
    void namesDamagedSegmentsAndServesTheOthers()
    {
        final Path archiveDirectory = directory.resolve("archive");
        try (Rig rig = new Rig(archiveDirectory); Rig.Destination target = new Rig.Destination())
        {
            final KvRecordingInfo info = rig.recordOnly(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
            final KvRecordingInfo whole = rig.recordOnly(11);
            assertThat(info.bytes()).isGreaterThan(Rig.SEGMENT_LENGTH);
            try (KvBlockStore store = open(rig))
            {
                store.update(KvScanProgress.NONE);
                final KvFetchPlan stale = store.plan(SCOPE, allHashes(11));
                assertThat(stale.misses()).isEmpty();
                final Path damaged = Frames.damage(archiveDirectory, info, info.bytes() / 4);

                // Planned before anybody knew: what lies behind the damage fails, the rest lands.
                final KvBlocks blocks = target.cache.allocate(11 * Rig.BLOCKS);
                try (KvFetch fetch = store.fetch(stale, blocks, target.receiverContext()))
                {
                    assertThat(fetch.await(Rig.LIMIT_NS)).isEqualTo(KvReplayState.FAILED);
                    assertThat(fetch.failed()).isNotEmpty();
                    assertThat(fetch.landed()).hasSize(11 * Rig.BLOCKS - fetch.failed().length);
                    assertThat(fetch.landed()).contains(10 * Rig.BLOCKS);
                    assertThat(fetch.errorText()).contains("checksum mismatch");
                }

                final KvVerifyReport report = store.verify(KvScanProgress.NONE);
                assertThat(report.isClean()).isFalse();
                assertThat(report.recordings()).isEqualTo(2);
                assertThat(report.bytes()).isEqualTo(info.bytes() + whole.bytes());
                assertThat(report.damages()).singleElement().satisfies(damage ->
                {
                    assertThat(damage.segmentFile()).isEqualTo(damaged.getFileName().toString());
                    assertThat(damage.error()).isEqualTo(KvArchiveError.CHECKSUM_MISMATCH);
                });
                final KvFetchPlan plan = store.plan(SCOPE, allHashes(11));
                assertThat(plan.misses()).isNotEmpty();
                assertThat(plan.hits()).contains(10 * Rig.BLOCKS);
                fetch(rig, target, store, plan, allHashes(11));
            }
        }
    }

    @Test
    void seesDamageThatTheArchiveDoesNotCheck()
    {
        System.setProperty(Archive.Configuration.RECORD_CHECKSUM_PROP_NAME, "");
        System.setProperty(Archive.Configuration.REPLAY_CHECKSUM_PROP_NAME, "");
        final Path archiveDirectory = directory.resolve("archive");
        try (Rig rig = new Rig(archiveDirectory); Rig.Destination target = new Rig.Destination();
            KvBlockStore store = open(rig))
        {
            final KvRecordingInfo info = rig.recordOnly(1);
            rig.recordOnly(2);
            store.update(KvScanProgress.NONE);
            Frames.damage(archiveDirectory, info, 0);

            // The damage is in block 0, which is not wanted: nothing of what was read with it is trusted.
            final KvFetchPlan plan = store.plan(SCOPE, 1005, 2005);
            final KvBlocks blocks = target.cache.allocate(2);
            try (KvFetch fetch = store.fetch(plan, blocks, target.receiverContext()))
            {
                assertThat(fetch.await(Rig.LIMIT_NS)).isEqualTo(KvReplayState.FAILED);
                assertThat(fetch.failed()).containsExactly(0);
                assertThat(fetch.landed()).containsExactly(1);
                assertThat(fetch.errorText()).startsWith("CHECKSUM_MISMATCH");
            }
            rig.assertSame(target.device, blocks, 1, 2005);

            final KvVerifyReport report = store.verify(KvScanProgress.NONE);
            assertThat(report.damages()).isEmpty();
            assertThat(report.damagedTransfers()).singleElement().asString().contains("do not match its checksum");
            assertThat(report.stale()).isEqualTo(1);
            assertThat(store.plan(SCOPE, 1005, 2005).misses()).containsExactly(0);
        }
        finally
        {
            System.clearProperty(Archive.Configuration.RECORD_CHECKSUM_PROP_NAME);
            System.clearProperty(Archive.Configuration.REPLAY_CHECKSUM_PROP_NAME);
        }
    }

    @Test
    void failsWhenTheIndexCannotBeWrittenAndLosesNothing()
    {
        try (Rig rig = new Rig(directory.resolve("archive")))
        {
            rig.recordOnly(1);
            try (KvBlockStore store = open(rig))
            {
                store.index().close();
                assertThatThrownBy(() -> store.update(KvScanProgress.NONE)).isInstanceOf(IndexException.class)
                    .hasMessageContaining("cannot be written at byte 64");
            }
            try (KvBlockStore store = open(rig))
            {
                assertThat(store.update(KvScanProgress.NONE)).isEqualTo(1);
            }
        }
    }

    @Test
    void refusesWhatCannotWork()
    {
        try (Rig rig = new Rig(directory.resolve("archive")); Rig.Destination target = new Rig.Destination();
            KvBlockStore store = open(rig))
        {
            assertThatThrownBy(() -> store.plan(SCOPE, 5, 6, 5)).hasMessageContaining("hash 5 stands twice");
            final KvFetchPlan misses = store.plan(SCOPE, 5, 6);
            assertThatThrownBy(() -> store.fetch(misses, target.cache.allocate(1), target.receiverContext()))
                .hasMessageStartingWith("destination of 1 blocks for a plan of 2");
            try (KvFetch fetch = store.fetch(misses, target.cache.allocate(2), target.receiverContext()))
            {
                assertThat(fetch.await(Rig.LIMIT_NS)).isEqualTo(KvReplayState.COMPLETED);
            }
            assertThatThrownBy(() -> KvBlockStore.open(rig.client, new KvBlockStore.Context()))
                .hasMessageContaining("indexFile is not set");
            assertThatThrownBy(() -> store.awaitIndexed(3, 64, 1_000_000)).hasMessageContaining("is indexed to -1");
        }
    }

    @Test
    void anInterruptedThreadWaitsNoLongerAndCloses()
    {
        try (Rig rig = new Rig(directory.resolve("archive")); KvBlockStore store = open(rig))
        {
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> store.awaitIndexed(0, 64, Rig.LIMIT_NS))
                .extracting(ex -> ((KvArchiveException)ex).error()).isEqualTo(KvArchiveError.CANCELED);
            store.close();
            assertThat(Thread.interrupted()).isTrue();
            assertThatThrownBy(() -> store.update(KvScanProgress.NONE)).hasMessageContaining("closed");
        }
        finally
        {
            Thread.interrupted();
        }
    }

    private static long[] allHashes(final int requests)
    {
        return LongStream.rangeClosed(1, requests).flatMap(id -> LongStream.of(Rig.hashes(id))).toArray();
    }

    private static void fetch(
        final Rig rig,
        final Rig.Destination target,
        final KvBlockStore store,
        final KvFetchPlan plan,
        final long[] hashes)
    {
        final KvBlocks blocks = target.cache.allocate(hashes.length);
        try (KvFetch fetch = store.fetch(plan, blocks, target.receiverContext()))
        {
            assertThat(fetch.await(Rig.LIMIT_NS)).as("%s", fetch.errorText()).isEqualTo(KvReplayState.COMPLETED);
            assertThat(fetch.landed()).containsExactly(plan.hits());
            assertThat(fetch.failed()).isEmpty();
        }
        for (final int hit : plan.hits())
        {
            rig.assertSame(target.device, blocks, hit, hashes[hit]);
        }
    }

    private KvBlockStore open(final Rig rig)
    {
        return KvBlockStore.open(rig.client, context());
    }

    private KvBlockStore.Context context()
    {
        return new KvBlockStore.Context().indexFile(directory.resolve("index")).updateIntervalNs(0);
    }
}
