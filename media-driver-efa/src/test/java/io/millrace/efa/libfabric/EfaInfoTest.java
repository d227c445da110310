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

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * EFA without a NIC: {@code fi_info} as its provider fills it, laid out by hand after the headers with numbers that are
 * written out here on purpose, the hints that are sent, and the meaning of its errors.
 */
class EfaInfoTest
{
    private final Arena arena = Arena.ofConfined();

    @TempDir
    private Path sys;

    @AfterEach
    void after()
    {
        arena.close();
    }

    private long block(final int size)
    {
        return arena.allocate(size, 8).address();
    }

    private long string(final String text)
    {
        final MemorySegment segment = arena.allocateFrom(text);
        return segment.address();
    }

    private FabricInfo efaDirectInfo()
    {
        final long info = block(120);
        final long tx = block(80);
        final long rx = block(64);
        final long ep = block(104);
        final long domain = block(232);
        final long fabric = block(32);
        final long nic = block(56);
        final long device = block(48);
        final long bus = block(12);
        final long link = block(40);
        final byte[] raw = rawAddress();
        final long source = block(32);
        RawMemory.putBytes(source, raw);

        RawMemory.putLong(info + 8, FabricFlags.MSG | FabricFlags.RMA | FabricFlags.SEND | FabricFlags.RECV);
        RawMemory.putLong(info + 16, 1L << 52);
        RawMemory.putInt(info + 24, 12);
        RawMemory.putLong(info + 32, 32);
        RawMemory.putLong(info + 48, source);
        RawMemory.putLong(info + 72, tx);
        RawMemory.putLong(info + 80, rx);
        RawMemory.putLong(info + 88, ep);
        RawMemory.putLong(info + 96, domain);
        RawMemory.putLong(info + 104, fabric);
        RawMemory.putLong(info + 112, nic);
        RawMemory.putLong(tx + 40, 32);
        RawMemory.putLong(tx + 48, 4096);
        RawMemory.putLong(rx + 48, 8192);
        RawMemory.putLong(ep + 16, 1L << 30);
        RawMemory.putLong(domain + 8, string("rdmap79s0-rdm"));
        RawMemory.putInt(domain + 36, 0x74);
        RawMemory.putLong(domain + 40, 4);
        RawMemory.putLong(domain + 48, 4);
        RawMemory.putLong(domain + 176, 262144);
        RawMemory.putLong(fabric + 8, string("efa-direct"));
        RawMemory.putLong(fabric + 16, string("efa"));
        RawMemory.putInt(fabric + 24, 204 << 16);
        RawMemory.putLong(nic + 24, device);
        RawMemory.putLong(nic + 32, bus);
        RawMemory.putLong(nic + 40, link);
        RawMemory.putLong(device, string("rdmap79s0"));
        RawMemory.putInt(bus, 2);
        RawMemory.putLong(bus + 4, 0x0000_00_4f_0000L);
        RawMemory.putLong(link + 8, 8928);
        RawMemory.putLong(link + 16, 100_000_000_000L);
        return new FabricInfo(info);
    }

    private static byte[] rawAddress()
    {
        final ByteBuffer buffer = ByteBuffer.allocate(32).order(ByteOrder.nativeOrder());
        buffer.put(0, new byte[]{ (byte)0xfe, (byte)0x80, 0, 0, 0, 0, 0, 0, 4, 5, 6, 7, 8, 9, 10, 11 });
        buffer.putShort(16, (short)300);
        buffer.putInt(20, 0x7fff_0001);
        return buffer.array();
    }

    @Test
    void shouldReadNicOfEfaDirect() throws Exception
    {
        final Path device = Files.createDirectories(sys.resolve("class/infiniband/rdmap79s0/device"));
        Files.writeString(device.resolve("numa_node"), "1\n");
        final FabricNic nic = new FabricNic(FabricProvider.EFA, efaDirectInfo(), new Sysfs(sys));
        assertThat(nic.wireName()).isEqualTo("efa/efa-direct");
        assertThat(nic.domainName()).isEqualTo("rdmap79s0-rdm");
        assertThat(nic.deviceName()).isEqualTo("rdmap79s0");
        assertThat(nic.pciAddress()).isEqualTo("0000:4f:00.0");
        assertThat(nic.numaNode()).isEqualTo(1);
        assertThat(nic.speedMbps()).isEqualTo(100_000);
        assertThat(nic.loopback()).isFalse();
        assertThat(nic.supportsRma()).isTrue();
        assertThat(nic.sourceAddressText()).isEqualTo("[fe80:0:0:0:405:607:809:a0b]:300:2147418113");

        final FabricInfo info = nic.info();
        assertThat(info.txDepth()).isEqualTo(4096);
        assertThat(info.rxDepth()).isEqualTo(8192);
        assertThat(info.injectSize()).isEqualTo(32);
        assertThat(info.immediateSize()).isEqualTo(4);
        assertThat(info.memoryKeySize()).isEqualTo(4);
        assertThat(info.memoryRegionCount()).isEqualTo(262144);
        assertThat(info.memoryMode()).isEqualTo(FabricFlags.MR_LOCAL | FabricFlags.MR_VIRT_ADDR |
            FabricFlags.MR_ALLOCATED | FabricFlags.MR_PROV_KEY);
        assertThat(NicLimits.modes(info.memoryMode())).containsExactly("LOCAL", "VIRT_ADDR", "ALLOCATED", "PROV_KEY");
        assertThat(info.next()).isNull();
    }

    @Test
    void shouldNotTakeTheRmaLimitForTheSendLimit()
    {
        final FabricInfo info = efaDirectInfo();
        assertThat(EndpointOpener.maxSendLength(true, 8760, info.linkMtuLength(), info.maxMessageSize()))
            .isEqualTo(8760);
        assertThat(EndpointOpener.maxSendLength(true, -1, info.linkMtuLength(), info.maxMessageSize()))
            .isEqualTo(8928);
        assertThat(EndpointOpener.maxSendLength(true, -1, 0, info.maxMessageSize())).isEqualTo(4096);
        assertThat(EndpointOpener.maxSendLength(false, -1, 8928, Long.MAX_VALUE)).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void shouldNotAskForMoreThanReported()
    {
        assertThat(EndpointOpener.depth(0, 4096)).isEqualTo(4096);
        assertThat(EndpointOpener.depth(5000, 4096)).isEqualTo(4096);
        assertThat(EndpointOpener.depth(64, 4096)).isEqualTo(64);
        assertThat(EndpointOpener.depth(64, 0)).isEqualTo(64);
    }

    @Test
    void shouldAskForEfaDirectWithFallbacks()
    {
        final List<FabricProvider.Candidate> candidates = FabricProvider.EFA.candidates();
        final List<FabricHints> direct = NicFinder.hintsFor(FabricProvider.EFA, candidates.get(0));
        assertThat(direct).extracting(FabricHints::fabricName).containsOnly("efa-direct");
        assertThat(direct).extracting((hints) -> 0 != (hints.caps() & FabricFlags.RMA))
            .containsExactly(true, true, false);
        assertThat(direct).extracting((hints) -> 0 != (hints.mode() & 1L << 56)).containsExactly(false, true, false);
        assertThat(direct).allMatch((hints) -> 0 != (hints.mode() & 1L << 52));
        assertThat(direct).extracting(FabricHints::threading).containsOnly(3);

        final List<FabricHints> efa = NicFinder.hintsFor(FabricProvider.EFA, candidates.get(1));
        assertThat(efa).hasSize(1);
        assertThat(efa.getFirst().fabricName()).isEqualTo("efa");
        assertThat(efa.getFirst().mode() & 1L << 56).as("refused by fabric efa").isZero();
        assertThat(efa.getFirst().caps() & (1L << 51 | 1L << 52)).as("no shm below it").isEqualTo(1L << 52);
    }

    @Test
    void shouldWriteHints()
    {
        final FabricInfo info = efaDirectInfo();
        final long domain = RawMemory.getLong(info.address() + 96);
        final long ep = RawMemory.getLong(info.address() + 88);
        FabricHints.efa(true, true, true).writeTo(info);
        assertThat(info.caps()).isEqualTo(1L << 1 | 1L << 2);
        assertThat(info.mode()).isEqualTo(1L << 59 | 1L << 52 | 1L << 56);
        assertThat(RawMemory.getInt(ep)).as("FI_EP_RDM").isEqualTo(3);
        assertThat(RawMemory.getInt(domain + 16)).as("FI_THREAD_DOMAIN").isEqualTo(3);
        assertThat(RawMemory.getInt(domain + 32)).as("FI_AV_TABLE").isEqualTo(2);
        assertThat(RawMemory.getInt(domain + 36)).isEqualTo(0x74);
        assertThat(info.providerName()).isEqualTo("efa");
        assertThat(info.fabricName()).isEqualTo("efa-direct");
    }

    @Test
    void shouldNameErrorsOfTheDevice()
    {
        assertThat(EfaErrors.of(15).errno()).isEqualTo(FabricErrors.EHOSTUNREACH);
        assertThat(EfaErrors.of(13).errno()).isEqualTo(FabricErrors.ECONNABORTED);
        assertThat(EfaErrors.errno(9)).isEqualTo(FabricErrors.ENOTCONN);
        assertThat(EfaErrors.errno(10)).isEqualTo(FabricErrors.ENORX);
        assertThat(EfaErrors.errno(4105)).isEqualTo(FabricErrors.ENOMEM);
        assertThat(EfaErrors.errno(4100)).isEqualTo(FabricErrors.EOTHER);
        assertThat(EfaErrors.of(99)).isNull();
        assertThat(EfaErrors.text(99)).isEqualTo("unknown EFA status 99");
        assertThat(EfaErrors.text(4100)).isEqualTo("EFA provider error 4100");
        assertThat(EfaErrors.values()).extracting(EfaErrors::number).doesNotHaveDuplicates();

        final CompletionError error = new CompletionError();
        error.set(FabricProvider.EFA, 1, 2, 3, FabricErrors.EHOSTUNREACH, 15);
        assertThat(error.text()).contains("(113)").contains("EFA status 15: peer never answered");
    }

    @Test
    void shouldReadErrorEntry()
    {
        final long entry = block(128);
        RawMemory.putLong(entry, 0x1234);
        RawMemory.putLong(entry + 8, FabricFlags.SEND);
        RawMemory.putLong(entry + 16, 100);
        RawMemory.putLong(entry + 32, 7);
        RawMemory.putLong(entry + 48, 900);
        RawMemory.putInt(entry + 56, 107);
        RawMemory.putInt(entry + 60, 14);
        final CompletionError error = new CompletionError();
        error.read(FabricProvider.EFA, entry);
        assertThat(error.context()).isEqualTo(0x1234);
        assertThat(error.flags()).isEqualTo(FabricFlags.SEND);
        assertThat(error.length()).isEqualTo(100);
        assertThat(error.overflowLength()).isEqualTo(900);
        assertThat(error.data()).isEqualTo(7);
        assertThat(error.errno()).isEqualTo(FabricErrors.ENOTCONN);
        assertThat(error.providerErrno()).isEqualTo(14);
        assertThat(error.toString()).contains("has not inserted this endpoint's address");
    }
}
