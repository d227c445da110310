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

import java.util.concurrent.CompletableFuture;

import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import org.agrona.concurrent.CachedNanoClock;
import org.agrona.concurrent.NanoClock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

class SharedThreadClockTest
{
    private static final long LONG_AGO_NS = 7;

    private final MediaDriver.Context context = new MediaDriver.Context().threadingMode(ThreadingMode.INVOKER);

    @ParameterizedTest
    @CsvSource({ "INVOKER, 2", "SHARED, 2", "SHARED_NETWORK, 1" })
    void whatTheSenderHasReadIsTheTimeOfThoseOnItsThread(final ThreadingMode mode, final int others)
    {
        SharedThreadClock.install(context.threadingMode(mode));
        final NanoClock clock = context.nanoClock();

        context.senderCachedNanoClock().update(LONG_AGO_NS);
        for (int i = 0; i < others; i++)
        {
            assertThat(clock.nanoTime()).isEqualTo(LONG_AGO_NS);
        }

        final long beforeNs = System.nanoTime();
        assertThat(clock.nanoTime() - beforeNs).as("of the next duty cycle").isNotNegative();
        assertThat(context.senderCachedNanoClock().nanoTime()).isEqualTo(LONG_AGO_NS);
    }

    @Test
    void theClockOfASenderThatGotAThreadOfItsOwnAfterAllDoesNotStandStill()
    {
        SharedThreadClock.install(context);
        context.threadingMode(ThreadingMode.DEDICATED);
        context.senderCachedNanoClock().update(LONG_AGO_NS);
        context.senderCachedNanoClock().update(context.nanoClock().nanoTime());

        final long beforeNs = System.nanoTime();
        assertThat(context.nanoClock().nanoTime() - beforeNs).isNotNegative();
    }

    @Test
    void anotherThreadReadsTheTime()
    {
        SharedThreadClock.install(context);
        context.senderCachedNanoClock().update(LONG_AGO_NS);

        final long beforeNs = System.nanoTime();
        assertThat(CompletableFuture.supplyAsync(context.nanoClock()::nanoTime).join() - beforeNs).isNotNegative();
        assertThat(context.nanoClock().nanoTime()).isEqualTo(LONG_AGO_NS);
    }

    @Test
    void agentsWithThreadsOfTheirOwnHaveAeronsClock()
    {
        SharedThreadClock.install(context.threadingMode(ThreadingMode.DEDICATED));

        assertThat(context.nanoClock()).isNull();
        assertThat(context.senderCachedNanoClock()).isNull();
    }

    @Test
    void leavesClocksOfTheContextAlone()
    {
        final NanoClock clock = () -> LONG_AGO_NS;
        SharedThreadClock.install(context.nanoClock(clock));
        assertThat(context.nanoClock()).isSameAs(clock);

        final CachedNanoClock cached = new CachedNanoClock();
        SharedThreadClock.install(context.nanoClock(null).senderCachedNanoClock(cached));
        assertThat(context.nanoClock()).isNull();
        assertThat(context.senderCachedNanoClock()).isSameAs(cached);
    }
}
