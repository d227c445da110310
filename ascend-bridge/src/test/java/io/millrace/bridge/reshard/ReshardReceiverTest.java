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
package io.millrace.bridge.reshard;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvDtype;
import io.millrace.bridge.KvError;
import io.millrace.bridge.KvException;
import io.millrace.bridge.KvFailurePolicy;
import io.millrace.bridge.KvInboundTransfer;
import io.millrace.bridge.KvLayout;
import io.millrace.bridge.KvTransferInfo;
import io.millrace.bridge.PagedKvCache;
import io.millrace.bridge.device.HostDevice;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.mockito.Mockito;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * Transfers that a restarted sender goes on with, under an id of its own.
 */
class ReshardReceiverTest
{
    private static final int TOKENS = 16;

    private final CacheShape shape = CacheShape.perHead(2, 4, 16, KvDtype.BF16);
    private final Sharding sharding = new Sharding(2, TOKENS, HeadOrder.TOKEN_MAJOR);
    private final HostDevice device = new HostDevice();
    private final PagedKvCache cache = PagedKvCache.allocate(device, sharding.layout(shape), 1);
    private final List<String> failures = new ArrayList<>();
    private final ReshardReceiver receiver = new ReshardReceiver(shape, sharding, 0, cache,
        TimeUnit.MINUTES.toNanos(1), new ReshardListener()
        {
            public void onRequestComplete(final long requestId, final KvBlocks blocks, final int tokenCount)
            {
            }

            public void onRequestFailed(final long requestId, final KvError reason, final String text)
            {
                failures.add(requestId + " " + reason);
            }
        });

    @AfterEach
    void close()
    {
        device.close();
    }

    private static KvTransferInfo info(final long transferId, final long requestId)
    {
        final KvLayout units = new KvLayout(2, 2, 16, KvDtype.BF16, TOKENS, 2);
        return new KvTransferInfo(transferId, requestId, "", units, 1, TOKENS, units.totalBytes(1), 0, 2, 0, 1, 5, 0,
            KvFailurePolicy.FAIL);
    }

    @Test
    void theEndOfATransferThatWasTakenOverIsThatOfItsSourceRank()
    {
        final KvBlocks blocks = receiver.allocate(info(11, 1));
        final KvInboundTransfer transfer = Mockito.mock(KvInboundTransfer.class);
        Mockito.when(transfer.info()).thenReturn(info(11, 1));
        receiver.onTransferBegin(transfer);
        assertThatThrownBy(() -> receiver.allocate(info(12, 1))).isInstanceOf(KvException.class)
            .hasMessageContaining("a second time");
        receiver.onTransferFailed(12, 1, KvError.DUPLICATE_TRANSFER, "");
        assertThat(failures).isEmpty();

        final KvTransferInfo takenOver = info(13, 1);
        Mockito.when(transfer.info()).thenReturn(takenOver);
        receiver.onTransferFailed(13, 1, KvError.PEER_GONE, "");
        receiver.release(takenOver, blocks);

        assertThat(failures).containsExactly("1 PEER_GONE");
        assertThat(cache.freeBlocks()).isEqualTo(1);
        assertThat(receiver.activeRequests()).isZero();
    }

    @Test
    void aTransferThatWaitsForBlocksMayBeTakenOver()
    {
        final KvBlocks taken = cache.allocate(1);
        assertThat(receiver.allocate(info(11, 1))).isNull();
        assertThat(receiver.allocate(info(12, 1))).isNull();
        cache.free(taken);
        assertThat(receiver.allocate(info(12, 1))).isNotNull();
        assertThatThrownBy(() -> receiver.allocate(info(13, 1))).hasMessageContaining("a second time");
    }
}
