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

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

import io.aeron.Image;
import io.aeron.Subscription;
import io.aeron.logbuffer.ControlledFragmentHandler;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyLong;
import static org.mockito.ArgumentMatchers.anyString;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.when;

class FetchReplayTest
{
    private static final int REPLAYS = 8;
    private static final long LIMIT = 1024;

    private final ArchiveSession session = mock(ArchiveSession.class);

    @Test
    void eachFailsForItsOwnReasonThoughTheirThreadStoodStill()
    {
        when(session.isConnected()).thenReturn(true);
        final List<FetchReplay> replays = IntStream.range(0, REPLAYS).mapToObj(this::closed).toList();
        final ReplayErrors errors = new ReplayErrors();
        final long nowNs = System.nanoTime();
        FetchFeed.check(replays, session, errors, nowNs);
        assertThat(replays).extracting(FetchReplay::failure).containsOnlyNulls();

        final List<String> texts = new ArrayList<>();
        IntStream.range(0, REPLAYS)
            .forEach(i -> texts.add("CRC checksum mismatch, replaySessionId=" + i + ", segmentFile=" + i + "-0.rec"));
        final Iterator<String> told = texts.iterator();
        when(session.pollError()).thenAnswer(ignore -> told.hasNext() ? told.next() : null);
        FetchFeed.check(replays, session, errors, nowNs + TimeUnit.SECONDS.toNanos(2));
        for (int i = 0; i < REPLAYS; i++)
        {
            assertThat(replays.get(i).failure()).contains("recording " + i + " ", texts.get(i));
        }
    }

    private FetchReplay closed(final int id)
    {
        final Image image = mock(Image.class);
        when(image.isClosed()).thenReturn(true);
        final Subscription subscription = mock(Subscription.class);
        when(subscription.channel()).thenReturn("aeron:ipc?session-id=" + id);
        when(subscription.imageCount()).thenReturn(1);
        when(subscription.imageAtIndex(0)).thenReturn(image);
        when(session.call(anyString(), any())).thenReturn(subscription);
        final FrameGuard frames = mock(FrameGuard.class);
        when(frames.look(anyLong(), anyLong(), anyLong(), any(), anyLong())).thenReturn(new RangeLook(0, LIMIT));
        final FetchRange range = mock(FetchRange.class);
        when(range.recordingId()).thenReturn((long)id);
        when(range.to()).thenReturn(LIMIT);
        when(range.toString()).thenReturn("replay of recording " + id + " from 0 to " + LIMIT);

        final FetchReplay replay = new FetchReplay(mock(FetchFeed.class), range);
        replay.open(session, mock(KvArchive.Context.class), frames, () -> false, 1);
        replay.poll(mock(ControlledFragmentHandler.class), 1);
        return replay;
    }
}
