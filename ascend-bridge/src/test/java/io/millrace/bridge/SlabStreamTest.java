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

import io.millrace.bridge.device.acl.AclDevice;
import io.millrace.bridge.device.acl.StandIn;
import io.millrace.bridge.staging.HostSlabs;
import io.millrace.bridge.staging.SlabCache;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Transfers over staging in pinned host memory, which the stand-in refuses to copy from when it is not pinned.
 */
@Timeout(150)
class SlabStreamTest
{
    private static final KvLayout LAYOUT = new KvLayout(4, 1, 72, KvDtype.BF16, 16, 1);

    @Test
    void latentBlocksTravelOverHostSlabsThatAreUsedAgain()
    {
        final StandIn standIn = StandIn.get(StandIn.Symbols.NEW);
        try (Bridge bridge = new Bridge(
            Drivers.areReplaced(), new AclDevice(standIn.context(0)), new AclDevice(standIn.context(1)));
            SlabCache cache = new SlabCache(new HostSlabs(bridge.sourceDevice, 0), 64 << 20))
        {
            final PagedKvCache source = Bridge.scattered(bridge.sourceDevice, LAYOUT, 100, 1);
            final PagedKvCache destination = Bridge.scattered(bridge.destinationDevice, LAYOUT, 100, 2);
            bridge.launch(destination, ctx -> ctx.slabs(cache),
                ctx -> ctx.slabs(new HostSlabs(bridge.destinationDevice, HostSlabs.ANY_NODE)));
            final KvBlocks blocks = source.allocate(60);
            Bridge.fill(bridge.sourceDevice, LAYOUT, blocks, 3);

            final KvTransfer transfer = bridge.run(
                new KvTransferRequest().requestId(1).layout(LAYOUT).blocks(blocks));

            assertThat(transfer.state()).as(transfer.toString()).isEqualTo(KvTransferState.COMPLETED);
            assertThat(transfer.bytesSent()).isEqualTo(4L * 60 * 16 * 72 * 2);
            bridge.assertSame(LAYOUT, blocks, bridge.completed.poll().transfer().blocks());

            bridge.closeSender();
            bridge.sender = KvSender.launch(bridge.senderContext().slabs(cache));
            assertThat(bridge.sender.counters().get(KvCounters.Kind.STAGING_CACHE_HITS)).isEqualTo(1);
            final KvTransfer again = bridge.run(new KvTransferRequest().requestId(2).layout(LAYOUT)
                .blocks(source.allocate(10)));
            assertThat(again.state()).isEqualTo(KvTransferState.COMPLETED);
            bridge.closeSender();
        }
    }
}
