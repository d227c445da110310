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

import java.nio.file.Path;
import java.util.stream.LongStream;

import io.aeron.archive.Archive;
import io.millrace.bridge.KvBlocks;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Recordings of senders that commit before they are answered, and of older ones.
 */
@Timeout(150)
class EarlyCommitRecordingTest
{
    private static final KvScope SCOPE = new KvScope("", Rig.LAYOUT);
    private static final int OLDER = 1;
    private static final int NEWER = 2;

    @TempDir
    private Path directory;

    @Test
    void isIndexedByTheCommitThatMatchesAndReplaysInEitherOrder()
    {
        try (Rig rig = new Rig(directory.resolve("archive")); Rig.Destination target = new Rig.Destination();
            Rig.Destination fetched = new Rig.Destination(); KvBlockStore store = open(rig))
        {
            final KvRecordingInfo info;
            try (RawStream stream = new RawStream(rig))
            {
                stream.begin(1, 0, NEWER).layers(1, 0, 1, 2, 3).commit(1);
                // Damaged where it was recorded: only the second commit makes it whole.
                stream.begin(2, 0, NEWER).layers(2, 0, 1, 2).layer(2, 3, true).commit(2).layers(2, 3).commit(2);
                stream.begin(3, 0, NEWER).layer(3, 0, true).layer(3, 1, true).layers(3, 2, 3).commit(3)
                    .layers(3, 0).commit(3).layers(3, 1).commit(3);
                // Asked for again before the commit, by an older and a newer sender.
                stream.begin(4, 0, OLDER).layers(4, 0).layer(4, 1, true).layers(4, 2, 1, 3).commit(4);
                stream.begin(5, 0, NEWER).layers(5, 0).layer(5, 1, true).layers(5, 2, 1, 3).commit(5);
                // Damaged on its way to a receiver, not where it was recorded; another transfer lies between.
                stream.begin(6, 0, NEWER).layers(6, 0, 1, 2, 3).commit(6);
                stream.begin(7, 0, NEWER).layers(7, 0, 1).layers(6, 2).commit(6).layers(7, 2, 3).commit(7);
                // Begun again behind a commit that the receiver did not see.
                stream.begin(8, 0, NEWER).layers(8, 0, 1, 2, 3).commit(8);
                stream.begin(8, 1, NEWER).layers(8, 0, 1, 2, 3).commit(8);
                // Came before its blocks were granted, and again in part since some were there: the first holds all.
                stream.begin(12, 0, NEWER).layers(12, 0, 1, 2, 3).commit(12).begin(12, 1, NEWER).from(10)
                    .layers(12, 0, 1, 2, 3).commit(12).from(0);
                // The same with damage in what came first: what came again does not make it whole.
                stream.begin(13, 0, NEWER).layers(13, 0, 1, 2).layer(13, 3, true).commit(13).begin(13, 1, NEWER)
                    .from(10).layers(13, 0, 1, 2, 3).commit(13).from(0);
                // All was there: nothing was sent again.
                stream.begin(14, 0, NEWER).layers(14, 0, 1, 2, 3).commit(14).begin(14, 1, NEWER).from(Rig.BLOCKS)
                    .commit(14).from(0);
                // Begun again by another version, and from a layer on.
                stream.begin(15, 0, OLDER).begin(15, 1, NEWER).layers(15, 0, 1, 2).layer(15, 3, true).commit(15)
                    .layers(15, 3).commit(15);
                stream.begin(16, 0, NEWER).layers(16, 0).begin(16, 1, NEWER).layers(16, 1, 2, 3).commit(16, 1);
                // Damaged for good, and with a commit of what is not all there.
                stream.begin(9, 0, NEWER).layers(9, 0, 1, 2).layer(9, 3, true).commit(9);
                stream.begin(10, 0, NEWER).layers(10, 0, 1, 2).commit(10);
                stream.begin(11, 0, OLDER).layers(11, 0, 1, 2).layer(11, 3, true).commit(11);
                info = stream.stop();
            }

            assertThat(store.update(KvScanProgress.NONE)).isEqualTo(12);
            assertThat(store.plan(SCOPE, hashes(1, 8)).misses()).isEmpty();
            assertThat(store.plan(SCOPE, hashes(12, 12)).misses()).isEmpty();
            assertThat(store.plan(SCOPE, hashes(14, 16)).misses()).isEmpty();
            assertThat(store.plan(SCOPE, hashes(9, 11)).hits()).isEmpty();
            assertThat(store.plan(SCOPE, hashes(13, 13)).hits()).isEmpty();
            final KvVerifyReport report = store.verify(KvScanProgress.NONE);
            assertThat(report.transfers()).isEqualTo(12);
            assertThat(report.missing()).isZero();
            assertThat(report.stale()).isZero();
            assertThat(report.damagedTransfers()).hasSize(3)
                .anyMatch(text -> text.startsWith("transfer 9 ")).anyMatch(text -> text.startsWith("transfer 13 "))
                .anyMatch(text -> text.startsWith("transfer 11 "));

            try (KvReplay replay = rig.replay(info.recordingId(), target))
            {
                rig.assertReplayed(replay, info);
                assertThat(replay.transfersFailed()).isEqualTo(4);
            }
            rig.assertSame(target, 1, 2, 3, 4, 5, 6, 7, 8, 12, 14, 15, 16);
            assertThat(target.events).filteredOn(event -> event.startsWith("failed")).hasSize(4)
                .anyMatch(event -> event.startsWith("failed 9 CHECKSUM_MISMATCH layer 3 is damaged"))
                .anyMatch(event -> event.startsWith("failed 10 COMMIT_MISMATCH"))
                .anyMatch(event -> event.startsWith("failed 13 COMMIT_MISMATCH"))
                .anyMatch(event -> event.startsWith("failed 11 CHECKSUM_MISMATCH layer 3 is damaged"));

            fetch(rig, fetched, store, hashes(1, 8));
            fetch(rig, fetched, store, hashes(15, 16));
        }
    }

    @Test
    void whatWasDamagedSinceIsNotFetched()
    {
        System.setProperty(Archive.Configuration.RECORD_CHECKSUM_PROP_NAME, "");
        System.setProperty(Archive.Configuration.REPLAY_CHECKSUM_PROP_NAME, "");
        try (Rig rig = new Rig(directory.resolve("archive")); Rig.Destination target = new Rig.Destination();
            KvBlockStore store = open(rig); RawStream stream = new RawStream(rig))
        {
            final KvRecordingInfo info =
                stream.begin(1, 0, NEWER).layers(1, 0, 1, 2, 3).commit(1).layers(1, 0).commit(1).stop();
            assertThat(store.update(KvScanProgress.NONE)).isOne();
            Frames.damage(directory.resolve("archive"), info, 0);

            final KvBlocks blocks = target.cache.allocate(1);
            try (KvFetch fetch = store.fetch(store.plan(SCOPE, 1005), blocks, target.receiverContext()))
            {
                assertThat(fetch.await(Rig.LIMIT_NS)).isEqualTo(KvReplayState.FAILED);
                assertThat(fetch.errorText()).startsWith("CHECKSUM_MISMATCH");
                assertThat(fetch.landed()).isEmpty();
            }
        }
        finally
        {
            System.clearProperty(Archive.Configuration.RECORD_CHECKSUM_PROP_NAME);
            System.clearProperty(Archive.Configuration.REPLAY_CHECKSUM_PROP_NAME);
        }
    }

    private KvBlockStore open(final Rig rig)
    {
        return KvBlockStore.open(rig.client,
            new KvBlockStore.Context().indexFile(directory.resolve("index")).updateIntervalNs(0));
    }

    private static long[] hashes(final long first, final long last)
    {
        return LongStream.rangeClosed(first, last).flatMap(id -> LongStream.of(Rig.hashes(id))).toArray();
    }

    private static void fetch(
        final Rig rig, final Rig.Destination target, final KvBlockStore store, final long[] hashes)
    {
        final KvBlocks blocks = target.cache.allocate(hashes.length);
        try (KvFetch fetch = store.fetch(store.plan(SCOPE, hashes), blocks, target.receiverContext()))
        {
            assertThat(fetch.await(Rig.LIMIT_NS)).as("%s", fetch.errorText()).isEqualTo(KvReplayState.COMPLETED);
            assertThat(fetch.failed()).isEmpty();
        }
        for (int i = 0; i < hashes.length; i++)
        {
            rig.assertSame(target.device, blocks, i, hashes[i]);
        }
    }
}
