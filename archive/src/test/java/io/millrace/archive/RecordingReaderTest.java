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

import io.aeron.Aeron;
import io.aeron.Counter;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mockito.ArgumentCaptor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyInt;
import static org.mockito.ArgumentMatchers.anyLong;
import static org.mockito.ArgumentMatchers.anyString;
import static org.mockito.ArgumentMatchers.eq;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.never;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

class RecordingReaderTest
{
    private static final long LIMIT = 4096;
    private static final long BROKEN_AT = 1024;
    private static final KvRecordingInfo INFO = new KvRecordingInfo(
        3, "aeron:ipc", 1, 1, "aeron:ipc", 0, LIMIT, LIMIT, 0, 0, 1 << 16, 1 << 16, 0, 1408);

    private final Aeron aeron = mock(Aeron.class);
    private final Counter counter = mock(Counter.class);
    private final KvArchive archive = mock(KvArchive.class);
    private final RecordingScan scan = mock(RecordingScan.class);

    @BeforeEach
    void breakOffOnce()
    {
        final KvArchive.Context ctx = mock(KvArchive.Context.class);
        final FrameGuard frames = mock(FrameGuard.class);
        when(archive.context()).thenReturn(ctx);
        when(archive.frames()).thenReturn(frames);
        when(ctx.aeron()).thenReturn(aeron);
        when(aeron.addCounter(anyInt(), anyString())).thenReturn(counter);
        when(frames.firstBad(anyLong(), anyLong(), anyLong(), any(), anyLong())).thenReturn(LIMIT);
        when(scan.scan(anyLong(), eq(0L), anyLong(), any(), any()))
            .thenReturn(new RecordingScan.Result(BROKEN_AT, KvArchiveError.REFUSED, "broke off"));
        when(scan.scan(anyLong(), eq(BROKEN_AT), anyLong(), any(), any()))
            .thenReturn(new RecordingScan.Result(LIMIT, KvArchiveError.NONE, null));
    }

    @Test
    void countsAScanThatBreaksOffAndGoesOnWhereItDid()
    {
        try (RecordingReader reader = reader())
        {
            read(reader);
            verify(counter).incrementRelease();
        }
    }

    @Test
    void writesNoCounterThatIsUnmappedWithItsClient()
    {
        try (RecordingReader reader = reader())
        {
            final ArgumentCaptor<Runnable> closeHandler = ArgumentCaptor.forClass(Runnable.class);
            verify(aeron).addCloseHandler(closeHandler.capture());
            closeHandler.getValue().run();
            read(reader);
            verify(counter, never()).incrementRelease();
        }
    }

    private RecordingReader reader()
    {
        return new RecordingReader(archive, null, () -> false, scan);
    }

    private static void read(final RecordingReader reader)
    {
        assertThat(reader.read(INFO, 0, mock(TransferScanner.class), true, KvScanProgress.NONE)).isEqualTo(LIMIT);
        assertThat(reader.damages()).isEmpty();
    }
}
