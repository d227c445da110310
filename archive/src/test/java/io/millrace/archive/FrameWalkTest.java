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
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

import io.aeron.protocol.HeaderFlyweight;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

@Timeout(120)
class FrameWalkTest
{
    private static final KvScope SCOPE = new KvScope("", Rig.LAYOUT);

    @TempDir
    private Path directory;

    @Test
    void namesAFrameAtWhichAReplayWouldHangAndGoesOnBehindItsSegment() throws IOException
    {
        final Path archiveDirectory = directory.resolve("archive");
        try (Rig rig = new Rig(archiveDirectory); KvBlockStore store = KvBlockStore.open(rig.client,
            new KvBlockStore.Context().indexFile(directory.resolve("index")).updateIntervalNs(0)))
        {
            final KvRecordingInfo info = rig.recordOnly(1, 2, 3, 4, 5, 6, 7, 8);
            final KvRecordingInfo whole = rig.recordOnly(9);
            final long position = Frames.transferBegins(archiveDirectory, info)[1];
            final Path segment = Frames.segment(archiveDirectory, info, position);
            try (FileChannel channel = FileChannel.open(segment, StandardOpenOption.WRITE))
            {
                channel.write(ByteBuffer.wrap(new byte[] {0x55}),
                    position % Rig.SEGMENT_LENGTH + HeaderFlyweight.TYPE_FIELD_OFFSET);
            }

            store.archiveDirectory(archiveDirectory);
            final KvVerifyReport report = store.verify(KvScanProgress.NONE);
            assertThat(report.isClean()).isFalse();
            assertThat(report.damages()).singleElement().satisfies(damage ->
            {
                assertThat(damage.error()).isEqualTo(KvArchiveError.BAD_FRAME);
                assertThat(damage.position()).isEqualTo(position);
                assertThat(damage.segmentFile()).isEqualTo(segment.getFileName().toString());
            });
            // The archive lives, and serves the rest.
            assertThat(rig.client.list(0, 10)).containsExactly(info, whole);
            assertThat(store.plan(SCOPE, Rig.hashes(9)).misses()).isEmpty();
            assertThat(report.bytes()).isEqualTo(info.bytes() + whole.bytes());
        }
    }
}
