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

import java.nio.charset.StandardCharsets;
import java.util.BitSet;

import io.millrace.bridge.device.KvDevice;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * Receivers that have some of the blocks or layers already.
 */
@Timeout(150)
class PartialTest
{
    private static final KvLayout LAYOUT = new KvLayout(3, 2, 64, KvDtype.BF16, 16);
    private static final int BLOCKS = 200;
    private static final byte[] KEPT = "what the receiver had".getBytes(StandardCharsets.US_ASCII);

    /**
     * Grants blocks of a cache that has what a test puts there.
     */
    private static final class Grants implements KvBlockAllocator
    {
        private final KvDevice device;
        private final PagedKvCache cache;
        private final BitSet present;
        private final int layers;
        private KvBlocks granted;

        Grants(final KvDevice device, final PagedKvCache cache, final BitSet present, final int layers)
        {
            this.device = device;
            this.cache = cache;
            this.present = present;
            this.layers = layers;
        }

        public KvBlocks allocate(final KvTransferInfo info)
        {
            return cache.allocate(info);
        }

        public KvGrant grant(final KvTransferInfo info)
        {
            granted = allocate(info);
            for (int block = present.nextSetBit(0); block >= 0; block = present.nextSetBit(block + 1))
            {
                device.put(granted.address(2, 1, block), KEPT, 0, KEPT.length);
            }
            return KvGrant.of(granted).blocksPresent(present).layersPresent(layers);
        }
    }

    private static KvTransfer run(final Bridge bridge, final Grants grants, final KvBlocks blocks)
    {
        bridge.launch(grants);
        final KvTransfer transfer = bridge.sender.submit(new KvTransferRequest().requestId(1).layout(LAYOUT)
            .blocks(blocks).blockHashes(new long[blocks.blockCount()]));
        bridge.runUntil(() -> transfer.state().isTerminal());
        assertThat(transfer.state()).as(transfer.toString()).isEqualTo(KvTransferState.COMPLETED);
        assertThat(transfer.layersAcked()).isEqualTo(LAYOUT.layers());
        return transfer;
    }

    private static byte[] part(final Bridge bridge, final boolean isSource, final KvBlocks blocks, final int block)
    {
        final byte[] bytes = new byte[KEPT.length];
        (isSource ? bridge.sourceDevice : bridge.destinationDevice)
            .get(blocks.address(2, 1, block), bytes, 0, bytes.length);
        return bytes;
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void sendsOnlyBlocksBehindAPrefix(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            final PagedKvCache source = Bridge.scattered(bridge.sourceDevice, LAYOUT, BLOCKS, 1);
            final PagedKvCache cache = Bridge.scattered(bridge.destinationDevice, LAYOUT, BLOCKS, 2);
            final BitSet prefix = new BitSet();
            prefix.set(0, 150);
            final Grants grants = new Grants(bridge.destinationDevice, cache, prefix, 0);
            final KvBlocks blocks = bridge.source(source, BLOCKS, 3);

            final KvTransfer transfer = run(bridge, grants, blocks);

            assertThat(transfer.bytesSent()).isEqualTo(LAYOUT.totalBytes(50));
            assertThat(bridge.completed.peek().bytes()).isEqualTo(LAYOUT.totalBytes(50));
            assertThat(bridge.sender.counters().get(KvCounters.Kind.BYTES_SAVED)).isEqualTo(LAYOUT.totalBytes(150));
            final KvBlocks landed = bridge.completed.peek().transfer().blocks();
            assertThat(part(bridge, false, landed, 149)).isEqualTo(KEPT);
            for (int block = 150; block < BLOCKS; block++)
            {
                assertThat(part(bridge, false, landed, block)).isEqualTo(part(bridge, true, blocks, block));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void sendsScatteredBlocksAndRunsBeyondTheMessageWhole(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            final PagedKvCache source = Bridge.scattered(bridge.sourceDevice, LAYOUT, BLOCKS, 1);
            final PagedKvCache cache = Bridge.scattered(bridge.destinationDevice, LAYOUT, BLOCKS, 2);
            // 100 runs of one block: 63 fit as they are, the last reaches from block 127 to 199.
            final BitSet even = new BitSet();
            for (int block = 0; block < BLOCKS; block += 2)
            {
                even.set(block);
            }
            final KvBlocks blocks = bridge.source(source, BLOCKS, 3);

            final KvTransfer transfer = run(bridge, new Grants(bridge.destinationDevice, cache, even, 0), blocks);

            assertThat(transfer.bytesSent()).isEqualTo(LAYOUT.totalBytes(63 + 73));
            final KvBlocks landed = bridge.completed.peek().transfer().blocks();
            for (int block = 1; block < BLOCKS; block += 2)
            {
                assertThat(part(bridge, false, landed, block)).isEqualTo(part(bridge, true, blocks, block));
            }
            assertThat(part(bridge, false, landed, 0)).isEqualTo(KEPT);
        }
    }

    @Test
    void sendsNothingWhenAllIsThere()
    {
        try (Bridge bridge = new Bridge(false))
        {
            final PagedKvCache source = PagedKvCache.allocate(bridge.sourceDevice, LAYOUT, BLOCKS);
            final PagedKvCache cache = PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, BLOCKS);
            final BitSet all = new BitSet();
            all.set(0, BLOCKS);

            final Grants grants = new Grants(bridge.destinationDevice, cache, all, 0);
            final KvTransfer transfer = run(bridge, grants, source.allocate(BLOCKS));

            assertThat(transfer.bytesSent()).isZero();
            assertThat(bridge.events).containsExactly("layer 1 0", "layer 1 1", "layer 1 2", "complete 1");
        }
    }

    @Test
    void sendsLayersFromTheFirstMissing()
    {
        try (Bridge bridge = new Bridge(true))
        {
            final PagedKvCache source = PagedKvCache.allocate(bridge.sourceDevice, LAYOUT, BLOCKS);
            final PagedKvCache cache = PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, BLOCKS);

            final Grants grants = new Grants(bridge.destinationDevice, cache, new BitSet(), 2);
            final KvTransfer transfer = run(bridge, grants, source.allocate(BLOCKS));

            assertThat(transfer.bytesSent()).isEqualTo(LAYOUT.layerBytes(BLOCKS));
            assertThat(bridge.completed.peek().transfer().layersReady()).isEqualTo(3);
        }
    }

    @Test
    void grantsNameOnlyTheirBlocks()
    {
        try (Bridge bridge = new Bridge(false))
        {
            final KvBlocks blocks = PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, 4).allocate(4);
            assertThatThrownBy(() -> KvGrant.of(blocks).prefixPresent(5)).hasMessageContaining("up to 5 of 4");
            assertThatThrownBy(() -> KvGrant.of(blocks).layersPresent(-1)).hasMessageContaining("-1 layers");
            assertThatThrownBy(() -> KvGrant.of(null)).hasMessageContaining("blocks are null");
        }
    }
}
