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
package io.millrace.tests.xpyd;

import io.millrace.bridge.KvLayout;
import io.millrace.bridge.KvStreamContext;
import io.millrace.bridge.reshard.CacheShape;
import io.millrace.bridge.reshard.HeadOrder;
import io.millrace.bridge.reshard.Sharding;

import java.util.List;

/**
 * What a process is to be. Streams have endpoints of their own, so that they outlive sessions.
 *
 * @param index            of the instance on its side.
 * @param aeronDirectory   of its machine's driver.
 * @param model            of the cache, {@code LAYERSxHEADSxDIM}.
 * @param seed             of the content.
 * @param capacityBlocks   of its cache.
 * @param prefillSessions  host:port of the sessions of each prefill instance.
 * @param decodeSessions   host:port of the sessions of each decode instance.
 * @param prefillStreams   host:port that each prefill instance hears answers on.
 * @param decodeStreams    host:port that each decode instance hears data on.
 * @param transferTimeoutMs of a transfer.
 * @param resumeTimeoutMs  for which a broken stream is waited for.
 */
record NodeOrders(
    int index,
    String aeronDirectory,
    String model,
    long seed,
    int capacityBlocks,
    List<String> prefillSessions,
    List<String> decodeSessions,
    List<String> prefillStreams,
    List<String> decodeStreams,
    long transferTimeoutMs,
    long resumeTimeoutMs)
{
    private static final int DATA_STREAM_ID = 8100;
    private static final int ANSWER_STREAM_ID = 8200;

    KvLayout layout()
    {
        return KvLayout.parse(model);
    }

    CacheShape shape()
    {
        final KvLayout layout = layout();
        return CacheShape.perHead(layout.layers(), layout.kvHeads(), layout.headDim(), layout.dtype());
    }

    Sharding sharding()
    {
        return new Sharding(1, layout().tokensPerBlock(), HeadOrder.TOKEN_MAJOR);
    }

    /**
     * Set what belongs to the streams between two instances. The client is the agent's own: it is made anew when the
     * driver is lost.
     */
    <C extends KvStreamContext<C>> C streams(final C ctx, final int prefill, final int decode)
    {
        return ctx.aeronDirectoryName(aeronDirectory)
            .channel("aeron:udp?endpoint=" + decodeStreams.get(decode) + "|term-length=1m|mtu=8k")
            .streamId(DATA_STREAM_ID + prefill)
            .reverseChannel("aeron:udp?endpoint=" + prefillStreams.get(prefill) + "|term-length=256k")
            .reverseStreamId(ANSWER_STREAM_ID + decode);
    }
}
