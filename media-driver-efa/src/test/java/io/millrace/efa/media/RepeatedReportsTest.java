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
package io.millrace.efa.media;

import org.junit.jupiter.api.Test;

import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;

import static org.assertj.core.api.Assertions.assertThat;

class RepeatedReportsTest
{
    private static final long START_NS = System.nanoTime();

    private final RepeatedReports reports = new RepeatedReports();

    @Test
    void shouldRepeatNowAndThen()
    {
        final InetSocketAddress address = new InetSocketAddress("127.0.0.1", 1);
        assertThat(reports.isKnown(address)).isFalse();
        assertThat(reports.isDue(address, START_NS)).isTrue();
        reports.onReported(address, START_NS);
        assertThat(reports.isKnown(address)).isTrue();
        assertThat(reports.isDue(address, START_NS + TimeUnit.SECONDS.toNanos(9))).isFalse();
        assertThat(reports.isDue(address, START_NS + TimeUnit.SECONDS.toNanos(11))).isTrue();
        reports.forget(address);
        assertThat(reports.isDue(address, START_NS + 1)).isTrue();
    }

    @Test
    void shouldHaveRoomForSoManyAndForOthersWhenTheyAreGone()
    {
        for (int i = 1; i <= RepeatedReports.MAX_ADDRESSES; i++)
        {
            final InetSocketAddress address = new InetSocketAddress("127.0.0.1", i);
            assertThat(reports.isDue(address, START_NS)).isTrue();
            reports.onReported(address, START_NS);
        }

        final InetSocketAddress next = new InetSocketAddress("127.0.0.2", 1);
        assertThat(reports.isDue(next, START_NS)).isFalse();
        assertThat(reports.isDue(next, START_NS + TimeUnit.SECONDS.toNanos(19))).isFalse();
        assertThat(reports.isDue(next, START_NS + TimeUnit.SECONDS.toNanos(21))).isTrue();
    }
}
