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
package io.millrace.samples.disaggregated;

import io.millrace.samples.disaggregated.RunResult.Served;
import org.junit.jupiter.api.Test;

import java.util.concurrent.TimeUnit;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Where a request's time went.
 */
class TicketTest
{
    private final Ticket ticket = new Ticket(new Prompt(7, 0, 4 * 512, 10, new long[]{ 1, 2, 3, 4 }), ns(100));

    private static long ns(final long millis)
    {
        return TimeUnit.MILLISECONDS.toNanos(millis);
    }

    private void assertSplit(final double queueMs, final double prefillMs, final double transferMs)
    {
        final Served served = ticket.served(ns(40));
        assertThat(new double[]{ served.queueMs(), served.prefillMs(), served.transferMs() })
            .containsExactly(queueMs, prefillMs, transferMs);
        assertThat(served.totalMs()).isEqualTo(queueMs + prefillMs + transferMs);
        assertThat(served.seconds()).isEqualTo(0.06);
    }

    private void assertServed(final int memory, final int archive, final int computed)
    {
        assertThat(ticket.served(0)).extracting(Served::memory, Served::archive, Served::computed)
            .containsExactly(memory, archive, computed);
    }

    @Test
    void whatIsInMemoryHasWaitedOnly()
    {
        ticket.admitted(4, ns(130));
        ticket.answered(ns(130), 0);
        assertSplit(30, 0, 0);
        assertServed(4, 0, 0);
    }

    @Test
    void waitsUntilPrefillBegins()
    {
        ticket.admitted(1, ns(110));
        ticket.computed(ns(150), ns(250));
        ticket.answered(ns(257), 2);
        assertSplit(50, 100, 7);
        assertThat(ticket.wrongBlocks()).isEqualTo(2);
        assertServed(1, 0, 3);
    }

    @Test
    void waitsUntilTheArchiveBegins()
    {
        ticket.admitted(0, ns(110));
        ticket.stored(4);
        ticket.read(ns(190));
        ticket.answered(ns(200), 0);
        assertSplit(90, 0, 10);
        assertServed(0, 4, 0);
    }

    @Test
    void anArchiveThatPrefillHidesCostsNothing()
    {
        ticket.admitted(0, ns(110));
        ticket.stored(2);
        ticket.read(ns(160));
        ticket.computed(ns(150), ns(250));
        ticket.answered(ns(250), 0);
        assertSplit(50, 100, 0);
    }

    @Test
    void anArchiveThatBeginsAfterPrefillIsWaitedForAgain()
    {
        ticket.admitted(0, ns(110));
        ticket.stored(2);
        ticket.computed(ns(150), ns(250));
        ticket.read(ns(280));
        ticket.answered(ns(290), 0);
        assertSplit(50 + 30, 100, 10);
    }

    @Test
    void isComputedFromTheFirstBeginToTheLastEnd()
    {
        ticket.admitted(0, ns(110));
        ticket.computed(ns(150), ns(160));
        ticket.computed(ns(120), ns(140));
        ticket.answered(ns(165), 0);
        assertSplit(20, 40, 5);
    }

    @Test
    void partsThatAreToldOfLateEndWithTheFirstToken()
    {
        ticket.admitted(0, ns(110));
        ticket.read(ns(310));
        ticket.computed(ns(150), ns(320));
        ticket.answered(ns(300), 0);
        assertSplit(50, 150, 0);
    }

    @Test
    void isCompleteWhenAnsweredAndItsSendersAreDone()
    {
        ticket.opened();
        ticket.opened();
        ticket.closed();
        ticket.answered(ns(200), 0);
        assertThat(ticket.isComplete()).isFalse();
        ticket.closed();
        assertThat(ticket.isComplete()).isTrue();
    }

    @Test
    void mayBeLostTwice()
    {
        assertThat(ticket.lost()).isTrue();
        assertThat(ticket.lost()).isTrue();
        assertThat(ticket.lost()).isFalse();
        assertThat(ticket.lostCount()).isEqualTo(3);
    }
}
