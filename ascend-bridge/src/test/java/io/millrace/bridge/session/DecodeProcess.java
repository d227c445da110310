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
package io.millrace.bridge.session;

import java.util.HashMap;
import java.util.Map;
import java.util.zip.CRC32C;

import io.aeron.Aeron;
import io.aeron.driver.MediaDriver;
import io.millrace.bridge.KvBlocks;
import io.millrace.bridge.KvCounters;
import io.millrace.bridge.KvInboundTransfer;
import io.millrace.bridge.KvReceiver;
import io.millrace.bridge.KvReceiverListener;
import io.millrace.bridge.KvTransferStats;
import io.millrace.bridge.PagedKvCache;
import io.millrace.bridge.device.HostDevice;

/**
 * A decode instance as a process: a receiver for each session, a line for each transfer, until standard input ends.
 */
final class DecodeProcess implements KvSessionListener
{
    private final Map<KvSession, KvReceiver> receivers = new HashMap<>();
    private final Aeron aeron;
    private final HostDevice device = new HostDevice();
    private final PagedKvCache cache;

    private DecodeProcess(final Aeron aeron, final KvInstance instance)
    {
        this.aeron = aeron;
        cache = PagedKvCache.allocate(device, instance.sharding().layout(instance.shape()), 64);
    }

    public void onSession(final KvSession session)
    {
        receivers.put(session, KvReceiver.launch(session.receiver(new KvReceiver.Context().aeron(aeron)
            .device(device).allocator(cache).stagingConfig("2:1").counters(KvCounters.inMemory())
            .listener(new KvReceiverListener()
            {
                public void onTransferComplete(
                    final long transferId, final long requestId, final KvTransferStats stats)
                {
                    final KvBlocks blocks = stats.transfer().blocks();
                    System.out.println("complete " + requestId + " " + checksum(device, cache, blocks));
                    cache.free(blocks);
                }

                public void onLayer(final KvInboundTransfer transfer, final int layer)
                {
                    System.out.println("layer " + layer);
                }
            }))));
    }

    public void onEnd(final KvSession session, final SessionError reason, final String text)
    {
        receivers.remove(session).close();
    }

    static long checksum(final HostDevice device, final PagedKvCache cache, final KvBlocks blocks)
    {
        final CRC32C crc = new CRC32C();
        final byte[] bytes = new byte[cache.layout().partBytes()];
        for (int layer = 0; layer < cache.layout().layers(); layer++)
        {
            for (int part = 0; part < cache.layout().parts(); part++)
            {
                for (int block = 0; block < blocks.blockCount(); block++)
                {
                    device.get(blocks.address(layer, part, block), bytes, 0, bytes.length);
                    crc.update(bytes);
                }
            }
        }
        return crc.getValue();
    }

    /**
     * Run it.
     *
     * @param args name and endpoint.
     */
    public static void main(final String[] args) throws Exception
    {
        final KvInstance instance = SessionNode.instance(args[0], KvRole.DECODE, 0, 1);
        try (MediaDriver driver = MediaDriver.launchEmbedded(SessionNode.driver());
            Aeron aeron = Aeron.connect(new Aeron.Context().aeronDirectoryName(driver.aeronDirectoryName()));
            KvSessions sessions = KvSessions.launch(new KvSessions.Context().aeron(aeron).instance(instance)
                .endpoint(args[1]).listener(new DecodeProcess(aeron, instance))))
        {
            System.out.println("endpoint " + sessions.endpoint());
            while (System.in.read() >= 0)
            {
                System.out.println(sessions.sessions());
            }
        }
    }
}
