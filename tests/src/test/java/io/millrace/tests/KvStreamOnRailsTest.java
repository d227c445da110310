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
package io.millrace.tests;

import io.aeron.Aeron;
import io.aeron.driver.MediaDriver;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvCounters;
import io.millrace.bridge.KvFate;
import io.millrace.bridge.KvGrant;
import io.millrace.bridge.KvBlockAllocator;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.KvPriority;
import io.millrace.bridge.KvReceiver;
import io.millrace.bridge.KvSender;
import io.millrace.bridge.KvTransfer;
import io.millrace.bridge.KvTransferInfo;
import io.millrace.bridge.KvTransferRequest;
import io.millrace.bridge.KvTransferState;
import io.millrace.bridge.PagedKvCache;
import io.millrace.bridge.device.HostDevice;
import io.millrace.bridge.device.KvDevice;
import io.millrace.bridge.device.acl.AclDevice;
import io.millrace.efa.EfaContext;
import io.millrace.efa.EfaCounters;
import io.millrace.efa.EfaMediaDriver;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * KV streams, both ways over libfabric between two drivers: layer by layer, with blocks that are there already, and on
 * with a sender that takes over from one that was lost.
 */
@Timeout(120)
class KvStreamOnRailsTest
{
    private static final KvLayout LAYOUT = KvLayout.parse("4x2x64");
    private static final int BLOCKS = 60;
    private static final int PREFIX = 20;
    private static final int STREAM_ID = 81;
    private static final long LIMIT_NS = TimeUnit.SECONDS.toNanos(60);

    @ParameterizedTest
    @CsvSource({ "shm,false", "tcp,false", "shm,true", "tcp,true" })
    void transfersGoOnAfterTheirSenderIsLost(final String protocol, final boolean isNpu) throws Exception
    {
        final String forward = "aeron:udp?endpoint=127.0.0.1:" + Tool.freePort() + "|term-length=1m|mtu=8k";
        final String reverse = "aeron:udp?endpoint=127.0.0.1:" + Tool.freePort() + "|term-length=256k";
        try (EfaMediaDriver prefill = EfaMediaDriver.launchEmbedded(driver(), new EfaContext().protocol(protocol));
            EfaMediaDriver decode = EfaMediaDriver.launchEmbedded(driver(), new EfaContext().protocol(protocol));
            KvDevice source = device(isNpu, 0);
            PagedKvCache sourceCache = PagedKvCache.allocate(source, LAYOUT, BLOCKS);
            KvDevice destination = device(isNpu, 1);
            PagedKvCache destinationCache = PagedKvCache.allocate(destination, LAYOUT, 4 * BLOCKS);
            Aeron watch = client(prefill);
            KvReceiver receiver = KvReceiver.launch(new KvReceiver.Context()
                .aeronDirectoryName(decode.aeronDirectoryName()).channel(forward).streamId(STREAM_ID)
                .reverseChannel(reverse).reverseStreamId(STREAM_ID + 1)
                .device(destination).stagingConfig("4:1").allocator(prefixOfSecond(destinationCache))))
        {
            final KvBlocks blocks = fill(source, sourceCache.allocate(BLOCKS));
            final List<CompletableFuture<KvFate>> fates = new ArrayList<>();
            for (long requestId = 1; requestId <= 3; requestId++)
            {
                fates.add(receiver.expect(requestId, LIMIT_NS));
            }

            final Aeron mortal = client(prefill);
            final KvSender lost = KvSender.launch(sender(source, forward, reverse).aeron(mortal));
            final KvTransfer first = lost.submit(request(blocks, 1).layerwise(true).resumeTimeoutNs(LIMIT_NS));
            first.layerReady(1);
            while (first.layersAcked() < 2)
            {
                assertThat(first.state().isTerminal()).as(first.toString()).isFalse();
                Thread.yield();
            }
            mortal.close();
            lost.close();

            try (Aeron aeron = client(prefill);
                KvSender sender = KvSender.launch(sender(source, forward, reverse).aeron(aeron)))
            {
                final List<KvTransfer> transfers = sender.submit(List.of(
                    request(blocks, 1).resumeTimeoutNs(LIMIT_NS),
                    request(blocks, 2).priority(KvPriority.LOW),
                    request(blocks, 3).priority(KvPriority.HIGH)));
                assertThat(KvTransfer.awaitAll(transfers, LIMIT_NS)).isTrue();
                assertThat(transfers).allSatisfy(transfer ->
                    assertThat(transfer.state()).as(transfer.toString()).isEqualTo(KvTransferState.COMPLETED));
                assertThat(transfers.get(0).bytesSent()).isEqualTo(2 * LAYOUT.layerBytes(BLOCKS));
                assertThat(transfers.get(1).bytesSent()).isEqualTo(LAYOUT.totalBytes(BLOCKS - PREFIX));
            }

            assertThat(receiver.counters().get(KvCounters.Kind.RESUMES)).isPositive();
            assertSame(source, blocks, destination, fates.get(0).get(1, TimeUnit.MINUTES), 0);
            assertSame(source, blocks, destination, fates.get(1).get(1, TimeUnit.MINUTES), PREFIX);
            assertSame(source, blocks, destination, fates.get(2).get(1, TimeUnit.MINUTES), 0);
            assertThat(EfaCounters.sum(watch.countersReader(), EfaCounters.FABRIC_FRAMES_SENT_TYPE_ID))
                .isGreaterThan(LAYOUT.totalBytes(BLOCKS) / 8192);
        }
    }

    // Host memory, or an NPU of the stand-in library.
    private static KvDevice device(final boolean isNpu, final int deviceId) throws Exception
    {
        return isNpu ? new AclDevice(new AclDevice.Context().libraryPath(StandInLibrary.path()).deviceId(deviceId)) :
            new HostDevice();
    }

    private static KvBlockAllocator prefixOfSecond(final PagedKvCache cache)
    {
        return new KvBlockAllocator()
        {
            @Override
            public KvBlocks allocate(final KvTransferInfo info)
            {
                return cache.allocate(info);
            }

            @Override
            public KvGrant grant(final KvTransferInfo info)
            {
                return KvGrant.of(allocate(info)).prefixPresent(2 == info.requestId() ? PREFIX : 0);
            }

            @Override
            public void release(final KvTransferInfo info, final KvBlocks blocks)
            {
                cache.free(blocks);
            }
        };
    }

    private static KvTransferRequest request(final KvBlocks blocks, final long requestId)
    {
        return new KvTransferRequest().requestId(requestId).layout(LAYOUT).blocks(blocks).timeoutNs(LIMIT_NS);
    }

    private static KvSender.Context sender(final KvDevice source, final String forward, final String reverse)
    {
        return new KvSender.Context().channel(forward).streamId(STREAM_ID)
            .reverseChannel(reverse).reverseStreamId(STREAM_ID + 1).device(source).stagingConfig("4:1");
    }

    private static KvBlocks fill(final KvDevice device, final KvBlocks blocks)
    {
        final Random random = new Random(7);
        final byte[] bytes = new byte[LAYOUT.partBytes()];
        for (int layer = 0; layer < LAYOUT.layers(); layer++)
        {
            for (int block = 0; block < BLOCKS; block++)
            {
                random.nextBytes(bytes);
                device.put(blocks.address(layer, 0, block), bytes, 0, bytes.length);
                device.put(blocks.address(layer, 1, block), bytes, 0, bytes.length);
            }
        }
        return blocks;
    }

    private static void assertSame(
        final KvDevice source,
        final KvBlocks expected,
        final KvDevice destination,
        final KvFate fate,
        final int fromBlock)
    {
        assertThat(fate.state()).as(fate.toString()).isEqualTo(KvTransferState.COMPLETED);
        final KvBlocks actual = fate.transfer().blocks();
        final byte[] sent = new byte[LAYOUT.partBytes()];
        final byte[] landed = new byte[LAYOUT.partBytes()];
        for (int layer = 0; layer < LAYOUT.layers(); layer++)
        {
            for (int part = 0; part < KvLayout.PARTS; part++)
            {
                for (int block = fromBlock; block < BLOCKS; block++)
                {
                    source.get(expected.address(layer, part, block), sent, 0, sent.length);
                    destination.get(actual.address(layer, part, block), landed, 0, landed.length);
                    assertThat(landed).as("layer %d part %d block %d", layer, part, block).isEqualTo(sent);
                }
            }
        }
    }

    private static Aeron client(final EfaMediaDriver driver)
    {
        return Aeron.connect(new Aeron.Context().aeronDirectoryName(driver.aeronDirectoryName()));
    }

    private static MediaDriver.Context driver()
    {
        return Rails.driverContext().imageLivenessTimeoutNs(TimeUnit.SECONDS.toNanos(2));
    }
}
