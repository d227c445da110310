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
import java.util.List;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class ResumedLookTest
{
    private static final int SEGMENT = 1 << 20;
    private static final int TERM = 1 << 16;
    private static final long START = SEGMENT / 2;
    private static final long END = 3L * SEGMENT + 4096;
    private static final KvRecordingInfo INFO = new KvRecordingInfo(
        7, "aeron:ipc", 1, 1, "source", START, END, END, 0, 0, SEGMENT, TERM, 0, 1408);

    private final List<String> looks = new ArrayList<>();
    private long lateFrom = Long.MAX_VALUE;
    private long badAt = Long.MAX_VALUE;
    private final ResumedLook look = new ResumedLook((recordingId, from, to, timeoutNs) ->
    {
        looks.add(recordingId + " " + from + " " + to);
        if (from >= lateFrom)
        {
            throw new KvArchiveException(KvArchiveError.DEADLINE, "late");
        }
        return Math.min(badAt, to);
    });

    @Test
    void goesOnBehindTheLastSegmentThatItSawTheEndOf()
    {
        lateFrom = 2L * SEGMENT;
        assertThatThrownBy(() -> look.firstBad(INFO, START, 1))
            .extracting(ex -> ((KvArchiveException)ex).error()).isEqualTo(KvArchiveError.DEADLINE);
        final String unfinished = looks.remove(looks.size() - 1);
        assertThat(looks).isNotEmpty().first().asString().startsWith("7 " + START + " ");

        looks.clear();
        lateFrom = Long.MAX_VALUE;
        assertThat(look.firstBad(INFO, START, 1)).isEqualTo(END);
        assertThat(looks).first().isEqualTo(unfinished);
        assertThat(looks).last().asString().endsWith(" " + END);

        looks.clear();
        assertThat(look.firstBad(INFO, START, 1)).isEqualTo(END);
        assertThat(looks).as("all of it was seen").isEmpty();
    }

    @Test
    void beginsWhereTheCopyEndsOnceItIsForgottenOrTheCopyIsFurther()
    {
        assertThat(look.firstBad(INFO, START, 1)).isEqualTo(END);
        look.forget(INFO.recordingId());
        looks.clear();
        badAt = END - 64;
        assertThat(look.firstBad(INFO, END - 1024, 1)).isEqualTo(badAt);
        assertThat(looks).containsExactly("7 " + (END - 1024) + " " + END);
    }
}
