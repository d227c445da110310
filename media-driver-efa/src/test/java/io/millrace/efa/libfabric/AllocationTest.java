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
package io.millrace.efa.libfabric;

import com.sun.management.ThreadMXBean;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.lang.management.ManagementFactory;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The data path makes no garbage, and what it costs is printed.
 */
class AllocationTest
{
    private static final int LENGTH = 64;
    private static final int BATCH = 16;
    private static final int WINDOWS = 4;

    private final CompletionBatch batch = new CompletionBatch(BATCH);

    @ParameterizedTest
    @EnumSource(names = { "SHM", "TCP" })
    void shouldNotAllocateOnTheDataPath(final FabricProvider provider)
    {
        final int rounds = FabricProvider.SHM == provider ? 100_000 : 10_000;
        final ThreadMXBean threads = (ThreadMXBean)ManagementFactory.getThreadMXBean();
        final FabricNic nic = Peer.nic(provider);
        try (Peer a = new Peer(nic); Peer b = new Peer(nic))
        {
            final long toB = a.endpoint.insertAddress(b.endpoint.localAddress());
            assertThat(carry(a, b, toB, rounds)).isEqualTo(rounds);
            threads.getCurrentThreadAllocatedBytes();

            // The compiler may still replace code in the first window; garbage of a call would be in each of them.
            long allocated = -1;
            for (int i = 0; i < WINDOWS && 0 != allocated; i++)
            {
                final long before = threads.getCurrentThreadAllocatedBytes();
                final long startNs = System.nanoTime();
                final long done = carry(a, b, toB, rounds);
                final long elapsedNs = System.nanoTime() - startNs;
                allocated = threads.getCurrentThreadAllocatedBytes() - before;

                assertThat(done).isEqualTo(rounds);
                System.out.println(nic.wireName() + ": " + elapsedNs / rounds + " ns for send, receive and both " +
                    "completions on one thread, " + allocated + " bytes allocated");
            }
            assertThat(allocated).isZero();
        }
        finally
        {
            batch.close();
        }
    }

    /** Post a receive, send, poll both until both have completed; of four rounds one writes, one sends unanswered. */
    private long carry(final Peer a, final Peer b, final long toB, final int rounds)
    {
        final long deadlineNs = System.nanoTime() + 30_000_000_000L;
        final long descriptorA = a.region.descriptor();
        final long descriptorB = b.region.descriptor();
        final long key = b.region.key();
        final long remote = b.remoteReceiveAddress();
        long done = 0;
        for (int i = 0; i < rounds; i++)
        {
            final boolean isWrite = 0 == (i & 3);
            if (!isWrite)
            {
                retry(b.endpoint.receive(b.receiveAddress(), LENGTH, descriptorB, b.contexts.address(i & 15)));
            }
            long result;
            do
            {
                result = isWrite ?
                    a.endpoint.writeData(
                        a.sendAddress(), LENGTH, descriptorA, i, toB, remote, key, a.contexts.address(i & 15)) :
                    1 == (i & 3) ?
                    a.endpoint.sendUnanswered(
                        a.sendAddress(), LENGTH, descriptorA, i, toB, a.contexts.address(i & 15)) :
                    a.endpoint.send(a.sendAddress(), LENGTH, descriptorA, i, toB, a.contexts.address(i & 15));
                if (0 != result)
                {
                    retry(result);
                    retry(a.endpoint.poll(batch));
                    retry(b.endpoint.poll(batch));
                }
            }
            while (0 != result && System.nanoTime() - deadlineNs < 0);

            int sent = 0;
            int received = 0;
            while ((0 == sent || 0 == received) && System.nanoTime() - deadlineNs < 0)
            {
                sent += a.endpoint.poll(batch);
                final int count = b.endpoint.poll(batch);
                if (count > 0 && i == batch.data(0))
                {
                    received += count;
                }
            }
            done += 1 == sent && 1 == received ? 1 : 0;
        }
        return done;
    }

    private static void retry(final long result)
    {
        if (0 != result && -FabricErrors.EAGAIN != result)
        {
            throw new AssertionError("unexpected result " + result);
        }
    }
}
