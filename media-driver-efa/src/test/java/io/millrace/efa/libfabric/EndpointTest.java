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

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * Two endpoints of one process over each provider that needs no hardware.
 */
class EndpointTest
{
    private static final long WIDE_IMMEDIATE = 0x1122_3344_5566_7788L;
    private static final int LENGTH = 1000;

    @ParameterizedTest
    @EnumSource(names = { "SHM", "TCP" })
    void shouldCarryMessagesBothWays(final FabricProvider provider)
    {
        final FabricNic nic = Peer.nic(provider);
        try (Peer a = new Peer(nic); Peer b = new Peer(nic))
        {
            final long toB = a.endpoint.insertAddress(b.endpoint.localAddress());
            final long toA = b.endpoint.insertAddress(a.endpoint.localAddress());
            exchange(a, b, toB, 7);
            exchange(b, a, toA, 8);
            exchange(a, b, toB, 9);
        }
    }

    private static void exchange(final Peer from, final Peer to, final long fiAddr, final int slot)
    {
        to.receiveBuffer.setMemory(0, LENGTH, (byte)0);
        to.postReceive(0, LENGTH, slot);
        from.sendBuffer.setMemory(0, LENGTH, (byte)slot);
        from.send(to, fiAddr, LENGTH, WIDE_IMMEDIATE, slot + 1);

        final Peer.Completion received = to.awaitCompletion(from);
        assertThat(received).isEqualTo(
            new Peer.Completion(slot, LENGTH, WIDE_IMMEDIATE, false, true, false, false));
        final Peer.Completion sent = from.awaitCompletion(to);
        assertThat(sent.slot()).isEqualTo(slot + 1);
        assertThat(sent.send()).isTrue();
        assertThat(to.receiveBuffer.getByte(0)).isEqualTo((byte)slot);
        assertThat(to.receiveBuffer.getByte(LENGTH - 1)).isEqualTo((byte)slot);
        assertThat(to.receiveBuffer.getByte(LENGTH)).isZero();
    }

    @ParameterizedTest
    @EnumSource(names = { "SHM", "TCP" })
    void shouldInjectWithoutCompletionAndLetTheBufferBeReused(final FabricProvider provider)
    {
        final FabricNic nic = Peer.nic(provider);
        try (Peer a = new Peer(nic); Peer b = new Peer(nic))
        {
            final long toB = a.endpoint.insertAddress(b.endpoint.localAddress());
            final int length = a.endpoint.injectLength();
            assertThat(length).isGreaterThanOrEqualTo(32);
            b.postReceive(0, length, 3);
            a.sendBuffer.setMemory(0, length, (byte)5);
            Peer.accepted(() -> a.endpoint.inject(a.sendAddress(), length, 42, toB), a, b);
            a.sendBuffer.setMemory(0, length, (byte)6);

            assertThat(b.awaitCompletion(a)).isEqualTo(
                new Peer.Completion(3, length, 42, false, true, false, false));
            assertThat(b.receiveBuffer.getByte(length - 1)).isEqualTo((byte)5);
            a.progress();
            assertThat(a.completions).isEmpty();
            assertThat(a.endpoint.inject(a.sendAddress(), length + 1, 0, toB)).isEqualTo(-FabricErrors.EMSGSIZE);
        }
    }

    @Test
    void shouldCompleteOnTcpWithoutThePeerUnlessItHasToAnswer()
    {
        final FabricNic nic = Peer.nic(FabricProvider.TCP);
        try (Peer a = new Peer(nic); Peer b = new Peer(nic))
        {
            assertThat(a.endpoint.isDeliveryAnswered()).isTrue();
            final long toB = a.endpoint.insertAddress(b.endpoint.localAddress());
            exchange(a, b, toB, 1);

            b.postReceive(0, LENGTH, 2);
            b.postReceive(0, LENGTH, 3);
            final long descriptor = a.region.descriptor();
            Peer.accepted(() -> a.endpoint.sendUnanswered(
                a.sendAddress(), LENGTH, descriptor, WIDE_IMMEDIATE, toB, a.contexts.address(5)), a);
            Peer.until(() -> !a.completions.isEmpty(), a);
            assertThat(a.completions.poll().slot()).isEqualTo(5);

            Peer.accepted(() -> a.endpoint.send(
                a.sendAddress(), LENGTH, descriptor, WIDE_IMMEDIATE, toB, a.contexts.address(6)), a);
            for (int i = 0; i < 1000; i++)
            {
                a.progress();
            }
            assertThat(a.completions).as("the peer has not looked").isEmpty();

            final Peer.Completion first = b.awaitCompletion(a);
            assertThat(first).isEqualTo(new Peer.Completion(2, LENGTH, WIDE_IMMEDIATE, false, true, false, false));
            assertThat(b.awaitCompletion(a).slot()).isEqualTo(3);
            assertThat(a.awaitCompletion(b).slot()).isEqualTo(6);

            assertThat(a.endpoint.sendUnanswered(
                a.sendAddress(), LENGTH, descriptor, 0, toB + 99, a.contexts.address(5)))
                .isEqualTo(-FabricErrors.EINVAL);
        }
        try (Peer shm = new Peer(Peer.nic(FabricProvider.SHM)))
        {
            assertThat(shm.endpoint.isDeliveryAnswered()).as("its completions cost no message").isFalse();
        }
    }

    @ParameterizedTest
    @EnumSource(names = { "SHM", "TCP" })
    void shouldWriteToPeersMemory(final FabricProvider provider)
    {
        final FabricNic nic = Peer.nic(provider);
        try (Peer a = new Peer(nic); Peer b = new Peer(nic))
        {
            final long toB = a.endpoint.insertAddress(b.endpoint.localAddress());
            b.endpoint.insertAddress(a.endpoint.localAddress());
            assertThat(b.region.remoteBase()).isEqualTo(b.endpoint.virtualAddressing() ? b.region.address() : 0);

            a.sendBuffer.setMemory(0, LENGTH, (byte)1);
            Peer.accepted(() -> a.endpoint.write(a.sendAddress(), LENGTH, a.region.descriptor(), toB,
                b.remoteReceiveAddress() + 64, b.region.key(), a.contexts.address(1)), a, b);
            assertThat(a.awaitCompletion(b)).matches((c) -> c.slot() == 1 && c.write());
            Peer.until(() -> 1 == b.receiveBuffer.getByteVolatile(64 + LENGTH - 1), a, b);
            assertThat(b.completions).isEmpty();

            a.sendBuffer.setMemory(0, LENGTH, (byte)2);
            Peer.accepted(() -> a.endpoint.writeData(a.sendAddress(), LENGTH, a.region.descriptor(), WIDE_IMMEDIATE,
                toB, b.remoteReceiveAddress() + 64, b.region.key(), a.contexts.address(2)), a, b);
            final Peer.Completion arrived = b.awaitCompletion(a);
            assertThat(arrived.remote()).isTrue();
            assertThat(arrived.receive()).isFalse();
            assertThat(arrived.data()).isEqualTo(WIDE_IMMEDIATE);
            assertThat(arrived.length()).isIn(0L, (long)LENGTH);
            assertThat(b.receiveBuffer.getByte(64)).isEqualTo((byte)2);
            assertThat(b.receiveBuffer.getByte(63)).isZero();
            assertThat(a.awaitCompletion(b)).matches((c) -> c.slot() == 2 && c.write());
        }
    }

    @ParameterizedTest
    @EnumSource(names = { "SHM", "TCP" })
    void shouldReportTruncatedReceiveAsError(final FabricProvider provider)
    {
        final FabricNic nic = Peer.nic(provider);
        try (Peer a = new Peer(nic); Peer b = new Peer(nic))
        {
            final long toB = a.endpoint.insertAddress(b.endpoint.localAddress());
            b.postReceive(0, 100, 4);
            a.send(b, toB, LENGTH, 0, 1);

            final CompletionError error = b.awaitError(a);
            assertThat(error.errno()).as(error.text()).isIn(FabricErrors.ETRUNC, FabricErrors.EIO);
            assertThat(b.contexts.index(error.context())).isEqualTo(4);
            assertThat(error.text()).contains("(" + error.errno() + ")");
            assertThat(b.receiveBuffer.getByte(100)).isZero();
            assertThat(b.endpoint.readError(error)).isFalse();
        }
    }

    @ParameterizedTest
    @EnumSource(names = { "SHM", "TCP" })
    void shouldRefuseBadCalls(final FabricProvider provider)
    {
        final FabricNic nic = Peer.nic(provider);
        try (Peer a = new Peer(nic); Peer b = new Peer(nic))
        {
            assertRefused(a, new byte[0], "empty or all zero");
            assertRefused(a, new byte[a.endpoint.localAddress().length], "empty or all zero");
            assertRefused(a, new byte[]{ 1, 2, 3 }, "peer's address is not one of provider " + nic.providerName());
            assertThat(a.endpoint.send(a.sendAddress(), 8, a.region.descriptor(), 0, 0, a.contexts.address(0)))
                .as("never inserted").isEqualTo(-FabricErrors.EINVAL);

            final long toB = a.endpoint.insertAddress(b.endpoint.localAddress());
            assertThat(a.endpoint.insertAddress(b.endpoint.localAddress())).as("again").isEqualTo(toB);
            a.endpoint.removeAddress(toB);
            b.postReceive(0, 8, 0);
            a.send(b, toB, 8, 1, 0);
            b.awaitCompletion(a);
            a.awaitCompletion(b);
            a.endpoint.removeAddress(toB);
            assertThat(a.endpoint.send(a.sendAddress(), 8, a.region.descriptor(), 0, toB, a.contexts.address(0)))
                .as("removed").isEqualTo(-FabricErrors.EINVAL);
            assertThat(a.endpoint.writeData(
                a.sendAddress(), 8, a.region.descriptor(), 0, -1, 0, 0, a.contexts.address(0)))
                .as("FI_ADDR_UNSPEC").isEqualTo(-FabricErrors.EINVAL);
            assertThatThrownBy(() -> a.endpoint.removeAddress(toB))
                .isInstanceOf(FabricException.class).hasMessageContaining("is not inserted");
            assertThatThrownBy(() -> a.endpoint.register(0, 10, MemoryRegion.ACCESS_MESSAGE))
                .isInstanceOf(FabricException.class).hasMessageContaining("is no memory");
            assertThatThrownBy(() -> a.endpoint.register(a.sendAddress(), 0, MemoryRegion.ACCESS_MESSAGE))
                .isInstanceOf(FabricException.class).hasMessageContaining("length 0 is no memory");
        }
    }

    private static void assertRefused(final Peer peer, final byte[] address, final String reason)
    {
        assertThatThrownBy(() -> peer.endpoint.insertAddress(address))
            .isInstanceOfSatisfying(FabricException.class, (ex) ->
            {
                assertThat(ex.errno()).isEqualTo(FabricErrors.EINVAL);
                assertThat(ex.call()).isEqualTo("fi_av_insert");
            })
            .hasMessageContaining(reason);
    }

    @ParameterizedTest
    @EnumSource(names = { "SHM" })
    void shouldSayTryAgainWhenTheQueueIsFull(final FabricProvider provider)
    {
        final FabricNic nic = Peer.nic(provider);
        try (Peer a = new Peer(nic); Peer b = new Peer(nic))
        {
            final long toB = a.endpoint.insertAddress(b.endpoint.localAddress());
            // The first contact is told to try again while the peers find each other.
            b.postReceive(0, 16, 0);
            a.send(b, toB, 16, 0, 0);
            b.awaitCompletion(a);
            a.awaitCompletion(b);

            long result = 0;
            int accepted = 0;
            while (0 == result && accepted < 100_000)
            {
                result = a.endpoint.inject(a.sendAddress(), 16, accepted, toB);
                accepted += 0 == result ? 1 : 0;
            }
            assertThat(result).isEqualTo(-FabricErrors.EAGAIN);
            assertThat(accepted).isBetween(1, a.endpoint.txDepth());

            // Each accepted message arrives, in order on this provider, and there is room again.
            for (int i = 0; i < accepted; i++)
            {
                b.postReceive(0, 16, 0);
                assertThat(b.awaitCompletion(a).data()).isEqualTo(i);
            }
            Peer.accepted(() -> a.endpoint.inject(a.sendAddress(), 16, 1, toB), a, b);
        }
    }

    @ParameterizedTest
    @EnumSource(names = { "SHM", "TCP" })
    void shouldCloseInOrderOnceAndRefuseAfterwards(final FabricProvider provider)
    {
        final Peer a = new Peer(Peer.nic(provider));
        final long toSelf = a.endpoint.insertAddress(a.endpoint.localAddress());
        a.postReceive(0, 64, 0);
        final MemoryRegion second = a.endpoint.register(a.sendAddress(), 4096, MemoryRegion.ACCESS_MESSAGE);
        second.close();
        second.close();
        // The region of the peer is open: the endpoint closes it between itself and the domain.
        a.close();
        a.close();

        final CompletionBatch batch = new CompletionBatch(1);
        assertThat(a.endpoint.poll(batch)).isEqualTo(-FabricErrors.EBADF);
        assertThat(a.endpoint.receive(1, 1, 0, 0)).isEqualTo(-FabricErrors.EBADF);
        assertThat(a.endpoint.send(1, 1, 0, 0, toSelf, 0)).isEqualTo(-FabricErrors.EINVAL);
        assertThat(a.endpoint.readError(new CompletionError())).isFalse();
        assertThatThrownBy(() -> a.endpoint.register(4096, 10, MemoryRegion.ACCESS_MESSAGE))
            .isInstanceOf(FabricException.class).hasMessageContaining("is closed");
        assertThatThrownBy(() -> a.endpoint.insertAddress(a.endpoint.localAddress()))
            .isInstanceOf(FabricException.class).hasMessageContaining("is closed");
        batch.close();
    }

    @ParameterizedTest
    @EnumSource(names = { "SHM", "TCP" })
    void shouldHonourDepthsUpToWhatTheProviderHas(final FabricProvider provider)
    {
        final FabricNic nic = Peer.nic(provider);
        try (Peer small = new Peer(nic, new EndpointOptions(64, 128, 512));
            Peer large = new Peer(nic, new EndpointOptions(1 << 24, 1 << 24, 0)))
        {
            assertThat(small.endpoint.txDepth()).isEqualTo(64);
            assertThat(small.endpoint.rxDepth()).isEqualTo(128);
            assertThat(small.endpoint.cqDepth()).isEqualTo(512);
            assertThat(large.endpoint.txDepth()).isLessThan(1 << 24);
            assertThat(large.endpoint.cqDepth()).isGreaterThanOrEqualTo(
                large.endpoint.txDepth() + large.endpoint.rxDepth());
            assertThat(large.endpoint.immediateLength()).isEqualTo(8);
            assertThat(large.endpoint.maxSendLength()).isGreaterThanOrEqualTo(1 << 20);
            assertThat(large.endpoint.maxRmaLength()).isGreaterThanOrEqualTo(1 << 20);
            assertThat(large.endpoint.writeDataTakesReceive()).isFalse();
            assertThat(large.endpoint.pollEvents()).isZero();
        }
    }
}
