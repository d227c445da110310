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
package io.millrace.bridge;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.function.Function;

import io.millrace.bridge.device.HostEvent;
import io.millrace.bridge.device.HostMemory;
import io.millrace.bridge.device.KvDevice;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledForJreRange;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What is particular to host memory that agents copy themselves: its copies fail on the agents' own thread, and must
 * fail as those of other threads do.
 */
@Timeout(150)
class DirectTest
{
    private static final KvLayout LAYOUT = new KvLayout(4, 2, 64, KvDtype.BF16, 16);
    private static final int BLOCKS = 60;

    private final Bridge bridge = new Bridge(Drivers.areReplaced());
    private final PagedKvCache source = PagedKvCache.allocate(bridge.sourceDevice, LAYOUT, BLOCKS);
    private final PagedKvCache destination = PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, 2 * BLOCKS);
    private final PagedKvCache doomedSource = PagedKvCache.allocate(bridge.sourceDevice, LAYOUT, BLOCKS);
    private final PagedKvCache doomedDestination = PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, BLOCKS);

    @AfterEach
    void tearDown()
    {
        bridge.close();
    }

    private void launch(final Function<KvTransferInfo, PagedKvCache> caches)
    {
        bridge.launch(new KvBlockAllocator()
        {
            public KvBlocks allocate(final KvTransferInfo info)
            {
                return caches.apply(info).allocate(info);
            }

            public void release(final KvTransferInfo info, final KvBlocks blocks)
            {
                caches.apply(info).release(info, blocks);
            }
        });
    }

    private KvTransfer submitDoomed(final PagedKvCache cache)
    {
        final KvTransfer transfer = bridge.sender.submit(new KvTransferRequest().requestId(1).layout(LAYOUT)
            .blocks(bridge.source(cache, BLOCKS, 1)).layerwise(true));
        transfer.layerReady(0);
        bridge.runUntil(() -> 1 == transfer.layersAcked());
        return transfer;
    }

    private void assertOthersAreUnharmed()
    {
        final KvBlocks blocks = bridge.source(source, BLOCKS, 2);
        final KvTransfer other =
            bridge.run(new KvTransferRequest().requestId(2).layout(LAYOUT).blocks(blocks));
        assertThat(other.state()).as(other::toString).isEqualTo(KvTransferState.COMPLETED);
        bridge.runUntil(() -> !bridge.completed.isEmpty());
        bridge.assertSame(LAYOUT, blocks, bridge.completed.poll().transfer().blocks());
    }

    @Test
    void blocksThatAreFreedWhileTheyAreSentFailOneTransferOnBothSides()
    {
        launch(info -> destination);
        final KvTransfer transfer = submitDoomed(doomedSource);
        doomedSource.close();
        transfer.layerReady(LAYOUT.layers() - 1);
        bridge.runUntil(() -> transfer.state().isTerminal() && destination.freeBlocks() == 2 * BLOCKS);

        assertThat(transfer.error()).isEqualTo(KvError.DEVICE_ERROR);
        assertThat(transfer.errorText()).contains("is not within one registered region of host:0");
        assertThat(bridge.events).anyMatch(event -> event.startsWith("failed 1 DEVICE_ERROR"));
        assertOthersAreUnharmed();
    }

    @Test
    void blocksThatAreFreedWhileTheyAreWrittenFailOneTransferOnBothSides()
    {
        launch(info -> 1 == info.requestId() ? doomedDestination : destination);
        final KvTransfer transfer = submitDoomed(doomedSource);
        doomedDestination.close();
        transfer.layerReady(LAYOUT.layers() - 1);
        bridge.runUntil(() -> transfer.state().isTerminal());

        assertThat(transfer.error()).isEqualTo(KvError.DEVICE_ERROR);
        assertThat(transfer.errorText()).contains("is not within one registered region of host:1");
        assertThat(bridge.events).anyMatch(event -> event.startsWith("failed 1 DEVICE_ERROR"));
        assertOthersAreUnharmed();
    }

    // Before, the JVM tells of it at some later point of the thread.
    @EnabledForJreRange(min = JRE.JAVA_21)
    @ParameterizedTest
    @CsvSource({"false, false", "false, true", "true, false", "true, true"})
    void memoryWhosePagesAreGoneFailsOneTransferOnBothSides(
        final boolean isStaged, final boolean isDestination, @TempDir final Path directory) throws IOException
    {
        final Path file = directory.resolve("blocks");
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE))
        {
            final long length = LAYOUT.totalBytes(BLOCKS);
            channel.write(ByteBuffer.allocate(1), length - 1);
            final long address = HostMemory.map(file, 0, length);
            final KvDevice device = isDestination ? bridge.destinationDevice : bridge.sourceDevice;
            device.register(address, length);
            final KvBlocks mapped = KvBlocks.contiguous(LAYOUT, address, BLOCKS);
            bridge.isStaged = isStaged;
            bridge.launch(info ->
                isDestination && 1 == info.requestId() ? mapped : destination.allocate(info.blockCount()));
            channel.truncate(0);

            final KvTransfer transfer = bridge.run(new KvTransferRequest().requestId(1).layout(LAYOUT)
                .blocks(isDestination ? bridge.source(doomedSource, BLOCKS, 1) : mapped));
            assertThat(transfer.error()).isEqualTo(KvError.DEVICE_ERROR);
            assertThat(transfer.errorText()).contains("memory that is not there on " + device.name());
            bridge.runUntil(() -> bridge.events.stream().anyMatch(each -> each.startsWith("failed 1 DEVICE_ERROR")));
            assertOthersAreUnharmed();
            device.unregister(address);
            HostMemory.free(address, length);
        }
    }

    @Test
    void nothingIsReadBeforeTheProducerReachedItsEvent()
    {
        launch(info -> destination);
        final HostEvent event = new HostEvent();
        final KvBlocks blocks = source.allocate(BLOCKS);
        final KvTransfer transfer = bridge.sender.submit(
            new KvTransferRequest().requestId(1).layout(LAYOUT).blocks(blocks).acquire(event));
        bridge.runUntil(() -> !bridge.begun.isEmpty());
        for (int i = 0; i < 100; i++)
        {
            bridge.turn();
        }
        assertThat(transfer.bytesSent()).isZero();
        Bridge.fill(bridge.sourceDevice, LAYOUT, blocks, 3);
        event.signal();
        bridge.runUntil(() -> !bridge.completed.isEmpty());
        bridge.assertSame(LAYOUT, blocks, bridge.completed.poll().transfer().blocks());
    }
}
