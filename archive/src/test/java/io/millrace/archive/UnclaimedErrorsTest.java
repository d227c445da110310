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

import java.util.List;
import java.util.stream.IntStream;

import io.aeron.archive.client.ArchiveException;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class UnclaimedErrorsTest
{
    private final UnclaimedErrors errors = new UnclaimedErrors();

    @Test
    void keepsAndLogsAnErrorWithoutAMessageAndOneThatIsNotOfTheArchive()
    {
        final List<String> log = DamagedRangesTest.linesOf(() ->
        {
            errors.add(new NullPointerException());
            errors.add(new IllegalStateException("wrong"));
        });
        assertThat(errors.poll()).isEqualTo("java.lang.NullPointerException");
        assertThat(errors.poll()).isEqualTo("java.lang.IllegalStateException: wrong");
        assertThat(errors.poll()).isNull();
        assertThat(log).anyMatch(line -> line.contains("java.lang.IllegalStateException: wrong"))
            .anyMatch(line -> line.contains("at io.millrace.archive.UnclaimedErrorsTest"));
    }

    @Test
    void logsWhatIsOfNoReplayAndWhatItCannotKeep()
    {
        final List<String> log = DamagedRangesTest.linesOf(() ->
        {
            IntStream.rangeClosed(0, UnclaimedErrors.MAX)
                .forEach(i -> errors.add(new ArchiveException("broken, replaySessionId=" + i)));
        });
        assertThat(log).singleElement().asString().contains("replaySessionId=" + UnclaimedErrors.MAX);
        errors.poll();
        assertThat(DamagedRangesTest.linesOf(() -> errors.add(new ArchiveException("copy broke"))))
            .singleElement().asString().contains("copy broke");
    }
}
