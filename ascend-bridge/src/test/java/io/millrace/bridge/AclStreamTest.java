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

import java.util.concurrent.TimeUnit;

import io.millrace.bridge.device.KvDevice;
import io.millrace.bridge.device.acl.AclDevice;
import io.millrace.bridge.device.acl.StandIn;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * KV streams from one NPU to another, both on the stand-in library, over stock Aeron.
 */
@Timeout(150)
class AclStreamTest
{
    private static final KvLayout LAYOUT = new KvLayout(4, 2, 64, KvDtype.BF16, 16);
    private static final int BLOCKS = 40;

    private static Bridge bridge(final StandIn standIn, final boolean isUdp)
    {
        // Before there are devices, which would stay open.
        Drivers.assumeWanted(isUdp, true);
        final KvDevice source = new AclDevice(standIn.context(0).abortTimeoutNs(TimeUnit.MILLISECONDS.toNanos(200)));
        return new Bridge(isUdp, source, new AclDevice(standIn.context(1)));
    }

    @ParameterizedTest
    @CsvSource({"NEW,false", "NEW,true", "OF_2020,false", "OF_2020,true"})
    void streamsBetweenDevices(final StandIn.Symbols symbols, final boolean isUdp)
    {
        final StandIn standIn = StandIn.get(symbols);
        standIn.delay(200);
        try (Bridge bridge = bridge(standIn, isUdp))
        {
            final PagedKvCache source = Bridge.scattered(bridge.sourceDevice, LAYOUT, BLOCKS * 2, 1);
            final PagedKvCache destination = Bridge.scattered(bridge.destinationDevice, LAYOUT, BLOCKS * 2, 2);
            bridge.launch(destination);
            final KvTransferRequest request = new KvTransferRequest().requestId(1).layout(LAYOUT)
                .blocks(bridge.source(source, BLOCKS, 3));

            final KvTransfer transfer = bridge.run(request);

            assertThat(transfer.state()).as(transfer.toString()).isEqualTo(KvTransferState.COMPLETED);
            bridge.assertSame(LAYOUT, request.blocks(), bridge.completed.poll().transfer().blocks());
            final KvCounters sent = bridge.sender.counters();
            final KvCounters received = bridge.receiver.counters();
            assertThat(sent.get(KvCounters.Kind.D2H_BYTES)).isEqualTo(LAYOUT.totalBytes(BLOCKS));
            assertThat(received.get(KvCounters.Kind.H2D_BYTES)).isEqualTo(LAYOUT.totalBytes(BLOCKS));
            assertThat(sent.get(KvCounters.Kind.D2H_NS)).isPositive();
            assertThat(sent.get(KvCounters.Kind.COPIES) + sent.get(KvCounters.Kind.COPIES_MERGED))
                .isGreaterThanOrEqualTo(BLOCKS * 2 * LAYOUT.layers());
            assertThat(sent.get(KvCounters.Kind.BATCH_FALLBACKS) > 0).isEqualTo(StandIn.Symbols.OF_2020 == symbols);
            assertThat(sent.get(KvCounters.Kind.STAGING_IN_USE)).isZero();
        }
    }

    @Test
    void devicesErrorsFailTransfersAndTheNextOneGoesThrough()
    {
        final StandIn standIn = StandIn.get(StandIn.Symbols.NEW);
        try (Bridge bridge = bridge(standIn, false))
        {
            final PagedKvCache source = Bridge.scattered(bridge.sourceDevice, LAYOUT, BLOCKS * 2, 1);
            bridge.launch(PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, BLOCKS * 2));
            final KvTransferRequest request = new KvTransferRequest().requestId(1).layout(LAYOUT)
                .blocks(bridge.source(source, BLOCKS, 3));

            standIn.partialBatch(5, 500000);
            final KvTransfer partial = bridge.run(request);
            assertThat(partial.error()).isEqualTo(KvError.DEVICE_ERROR);
            assertThat(partial.errorText()).contains("scripted partial batch");

            standIn.taskError(1, 507013);
            final KvTransfer failed = bridge.run(request);
            assertThat(failed.error()).isEqualTo(KvError.DEVICE_ERROR);
            assertThat(failed.errorText()).contains("507013 SYS_DMA");

            bridge.runUntil(() -> bridge.sender.counters().get(KvCounters.Kind.STAGING_IN_USE) == 0);
            assertThat(bridge.run(request).state()).isEqualTo(KvTransferState.COMPLETED);
            // the receiver's, too: what it still copies of the transfer before may meet the scripted error first
            assertThat(bridge.sender.counters().get(KvCounters.Kind.COPY_FAILURES) +
                bridge.receiver.counters().get(KvCounters.Kind.COPY_FAILURES)).isGreaterThanOrEqualTo(2);
        }
    }

    @Test
    void copiesThatDoNotEndQuarantineTheirSlotsUntilTheirStreamIsAborted()
    {
        final StandIn standIn = StandIn.get(StandIn.Symbols.NEW);
        try (Bridge bridge = bridge(standIn, false))
        {
            final PagedKvCache source = PagedKvCache.allocate(bridge.sourceDevice, LAYOUT, BLOCKS * 2);
            bridge.launch(PagedKvCache.allocate(bridge.destinationDevice, LAYOUT, BLOCKS * 2),
                ctx -> ctx.copyTimeoutNs(TimeUnit.MILLISECONDS.toNanos(50)), ctx -> ctx);
            final KvTransferRequest request = new KvTransferRequest().requestId(1).layout(LAYOUT)
                .blocks(bridge.source(source, BLOCKS, 3));
            standIn.hold(true);

            final KvTransfer transfer = bridge.run(request);

            assertThat(transfer.error()).isEqualTo(KvError.DEVICE_ERROR);
            assertThat(bridge.sender.counters().get(KvCounters.Kind.QUARANTINED)).isPositive();
            bridge.runUntil(() -> bridge.sender.counters().get(KvCounters.Kind.STAGING_IN_USE) == 0);
            assertThat(bridge.sender.counters().get(KvCounters.Kind.STREAM_ABORTS)).isPositive();
            standIn.hold(false);
            assertThat(bridge.run(request).state()).isEqualTo(KvTransferState.COMPLETED);
        }
    }
}
