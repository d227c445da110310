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
package io.millrace.samples.marketdata;

import io.millrace.samples.marketdata.MarketResult.HopResult;
import io.millrace.samples.marketdata.MarketResult.LateJoined;
import io.millrace.samples.marketdata.MarketResult.OrderStream;
import io.millrace.samples.marketdata.MarketResult.Replayed;
import org.junit.jupiter.api.Test;

import java.util.List;

import static org.assertj.core.api.Assertions.assertThat;

class MarketTableTest
{
    @Test
    void showsEachTransportWithItsHopsLateJoinsAndReplays()
    {
        final MarketResult millrace = result("Millrace, shm", 3, 1, 0, true);
        final MarketResult stock = result("Aeron's driver, UDP", 0, 0, 0, true);
        assertThat(MarketTable.of(List.of(millrace, stock)))
            .contains("HOP         MESSAGES", "normaliser       500", "500 messages in 1.5 s, 7 and 8 orders",
            "conflated for the strategies: [0, 4]", "4 frames, 75.0 % of them on the fabric",
            "late join strategy-0: 300 messages from the archive, 200 live, 0 gaps, orders identical",
            "replay full     0.5 s  orders identical", "\n\nAeron's driver, UDP\n")
            .doesNotContain("0 frames", "DIFFER");
        assertThat(millrace.isSound()).isTrue();
    }

    @Test
    void tellsOfAJoinThatMissedOrGaveSomethingElse()
    {
        final MarketResult missed = result("Millrace, shm", 1, 0, 1, true);
        final MarketResult other = result("Millrace, shm", 1, 0, 0, false);
        assertThat(missed.isSound()).isFalse();
        assertThat(other.isSound()).isFalse();
        assertThat(MarketTable.of(List.of(missed))).contains("1 gaps");
        assertThat(MarketTable.of(List.of(other))).contains("ORDERS DIFFER");
    }

    private static MarketResult result(
        final String transport, final long fabric, final long udp, final long gaps, final boolean isIdentical)
    {
        return new MarketResult(transport, 500, 1.5, List.of(new HopResult("normaliser", 500, 0, 1, 2, 3, 4)),
            List.of(0L, 4L), List.of(new OrderStream(7, "a"), new OrderStream(8, "b")), fabric, udp,
            List.of(new LateJoined("strategy-0", 300, 200, gaps, isIdentical)),
            List.of(new Replayed("full", 0.5, true)));
    }
}
