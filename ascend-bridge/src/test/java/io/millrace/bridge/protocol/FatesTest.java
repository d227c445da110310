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

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import io.millrace.bridge.KvError;
import io.millrace.bridge.KvException;
import io.millrace.bridge.KvFailurePolicy;
import io.millrace.bridge.KvFate;
import io.millrace.bridge.KvInboundTransfer;
import io.millrace.bridge.KvTransferState;
import org.agrona.collections.Long2ObjectHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

@Timeout(150)
class FatesTest
{
    private static final int THREADS = 4;
    // Four of these fit into what may be waited for: the bound is not what is tested here.
    private static final int EXPECTED = 16_000;

    @Test
    void everyRequestHasAFateWhenManyThreadsMeetTheClose() throws InterruptedException
    {
        final Fates fates = new Fates();
        final List<List<CompletableFuture<KvFate>>> futures = new ArrayList<>();
        final List<Thread> threads = new ArrayList<>();
        final CountDownLatch inFlight = new CountDownLatch(EXPECTED / 8);
        for (int i = 0; i < THREADS; i++)
        {
            final List<CompletableFuture<KvFate>> own = new ArrayList<>();
            futures.add(own);
            final Thread thread = new Thread(() ->
            {
                for (int id = 0; id < EXPECTED; id++)
                {
                    own.add(fates.expect(id, TimeUnit.MINUTES.toNanos(1), System.nanoTime()));
                    inFlight.countDown();
                }
            });
            thread.setDaemon(true);
            threads.add(thread);
        }
        threads.forEach(Thread::start);
        inFlight.await();
        fates.close();
        for (final Thread thread : threads)
        {
            thread.join(TimeUnit.SECONDS.toMillis(40));
            assertThat(thread.isAlive()).isFalse();
        }
        for (final List<CompletableFuture<KvFate>> own : futures)
        {
            assertThat(own).hasSize(EXPECTED);
            assertThat(own.stream().filter(future -> !future.isDone()).count()).isZero();
        }
    }

    @Test
    void neitherThoseThatNobodyAskedForNorThoseThatAreWaitedForGrowWithoutBound()
    {
        final int ended = 5000;
        final int remembered = 1024;
        final int waitedFor = 1 << 16;
        final Fates fates = new Fates();
        final Long2ObjectHashMap<KvInboundTransfer> active = new Long2ObjectHashMap<>();
        for (int id = 0; id < ended; id++)
        {
            fates.onEnd(new KvFate(id, KvTransferState.COMPLETED, KvError.NONE, "", KvFailurePolicy.FAIL, null));
        }
        for (int id = 0; id < ended; id++)
        {
            final CompletableFuture<KvFate> future = fates.expect(id, Long.MAX_VALUE / 4, 0);
            fates.poll(0, active);
            assertThat(future.isDone()).as("request %d", id).isEqualTo(id >= ended - remembered);
        }

        for (int id = ended - remembered; id < waitedFor; id++)
        {
            fates.expect(ended + id, Long.MAX_VALUE / 4, 0);
        }
        assertThatThrownBy(() -> fates.expect(0, 1, 0)).isInstanceOf(KvException.class)
            .hasMessageContaining("65536 requests are waited for");
        fates.close();
    }
}
