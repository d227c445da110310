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

import java.util.List;

import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * Addresses that the device's copies must not touch.
 */
@Timeout(150)
class AddressTest
{
    private static final KvLayout LAYOUT = new KvLayout(2, 2, 64, KvDtype.BF16, 16);
    private static final int BLOCKS = 10;

    private static KvTransferRequest request(final KvBlocks blocks, final long requestId)
    {
        return new KvTransferRequest().requestId(requestId).layout(LAYOUT).blocks(blocks).timeoutNs(Bridge.LIMIT_NS);
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void aSenderTakesWholeElementsOfRegisteredMemoryOnly(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            final PagedKvCache source = PagedKvCache.allocate(bridge.sourceDevice, LAYOUT, BLOCKS);
            bridge.launch(PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, BLOCKS));

            assertThatThrownBy(() -> bridge.sender.submit(request(
                KvBlocks.contiguous(LAYOUT, source.baseAddress() + LAYOUT.totalBytes(BLOCKS) - 10, 1), 1)))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("not within one registered region");
            assertThatThrownBy(() -> bridge.sender.submit(request(
                KvBlocks.contiguous(LAYOUT, source.baseAddress() + 1, 1), 2)))
                .isInstanceOf(IllegalArgumentException.class).hasMessageContaining("layer 0 part 0 block 0 at 0x" +
                Long.toHexString(source.baseAddress() + 1) + " does not start on a multiple of 2 bytes");

            final KvTransfer transfer = bridge.run(request(source.allocate(BLOCKS), 3));
            assertThat(transfer.state()).as(transfer.toString()).isEqualTo(KvTransferState.COMPLETED);
        }
    }

    @ParameterizedTest
    @EnumSource(Setting.class)
    void aReceiverWritesToRegisteredMemoryOnly(final Setting setting)
    {
        try (Bridge bridge = setting.open())
        {
            final PagedKvCache source = PagedKvCache.allocate(bridge.sourceDevice, LAYOUT, BLOCKS);
            final PagedKvCache destination = PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, BLOCKS);
            final KvBlocks pastTheEnd = KvBlocks.contiguous(
                LAYOUT, destination.baseAddress() + LAYOUT.totalBytes(BLOCKS) - 64, BLOCKS);
            bridge.launch(info -> 1 == info.requestId() ? pastTheEnd : destination.allocate(info));
            final KvBlocks blocks = bridge.source(source, BLOCKS, 1);
            final KvTransfer foreign = bridge.sender.submit(request(blocks, 1));
            final KvTransfer good = bridge.sender.submit(request(blocks, 2));
            bridge.runUntil(() -> List.of(foreign, good).stream().allMatch(each -> each.state().isTerminal()));

            assertThat(foreign.error()).as(foreign.toString()).isEqualTo(KvError.DEVICE_ERROR);
            assertThat(foreign.errorText()).contains("not within one registered region");
            assertThat(bridge.events).anyMatch(event -> event.startsWith("failed 1 DEVICE_ERROR"));
            assertThat(good.state()).as(good.toString()).isEqualTo(KvTransferState.COMPLETED);
            bridge.assertSame(LAYOUT, blocks, bridge.completed.poll().transfer().blocks());
        }
    }
}
