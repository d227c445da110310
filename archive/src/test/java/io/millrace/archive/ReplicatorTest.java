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
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import io.aeron.archive.codecs.SourceLocation;
import io.aeron.driver.MediaDriver;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvSender;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

@Timeout(180)
class ReplicatorTest
{
    private static final KvScope SCOPE = new KvScope("", Rig.LAYOUT);
    private static final long LIMIT_NS = TimeUnit.SECONDS.toNanos(60);
    private static final String LOCAL = "aeron:udp?endpoint=localhost:0";

    @TempDir
    private Path directory;

    @Test
    void copiesRecordingsFollowsActiveOnesGoesOnAfterABreakAndServesWhenTheFirstIsGone() throws Exception
    {
        final String control = "aeron:udp?endpoint=localhost:" + Rig.freePort();
        try (Rig second = Rig.attached(directory.resolve("second"));
            MediaDriver driver = MediaDriver.launch(Rig.driverContext());
            MillraceArchive first = first(driver, control);
            KvArchive local = KvArchive.connect(first.clientContext());
            KvArchive remote = KvArchive.connect(new KvArchive.Context()
                .aeronDirectoryName(second.archive.aeronDirectoryName())
                .controlRequestChannel(control).controlResponseChannel(LOCAL)
                .replayChannel("aeron:udp?endpoint=localhost:" + Rig.freePort())
                .messageTimeoutNs(TimeUnit.SECONDS.toNanos(30)));
            KvBlockStore remoteStore = open(remote, "first-index");
            KvBlockStore store = open(second.client, "second-index");
            Rig.Destination target = new Rig.Destination())
        {
            final KvRecordingInfo stopped = record(second, local, driver, 1, 2);
            try (KvReplicator replicator = new KvReplicator(remote, second.client, LOCAL))
            {
                replicator.await(LIMIT_NS);
                final KvRecordingInfo copy = second.client.list(0, 10).get(0);
                assertThat(copy.channel()).isEqualTo(stopped.channel());
                assertThat(copy.startTimestampMs()).isEqualTo(stopped.startTimestampMs());
                assertThat(copy.position()).isEqualTo(stopped.position());

                final KvRecording active = local.record(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL);
                try (KvSender sender = sender(second, driver))
                {
                    active.awaitStart(LIMIT_NS);
                    second.send(sender, 3);
                    active.await(Rig.LAYOUT.totalBytes(Rig.BLOCKS), LIMIT_NS);
                    assertThat(replicator.await(LIMIT_NS)).hasSize(2).allMatch(KvReplica::isSynced);
                    // What comes later follows without being asked for, and goes on after a break.
                    replicator.close();
                    second.send(sender, 4);
                    active.await(2 * Rig.LAYOUT.totalBytes(Rig.BLOCKS), LIMIT_NS);
                    try (KvReplicator again = new KvReplicator(remote, second.client, LOCAL))
                    {
                        final List<KvReplica> replicas = again.await(LIMIT_NS);
                        assertThat(replicas).hasSize(2).allMatch(KvReplica::isSynced);
                        assertThat(second.client.list(0, 10)).hasSize(2);
                        second.send(sender, 5);
                        active.await(3 * Rig.LAYOUT.totalBytes(Rig.BLOCKS), LIMIT_NS);
                        again.await(LIMIT_NS);
                        assertThat(BlockReaderTest.counter(second.client, ArchiveCounters.REPLICATIONS_TYPE_ID))
                            .isPositive();
                    }
                }
                active.awaitStop(LIMIT_NS);
            }

            // The second's index is made of its own recordings.
            assertThat(remoteStore.update(KvScanProgress.NONE)).isEqualTo(5);
            assertThat(store.update(KvScanProgress.NONE)).isEqualTo(5);
            assertThat(store.verify(KvScanProgress.NONE).isClean()).isTrue();

            try (KvBlockReader reader = new KvBlockReader(List.of(remoteStore, store), LIMIT_NS))
            {
                final long[] hashes = {1000, 3007, 5023};
                for (int failovers = 0; failovers <= 1; failovers++)
                {
                    final KvBlocks blocks = target.cache.allocate(hashes.length);
                    final KvRead read = reader.read(SCOPE, hashes, blocks, target::receiverContext, LIMIT_NS);
                    assertThat(read.landed()).as(read.errorText()).containsExactly(0, 1, 2);
                    assertThat(read.failovers()).isEqualTo(failovers);
                    for (int i = 0; i < hashes.length; i++)
                    {
                        second.assertSame(target.device, blocks, i, hashes[i]);
                    }
                    first.close();
                    // What is gone is waited for in vain.
                    remote.context().messageTimeoutNs(TimeUnit.SECONDS.toNanos(1));
                }
            }
        }
    }

    @Test
    void doesNotCopyWhatTheSourceWouldHangAt() throws Exception
    {
        final String control = "aeron:udp?endpoint=localhost:" + Rig.freePort();
        try (Rig second = Rig.attached(directory.resolve("second"));
            MediaDriver driver = MediaDriver.launch(Rig.driverContext());
            MillraceArchive first = first(driver, control);
            KvArchive local = KvArchive.connect(first.clientContext());
            KvArchive remote = KvArchive.connect(new KvArchive.Context()
                .aeronDirectoryName(second.archive.aeronDirectoryName())
                .archiveDirectory(directory.resolve("first"))
                .controlRequestChannel(control).controlResponseChannel(LOCAL)
                .messageTimeoutNs(TimeUnit.SECONDS.toNanos(30)));
            KvReplicator replicator = new KvReplicator(remote, second.client, LOCAL))
        {
            final KvRecordingInfo info = record(second, local, driver, 1);
            final KvRecordingInfo whole = record(second, local, driver, 2);
            FrameWalkTest.damageType(directory.resolve("first"), info,
                Frames.transferBegins(directory.resolve("first"), info)[0]);
            List<KvReplica> replicas = replicator.update();
            assertThat(replicas.get(0).errorText()).contains("recording 0 has a damaged frame at position 0");
            final long startNs = System.nanoTime();
            while (replicas.get(1).position() < whole.position() && System.nanoTime() - startNs < LIMIT_NS)
            {
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
                replicas = replicator.update();
            }
            assertThat(replicas).filteredOn(KvReplica::isSynced).hasSize(1);
            assertThat(second.client.list(0, 10)).hasSize(1);
            assertThat(local.list(0, 10)).containsExactly(info, whole);
        }
    }

    @Test
    void saysWhatIsWrong()
    {
        try (Rig rig = new Rig(directory.resolve("archive")))
        {
            assertThatThrownBy(() -> new KvReplicator(rig.client, rig.client, LOCAL).close())
                .hasMessageContaining("of the source is not reached from another driver");
        }
    }

    private static KvRecordingInfo record(
        final Rig rig, final KvArchive client, final MediaDriver driver, final long... requestIds)
    {
        final KvRecording recording = client.record(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL);
        try (KvSender sender = sender(rig, driver))
        {
            rig.send(sender, requestIds);
        }
        return recording.awaitStop(LIMIT_NS);
    }

    private static KvSender sender(final Rig rig, final MediaDriver driver)
    {
        return KvSender.launch(rig.senderContext(Rig.IPC)
            .aeronDirectoryName(driver.aeronDirectoryName()).unacknowledged(true));
    }

    private MillraceArchive first(final MediaDriver driver, final String control)
    {
        return MillraceArchive.attach(driver.aeronDirectoryName(),
            Rig.archiveContext(directory.resolve("first").toFile()).controlChannel(control));
    }

    private KvBlockStore open(final KvArchive client, final String index)
    {
        return KvBlockStore.open(client,
            new KvBlockStore.Context().indexFile(directory.resolve(index)).updateIntervalNs(0));
    }
}
