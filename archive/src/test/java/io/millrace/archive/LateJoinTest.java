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
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

import io.aeron.archive.codecs.SourceLocation;
import io.millrace.bridge.KvSender;
import io.millrace.bridge.KvTransfer;
import io.millrace.bridge.KvTransferState;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

@Timeout(90)
class LateJoinTest
{
    @TempDir
    private Path directory;

    @Test
    void getsHistoryThenTheLiveStreamWithATransferAcrossTheTwo()
    {
        try (Rig rig = new Rig(directory); Rig.Destination target = new Rig.Destination())
        {
            final KvRecording recording = rig.client.record(Rig.IPC, Rig.STREAM_ID, SourceLocation.LOCAL);
            try (KvSender sender = KvSender.launch(rig.senderContext(Rig.IPC).unacknowledged(true)))
            {
                rig.send(sender, 1, 2);
                final long id = recording.awaitStart(Rig.LIMIT_NS);
                final KvTransfer across = rig.submit(sender, 3, true);
                across.layerReady(0);
                recording.await(
                    2 * Rig.LAYOUT.totalBytes(Rig.BLOCKS) + Rig.LAYOUT.layerBytes(Rig.BLOCKS), Rig.LIMIT_NS);

                try (KvLateJoin join =
                    KvLateJoin.start(rig.client, id, Rig.IPC, Rig.STREAM_ID, target.receiverContext()))
                {
                    await(join::isLive);
                    across.layerReady(Rig.LAYOUT.layers() - 1);
                    assertThat(across.await(Rig.LIMIT_NS)).isEqualTo(KvTransferState.COMPLETED);
                    rig.send(sender, 4, 5);
                    await(() -> 5 == target.completed.size());
                    assertThat(join.errorText()).isNull();
                }
                rig.assertSame(target, 1, 2, 3, 4, 5);
                assertThat(target.events).containsExactlyInAnyOrder(
                    "begin 1", "begin 2", "begin 3", "begin 4", "begin 5");
            }
        }
    }

    @Test
    void refusesARecordingThatIsNotThere()
    {
        try (Rig rig = new Rig(directory); Rig.Destination target = new Rig.Destination())
        {
            assertThatThrownBy(() ->
                KvLateJoin.start(rig.client, 77, Rig.IPC, Rig.STREAM_ID, target.receiverContext()))
                .hasMessageStartingWith("UNKNOWN_RECORDING");
        }
    }

    private static void await(final BooleanSupplier condition)
    {
        final long startNs = System.nanoTime();
        while (!condition.getAsBoolean())
        {
            assertThat(System.nanoTime() - startNs).isLessThan(Rig.LIMIT_NS);
            LockSupport.parkNanos(1_000_000);
        }
    }
}
