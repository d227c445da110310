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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

import io.aeron.archive.codecs.SourceLocation;
import io.millrace.bridge.KvSender;
import io.millrace.bridge.KvTransfer;
import io.millrace.bridge.KvTransferRequest;
import io.millrace.bridge.KvTransferState;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

@Timeout(120)
class TagLimitTest
{
    private static final long TRANSFER_BYTES = Rig.LAYOUT.totalBytes(Rig.BLOCKS);

    @TempDir
    private Path directory;

    @Test
    void takesFromATagOverItsLimitWhatWasNotUsedForTheLongestTime()
    {
        try (Rig rig = new Rig(directory.resolve("archive")); KvBlockStore store = open(rig))
        {
            final KvRecordingInfo old = record(rig, "greedy", 1, 2);
            final KvRecordingInfo used = record(rig, "greedy", 3, 4);
            final KvRecordingInfo other = record(rig, "modest", 5);
            final KvRecordingInfo shared = recordBoth(rig, 6, 7);
            store.update(KvScanProgress.NONE);
            assertThat(store.retention().bytesByTag(old.recordingId())).isEqualTo(Map.of("greedy", 2 * TRANSFER_BYTES));
            assertThat(store.retention().bytesByTag(shared.recordingId()))
                .isEqualTo(Map.of("greedy", TRANSFER_BYTES, "modest", TRANSFER_BYTES));
            // Longer ago than that: the time has a resolution of a millisecond.
            final long storedMs = System.currentTimeMillis();
            while (System.currentTimeMillis() <= storedMs)
            {
                Thread.onSpinWait();
            }
            store.plan(scope("greedy"), Rig.hashes(3));

            assertThat(store.retention().evict(Map.of("greedy", 5 * TRANSFER_BYTES, "modest", 9 * TRANSFER_BYTES)))
                .isEmpty();
            final Map<String, KvEviction> evictions = store.retention().evict(Map.of("greedy", 4 * TRANSFER_BYTES));
            assertThat(evictions).containsExactly(
                Map.entry("greedy", new KvEviction(5 * TRANSFER_BYTES, 3 * TRANSFER_BYTES, 1, 2, 0)));
            assertThat(rig.client.list(0, 10)).containsExactly(used, other, shared);

            // What lies in one segment with another tag's stays, though the tag is over its limit.
            assertThat(store.retention().evict(Map.of("greedy", 1L)).get("greedy").bytesAfter())
                .isEqualTo(TRANSFER_BYTES);
            assertThat(rig.client.list(0, 10)).containsExactly(other, shared);
            assertThat(store.plan(scope("modest"), Rig.hashes(5)).misses()).isEmpty();
            assertThat(store.plan(scope("greedy"), Rig.hashes(6)).misses()).isEmpty();
            assertThatThrownBy(() -> store.retention().evict(Map.of("modest", 0L)))
                .hasMessage("limit=0 of tag 'modest' must be over 0");
        }
    }

    @Test
    void goesOnPastASegmentOfWhichNothingIsStored()
    {
        try (Rig rig = new Rig(directory.resolve("archive")); KvBlockStore store = open(rig))
        {
            final KvRecordingInfo info = recordInTurn(rig, "greedy", 1, 2, 3, 4, 5, 6);
            final KvRecordingInfo unknown = record(rig, "modest", 7);
            store.update(KvScanProgress.NONE);
            assertThat(store.index().drop(info.recordingId(), Long.MIN_VALUE, Rig.SEGMENT_LENGTH)).isBetween(1, 5);
            store.index().drop(unknown.recordingId(), Long.MIN_VALUE, Long.MAX_VALUE);

            final KvEviction eviction = store.retention().evict(Map.of("greedy", 1L)).get("greedy");
            assertThat(eviction.bytesBefore()).isPositive();
            assertThat(eviction.bytesAfter()).isZero();
            // Of one that holds nothing that is known nobody can tell whose it is.
            assertThat(rig.client.list(0, 10)).contains(unknown).doesNotContain(info);
        }
    }

    @Test
    void keepsTagsWithinTheirLimitsOfItselfAndKnowsThemAfterARestart()
    {
        try (Rig rig = new Rig(directory.resolve("archive")))
        {
            record(rig, "greedy", 1);
            record(rig, "modest", 2);
            try (KvBlockStore store = open(rig))
            {
                store.update(KvScanProgress.NONE);
                store.index().compact();
            }
            try (KvBlockStore store = KvBlockStore.open(rig.client, new KvBlockStore.Context()
                .indexFile(directory.resolve("index")).updateIntervalNs(1_000_000).tagLimit("greedy", TRANSFER_BYTES)))
            {
                final KvRecordingInfo last = record(rig, "greedy", 3);
                store.awaitIndexed(last.recordingId(), last.stopPosition(), Rig.LIMIT_NS);
                store.retention().evict(Map.of("greedy", TRANSFER_BYTES));
                assertThat(store.plan(scope("greedy"), Rig.hashes(1)).hits()).isEmpty();
                assertThat(store.plan(scope("greedy"), Rig.hashes(3)).misses()).isEmpty();
                assertThat(store.plan(scope("modest"), Rig.hashes(2)).misses()).isEmpty();
            }
        }
    }

    private static KvScope scope(final String tag)
    {
        return new KvScope(tag, Rig.LAYOUT);
    }

    private static KvRecordingInfo recordBoth(final Rig rig, final long greedy, final long modest)
    {
        final KvRecording recording = rig.client.record(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL);
        try (KvSender sender = KvSender.launch(rig.senderContext(Rig.IPC).unacknowledged(true)))
        {
            send(rig, sender, "greedy", greedy);
            send(rig, sender, "modest", modest);
        }
        return recording.awaitStop(Rig.LIMIT_NS);
    }

    private static KvRecordingInfo recordInTurn(final Rig rig, final String tag, final long... requestIds)
    {
        final KvRecording recording = rig.client.record(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL);
        try (KvSender sender = KvSender.launch(rig.senderContext(Rig.IPC).unacknowledged(true)))
        {
            LongStream.of(requestIds).forEach(requestId -> send(rig, sender, tag, requestId));
        }
        return recording.awaitStop(Rig.LIMIT_NS);
    }

    private static KvRecordingInfo record(final Rig rig, final String tag, final long... requestIds)
    {
        final KvRecording recording = rig.client.record(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL);
        try (KvSender sender = KvSender.launch(rig.senderContext(Rig.IPC).unacknowledged(true)))
        {
            send(rig, sender, tag, requestIds);
        }
        return recording.awaitStop(Rig.LIMIT_NS);
    }

    private static void send(final Rig rig, final KvSender sender, final String tag, final long... requestIds)
    {
        final List<KvTransfer> transfers = new ArrayList<>();
        for (final long requestId : requestIds)
        {
            transfers.add(sender.submit(new KvTransferRequest().requestId(requestId).modelTag(tag).layout(Rig.LAYOUT)
                .blocks(rig.fill(requestId)).blockHashes(Rig.hashes(requestId)).timeoutNs(Rig.LIMIT_NS)));
        }
        transfers.forEach(transfer -> assertThat(transfer.await(Rig.LIMIT_NS))
            .as("%s", transfer.errorText()).isEqualTo(KvTransferState.COMPLETED));
    }

    private KvBlockStore open(final Rig rig)
    {
        return KvBlockStore.open(rig.client,
            new KvBlockStore.Context().indexFile(directory.resolve("index")).updateIntervalNs(0));
    }
}
