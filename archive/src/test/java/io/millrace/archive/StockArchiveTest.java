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

import io.aeron.archive.Archive;
import io.aeron.archive.ArchivingMediaDriver;
import io.aeron.archive.checksum.Checksums;
import io.aeron.archive.codecs.SourceLocation;
import io.millrace.bridge.KvSender;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

@Timeout(150)
class StockArchiveTest
{
    @TempDir
    private Path directory;

    @Test
    void usesARemoteArchiveThatChecksNothing() throws Exception
    {
        final String control = "aeron:udp?endpoint=localhost:" + Rig.freePort();
        final String stream = "aeron:udp?endpoint=localhost:" + Rig.freePort() + "|term-length=1m|mtu=8k";
        final Archive.Context archiveCtx = Rig.archiveContext(directory.resolve("stock").toFile())
            .controlChannel(control)
            .replicationChannel("aeron:udp?endpoint=localhost:0");
        try (Rig rig = new Rig(directory.resolve("own"));
            ArchivingMediaDriver ignore = ArchivingMediaDriver.launch(Rig.driverContext(), archiveCtx);
            KvArchive client = KvArchive.connect(new KvArchive.Context()
                .aeronDirectoryName(rig.archive.aeronDirectoryName())
                .controlRequestChannel(control)
                .controlResponseChannel("aeron:udp?endpoint=localhost:0")
                .replayChannel("aeron:udp?endpoint=localhost:" + Rig.freePort()));
            Rig.Destination whole = new Rig.Destination();
            Rig.Destination damaged = new Rig.Destination())
        {
            final KvRecording recording = client.record(stream, Rig.STREAM_ID, SourceLocation.REMOTE);
            try (KvSender sender = KvSender.launch(rig.senderContext(stream).unacknowledged(true)))
            {
                rig.send(sender, 1);
                rig.send(sender, 2);
            }
            final KvRecordingInfo info = recording.awaitStop(Rig.LIMIT_NS);

            try (KvReplay replay = client.replay(info.recordingId(), whole.receiverContext()))
            {
                rig.assertReplayed(replay, info);
            }
            rig.assertSame(whole, 1, 2);

            Frames.damage(directory.resolve("stock"), info, info.bytes() / 4);
            try (KvReplay replay = client.replay(info.recordingId(), damaged.receiverContext()))
            {
                rig.assertReplayed(replay, info);
                assertThat(replay.transfersFailed()).isEqualTo(1);
            }
            rig.assertSame(damaged, 2);
            assertThat(damaged.events).anyMatch(event -> event.startsWith("failed 1 CHECKSUM_MISMATCH"));
        }
    }

    @Test
    void checksByDefault()
    {
        try (Rig rig = new Rig(directory))
        {
            assertThat(rig.archive.archiveContext().recordChecksum()).isSameAs(Checksums.crc32c());
            assertThat(rig.archive.archiveContext().replayChecksum()).isSameAs(Checksums.crc32c());
            assertThat(rig.archive.mediaDriver().aeronDirectoryName()).isEqualTo(rig.archive.aeronDirectoryName());
        }
    }

    @Test
    void leavesChecksumsToAeronsProperties()
    {
        System.setProperty(Archive.Configuration.RECORD_CHECKSUM_PROP_NAME, "");
        System.setProperty(Archive.Configuration.REPLAY_CHECKSUM_PROP_NAME, "");
        try (Rig rig = new Rig(directory))
        {
            assertThat(rig.archive.archiveContext().recordChecksum()).isNull();
            assertThat(rig.archive.archiveContext().replayChecksum()).isNull();
        }
        finally
        {
            System.clearProperty(Archive.Configuration.RECORD_CHECKSUM_PROP_NAME);
            System.clearProperty(Archive.Configuration.REPLAY_CHECKSUM_PROP_NAME);
        }
    }
}
