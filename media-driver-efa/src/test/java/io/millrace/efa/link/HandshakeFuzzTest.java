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
package io.millrace.efa.link;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.millrace.codecs.handshake.AckStatus;
import io.millrace.codecs.handshake.ByeCause;
import io.millrace.codecs.handshake.OfferStatus;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.params.provider.MethodSource;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Any bytes as a handshake frame: seal, decoder, and what both sides do with what is decoded. Run as regression on its
 * seeds, and for ten minutes with {@code -Pfuzz}.
 */
class HandshakeFuzzTest extends SimulatedNetwork
{
    private static final HandshakeCodec CODEC = new HandshakeCodec();
    private static final byte[] KEY = "k".repeat(32).getBytes();
    private static final int MAX_PEERS = 1024;

    static Stream<byte[]> seeds()
    {
        final List<RailAddress> rails = List.of(new RailAddress(1, 0, 8192, new byte[] { 1, 2 }));
        return Stream.of(
            CODEC.encode(new HandshakeMessage.Hello(2, 1, HOST, 3, 4, 0, List.of(), "shm", "shm/1")),
            CODEC.encode(new HandshakeMessage.Hello(2, 1, HOST, 3, 4, 5, rails, "shm", "shm/1")),
            CODEC.encode(new HandshakeMessage.Hello(9, 1, HOST, 3, 4, 5, rails, "shm", "shm/1")),
            CODEC.encode(new HandshakeMessage.HelloAck(2, 1, 2, 3, 4, 5, AckStatus.ACCEPTED, 0, rails, "")),
            CODEC.encode(new HandshakeMessage.HelloAck(2, 1, 2, 3, 4, 0, AckStatus.CHALLENGE, 7, List.of(), "")),
            CODEC.encode(new HandshakeMessage.Bye(1, 2, ByeCause.FAILED, 3, "end")),
            CODEC.encode(new HandshakeMessage.ImageOffer(200, 100, 3, 4, 5, 6, 7, 8, 1 << 16, 0, 64, 1, List.of(
                new HandshakeMessage.ImageOffer.Region(9, 10, new byte[]{ 1, 2 })))),
            CODEC.encode(new HandshakeMessage.OfferEnd(200, 5, 100, 3, 4)),
            CODEC.encode(new HandshakeMessage.OfferAck(200, 5, OfferStatus.ENDED, 6, 100, 4, 1, "")))
            .flatMap((frame) -> Stream.of(
                frame(frame.duplicate()),
                frame(new HandshakeSeal(List.of(KEY)).seal(frame, true))));
    }

    @MethodSource("seeds")
    @FuzzTest(maxDuration = "10m")
    void shouldTakeAnyFrame(final byte[] bytes)
    {
        if (null == bytes)
        {
            return;
        }

        take(bytes);
        if (bytes.length > 16)
        {
            // past the checks that random bytes rarely pass
            final byte[] framed = bytes.clone();
            final byte[] sound = frame(CODEC.encode(new HandshakeMessage.Bye(1, 2, ByeCause.FAILED, 3, "")));
            System.arraycopy(sound, 4, framed, 4, 4);
            System.arraycopy(sound, 12, framed, 12, 2);
            new UnsafeBuffer(framed).putInt(0, framed.length);
            take(framed);
            take(frame(new HandshakeSeal(List.of(KEY)).seal(ByteBuffer.wrap(framed), true)));
        }
    }

    private void take(final byte[] frame)
    {
        final HandshakeSeal seal = new HandshakeSeal(List.of(KEY));
        final boolean isSound = HandshakeSeal.Verdict.SOUND == seal.check(frame, true);
        if (isSound)
        {
            final byte[] sealedAgain = frame(seal.seal(ByteBuffer.wrap(HandshakeSeal.body(frame)), true));
            if (!Arrays.equals(frame, sealedAgain) && null != CODEC.decode(HandshakeSeal.body(frame)))
            {
                throw new IllegalStateException("two seals of one frame");
            }
        }

        for (final SimulatedNode node : List.of(sender, receiver))
        {
            node.conductor.onHandshake(node, sender.address, frame, false);
            node.run();
            node.sent.clear();
            if (node.conductor.peers() > MAX_PEERS)
            {
                throw new IllegalStateException("peers without bound");
            }
        }
    }
}
