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
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.LongStream;

import io.aeron.Aeron;
import io.aeron.protocol.DataHeaderFlyweight;
import io.millrace.bridge.KvBlocks;
import org.agrona.collections.MutableBoolean;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

@Timeout(240)
class ReadAheadTest
{
    private static final KvScope SCOPE = new KvScope("", Rig.LAYOUT);
    private static final long LENGTH = 256 << 10;
    private static final long[] REQUESTS = LongStream.rangeClosed(1, 12).toArray();
    private static final String THREAD = "archive-read-ahead";

    @TempDir
    private Path directory;

    @BeforeEach
    void awaitTheEndOfFormerClients()
    {
        await(() -> !isRunning());
    }

    @Test
    void readsNoFurtherAheadOfAReceiverThanWasSetAndNothingTwice()
    {
        try (Rig rig = new Rig(directory); Rig.Destination target = new Rig.Destination();
            KvArchive client = client(rig, LENGTH))
        {
            final KvRecordingInfo info = rig.recordOnly(REQUESTS);
            assertThat(info.bytes()).isGreaterThan(4L * Rig.SEGMENT_LENGTH);
            target.isFull = true;
            try (KvReplay replay = client.replay(info.recordingId(), target.receiverContext()))
            {
                await(() -> readAhead(client) >= LENGTH);
                // Had it no bound, it would be done long before the receiver.
                for (int i = 0; i < 100; i++)
                {
                    assertBounded(client, replay);
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
                }
                target.isFull = false;
                while (KvReplayState.RUNNING == replay.state())
                {
                    assertBounded(client, replay);
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1));
                }
                rig.assertReplayed(replay, info);
            }
            rig.assertSame(target, REQUESTS);
            assertThat(readAhead(client)).isEqualTo(info.bytes());
            assertThat(errors(client)).isZero();
            await(() -> !hasCounter(rig.client, ArchiveCounters.REPLAY_LIMIT_TYPE_ID));
        }
    }

    @Test
    void readsARangeThatIsShorterAtOnceAndFetchesBothKinds()
    {
        try (Rig rig = new Rig(directory.resolve("archive")); Rig.Destination target = new Rig.Destination())
        {
            rig.recordOnly(REQUESTS);
            final KvRecordingInfo single = rig.recordOnly(20);
            fetch(rig, target, LENGTH, LongStream.concat(LongStream.of(REQUESTS), LongStream.of(20)).toArray(), false);
            await(() -> !isRunning());
            assertThat(fetch(rig, target, 1 << 20, new long[] {20}, true)).isBetween(
                Rig.LAYOUT.totalBytes(Rig.BLOCKS), single.bytes());
        }
    }

    @Test
    void leavesAllToTheArchiveWhenOff()
    {
        try (Rig rig = new Rig(directory); Rig.Destination target = new Rig.Destination())
        {
            final KvRecordingInfo info = rig.recordOnly(REQUESTS);
            rig.client.close();
            try (KvArchive client = client(rig, 0))
            {
                try (KvReplay replay = client.replay(info.recordingId(), target.receiverContext()))
                {
                    rig.assertReplayed(replay, info);
                }
                assertThat(hasCounter(client, ArchiveCounters.READ_AHEAD_BYTES_TYPE_ID)).isFalse();
                assertThat(isRunning()).isFalse();
            }
        }
    }

    @Test
    void segmentsThatGoMeanwhileAreCountedAndTheArchiveTellsOfThem() throws IOException
    {
        try (Rig rig = new Rig(directory); Rig.Destination target = new Rig.Destination();
            KvArchive client = client(rig, LENGTH))
        {
            final KvRecordingInfo info = rig.recordOnly(REQUESTS);
            target.isFull = true;
            try (KvReplay replay = client.replay(info.recordingId(), target.receiverContext()))
            {
                await(() -> readAhead(client) >= LENGTH);
                final long gone = 3L * Rig.SEGMENT_LENGTH;
                Files.delete(directory.resolve(info.segmentFile(gone)));
                target.isFull = false;
                assertThat(replay.await(Rig.LIMIT_NS)).isEqualTo(KvReplayState.FAILED);
                assertThat(replay.error()).as(replay.errorText()).isEqualTo(KvArchiveError.TRUNCATED);
                assertThat(replay.position()).isEqualTo(gone);
                assertThat(replay.transfersCompleted()).isPositive();
            }
            assertThat(errors(client)).isEqualTo(1);
        }
    }

    @Test
    void aFrameThatMustNotBeReplayedIsMetAheadOfReplayAndFetch() throws IOException
    {
        final Path archiveDirectory = directory.resolve("archive");
        try (Rig rig = new Rig(archiveDirectory); Rig.Destination target = new Rig.Destination();
            KvArchive client = client(rig, LENGTH);
            KvBlockStore store = open(client))
        {
            final KvRecordingInfo info = rig.recordOnly(REQUESTS);
            store.update(KvScanProgress.NONE);
            final long[] begins = Frames.transferBegins(archiveDirectory, info);
            final long position = begins[begins.length - 1];
            assertThat(position).isGreaterThan(2L * Rig.SEGMENT_LENGTH);
            FrameWalkTest.damageType(archiveDirectory, info, position);

            try (KvReplay replay = client.replay(info.recordingId(), target.receiverContext()))
            {
                assertThat(replay.await(Rig.LIMIT_NS)).isEqualTo(KvReplayState.FAILED);
                assertThat(replay.error()).isEqualTo(KvArchiveError.BAD_FRAME);
                assertThat(replay.position()).isEqualTo(position);
            }
            final long[] hashes = LongStream.of(REQUESTS).flatMap(id -> LongStream.of(Rig.hashes(id))).toArray();
            final KvBlocks blocks = target.cache.allocate(hashes.length);
            try (KvFetch fetch = store.fetch(store.plan(SCOPE, hashes), blocks, target.receiverContext()))
            {
                assertThat(fetch.await(Rig.LIMIT_NS)).isEqualTo(KvReplayState.FAILED);
                assertThat(fetch.errorText()).contains("damaged frame at position " + position);
                assertThat(fetch.landed()).isNotEmpty();
                assertThat(fetch.failed()).isNotEmpty();
            }
        }
    }

    @Test
    void aHeaderDamagedWhereTheLookStoppedIsMetBeforeTheArchiveHangsAtIt() throws IOException
    {
        final Path archiveDirectory = directory.resolve("archive");
        try (Rig rig = new Rig(archiveDirectory); Rig.Destination target = new Rig.Destination();
            KvArchive client = client(rig, LENGTH))
        {
            final KvRecordingInfo info = rig.recordOnly(REQUESTS);
            final FrameWalk walk = new FrameWalk(archiveDirectory, () -> false, Long.MAX_VALUE);
            walk.firstBad(info, 0, LENGTH);
            final long position = walk.position();
            final Path segment = FrameWalkTest.damageType(archiveDirectory, info, position);
            try (FileChannel channel = FileChannel.open(segment, StandardOpenOption.WRITE))
            {
                channel.write(ByteBuffer.wrap(new byte[] {0x55}),
                    position % Rig.SEGMENT_LENGTH + DataHeaderFlyweight.TERM_OFFSET_FIELD_OFFSET);
            }
            try (KvReplay replay = client.replay(info.recordingId(), target.receiverContext()))
            {
                assertThat(replay.await(Rig.LIMIT_NS)).isEqualTo(KvReplayState.FAILED);
                assertThat(replay.error()).as(replay.errorText()).isEqualTo(KvArchiveError.BAD_FRAME);
                assertThat(replay.position()).isEqualTo(position);
            }
        }
    }

    @Test
    void outlivesItsClientAsReplaysDoAndEndsWithThem()
    {
        try (Rig rig = new Rig(directory); Rig.Destination target = new Rig.Destination();
            Aeron aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(rig.archive.aeronDirectoryName())))
        {
            final KvRecordingInfo info = rig.recordOnly(REQUESTS);
            target.isFull = true;
            try (KvArchive client = KvArchive.connect(
                rig.archive.clientContext().readAheadLength(LENGTH).aeron(aeron)))
            {
                try (KvReplay replay = client.replay(info.recordingId(), target.receiverContext()))
                {
                    client.close();
                    assertThat(isRunning()).isTrue();
                    target.isFull = false;
                    rig.assertReplayed(replay, info);
                }
            }
            await(() -> !isRunning());
        }
    }

    @Test
    void endsWithTheAeronClientAmidARange()
    {
        try (Rig rig = new Rig(directory); KvArchive client = client(rig, LENGTH))
        {
            final KvRecordingInfo info = rig.recordOnly(REQUESTS);
            try (RangeLook look = client.frames().look(
                info.recordingId(), 0, info.position(), () -> false, Rig.LIMIT_NS))
            {
                look.onConsumed(LENGTH);
                client.context().aeron().close();
                await(() -> !isRunning());
            }
        }
    }

    private long fetch(
        final Rig rig, final Rig.Destination target, final long length, final long[] requests, final boolean isShort)
    {
        final long[] hashes = LongStream.of(requests).flatMap(id -> LongStream.of(Rig.hashes(id))).toArray();
        try (KvArchive client = client(rig, length); KvBlockStore store = open(client))
        {
            store.update(KvScanProgress.NONE);
            final KvBlocks blocks = target.cache.allocate(hashes.length);
            try (KvFetch fetch = store.fetch(store.plan(SCOPE, hashes), blocks, target.receiverContext()))
            {
                assertThat(fetch.await(Rig.LIMIT_NS)).as(fetch.errorText()).isEqualTo(KvReplayState.COMPLETED);
            }
            for (int i = 0; i < hashes.length; i++)
            {
                rig.assertSame(target.device, blocks, i, hashes[i]);
            }
            target.cache.free(blocks);
            assertThat(isRunning()).isEqualTo(!isShort);
            assertThat(errors(client)).isZero();
            return readAhead(client);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void anAeronClientThatIsClosedEndsARunningReplay(final boolean isReceiversOwn)
    {
        try (Rig rig = new Rig(directory); Rig.Destination target = new Rig.Destination();
            Aeron receivers = Aeron.connect(new Aeron.Context()
                .aeronDirectoryName(rig.client.context().aeron().context().aeronDirectoryName()));
            KvArchive client = client(rig, LENGTH))
        {
            final KvRecordingInfo info = rig.recordOnly(REQUESTS);
            target.isFull = true;
            try (KvReplay replay = client.replay(
                info.recordingId(), target.receiverContext().aeron(isReceiversOwn ? receivers : null)))
            {
                await(() -> readAhead(client) >= LENGTH);
                client.context().aeron().close();
                assertThat(replay.await(Rig.LIMIT_NS)).isEqualTo(KvReplayState.FAILED);
                assertThat(replay.error()).as(replay.errorText()).isEqualTo(KvArchiveError.ARCHIVE_GONE);
            }
        }
    }

    @Test
    void aFetchOfTwoRecordingsEndsWhenItsClientIsClosedMeanwhile()
    {
        try (Rig rig = new Rig(directory); Rig.Destination target = new Rig.Destination();
            Aeron aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(rig.archive.aeronDirectoryName())))
        {
            rig.recordOnly(1, 2, 3, 4);
            rig.recordOnly(5, 6, 7, 8);
            final KvArchive client = KvArchive.connect(rig.archive.clientContext().aeron(aeron)
                .readAheadLength(LENGTH / 4).messageTimeoutNs(Rig.LIMIT_NS));
            final KvBlockStore store = KvBlockStore.open(client, new KvBlockStore.Context()
                .indexFile(directory.resolve("index")).updateIntervalNs(0).maxReplays(1));
            store.update(KvScanProgress.NONE);
            final long[] hashes = LongStream.rangeClosed(1, 8)
                .flatMap(id -> LongStream.of(Rig.hashes(id))).toArray();
            final KvFetchPlan plan = store.plan(SCOPE, hashes);
            assertThat(plan.ranges()).hasSize(2);
            final KvBlocks blocks = target.cache.allocate(hashes.length);
            try (KvFetch fetch = store.fetch(plan, blocks, target.receiverContext()))
            {
                client.close();
                // The second cannot be found any more, unless it was found before.
                assertThat(fetch.await(Rig.LIMIT_NS)).as(fetch.errorText())
                    .isIn(KvReplayState.COMPLETED, KvReplayState.FAILED);
                assertThat(fetch.landed().length + fetch.failed().length).isEqualTo(hashes.length);
                assertThat(fetch.landed()).isNotEmpty();
            }
            await(() -> !isRunning());
        }
    }

    @Test
    void aRangeIsLookedAtAtOnceWhenTheClientWasClosedBefore()
    {
        try (Rig rig = new Rig(directory);
            Aeron aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(rig.archive.aeronDirectoryName())))
        {
            final KvRecordingInfo info = rig.recordOnly(REQUESTS);
            final KvArchive client = KvArchive.connect(rig.archive.clientContext().aeron(aeron)
                .readAheadLength(LENGTH).messageTimeoutNs(Rig.LIMIT_NS));
            client.frames().look(info.recordingId(), 0, LENGTH / 4, () -> false, Rig.LIMIT_NS).close();
            final FrameGuard frames = client.frames();
            frames.look(info.recordingId(), 0, info.position(), () -> false, Rig.LIMIT_NS).close();
            await(() -> !hasCounter(rig.client, ArchiveCounters.REPLAY_LIMIT_TYPE_ID));
            client.close();
            await(() -> !isRunning());
            try (RangeLook look = frames.look(info.recordingId(), 0, info.position(), () -> false, Rig.LIMIT_NS))
            {
                assertThat(look.end()).isEqualTo(info.position());
                assertThat(look.isWaiting()).isFalse();
                assertThat(isRunning()).isFalse();
            }
        }
    }

    private static void assertBounded(final KvArchive client, final KvReplay replay)
    {
        final long readAhead = readAhead(client);
        assertThat(readAhead).isLessThanOrEqualTo(replay.position() + LENGTH);
    }

    private static KvArchive client(final Rig rig, final long length)
    {
        return KvArchive.connect(rig.archive.clientContext().readAheadLength(length).messageTimeoutNs(Rig.LIMIT_NS));
    }

    private KvBlockStore open(final KvArchive client)
    {
        return KvBlockStore.open(client,
            new KvBlockStore.Context().indexFile(directory.resolve("index")).updateIntervalNs(0));
    }

    private static long readAhead(final KvArchive client)
    {
        return BlockReaderTest.counter(client, ArchiveCounters.READ_AHEAD_BYTES_TYPE_ID);
    }

    private static long errors(final KvArchive client)
    {
        return BlockReaderTest.counter(client, ArchiveCounters.READ_AHEAD_ERRORS_TYPE_ID);
    }

    private static boolean hasCounter(final KvArchive client, final int typeId)
    {
        final MutableBoolean found = new MutableBoolean();
        client.context().aeron().countersReader().forEach(
            (counterId, type, key, label) -> found.value |= typeId == type);
        return found.value;
    }

    private static boolean isRunning()
    {
        return Thread.getAllStackTraces().keySet().stream().anyMatch(thread -> THREAD.equals(thread.getName()));
    }

    private static void await(final BooleanSupplier condition)
    {
        final long startNs = System.nanoTime();
        while (!condition.getAsBoolean())
        {
            assertThat(System.nanoTime() - startNs).as("waited for in vain").isLessThan(Rig.LIMIT_NS);
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
        }
    }
}
