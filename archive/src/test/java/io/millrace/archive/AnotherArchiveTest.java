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
import java.util.concurrent.TimeUnit;

import io.aeron.Aeron;
import io.aeron.ExclusivePublication;
import io.aeron.archive.client.AeronArchive;
import io.aeron.archive.codecs.SourceLocation;
import io.aeron.driver.MediaDriver;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * Another archive answers where the first one did, on a driver that gives out the same ids again.
 */
@Timeout(150)
class AnotherArchiveTest
{
    private static final String CHANNEL = "aeron:ipc?term-length=64k";
    private static final String LOCAL = "aeron:udp?endpoint=localhost:0";
    private static final int FIRST_STREAM_ID = 100;
    private static final int STREAMS = 100;

    @TempDir
    private Path directory;

    @Test
    void recordingsOfOthersAreNeitherStoppedNorTakenForOnesOwn() throws Exception
    {
        final String control = "aeron:udp?endpoint=localhost:" + Rig.freePort();
        try (MediaDriver clientDriver = MediaDriver.launch(Rig.driverContext());
            Aeron aeron = connect(clientDriver))
        {
            final KvArchive client;
            final KvRecording seen;
            final KvRecording unseen;
            final long subscriptionId;
            try (MediaDriver driver = MediaDriver.launch(Rig.driverContext());
                Aeron publisher = connect(driver);
                MillraceArchive ignore = attach(driver, "first", control);
                AeronArchive observer = connect(aeron, control))
            {
                publisher.addExclusivePublication(CHANNEL, 1);
                client = KvArchive.connect(new KvArchive.Context().aeron(aeron)
                    .controlRequestChannel(control).controlResponseChannel(LOCAL)
                    .messageTimeoutNs(TimeUnit.SECONDS.toNanos(10)));
                seen = client.record(CHANNEL, 1, SourceLocation.LOCAL);
                seen.awaitStart(Rig.LIMIT_NS);
                for (int i = 0; i < STREAMS / 2; i++)
                {
                    observer.startRecording(CHANNEL, FIRST_STREAM_ID + i, SourceLocation.LOCAL);
                }
                unseen = client.record(CHANNEL, 2, SourceLocation.LOCAL);
                subscriptionId = subscriptions(observer, 2).get(0);
                // As by a kill: it hears of no end.
                LostSessionTest.loseSession(client);
            }

            try (MediaDriver driver = MediaDriver.launch(Rig.driverContext());
                Aeron publisher = connect(driver);
                ExclusivePublication publication = publisher.addExclusivePublication(CHANNEL, 3);
                MillraceArchive second = attach(driver, "second", control);
                AeronArchive observer = connect(aeron, control))
            {
                try (KvArchive owner = KvArchive.connect(second.clientContext()))
                {
                    final KvRecording other = owner.record(CHANNEL, 3, SourceLocation.LOCAL);
                    assertThat(other.awaitStart(Rig.LIMIT_NS)).isEqualTo(seen.recordingId());
                    publication.close();
                    other.awaitStop(Rig.LIMIT_NS);
                }
                final List<Long> theirs = new ArrayList<>();
                for (int i = 0; i < STREAMS; i++)
                {
                    theirs.add(observer.startRecording(CHANNEL, FIRST_STREAM_ID + i, SourceLocation.LOCAL));
                }
                assertThat(theirs).as("the id is given out again").contains(subscriptionId);

                FrameGuardTest.awaitBack(client);

                assertThat(subscriptions(observer, FIRST_STREAM_ID + theirs.indexOf(subscriptionId)))
                    .containsExactly(subscriptionId);
                assertThatThrownBy(() -> unseen.awaitStart(Rig.LIMIT_NS)).hasMessageContaining("record again")
                    .extracting(ex -> ((KvArchiveException)ex).error()).isEqualTo(KvArchiveError.ARCHIVE_GONE);
                assertThat(seen.isStopped()).isFalse();
                assertThatThrownBy(seen::info).hasMessageContaining("has not this recording")
                    .extracting(ex -> ((KvArchiveException)ex).error()).isEqualTo(KvArchiveError.UNKNOWN_RECORDING);
                client.close();
            }
        }
    }

    private MillraceArchive attach(final MediaDriver driver, final String name, final String control)
    {
        return MillraceArchive.attach(driver.aeronDirectoryName(),
            Rig.archiveContext(directory.resolve(name).toFile()).controlChannel(control));
    }

    private static AeronArchive connect(final Aeron aeron, final String control)
    {
        return AeronArchive.connect(new AeronArchive.Context().aeron(aeron).ownsAeronClient(false)
            .controlRequestChannel(control).controlResponseChannel(LOCAL)
            .messageTimeoutNs(TimeUnit.SECONDS.toNanos(30)));
    }

    private static Aeron connect(final MediaDriver driver)
    {
        return Aeron.connect(new Aeron.Context().aeronDirectoryName(driver.aeronDirectoryName()));
    }

    private static List<Long> subscriptions(final AeronArchive archive, final int streamId)
    {
        final List<Long> ids = new ArrayList<>();
        archive.listRecordingSubscriptions(0, Integer.MAX_VALUE, "", streamId, true,
            (controlSessionId, correlationId, subscriptionId, stream, channel) -> ids.add(subscriptionId));
        return ids;
    }
}
