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

import io.aeron.protocol.HeaderFlyweight;
import io.millrace.codecs.handshake.AckStatus;
import io.millrace.codecs.handshake.ByeCause;
import io.millrace.codecs.handshake.HelloDecoder;
import io.millrace.codecs.handshake.OfferStatus;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.agrona.concurrent.UnsafeBuffer;
import org.junit.jupiter.api.Test;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

import static org.assertj.core.api.Assertions.assertThat;

class HandshakeCodecTest
{
    /**
     * Frame header, message header, root block, group header and block of the first rail come before it.
     */
    private static final int LENGTH_OF_FIRST_ADDRESS_OFFSET = 8 + 8 + HelloDecoder.BLOCK_LENGTH + 4 +
        HelloDecoder.RailsDecoder.sbeBlockLength();

    private final HandshakeCodec codec = new HandshakeCodec();

    @Test
    void shouldSayHello()
    {
        final HandshakeMessage.Hello hello = hello(16, 77);
        final byte[] frame = bytes(codec.encode(hello));

        assertThat(HandshakeCodec.isHandshake(new UnsafeBuffer(frame), frame.length)).isTrue();
        assertThat(new UnsafeBuffer(frame).getInt(0)).isEqualTo(frame.length);
        assertThat(frame[HeaderFlyweight.VERSION_FIELD_OFFSET]).isZero();
        assertThat(codec.decode(frame)).usingRecursiveComparison().isEqualTo(hello);
    }

    @Test
    void shouldAnswer()
    {
        final HandshakeMessage.HelloAck ack = new HandshakeMessage.HelloAck(
            2, -5, 6, 7, 0x7FFF_0001, 0x0001_0000, AckStatus.ACCEPTED, 0, List.of(rail(32)), "");
        assertThat(codec.decode(bytes(codec.encode(ack)))).usingRecursiveComparison().isEqualTo(ack);

        final HandshakeMessage.HelloAck refusal = new HandshakeMessage.HelloAck(
            2, -5, 6, 7, 8, 0, AckStatus.REFUSED, 0, List.of(), "no");
        assertThat(codec.decode(bytes(codec.encode(refusal)))).usingRecursiveComparison().isEqualTo(refusal);
    }

    @Test
    void shouldSayBye()
    {
        final HandshakeMessage.Bye bye = new HandshakeMessage.Bye(1, 2, ByeCause.FAILED, 3, "closed");
        assertThat(codec.decode(bytes(codec.encode(bye)))).isEqualTo(bye);
    }

    @Test
    void shouldOfferImages()
    {
        final HandshakeMessage.ImageOffer offer = offer(1 << 30);
        assertThat(codec.decode(bytes(codec.encode(offer)))).usingRecursiveComparison().isEqualTo(offer);

        final HandshakeMessage.OfferEnd end = new HandshakeMessage.OfferEnd(-1, 2, 3, -4, 5);
        assertThat(codec.decode(bytes(codec.encode(end)))).isEqualTo(end);

        final HandshakeMessage.OfferAck ack = new HandshakeMessage.OfferAck(
            -1, 2, OfferStatus.REFUSED, 3, 4, -5, 0xFFFF_0000L, "no");
        assertThat(codec.decode(bytes(codec.encode(ack)))).isEqualTo(ack);
    }

    @Test
    void shouldRefuseOffersOfImpossibleTerms()
    {
        for (final int termLength : new int[]{ 0, 1 << 15, 3 << 16, Integer.MIN_VALUE })
        {
            assertThat(codec.decode(bytes(codec.encode(offer(termLength))))).isNull();
        }
    }

    @Test
    void shouldSayWhatRailsCanDo()
    {
        for (int capabilities = 0; capabilities < 8; capabilities++)
        {
            final HandshakeMessage.Hello hello = new HandshakeMessage.Hello(
                HandshakeCodec.PROTOCOL_VERSION, 2, 3, 4, 5, 6, List.of(rail(16)), "tcp", "net", capabilities);
            assertThat(codec.decode(bytes(codec.encode(hello)))).usingRecursiveComparison().isEqualTo(hello);
        }
    }

    private static HandshakeMessage.ImageOffer offer(final int termLength)
    {
        return new HandshakeMessage.ImageOffer(1, 2, 3, 4, 5, -6, -7, -8, termLength, 0xFFFF_8000L, 4096, 12, List.of(
            new HandshakeMessage.ImageOffer.Region(-1, 0x7FFF_0000_0000L, new byte[]{ 1, 2, 3 }),
            new HandshakeMessage.ImageOffer.Region(9, 0, new byte[32])));
    }

    @Test
    void shouldKeepTextPlainAndBounded()
    {
        final HandshakeMessage.Bye bye = new HandshakeMessage.Bye(1, 2, ByeCause.FAILED, 3, "\u20ac\n".repeat(2000));
        final HandshakeMessage.Bye decoded = (HandshakeMessage.Bye)codec.decode(bytes(codec.encode(bye)));
        assertThat(decoded.reason()).hasSize(1024).matches("\\?+");
    }

    @Test
    void shouldRefuseHelloOutOfRange()
    {
        assertThat(codec.decode(bytes(codec.encode(hello(16, 0))))).as("handle 0").isNull();
        assertThat(codec.decode(bytes(codec.encode(hello(0, 1))))).as("empty address").isNull();

        final byte[] frame = bytes(codec.encode(hello(256, 1)));
        new UnsafeBuffer(frame).putInt(LENGTH_OF_FIRST_ADDRESS_OFFSET, 257);
        assertThat(codec.decode(frame)).as("long address").isNull();
    }

    @Test
    void shouldRefuseAcceptanceWithoutRails()
    {
        assertThat(codec.decode(bytes(codec.encode(new HandshakeMessage.HelloAck(
            2, 2, 3, 4, 5, 6, AckStatus.ACCEPTED, 0, List.of(), ""))))).isNull();
    }

    @Test
    void shouldRefuseOtherSchema()
    {
        final byte[] frame = bytes(codec.encode(hello(16, 1)));
        frame[HeaderFlyweight.MIN_HEADER_LENGTH + 4]++;
        assertThat(HandshakeCodec.isHandshake(new UnsafeBuffer(frame), frame.length)).isFalse();
        assertThat(codec.decode(frame)).isNull();
    }

    @Property(tries = 2000)
    void shouldNotThrowOnFramesThatWereTampered(
        @ForAll @IntRange(max = 400) final int position, @ForAll final byte value)
    {
        final byte[] frame = bytes(codec.encode(hello(16, 9)));
        frame[position % frame.length] = value;
        codec.decode(frame);
    }

    @Property
    void shouldRefuseFramesThatWereCut(@ForAll @IntRange(max = 400) final int length)
    {
        final byte[] frame = bytes(codec.encode(hello(16, 9)));
        assertThat(codec.decode(Arrays.copyOf(frame, length % frame.length))).isNull();
    }

    @Property(tries = 2000)
    void shouldNotThrowOnRandomBytes(@ForAll @Size(max = 300) final byte[] body)
    {
        final byte[] frame = bytes(codec.encode(hello(16, 9)));
        System.arraycopy(body, 0, frame, 16, Math.min(body.length, frame.length - 16));
        codec.decode(frame);
        codec.decode(body);
    }

    private static HandshakeMessage.Hello hello(final int addressLength, final int handle)
    {
        return new HandshakeMessage.Hello(
            2, -2, 3, handle, 5, 6, List.of(rail(addressLength), rail(addressLength)), "efa", "efa/efa-direct");
    }

    private static RailAddress rail(final int addressLength)
    {
        final byte[] address = new byte[addressLength];
        Arrays.fill(address, (byte)0x5A);
        return new RailAddress(100_000, -1, 8192, address);
    }

    private static byte[] bytes(final ByteBuffer frame)
    {
        final byte[] bytes = new byte[frame.remaining()];
        frame.get(bytes);
        return bytes;
    }
}
