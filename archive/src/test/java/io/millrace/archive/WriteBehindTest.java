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
import java.util.function.BooleanSupplier;

import io.aeron.archive.codecs.SourceLocation;
import io.millrace.bridge.KvSender;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

@Timeout(120)
class WriteBehindTest
{
    private static final long FLUSH_LENGTH = 64 * 1024;

    @TempDir
    private Path directory;

    @Test
    void forcesWhatIsRecordedOverManySegments()
    {
        try (Rig rig = new Rig(directory);
            WriteBehind writeBehind = new WriteBehind(rig.archive.archiveContext(), FLUSH_LENGTH);
            KvRecording recording = rig.client.record(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL);
            KvSender sender = KvSender.launch(rig.senderContext(Rig.IPC).unacknowledged(true)))
        {
            rig.send(sender, 1, 2, 3, 4, 5, 6, 7, 8);
            recording.awaitStart(Rig.LIMIT_NS);
            await(() -> recording.position() > 3 * Rig.SEGMENT_LENGTH);
            await(() -> writeBehind.forcedBytes() > recording.position() - FLUSH_LENGTH);
            assertThat(writeBehind.forcedBytes()).isLessThanOrEqualTo(recording.position());
            assertThat(rig.archive.archiveContext().errorCounter().get()).isZero();
        }
    }

    @Test
    void aFileThatCannotBeForcedIsAnErrorOfTheArchive() throws Exception
    {
        try (Rig rig = new Rig(directory);
            KvRecording recording = rig.client.record(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL);
            KvSender sender = KvSender.launch(rig.senderContext(Rig.IPC).unacknowledged(true)))
        {
            rig.send(sender, 1);
            final long recordingId = recording.awaitStart(Rig.LIMIT_NS);
            await(() -> recording.position() > 0);
            final Path segment = directory.resolve(recordingId + "-0.rec");
            Files.delete(segment);
            Files.createDirectory(segment);
            try (WriteBehind ignore = new WriteBehind(rig.archive.archiveContext(), FLUSH_LENGTH))
            {
                await(() ->
                {
                    rig.send(sender, 2);
                    return rig.archive.archiveContext().errorCounter().get() > 0;
                });
            }
            assertThat(recording.isStopped()).isFalse();
        }
    }

    private static void await(final BooleanSupplier condition)
    {
        final long deadlineNs = System.nanoTime() + Rig.LIMIT_NS;
        while (!condition.getAsBoolean())
        {
            assertThat(System.nanoTime() - deadlineNs).isNegative();
            Thread.onSpinWait();
        }
    }
}
