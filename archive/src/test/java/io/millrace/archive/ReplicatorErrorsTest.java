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

import java.util.Iterator;
import java.util.List;

import io.aeron.Aeron;
import io.aeron.Counter;
import io.aeron.archive.client.AeronArchive;
import org.junit.jupiter.api.Test;
import org.mockito.MockedConstruction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyInt;
import static org.mockito.ArgumentMatchers.anyLong;
import static org.mockito.ArgumentMatchers.anyString;
import static org.mockito.ArgumentMatchers.contains;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.mockConstruction;
import static org.mockito.Mockito.when;

class ReplicatorErrorsTest
{
    private static final KvRecordingInfo INFO = new KvRecordingInfo(
        3, "aeron:ipc", 1, 1, "aeron:ipc", 0, 4096, 4096, 0, 0, 1 << 16, 1 << 16, 0, 1408);

    @Test
    void tellsTheLastOfSeveralErrors()
    {
        final KvArchive archive = mock(KvArchive.class);
        final KvArchive.Context ctx = mock(KvArchive.Context.class);
        final Aeron aeron = mock(Aeron.class);
        final FrameGuard frames = mock(FrameGuard.class);
        when(archive.context()).thenReturn(ctx);
        when(archive.frames()).thenReturn(frames);
        when(archive.list(anyLong(), anyInt())).thenReturn(List.of(INFO));
        when(ctx.aeron()).thenReturn(aeron);
        when(ctx.archiveContext())
            .thenReturn(new AeronArchive.Context().controlRequestChannel("aeron:udp?endpoint=localhost:8010"));
        when(aeron.addCounter(anyInt(), anyString())).thenReturn(mock(Counter.class));
        when(frames.firstBad(anyLong(), anyLong(), anyLong(), any(), anyLong())).thenReturn(INFO.position());
        final Iterator<String> told = List.of("stale", "newer", "newest").iterator();
        try (MockedConstruction<ArchiveSession> ignore = mockConstruction(ArchiveSession.class, (session, made) ->
        {
            when(session.call(contains("list"), any())).thenReturn(0);
            when(session.call(contains("copy"), any())).thenReturn(7L);
            when(session.pollError()).thenAnswer(call -> told.hasNext() ? told.next() : null);
        });
            KvReplicator replicator = new KvReplicator(archive, archive, "aeron:udp?endpoint=localhost:0"))
        {
            assertThat(replicator.update()).singleElement().extracting(KvReplica::errorText).isEqualTo("newest");
            assertThat(replicator.update()).singleElement().extracting(KvReplica::errorText).isEqualTo("newest");
        }
    }
}
