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

import java.util.Arrays;
import java.util.Iterator;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.Mockito.mock;
import static org.mockito.Mockito.times;
import static org.mockito.Mockito.verify;
import static org.mockito.Mockito.when;

class ReplayErrorsTest
{
    private final ArchiveSession session = mock(ArchiveSession.class);
    private final ReplayErrors errors = new ReplayErrors();

    @Test
    void givesEachReplayItsOwn()
    {
        poll("CRC checksum mismatch, replaySessionId=" + (7L << 32 | 5) + ", segmentFile=0-0.rec",
            "ERROR - response for correlationId=9, error: unexpected end of recording, replaySessionId=" +
            (8L << 32 | -6 & 0xFFFF_FFFFL));
        poll();
        assertThat(errors.of(5)).startsWith("CRC checksum mismatch");
        assertThat(errors.of(-6)).startsWith("unexpected end of recording");
        assertThat(errors.of(8)).isNull();
    }

    @Test
    void givesAllWhatNamesNoneAsLongAsItIsNew()
    {
        poll("not connected", "CRC checksum mismatch, replaySessionId=6");
        assertThat(errors.of(5)).isEqualTo("not connected");
        poll();
        assertThat(errors.of(5)).isNull();
    }

    @Test
    void asksASessionThatSaysTheSameForEverOnlySoOften()
    {
        when(session.pollError()).thenReturn("not connected");
        errors.poll(session);
        assertThat(errors.of(5)).isEqualTo("not connected");
        verify(session, times(UnclaimedErrors.MAX)).pollError();
    }

    private void poll(final String... texts)
    {
        final Iterator<String> told = Arrays.asList(texts).iterator();
        when(session.pollError()).thenAnswer(ignore -> told.hasNext() ? told.next() : null);
        errors.poll(session);
    }
}
