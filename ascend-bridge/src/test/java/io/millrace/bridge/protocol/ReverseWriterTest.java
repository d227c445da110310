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
package io.millrace.bridge.protocol;

import java.util.concurrent.TimeUnit;

import io.aeron.Aeron;
import io.aeron.CommonContext;
import io.aeron.ExclusivePublication;
import io.aeron.Subscription;
import io.aeron.driver.MediaDriver;
import io.aeron.driver.ThreadingMode;
import io.aeron.logbuffer.FragmentHandler;
import io.millrace.bridge.KvCounters;
import io.millrace.bridge.KvError;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What the receiver says while the sender does not read.
 */
@Timeout(150)
class ReverseWriterTest
{
    private static final String CHANNEL = "aeron:ipc?term-length=64k";
    private static final String TEXT = "x".repeat(400);

    @Test
    void keepsWhatCopiesAndTimersMaySayAndCountsWhatIsMore()
    {
        try (MediaDriver driver = MediaDriver.launchEmbedded(new MediaDriver.Context()
            .aeronDirectoryName(CommonContext.generateRandomDirName()).threadingMode(ThreadingMode.SHARED)
            .dirDeleteOnStart(true).dirDeleteOnShutdown(true));
            Aeron aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(driver.aeronDirectoryName()));
            Subscription subscription = aeron.addSubscription(CHANNEL, 1);
            ExclusivePublication publication = aeron.addExclusivePublication(CHANNEL, 1))
        {
            final long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
            while (!publication.isConnected() && System.nanoTime() - deadlineNs < 0)
            {
                Thread.yield();
            }
            final int burst = 300;
            final KvCounters counters = KvCounters.inMemory();
            final ReverseWriter writer = new ReverseWriter(publication, burst, counters);
            reject(writer, burst);
            assertThat(counters.get(KvCounters.Kind.ANSWERS_DROPPED)).isZero();
            assertThat(writer.hasRoom()).isFalse();
            assertThat(read(writer, subscription, deadlineNs)).isEqualTo(burst);

            reject(writer, 10 * burst);
            final long dropped = counters.get(KvCounters.Kind.ANSWERS_DROPPED);
            assertThat(dropped).isPositive();
            assertThat(read(writer, subscription, deadlineNs)).isEqualTo(10 * burst - dropped);
        }
    }

    private static void reject(final ReverseWriter writer, final int count)
    {
        for (int i = 0; i < count; i++)
        {
            writer.reject(i, KvError.SHUTDOWN, 0, 0, TEXT);
        }
    }

    private static int read(final ReverseWriter writer, final Subscription subscription, final long deadlineNs)
    {
        final int[] count = new int[1];
        final FragmentHandler handler = (buffer, offset, length, header) -> count[0]++;
        boolean isMore = true;
        while (isMore && System.nanoTime() - deadlineNs < 0)
        {
            writer.drain();
            isMore = subscription.poll(handler, 100) > 0 || !writer.isDrained();
        }
        return count[0];
    }
}
