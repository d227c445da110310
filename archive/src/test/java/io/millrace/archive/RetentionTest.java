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

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.archive.codecs.SourceLocation;
import io.millrace.bridge.KvBlocks;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

@Timeout(150)
class RetentionTest
{
    private static final KvScope SCOPE = new KvScope("", Rig.LAYOUT);

    @TempDir
    private Path directory;

    @Test
    void evictsWhatWasNotUsedForTheLongestTime()
    {
        try (Rig rig = new Rig(directory.resolve("archive")); Rig.Destination target = new Rig.Destination();
            KvBlockStore store = open(rig))
        {
            final KvRecordingInfo old = rig.recordOnly(1, 2, 3, 4, 5, 6, 7);
            final KvRecordingInfo used = rig.recordOnly(8);
            final KvRecordingInfo pinned = rig.recordOnly(9);
            store.update(KvScanProgress.NONE);
            store.retention().pin(pinned.recordingId());
            store.plan(SCOPE, Rig.hashes(8));

            final long capacity = old.bytes() + used.bytes();
            assertThat(store.retention().evict(2 * capacity).segments()).isZero();
            final KvEviction eviction = store.retention().evict(capacity);
            assertThat(eviction.bytesBefore()).isEqualTo(capacity);
            assertThat(eviction.bytesAfter()).isLessThanOrEqualTo((long)(0.8 * capacity))
                .isGreaterThan((long)(0.8 * capacity) - Rig.SEGMENT_LENGTH);
            assertThat(eviction.segments()).isEqualTo(1);
            assertThat(eviction.refused()).isZero();

            // What has bytes in the first segment is gone, and found no more; the rest is as it was.
            final KvRecordingInfo left = rig.client.find(old.recordingId());
            assertThat(left.startPosition()).isEqualTo(Rig.SEGMENT_LENGTH);
            final long[] hashes = LongStream.rangeClosed(1, 9).flatMap(id -> LongStream.of(Rig.hashes(id))).toArray();
            final KvFetchPlan plan = store.plan(SCOPE, hashes);
            assertThat(plan.misses()).hasSize(eviction.transfers() * Rig.BLOCKS).isNotEmpty();
            assertThat(plan.hits()).contains(IntStream.range(7 * Rig.BLOCKS, 9 * Rig.BLOCKS).toArray());
            final KvBlocks blocks = target.cache.allocate(hashes.length);
            try (KvFetch fetch = store.fetch(plan, blocks, target.receiverContext()))
            {
                assertThat(fetch.await(Rig.LIMIT_NS)).as("%s", fetch.errorText()).isEqualTo(KvReplayState.COMPLETED);
            }
            for (final int hit : plan.hits())
            {
                rig.assertSame(target.device, blocks, hit, hashes[hit]);
            }
            assertThat(store.verify(KvScanProgress.NONE).isClean()).isTrue();
        }
    }

    @Test
    void purgesWholeRecordingsButNoneThatIsPinnedOrOfAnotherKind()
    {
        try (Rig rig = new Rig(directory.resolve("archive")); KvBlockStore store = open(rig);
            Aeron aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(rig.archive.aeronDirectoryName())))
        {
            final KvRecordingInfo pinned = rig.recordOnly(1);
            final KvRecordingInfo gone = rig.recordOnly(2);
            final KvRecording quotes = rig.client.record("aeron:ipc?alias=quotes", 7, SourceLocation.LOCAL);
            try (ExclusivePublication publication = aeron.addExclusivePublication("aeron:ipc?alias=quotes", 7))
            {
                quotes.awaitStart(Rig.LIMIT_NS);
                assertThat(publication.offer(new UnsafeBuffer(new byte[100]))).isPositive();
                quotes.await(publication.position(), Rig.LIMIT_NS);
            }
            final KvRecordingInfo other = quotes.awaitStop(Rig.LIMIT_NS);
            store.update(KvScanProgress.NONE);
            assertThat(store.retention().pin(pinned.recordingId())).isTrue();
            assertThat(store.retention().pin(pinned.recordingId())).isFalse();

            assertThat(store.retention().evict(1).bytesAfter()).isZero();
            assertThat(rig.client.list(0, 10)).containsExactly(pinned, other);
            assertThat(store.plan(SCOPE, Rig.hashes(1)).misses()).isEmpty();
            assertThat(store.plan(SCOPE, Rig.hashes(2)).hits()).isEmpty();
            assertThat(Files.exists(directory.resolve("archive").resolve(gone.segmentFile(0)))).isFalse();

            assertThatThrownBy(() -> store.retention().purge(pinned.recordingId(), 100))
                .hasMessageContaining("toPosition=100 of recording " + pinned.recordingId());
            assertThat(store.retention().unpin(pinned.recordingId())).isTrue();
            assertThat(store.retention().evict(1).segments()).isEqualTo(1);
            assertThat(rig.client.list(0, 10)).containsExactly(other);
            assertThatThrownBy(() -> store.retention().evict(0)).hasMessageContaining("capacityBytes=0 must be over 0");
        }
    }

    @Test
    void keepsWithinItsCapacityOfItself()
    {
        final long capacity = 4L * Rig.SEGMENT_LENGTH;
        try (Rig rig = new Rig(directory.resolve("archive"));
            KvBlockStore store = KvBlockStore.open(rig.client, new KvBlockStore.Context()
                .indexFile(directory.resolve("index")).updateIntervalNs(1_000_000).capacityBytes(capacity)))
        {
            KvRecordingInfo last = null;
            for (long requestId = 1; requestId <= 14; requestId++)
            {
                last = rig.recordOnly(requestId);
            }
            store.awaitIndexed(last.recordingId(), last.stopPosition(), Rig.LIMIT_NS);
            store.retention().evict(capacity);
            assertThat(rig.client.list(0, 100).stream().mapToLong(KvRecordingInfo::bytes).sum())
                .isLessThanOrEqualTo((long)(0.9 * capacity)).isPositive();
            assertThat(store.plan(SCOPE, Rig.hashes(14)).misses()).isEmpty();
            assertThat(store.plan(SCOPE, Rig.hashes(1)).hits()).isEmpty();
        }
    }

    private KvBlockStore open(final Rig rig)
    {
        return KvBlockStore.open(rig.client,
            new KvBlockStore.Context().indexFile(directory.resolve("index")).updateIntervalNs(0));
    }
}
