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

import java.util.List;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * How NICs of EFA are found and opened, against {@link StandInEfa}.
 */
class EfaControlPlaneTest
{
    /** FI_OPT_EFA_RNR_RETRY and FI_OPT_SHARED_MEMORY_PERMITTED. */
    private static final String RNR_RETRY_OFF = "setopt -251265024=3";
    private static final String NO_SHM = "setopt 11=0";

    private static List<FabricNic> nics(final StandInEfa efa)
    {
        return new NicFinder(efa, efa.fi_version()).find(FabricProvider.EFA);
    }

    private static FabricEndpoint open(final StandInEfa efa, final EndpointOptions options)
    {
        return new EndpointOpener(efa).open(nics(efa).getFirst(), options);
    }

    @Test
    void shouldFindOneEfaDirectNicPerDevice()
    {
        try (StandInEfa efa = new StandInEfa("rdmap79s0", "rdmap80s0", "rdmap96s0"))
        {
            final List<FabricNic> nics = nics(efa);
            assertThat(nics).extracting(FabricNic::deviceName).containsExactly("rdmap79s0", "rdmap80s0", "rdmap96s0");
            assertThat(nics).allMatch((nic) -> "efa/efa-direct".equals(nic.wireName()) && nic.supportsRma());
            assertThat(efa.calls).containsExactly("fi_getinfo efa-direct rma");
        }
    }

    @Test
    void shouldTakeReceivesForWritesOfDevicesWithoutUnsolicitedOnes()
    {
        try (StandInEfa efa = new StandInEfa("rdmap79s0"))
        {
            efa.hasUnsolicitedWrite = false;
            try (FabricEndpoint endpoint = open(efa, EndpointOptions.defaults()))
            {
                assertThat(endpoint.writeDataTakesReceive()).isTrue();
                assertThat(endpoint.nic().supportsRma()).isTrue();
            }
            assertThat(efa.calls).startsWith("fi_getinfo efa-direct rma", "fi_getinfo efa-direct rma rx_cq_data");
        }
    }

    @Test
    void shouldDoWithoutRmaOnOldDevices()
    {
        try (StandInEfa efa = new StandInEfa("rdmap79s0"))
        {
            efa.hasRdmaWrite = false;
            try (FabricEndpoint endpoint = open(efa, EndpointOptions.defaults()))
            {
                assertThat(endpoint.nic().wireName()).isEqualTo("efa/efa-direct");
                assertThat(endpoint.nic().supportsRma()).isFalse();
                assertThat(endpoint.maxRmaLength()).isZero();
                final long toPeer = endpoint.insertAddress(StandInEfa.rawAddress(2));
                assertThat(endpoint.write(64, 8, 1, toPeer, 64, 1, 64)).isEqualTo(-FabricErrors.ENOSYS);
                assertThatThrownBy(() -> endpoint.register(64, 64, MemoryRegion.ACCESS_WRITE_TARGET))
                    .isInstanceOf(FabricException.class).hasMessageContaining("no RDMA write, use messages");
            }
            assertThat(efa.calls).startsWith("fi_getinfo efa-direct rma", "fi_getinfo efa-direct rma rx_cq_data",
                "fi_getinfo efa-direct");
        }
    }

    @Test
    void shouldFallBackToFabricEfaWhereThereIsNoEfaDirect()
    {
        try (StandInEfa efa = new StandInEfa("rdmap79s0", "rdmap80s0"))
        {
            efa.hasDirect = false;
            assertThat(nics(efa)).extracting(FabricNic::wireName).containsOnly("efa/efa").hasSize(2);
            assertThat(efa.calls).endsWith("fi_getinfo efa rma");
            efa.hasMaxMessageOption = false;
            try (FabricEndpoint endpoint = open(efa, EndpointOptions.defaults()))
            {
                assertThat(endpoint.maxSendLength()).as("segmented").isEqualTo(Long.MAX_VALUE);
                assertThat(endpoint.writeDataTakesReceive()).isFalse();
            }
        }
    }

    @Test
    void shouldFindNothingWithoutDevices()
    {
        try (StandInEfa efa = new StandInEfa())
        {
            assertThat(nics(efa)).isEmpty();
            assertThat(efa.calls).hasSize(4);
        }
    }

    @Test
    void shouldOpenAndCloseInOrder()
    {
        try (StandInEfa efa = new StandInEfa("rdmap79s0"))
        {
            final FabricEndpoint endpoint = open(efa, new EndpointOptions(256, 1 << 20, 1024, 3));
            endpoint.register(64, 64, MemoryRegion.ACCESS_MESSAGE);
            endpoint.close();
            assertThat(efa.calls).containsExactly("fi_getinfo efa-direct rma", "fabric", "domain", "eq",
                "cq size=1024 format=3", "av type=2 count=16384", "ep tx=256 rx=8192", "bind cq", "bind av", "bind eq",
                RNR_RETRY_OFF, NO_SHM, "enable", "mr",
                "close ep", "close mr", "close av", "close cq", "close eq", "close domain", "close fabric");
        }
    }

    @Test
    void shouldReadLimitsBack()
    {
        try (StandInEfa efa = new StandInEfa("rdmap79s0"))
        {
            try (FabricEndpoint endpoint = open(efa, EndpointOptions.defaults()))
            {
                assertThat(endpoint.txDepth()).isEqualTo(4096);
                assertThat(endpoint.rxDepth()).isEqualTo(8192);
                assertThat(endpoint.cqDepth()).isEqualTo(12288);
                assertThat(endpoint.maxSendLength()).as("FI_OPT_MAX_MSG_SIZE").isEqualTo(8856);
                assertThat(endpoint.maxRmaLength()).as("FI_OPT_MAX_RMA_SIZE").isEqualTo(1 << 29);
                assertThat(endpoint.injectLength()).isEqualTo(32);
                assertThat(endpoint.immediateLength()).isEqualTo(4);
                assertThat(endpoint.needsDescriptor()).isTrue();
                assertThat(endpoint.virtualAddressing()).isTrue();
                assertThat(endpoint.localAddress()).isEqualTo(StandInEfa.rawAddress(1));
                final MemoryRegion region = endpoint.register(4096, 64, MemoryRegion.ACCESS_WRITE_TARGET);
                assertThat(region.key()).isEqualTo(0xCAFE_BABEL);
                assertThat(region.remoteBase()).isEqualTo(4096);
                assertThat(region.descriptor()).isNotZero();
            }

            efa.hasMaxMessageOption = false;
            try (FabricEndpoint endpoint = open(efa, EndpointOptions.defaults()))
            {
                assertThat(endpoint.maxSendLength()).as("link MTU, not the RMA limit").isEqualTo(8928);
            }
        }
    }

    @Test
    void shouldCountInsertionsWhichEfaDoesNot()
    {
        try (StandInEfa efa = new StandInEfa("rdmap79s0");
            FabricEndpoint endpoint = open(efa, EndpointOptions.defaults()))
        {
            final long toPeer = endpoint.insertAddress(StandInEfa.rawAddress(2));
            assertThat(endpoint.insertAddress(StandInEfa.rawAddress(2))).isEqualTo(toPeer);
            final long toOther = endpoint.insertAddress(StandInEfa.rawAddress(3));
            assertThat(toOther).isNotEqualTo(toPeer);

            endpoint.removeAddress(toPeer);
            assertThat(efa.addresses).as("still in use").containsKey(toPeer);
            assertThat(endpoint.inject(64, 8, 0, toPeer)).isZero();
            endpoint.removeAddress(toPeer);
            assertThat(efa.addresses).doesNotContainKey(toPeer).containsKey(toOther);

            final int calls = efa.calls.size();
            assertThat(endpoint.inject(64, 8, 0, toPeer)).isEqualTo(-FabricErrors.EINVAL);
            assertThat(endpoint.send(64, 8, 0, 0, toPeer, 64)).isEqualTo(-FabricErrors.EINVAL);
            assertThat(endpoint.writeData(64, 8, 1, 0, toPeer, 64, 1, 64)).isEqualTo(-FabricErrors.EINVAL);
            assertThat(efa.calls).as("EFA would crash, so it is not asked").hasSize(calls);
        }
    }

    @Test
    void shouldNotLetTheProviderCutOrAssert()
    {
        try (StandInEfa efa = new StandInEfa("rdmap79s0");
            FabricEndpoint endpoint = open(efa, EndpointOptions.defaults()))
        {
            final long toPeer = endpoint.insertAddress(StandInEfa.rawAddress(2));
            final int calls = efa.calls.size();
            assertThat(endpoint.send(64, 8, 1, 1L << 32, toPeer, 64)).isEqualTo(-FabricErrors.EINVAL);
            assertThat(endpoint.inject(64, 8, -1, toPeer)).isEqualTo(-FabricErrors.EINVAL);
            assertThat(endpoint.writeData(64, 8, 1, 1L << 40, toPeer, 64, 1, 64)).isEqualTo(-FabricErrors.EINVAL);
            assertThat(endpoint.send(64, 8857, 1, 0, toPeer, 64)).isEqualTo(-FabricErrors.EMSGSIZE);
            assertThat(endpoint.inject(64, 33, 0, toPeer)).isEqualTo(-FabricErrors.EMSGSIZE);
            assertThat(endpoint.write(64, (1L << 29) + 1, 1, toPeer, 64, 1, 64)).isEqualTo(-FabricErrors.EMSGSIZE);
            assertThat(efa.calls).hasSize(calls);
        }
    }

    @Test
    void shouldReadErrorsOfQueues()
    {
        try (StandInEfa efa = new StandInEfa("rdmap79s0");
            FabricEndpoint endpoint = open(efa, EndpointOptions.defaults());
            CompletionBatch batch = new CompletionBatch(4))
        {
            assertThat(endpoint.poll(batch)).isZero();
            assertThat(endpoint.pollEvents()).isZero();

            efa.errorContext = 640;
            final CompletionError error = new CompletionError();
            assertThat(endpoint.poll(batch)).isEqualTo(-FabricErrors.EAVAIL);
            assertThat(endpoint.readError(error)).isTrue();
            assertThat(error.context()).isEqualTo(640);
            assertThat(error.text()).contains("EFA status 14");
            assertThat(endpoint.readError(error)).isFalse();

            efa.eventError = FabricErrors.EIO;
            assertThat(endpoint.pollEvents()).isEqualTo(1);
            assertThat(endpoint.eventErrorText()).contains("(5)").contains("EFA status 2");
        }
    }
}
