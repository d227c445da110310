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

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

import io.aeron.Image;
import io.aeron.Subscription;
import io.aeron.logbuffer.ControlledFragmentHandler;
import io.millrace.bridge.KvReceiverListener;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.ArgumentMatchers.any;
import static org.mockito.ArgumentMatchers.anyInt;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.atLeastOnce;
import static org.mockito.Mockito.when;

@Timeout(60)
class ReplayFeedTest
{
    private static final int LIMIT = 1024;
    private static final ControlledFragmentHandler RECEIVER =
        (buffer, offset, length, header) -> ControlledFragmentHandler.Action.CONTINUE;

    private final ArchiveSession session = mock(ArchiveSession.class);
    private final Subscription subscription = mock(Subscription.class);
    private final Image image = mock(Image.class);
    private final ReplayFeed feed = new ReplayFeed(
        session, subscription, mock(KvReceiverListener.class), 3, 0, new RangeLook(0, LIMIT), LIMIT,
        TimeUnit.SECONDS.toNanos(50));

    @Test
    void takesWhatCameBeforeAnErrorThatOvertookIt()
    {
        when(subscription.imageCount()).thenReturn(1);
        when(subscription.imageAtIndex(0)).thenReturn(image);
        when(session.pollError()).thenReturn("CRC checksum mismatch at position=512", (String)null);

        // The receiver has no room at first.
        pollUntilErrorWasSeen();
        assertThat(feed.state()).isEqualTo(KvReplayState.RUNNING);

        when(image.controlledPoll(any(), anyInt())).thenReturn(4, 0);
        when(image.position()).thenReturn(512L);
        assertThat(feed.controlledPoll(RECEIVER, 10)).isEqualTo(4);
        when(image.isClosed()).thenReturn(true);
        pollUntilEnded();

        assertThat(feed.state()).isEqualTo(KvReplayState.FAILED);
        assertThat(feed.error()).isEqualTo(KvArchiveError.CHECKSUM_MISMATCH);
        assertThat(feed.errorText()).contains("ended at position 512", "mismatch at position=512");
    }

    @Test
    void endsWhenNothingCame()
    {
        when(session.pollError()).thenReturn("recording segment not found", (String)null);
        pollUntilEnded();
        assertThat(feed.error()).isEqualTo(KvArchiveError.TRUNCATED);
    }

    @Test
    void takesTheErrorOfAReplayThatClosedAfterItStarvedForLong()
    {
        when(subscription.imageCount()).thenReturn(1);
        when(subscription.imageAtIndex(0)).thenReturn(image);
        for (int i = 0; i < 150; i++)
        {
            feed.controlledPoll(RECEIVER, 10);
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
        }
        assertThat(feed.state()).isEqualTo(KvReplayState.RUNNING);

        // This thread stands still after it asked for errors: the archive told, and closed.
        final AtomicBoolean isClosed = new AtomicBoolean();
        when(session.pollError()).thenAnswer(ignore -> isClosed.getAndSet(true) ? "CRC checksum mismatch" : null);
        when(image.isClosed()).thenAnswer(ignore -> isClosed.get());
        pollUntilEnded();
        assertThat(feed.error()).isEqualTo(KvArchiveError.CHECKSUM_MISMATCH);
        assertThat(feed.errorText()).contains("CRC checksum mismatch");
    }

    private void pollUntilErrorWasSeen()
    {
        feed.controlledPoll(RECEIVER, 10);
        for (int i = 0; i < 100; i++)
        {
            feed.controlledPoll(RECEIVER, 10);
            LockSupport.parkNanos(1_000_000);
        }
        verify(session, atLeastOnce()).pollError();
    }

    private void pollUntilEnded()
    {
        while (KvReplayState.RUNNING == feed.state())
        {
            feed.controlledPoll(RECEIVER, 10);
            LockSupport.parkNanos(1_000_000);
        }
    }
}
