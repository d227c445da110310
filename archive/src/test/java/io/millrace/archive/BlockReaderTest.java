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
import java.util.stream.LongStream;

import io.aeron.driver.MediaDriver;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvInboundTransfer;
import io.millrace.bridge.KvReceiverListener;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

@Timeout(120)
class BlockReaderTest
{
    private static final KvScope SCOPE = new KvScope("", Rig.LAYOUT);
    private static final long LIMIT_NS = TimeUnit.SECONDS.toNanos(60);

    @TempDir
    private Path directory;

    @Test
    void readsAnOlderCopyOfABlockWhoseNewestIsRefused()
    {
        final Path archiveDirectory = directory.resolve("archive");
        try (Rig rig = new Rig(archiveDirectory); Rig.Destination target = new Rig.Destination();
            KvBlockStore store = open(rig.client, "index");
            KvBlockReader reader = new KvBlockReader(List.of(store), LIMIT_NS))
        {
            rig.recordOnly(1, 2);
            final KvRecordingInfo newest = rig.recordOnly(1);
            final KvRecordingInfo only = rig.recordOnly(3);
            store.update(KvScanProgress.NONE);
            Frames.damage(archiveDirectory, newest, 0);
            Frames.damage(archiveDirectory, only, 0);

            final long[] hashes = {1000, 2000, 77, 1001};
            final KvBlocks blocks = target.cache.allocate(hashes.length);
            final KvRead read = reader.read(SCOPE, hashes, blocks, target::receiverContext, LIMIT_NS);
            assertThat(read.landed()).as(read.errorText()).containsExactly(0, 1, 3);
            assertThat(read.missing()).containsExactly(2);
            assertThat(read.failed()).isEmpty();
            assertThat(read.retries()).isEqualTo(2);
            assertThat(read.failovers()).isZero();
            assertThat(read.errorText()).contains("replay of recording " + newest.recordingId());
            assertThat(read.bytes()).isEqualTo(Rig.LAYOUT.totalBytes(3));
            for (final int index : read.landed())
            {
                rig.assertSame(target.device, blocks, index, hashes[index]);
            }

            // Request 3 is stored once only, and damaged there.
            final KvRead lost = reader.read(
                SCOPE, new long[] {3000, 2001}, target.cache.allocate(2), target::receiverContext, LIMIT_NS);
            assertThat(lost.landed()).containsExactly(1);
            assertThat(lost.failed()).containsExactly(0);
        }
    }

    @Test
    void goesOnWithTheSecondArchiveWhenTheFirstIsGone()
    {
        try (Rig first = Rig.attached(directory.resolve("first"));
            Rig second = Rig.attached(directory.resolve("second"));
            Rig.Destination target = new Rig.Destination();
            KvBlockStore firstStore = open(first.client, "first-index");
            KvBlockStore secondStore = open(second.client, "second-index");
            KvBlockReader reader = new KvBlockReader(List.of(firstStore, secondStore), LIMIT_NS))
        {
            first.recordOnly(1, 2);
            second.recordOnly(1, 2);
            second.recordOnly(3);
            firstStore.update(KvScanProgress.NONE);
            secondStore.update(KvScanProgress.NONE);

            final long[] hashes = {1000, 2001};
            KvRead read = reader.read(
                SCOPE, hashes, target.cache.allocate(2), target::receiverContext, LIMIT_NS);
            assertThat(read.landed()).as(read.errorText()).containsExactly(0, 1);
            assertThat(read.failovers()).isZero();

            // What the first does not have is no fail-over.
            read = reader.read(
                SCOPE, new long[] {1000, 3000}, target.cache.allocate(2), target::receiverContext, LIMIT_NS);
            assertThat(read.landed()).as(read.errorText()).containsExactly(0, 1);
            assertThat(read.failovers()).isZero();

            close(first);
            for (int i = 1; i <= 2; i++)
            {
                final KvBlocks blocks = target.cache.allocate(2);
                read = reader.read(SCOPE, hashes, blocks, target::receiverContext, LIMIT_NS);
                assertThat(read.landed()).as(read.errorText()).containsExactly(0, 1);
                assertThat(read.failed()).isEmpty();
                assertThat(read.failovers()).isEqualTo(1);
                assertThat(read.errorText()).contains(1 == i ? "no archive answered" : "archive 1 did not answer");
                second.assertSame(target.device, blocks, 1, hashes[1]);
            }
            assertThat(counter(first.client, ArchiveCounters.FAILOVERS_TYPE_ID)).isEqualTo(2);

            close(second);
            read = reader.read(SCOPE, hashes, target.cache.allocate(2), target::receiverContext, LIMIT_NS);
            assertThat(read.landed()).isEmpty();
            assertThat(read.failed()).containsExactly(0, 1);
        }
    }

    @Test
    void goesOnWithTheSecondArchiveWhenTheFirstIsKilledInMidFetch()
    {
        final long[] requestIds = LongStream.rangeClosed(1, 10).toArray();
        final Path archiveDirectory = directory.resolve("first");
        try (MediaDriver driver = MediaDriver.launch(Rig.driverContext());
            ChildJvm archive = new ChildJvm(List.of(), directory.resolve("first.err").toFile(), CrashServer.class,
                "ARCHIVE", driver.aeronDirectoryName(), archiveDirectory.toString());
            Rig second = Rig.attached(directory.resolve("second")))
        {
            assertThat(archive.next(LIMIT_NS)).isEqualTo("ready");
            try (Rig first = Rig.client(driver.aeronDirectoryName()); Rig.Destination target = new Rig.Destination();
                KvBlockStore firstStore = open(first.client, "first-index");
                KvBlockStore secondStore = open(second.client, "second-index");
                KvBlockReader reader = new KvBlockReader(List.of(firstStore, secondStore), LIMIT_NS))
            {
                first.recordOnly(requestIds);
                second.recordOnly(requestIds);
                firstStore.update(KvScanProgress.NONE);
                secondStore.update(KvScanProgress.NONE);

                // More than the log of a replay holds is still to come when the first transfer has begun.
                final KvReceiverListener killer = new KvReceiverListener()
                {
                    public void onTransferBegin(final KvInboundTransfer transfer)
                    {
                        archive.kill();
                        first.client.context().messageTimeoutNs(TimeUnit.SECONDS.toNanos(1));
                    }
                };
                final long[] hashes =
                    LongStream.of(requestIds).flatMap(id -> LongStream.of(Rig.hashes(id))).toArray();
                final KvBlocks blocks = target.cache.allocate(hashes.length);
                final KvRead read = reader.read(
                    SCOPE, hashes, blocks, () -> target.receiverContext().listener(killer), LIMIT_NS);
                assertThat(archive.isAlive()).isFalse();
                assertThat(read.landed()).as(read.errorText()).hasSize(hashes.length);
                assertThat(read.failed()).isEmpty();
                assertThat(read.failovers()).isEqualTo(1);
                for (int i = 0; i < hashes.length; i++)
                {
                    second.assertSame(target.device, blocks, i, hashes[i]);
                }
            }
        }
    }

    @Test
    void refusesWhatCannotWork()
    {
        assertThatThrownBy(() -> new KvBlockReader(List.of(), 0)).hasMessage(
            "0 stores must be 1 or more, archiveTimeoutNs=0 over 0");
    }

    static long counter(final KvArchive client, final int typeId)
    {
        final long[] sum = new long[1];
        client.context().aeron().countersReader().forEach((counterId, type, key, label) ->
            sum[0] += typeId == type ? client.context().aeron().countersReader().getCounterValue(counterId) : 0);
        return sum[0];
    }

    private static void close(final Rig rig)
    {
        rig.archive.close();
        // Waiting longer for an archive that is closed changes nothing.
        rig.client.context().messageTimeoutNs(TimeUnit.SECONDS.toNanos(1));
    }

    private KvBlockStore open(final KvArchive client, final String index)
    {
        return KvBlockStore.open(client,
            new KvBlockStore.Context().indexFile(directory.resolve(index)).updateIntervalNs(0));
    }
}
