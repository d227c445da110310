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

import io.aeron.Subscription;
import io.aeron.archive.codecs.SourceLocation;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvSender;
import org.agrona.CloseHelper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

@Timeout(120)
class ResumeTest
{
    private static final KvScope SCOPE = new KvScope("", Rig.LAYOUT);

    @TempDir
    private Path directory;

    @Test
    void goesOnInTheSameRecordingAfterTheArchiveAndThePublisherWereStartedAgain()
    {
        final KvRecordingInfo before;
        try (Rig rig = new Rig(directory.resolve("archive")); KvBlockStore store = open(rig.client))
        {
            before = rig.recordOnly(1, 2);
            assertThat(store.update(KvScanProgress.NONE)).isEqualTo(2);
        }

        try (Rig rig = new Rig(directory.resolve("archive")); Rig.Destination target = new Rig.Destination();
            KvBlockStore store = open(rig.client))
        {
            final KvRecording recording;
            // The same seeds give the same contents to compare with.
            rig.fill(1);
            try (KvSender sender = KvSender.launch(
                rig.senderContext(rig.client.find(before.recordingId()).continuation()).unacknowledged(true)))
            {
                recording = rig.client.resume(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL, Rig.LIMIT_NS);
                rig.send(sender, 3, 4);
            }
            final KvRecordingInfo after = recording.awaitStop(Rig.LIMIT_NS);
            assertThat(after.recordingId()).isEqualTo(before.recordingId());
            assertThat(after.startTimestampMs()).isEqualTo(before.startTimestampMs());
            assertThat(after.startPosition()).isEqualTo(before.startPosition());
            assertThat(after.sessionId()).isNotEqualTo(before.sessionId());
            assertThat(after.bytes()).isGreaterThan(2 * before.bytes() - Rig.LAYOUT.layerBytes(Rig.BLOCKS));
            assertThat(rig.client.list(0, 10)).containsExactly(after);

            // The index goes on where it was: only what is new is read.
            assertThat(store.update(KvScanProgress.NONE)).isEqualTo(2);
            final long[] hashes = {1000, 4007};
            final KvBlocks blocks = target.cache.allocate(2);
            try (KvFetch fetch = store.fetch(store.plan(SCOPE, hashes), blocks, target.receiverContext()))
            {
                assertThat(fetch.await(Rig.LIMIT_NS)).as("%s", fetch.errorText()).isEqualTo(KvReplayState.COMPLETED);
            }
            rig.assertSame(target.device, blocks, 0, hashes[0]);
            rig.assertSame(target.device, blocks, 1, hashes[1]);
            assertThat(store.verify(KvScanProgress.NONE).isClean()).isTrue();
            assertThat(BlockReaderTest.counter(rig.client, ArchiveCounters.EXTENSIONS_REFUSED_TYPE_ID)).isZero();
        }
    }

    @Test
    void goesOnInTheSameRecordingWhileThePublisherLivesOn()
    {
        try (Rig rig = Rig.attached(directory.resolve("archive"));
            KvSender sender = KvSender.launch(rig.senderContext(Rig.IPC).unacknowledged(true)))
        {
            final KvRecording first = rig.client.resume(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL, Rig.LIMIT_NS);
            first.awaitStart(Rig.LIMIT_NS);
            rig.send(sender, 1);
            first.await(Rig.LAYOUT.totalBytes(Rig.BLOCKS), Rig.LIMIT_NS);
            awaitJoinAtEnd(rig);
            first.stop();
            final KvRecordingInfo before = first.info();

            final KvRecording second = rig.client.resume(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL, Rig.LIMIT_NS);
            rig.send(sender, 2);
            CloseHelper.close(sender);
            final KvRecordingInfo after = second.awaitStop(Rig.LIMIT_NS);
            assertThat(after.recordingId()).isEqualTo(before.recordingId());
            assertThat(after.sessionId()).isEqualTo(before.sessionId());
            try (KvBlockStore store = open(rig.client))
            {
                assertThat(store.update(KvScanProgress.NONE)).isEqualTo(2);
            }
        }
    }

    @Test
    void beginsANewRecordingForAStreamThatDoesNotGoOn()
    {
        try (Rig rig = new Rig(directory.resolve("archive")); KvBlockStore store = open(rig.client))
        {
            final KvRecordingInfo before = rig.recordOnly(1);
            final KvRecording recording;
            try (KvSender sender = KvSender.launch(rig.senderContext(Rig.IPC).unacknowledged(true)))
            {
                recording = rig.client.resume(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL, Rig.LIMIT_NS);
                rig.send(sender, 2);
            }
            final KvRecordingInfo after = recording.awaitStop(Rig.LIMIT_NS);
            assertThat(after.recordingId()).isNotEqualTo(before.recordingId());
            assertThat(rig.client.list(0, 10)).containsExactly(before, after);
            assertThat(BlockReaderTest.counter(rig.client, ArchiveCounters.EXTENSIONS_REFUSED_TYPE_ID)).isEqualTo(1);
            assertThat(store.update(KvScanProgress.NONE)).isEqualTo(2);
        }
    }

    /**
     * A driver takes over how far subscribers read once per duty cycle: one that leaves before is met again too early.
     */
    private static void awaitJoinAtEnd(final Rig rig)
    {
        rig.client.session().await("a subscription that joins at the end", Rig.LIMIT_NS, () ->
        {
            try (Subscription probe = rig.client.context().aeron().addSubscription(Rig.IPC, Rig.STREAM_ID))
            {
                rig.client.session().await("an image", Rig.LIMIT_NS, () -> 1 == probe.imageCount());
                return 0 == probe.poll((buffer, offset, length, header) -> {}, 1);
            }
        });
    }

    private KvBlockStore open(final KvArchive client)
    {
        return KvBlockStore.open(client,
            new KvBlockStore.Context().indexFile(directory.resolve("index")).updateIntervalNs(0));
    }
}
