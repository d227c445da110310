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

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * The other process: prints its address, then makes progress until it is killed, or answers the messages and writes of
 * one peer, whose address it reads from standard input.
 */
final class EndpointMain
{
    static final int ROUNDS = 200;
    static final int LENGTH = 4096;

    private EndpointMain()
    {
    }

    public static void main(final String[] args) throws Exception
    {
        final FabricProvider provider = FabricProvider.valueOf(args[0]);
        try (Peer peer = new Peer(Peer.nic(provider)))
        {
            for (int i = 0; i < 16; i++)
            {
                peer.postReceive(i * LENGTH, LENGTH, i);
            }
            System.out.println("address " + HexFormat.of().formatHex(peer.endpoint.localAddress()) + " " +
                peer.region.key() + " " + peer.remoteReceiveAddress());
            System.out.flush();
            if ("idle".equals(args[1]))
            {
                Peer.until(() -> false, peer);
            }
            final String line = new String(
                System.in.readNBytes(Integer.parseInt(args[1])), StandardCharsets.US_ASCII);
            final long toPeer = peer.endpoint.insertAddress(HexFormat.of().parseHex(line.trim()));
            for (int i = 0; i < ROUNDS; i++)
            {
                // A message of i with every byte i, then a write of the same to behind the receive buffers.
                final Peer.Completion received = peer.awaitCompletion(peer);
                check(received.receive() && received.data() == i && received.length() == LENGTH, received.toString());
                final int offset = received.slot() * LENGTH;
                check(peer.receiveBuffer.getByte(offset + LENGTH - 1) == (byte)i, "content of message " + i);
                peer.postReceive(offset, LENGTH, received.slot());

                final Peer.Completion written = peer.awaitCompletion(peer);
                check(written.remote() && written.data() == ROUNDS + i, written.toString());
                check(peer.receiveBuffer.getByte(16 * LENGTH + LENGTH - 1) == (byte)~i, "content of write " + i);

                final int round = i;
                Peer.accepted(
                    () -> peer.endpoint.inject(peer.sendAddress(), 8, round, toPeer), peer);
            }
            System.out.println("done");
        }
    }

    private static void check(final boolean condition, final String what)
    {
        if (!condition)
        {
            throw new IllegalStateException(what);
        }
    }
}
