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

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class ReplayErrorsTest
{
    private final ReplayErrors errors = new ReplayErrors();

    @Test
    void givesEachReplayItsOwn()
    {
        errors.add("CRC checksum mismatch, replaySessionId=" + (7L << 32 | 5) + ", segmentFile=0-0.rec");
        errors.add("ERROR - response for correlationId=9, error: unexpected end of recording, replaySessionId=" +
            (8L << 32 | -6 & 0xFFFF_FFFFL));
        errors.add(null);
        assertThat(errors.of(5)).startsWith("CRC checksum mismatch");
        assertThat(errors.of(-6)).startsWith("unexpected end of recording");
        assertThat(errors.of(8)).isNull();
    }

    @Test
    void givesAllWhatNamesNoneAsLongAsItIsNew()
    {
        errors.add("not connected");
        assertThat(errors.of(5)).isEqualTo("not connected");
        errors.add(null);
        assertThat(errors.of(5)).isNull();
    }
}
