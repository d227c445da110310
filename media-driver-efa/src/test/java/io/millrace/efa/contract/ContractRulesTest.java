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
package io.millrace.efa.contract;

import io.millrace.efa.libfabric.EfaErrors;
import io.millrace.efa.libfabric.EndpointOptions;
import io.millrace.efa.libfabric.FabricErrors;
import io.millrace.efa.libfabric.FabricException;
import io.millrace.efa.libfabric.FabricProvider;
import io.millrace.efa.libfabric.MemoryRegion;
import org.agrona.UnsafeApi;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * Each rule of the contract, broken on purpose, over the real shm provider.
 */
@Timeout(150)
class ContractRulesTest
{
    private static final int LENGTH = 1000;

    private final EfaContract contract = new EfaContract(ContractMode.STRICT, "", 1);
    private Node a;
    private Node b;
    private long toB;

    @BeforeEach
    void before()
    {
        a = new Node(contract, FabricProvider.SHM);
        b = new Node(contract, FabricProvider.SHM);
        toB = a.connect(b);
    }

    @AfterEach
    void after()
    {
        a.close();
        b.close();
    }

    private long send(final long address, final int length, final long descriptor, final long immediate)
    {
        return a.endpoint.send(address, length, descriptor, immediate, toB, a.contexts.address(1));
    }

    private void assertBroken(final ContractRule rule, final ThrowingCallable operation)
    {
        final long before = contract.violations();
        assertThatThrownBy(operation).isInstanceOfSatisfying(
            ContractViolationException.class, (ex) -> assertThat(ex.rule()).isEqualTo(rule))
            .hasMessageContaining("EFA contract, " + rule);
        assertThat(contract.violations()).isEqualTo(before + 1);
    }

    /** Of what is seen while the queue is read, and thrown by what comes next. */
    private void assertBrokenLate(final ContractRule rule)
    {
        assertThat(contract.violations()).isEqualTo(1);
        assertThatThrownBy(a::progress).isInstanceOfSatisfying(
            ContractViolationException.class, (ex) -> assertThat(ex.rule()).isEqualTo(rule));
    }

    /** What a user who keeps to the rules sees. */
    @Test
    void shouldCarryMessagesAndWritesOfAUserWhoKeepsToTheRules()
    {
        assertThat(a.endpoint.maxSendLength()).isEqualTo(8192);
        assertThat(a.endpoint.injectLength()).isEqualTo(32);
        assertThat(a.endpoint.immediateLength()).isEqualTo(4);
        assertThat(a.endpoint.maxRmaLength()).isEqualTo(1 << 30);
        assertThat(a.endpoint.needsDescriptor()).isTrue();

        b.postReceive(0, LENGTH, 0);
        a.fill(LENGTH, (byte)7);
        a.send(b, toB, LENGTH, 0xFFFF_FFFF >>> 1, 1);
        Node.until(() -> 1 == a.completions.size() && 1 == b.completions.size(), a, b);
        assertThat(b.completions).containsExactly(new Node.Completion(0, LENGTH, 0x7FFF_FFFF, true, false));
        assertThat(b.received(LENGTH - 1)).isEqualTo((byte)7);

        a.fill(LENGTH, (byte)8);
        Node.accepted(() -> a.endpoint.writeData(a.sendAddress(), LENGTH, a.region.descriptor(), 0x8000_0001L, toB,
            b.remoteReceiveAddress(64), b.region.key(), a.contexts.address(2)), a, b);
        Node.until(() -> 2 == a.completions.size() && 2 == b.completions.size(), a, b);
        assertThat(b.completions.get(1)).isEqualTo(new Node.Completion(-1, LENGTH, 0x8000_0001L, false, true));
        assertThat(b.received(64 + LENGTH - 1)).isEqualTo((byte)8);

        b.postReceive(0, 32, 0);
        Node.accepted(() -> a.endpoint.inject(a.sendAddress(), 32, 5, toB), a, b);
        Node.until(() -> 3 == b.completions.size(), a, b);
        assertThat(contract.violations()).isZero();
    }

    @Test
    void shouldRefuseMessagesLongerThanAPacket()
    {
        assertBroken(ContractRule.SEND_LENGTH, () -> send(a.sendAddress(), 8193, a.region.descriptor(), 0));
        assertBroken(ContractRule.INJECT_LENGTH, () -> a.endpoint.inject(a.sendAddress(), 33, 0, toB));
        assertBroken(ContractRule.RMA_LENGTH, () -> a.endpoint.write(a.sendAddress(), (1L << 30) + 1,
            a.region.descriptor(), toB, b.remoteReceiveAddress(0), b.region.key(), a.contexts.address(1)));
    }

    @Test
    void shouldDemandDescriptors()
    {
        assertBroken(ContractRule.DESCRIPTOR_MISSING, () -> send(a.sendAddress(), 33, 0, 0));
        assertBroken(ContractRule.DESCRIPTOR_MISSING,
            () -> a.endpoint.receive(a.receiveAddress(0), 64, 0, a.contexts.address(1)));
        assertBroken(ContractRule.DESCRIPTOR_MISSING, () -> a.endpoint.write(
            a.sendAddress(), 8, 0, toB, b.remoteReceiveAddress(0), b.region.key(), a.contexts.address(1)));
        assertBroken(ContractRule.DESCRIPTOR_DEAD, () -> send(a.sendAddress(), 64, b.region.key() + 1, 0));
        assertBroken(ContractRule.DESCRIPTOR_RANGE,
            () -> send(a.sendAddress() + 2 * Node.BUFFER_LENGTH - 63, 64, a.region.descriptor(), 0));
        assertBroken(ContractRule.DESCRIPTOR_RANGE, () -> send(a.sendAddress() - 1, 64, a.region.descriptor(), 0));

        final MemoryRegion second = a.endpoint.register(a.sendAddress(), 4096, MemoryRegion.ACCESS_WRITE_SOURCE);
        assertBroken(ContractRule.REGION_ACCESS,
            () -> a.endpoint.receive(a.sendAddress(), 64, second.descriptor(), a.contexts.address(1)));
        second.close();
        assertBroken(ContractRule.DESCRIPTOR_DEAD, () -> send(a.sendAddress(), 64, second.descriptor(), 0));

        b.postReceive(0, 64, 0);
        assertThat(send(a.sendAddress(), 32, 0, 0)).as("inline").isIn(0L, -11L);
    }

    @Test
    void shouldRefuseImmediatesOfMoreThan32Bits()
    {
        assertBroken(ContractRule.IMMEDIATE_WIDTH,
            () -> send(a.sendAddress(), 64, a.region.descriptor(), 1L << 32));
        assertBroken(ContractRule.IMMEDIATE_WIDTH, () -> a.endpoint.inject(a.sendAddress(), 8, -1, toB));
        assertBroken(ContractRule.IMMEDIATE_WIDTH, () -> a.endpoint.writeData(a.sendAddress(), 8,
            a.region.descriptor(), 1L << 40, toB, b.remoteReceiveAddress(0), b.region.key(), a.contexts.address(1)));
    }

    @Test
    void shouldKeepContextsForTheirOperation()
    {
        assertBroken(ContractRule.CONTEXT_MISSING, () -> a.endpoint.receive(
            a.receiveAddress(0), 64, a.region.descriptor(), 0));
        a.postReceive(0, 64, 1);
        assertBroken(ContractRule.CONTEXT_REUSED, () -> a.endpoint.receive(
            a.receiveAddress(64), 64, a.region.descriptor(), a.contexts.address(1)));
        assertBroken(ContractRule.BUFFER_POSTED_TWICE, () -> a.endpoint.receive(
            a.receiveAddress(0), 64, a.region.descriptor(), a.contexts.address(2)));

    }

    @Test
    void shouldSeeContextsOfLessThan64Bytes()
    {
        a.postReceive(0, 64, 1);
        a.endpoint.receive(a.receiveAddress(128), 64, a.region.descriptor(), a.contexts.address(1) + 32);
        final long toA = b.endpoint.insertAddress(a.endpoint.localAddress());
        b.send(a, toA, 8, 0, 1);
        Node.until(() -> !a.completions.isEmpty(), b, a);
        assertBrokenLate(ContractRule.CONTEXT_WRITTEN);
    }

    @Test
    void shouldWriteToContexts()
    {
        UnsafeApi.putLong(a.contexts.address(1) + 56, 4711);
        a.postReceive(0, 64, 1);
        assertThat(UnsafeApi.getLong(a.contexts.address(1) + 56)).isNotEqualTo(4711);
    }

    @Test
    void shouldSeeBuffersThatAreUsedAgainTooSoon()
    {
        b.postReceive(0, LENGTH, 0);
        a.fill(LENGTH, (byte)1);
        a.send(b, toB, LENGTH, 0, 1);
        a.fill(1, (byte)2);
        Node.until(() -> !a.completions.isEmpty(), b, a);
        assertBrokenLate(ContractRule.BUFFER_CHANGED);
    }

    @Test
    void shouldRefuseAddressesThatAreNotInserted()
    {
        assertBroken(ContractRule.ADDRESS_UNKNOWN, () -> a.endpoint.inject(a.sendAddress(), 8, 0, toB + 1));
        assertBroken(ContractRule.ADDRESS_UNKNOWN, () -> a.endpoint.removeAddress(4711));

        final long again = a.endpoint.insertAddress(b.endpoint.localAddress());
        assertThat(again).isEqualTo(toB);
        a.endpoint.removeAddress(toB);
        assertThat(a.endpoint.inject(a.sendAddress(), 8, 0, toB)).as("inserted once more").isIn(0L, -11L);
        a.endpoint.removeAddress(toB);
        assertBroken(ContractRule.ADDRESS_UNKNOWN, () -> send(a.sendAddress(), 64, a.region.descriptor(), 0));

        final long later = a.endpoint.insertAddress(b.endpoint.localAddress());
        assertThat(later).as("never the number of another").isNotEqualTo(toB);
        assertBroken(ContractRule.ADDRESS_UNKNOWN, () -> send(a.sendAddress(), 64, a.region.descriptor(), 0));
    }

    @Test
    void shouldRefuseToGoOnAfterRemovalWithOperationsInFlight()
    {
        b.postReceive(0, 64, 0);
        a.send(b, toB, 64, 0, 1);
        Node.until(() -> !a.completions.isEmpty(), a, b);
        a.send(b, toB, LENGTH, 0, 2);
        a.endpoint.removeAddress(toB);
        assertBroken(ContractRule.ADDRESS_REMOVED_IN_FLIGHT, a::progress);
    }

    @Test
    void shouldAnswerAsTheTargetOfAWrite()
    {
        try (Node stranger = new Node(contract, FabricProvider.SHM))
        {
            final long toStranger = a.endpoint.insertAddress(stranger.endpoint.localAddress());
            assertBroken(ContractRule.INITIATOR_UNKNOWN, () -> a.endpoint.write(a.sendAddress(), 8,
                a.region.descriptor(), toStranger, stranger.remoteReceiveAddress(0), stranger.region.key(),
                a.contexts.address(1)));

            // once known, it may be forgotten again, as a peer's end is nobody's fault
            final long back = stranger.endpoint.insertAddress(a.endpoint.localAddress());
            stranger.endpoint.removeAddress(back);
            assertThat(a.endpoint.write(a.sendAddress(), 8, a.region.descriptor(), toStranger,
                stranger.remoteReceiveAddress(0), stranger.region.key(), a.contexts.address(1))).isZero();
            Node.until(() -> !a.errors.isEmpty(), a);
            assertThat(a.errors).containsExactly(EfaErrors.REMOTE_UNKNOWN_PEER.number());
            a.endpoint.removeAddress(toStranger);
        }

        a.errors.clear();
        final long end = b.region.remoteBase() + b.region.length();
        for (final long[] bad : new long[][]{
            { b.remoteReceiveAddress(0), b.region.key() + 1 }, { end - 7, b.region.key() },
            { b.region.remoteBase() - 1, b.region.key() } })
        {
            assertThat(a.endpoint.writeData(a.sendAddress(), 8, a.region.descriptor(), 1, toB, bad[0], bad[1],
                a.contexts.address(1))).isZero();
            Node.until(() -> !a.errors.isEmpty(), a, b);
            assertThat(a.errors).containsExactly(EfaErrors.REMOTE_BAD_ADDRESS.number());
            a.errors.clear();
        }
        assertThat(b.completions).isEmpty();
    }

    @Test
    void shouldRefuseToCloseRegionsWithOperationsInFlight()
    {
        final MemoryRegion second = a.endpoint.register(a.sendAddress(), 4096, MemoryRegion.ACCESS_MESSAGE);
        Node.accepted(() -> a.endpoint.receive(
            a.sendAddress(), 64, second.descriptor(), a.contexts.address(1)), a, b);
        assertBroken(ContractRule.REGION_CLOSED_IN_FLIGHT, second::close);
        assertThatThrownBy(
            () -> a.endpoint.register(a.sendAddress(), (4L << 30) + 1, MemoryRegion.ACCESS_WRITE_TARGET))
            .isInstanceOfSatisfying(
                FabricException.class, (ex) -> assertThat(ex.errno()).isEqualTo(FabricErrors.ENOMEM))
            .hasMessageContaining("split it");
    }

    @Test
    void shouldKeepToQueueDepths()
    {
        try (Node small = new Node(contract, FabricProvider.SHM, new EndpointOptions(4, 8, 64));
            Node narrow = new Node(contract, FabricProvider.SHM, new EndpointOptions(8, 8, 2)))
        {
            small.postReceive(0, 8, 0);
            for (int i = 1; i < small.endpoint.rxDepth(); i++)
            {
                small.postReceive(i * 8, 8, i);
            }
            assertThat(small.endpoint.receive(small.receiveAddress(512), 8, small.region.descriptor(),
                small.contexts.address(100))).as("receives").isEqualTo(-FabricErrors.EAGAIN);

            final int depth = small.endpoint.txDepth();
            final long toSelf = small.connect(b);
            Node.accepted(() -> small.endpoint.inject(small.sendAddress(), 8, 0, toSelf), small, b);
            small.progress();
            for (int i = 0; i < depth; i++)
            {
                assertThat(small.endpoint.inject(small.sendAddress(), 8, 0, toSelf)).isZero();
            }
            assertThat(small.endpoint.inject(small.sendAddress(), 8, 0, toSelf)).as("sends")
                .isEqualTo(-FabricErrors.EAGAIN);
            small.progress();
            assertThat(small.endpoint.inject(small.sendAddress(), 8, 0, toSelf)).as("after a read").isZero();

            narrow.postReceive(0, 8, 0);
            narrow.postReceive(8, 8, 1);
            assertBroken(ContractRule.QUEUE_DEPTH, () -> narrow.endpoint.receive(narrow.receiveAddress(16), 8,
                narrow.region.descriptor(), narrow.contexts.address(2)));
        }
    }

    @ParameterizedTest
    @EnumSource(names = { "SHM", "TCP" })
    void shouldLoseWritesWithImmediateThatOverrunTheQueue(final FabricProvider provider)
    {
        final EfaContract lenient = new EfaContract(ContractMode.LENIENT, "", 1);
        try (Node from = new Node(lenient, provider);
            Node to = new Node(lenient, provider, new EndpointOptions(0, 0, 8)))
        {
            final long fiAddr = from.connect(to);
            final int writes = 64;
            for (int i = 0; i < writes; i++)
            {
                final int slot = i;
                if (1 == i)
                {
                    // they have found each other; from now on the target reads nothing
                    Node.until(() -> 1 == to.completions.size(), from, to);
                }
                Node.accepted(() -> from.endpoint.writeData(from.sendAddress(), 8, from.region.descriptor(), slot,
                    fiAddr, to.remoteReceiveAddress(8 * slot), to.region.key(), from.contexts.address(slot)),
                    0 == i ? new Node[]{ from, to } : new Node[]{ from });
            }
            Node.until(() -> writes == from.completions.size() && lenient.violations() > 0, from, to);
            assertThat(to.completions).hasSizeLessThan(writes);
        }
    }

    @Test
    void shouldRefuseASecondThread() throws InterruptedException
    {
        final List<Throwable> failures = new ArrayList<>();
        final AtomicReference<Throwable> seen = new AtomicReference<>();
        final CountDownLatch done = new CountDownLatch(1);
        final Thread second = new Thread(() ->
        {
            try
            {
                while (null == seen.get() && failures.isEmpty())
                {
                    a.endpoint.pollEvents();
                    a.progress();
                }
            }
            catch (final ContractViolationException ex)
            {
                seen.compareAndSet(null, ex);
            }
            finally
            {
                done.countDown();
            }
        });
        second.start();
        try
        {
            Node.until(() -> null != seen.get(), b, a);
        }
        catch (final ContractViolationException ex)
        {
            seen.compareAndSet(null, ex);
        }
        done.await();
        assertThat(seen.get()).isInstanceOfSatisfying(
            ContractViolationException.class, (ex) -> assertThat(ex.rule()).isEqualTo(ContractRule.THREAD));
    }

    @Test
    void shouldRefuseUseAfterClose()
    {
        final Node c = new Node(contract, FabricProvider.SHM);
        final long toC = a.connect(c);
        a.endpoint.removeAddress(toC);
        final MemoryRegion second = c.endpoint.register(c.sendAddress(), 64, MemoryRegion.ACCESS_MESSAGE);
        c.endpoint.close();
        c.endpoint.close();
        second.close();
        assertBroken(ContractRule.USED_AFTER_CLOSE, c::progress);
        assertBroken(ContractRule.USED_AFTER_CLOSE, () -> c.endpoint.inject(c.sendAddress(), 8, 0, 1));
        c.close();
    }

    @Test
    void shouldEndAsOnEfaWhenLenient()
    {
        final EfaContract lenient = new EfaContract(ContractMode.LENIENT, "", 1);
        try (Node from = new Node(lenient, FabricProvider.SHM); Node to = new Node(lenient, FabricProvider.SHM))
        {
            final long fiAddr = from.connect(to);
            final long descriptor = from.region.descriptor();
            final long context = from.contexts.address(1);
            assertThat(from.endpoint.send(from.sendAddress(), 9000, descriptor, 0, fiAddr, context))
                .isEqualTo(-FabricErrors.EMSGSIZE);
            assertThat(from.endpoint.send(from.sendAddress(), 90, 0, 0, fiAddr, context))
                .isEqualTo(-FabricErrors.EINVAL);
            assertThat(from.endpoint.send(from.sendAddress(), 90, descriptor, 0, fiAddr + 9, context))
                .isEqualTo(-FabricErrors.EINVAL);

            to.postReceive(0, 90, 0);
            Node.accepted(() -> from.endpoint.send(
                from.sendAddress(), 90, descriptor, 0x1_8000_0002L, fiAddr, context), from, to);
            Node.until(() -> !to.completions.isEmpty(), from, to);
            assertThat(to.completions.getFirst().data()).as("cut").isEqualTo(0x8000_0002L);
            assertThat(lenient.violations()).isGreaterThanOrEqualTo(4);
        }
    }
}
