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
package io.millrace.efa.link;

import org.junit.jupiter.api.Test;

import java.util.concurrent.TimeUnit;

import static org.assertj.core.api.Assertions.assertThat;

class FailedPathsTest
{
    private static final byte[] ADDRESS = { 1, 2, 3 };
    private static final long INCARNATION = 7;

    private final FailedPaths failedPaths = new FailedPaths();
    private long nowNs = TimeUnit.DAYS.toNanos(1);

    @Test
    void shouldHoldAPathLongerEachTimeItFails()
    {
        for (int i = 0; i < 10; i++)
        {
            fail();
            fail();
            final long heldNs = TimeUnit.SECONDS.toNanos(1L << Math.min(i, 6));
            assertThat(isReleasedAfter(heldNs - 1)).isFalse();
            assertThat(isHeld()).isTrue();
            assertThat(isReleasedAfter(1)).isTrue();
            assertThat(isHeld()).isFalse();
        }
    }

    @Test
    void shouldHoldOnlyThatPath()
    {
        fail();
        assertThat(failedPaths.isHeld(1, INCARNATION, ADDRESS)).isFalse();
        assertThat(failedPaths.isHeld(0, INCARNATION + 1, ADDRESS)).isFalse();
        assertThat(failedPaths.isHeld(0, INCARNATION, new byte[] { 1, 2, 4 })).isFalse();
        assertThat(isHeld()).isTrue();
    }

    @Test
    void shouldForgetWhatHasWorkedForLong()
    {
        fail();
        assertThat(isReleasedAfter(TimeUnit.SECONDS.toNanos(1))).isTrue();
        fail();
        assertThat(isReleasedAfter(TimeUnit.SECONDS.toNanos(1))).isFalse();
        assertThat(isReleasedAfter(TimeUnit.SECONDS.toNanos(1))).isTrue();
        assertThat(isReleasedAfter(TimeUnit.SECONDS.toNanos(61))).isFalse();

        fail();
        assertThat(isReleasedAfter(TimeUnit.SECONDS.toNanos(1))).isTrue();
    }

    private void fail()
    {
        failedPaths.onFailed(0, INCARNATION, ADDRESS, nowNs);
    }

    private boolean isHeld()
    {
        return failedPaths.isHeld(0, INCARNATION, ADDRESS);
    }

    private boolean isReleasedAfter(final long ns)
    {
        nowNs += ns;
        return failedPaths.release(nowNs);
    }
}
