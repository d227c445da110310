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
import io.millrace.codecs.handshake.ByeDecoder;
import io.millrace.codecs.handshake.ByeEncoder;
import io.millrace.codecs.handshake.HandshakeFrames;
import io.millrace.codecs.handshake.HelloAckDecoder;
import io.millrace.codecs.handshake.HelloAckEncoder;
import io.millrace.codecs.handshake.HelloDecoder;
import io.millrace.codecs.handshake.HelloEncoder;
import io.millrace.codecs.handshake.MessageHeaderDecoder;
import io.millrace.codecs.handshake.MessageHeaderEncoder;
import io.millrace.efa.EfaConfiguration;
import org.agrona.DirectBuffer;
import org.agrona.concurrent.UnsafeBuffer;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

import static io.aeron.protocol.HeaderFlyweight.HDR_TYPE_EXT;
import static io.aeron.protocol.HeaderFlyweight.MIN_HEADER_LENGTH;

/**
 * Handshake messages as Aeron extension frames, which stock media drivers ignore: Aeron's 8 byte frame header with type
 * {@link HeaderFlyweight#HDR_TYPE_EXT}, then SBE. Not for the hot path: messages are objects.
 */
final class HandshakeCodec
{
    static final int PROTOCOL_VERSION = 1;
    static final int MAX_FRAME_LENGTH = 16 * 1024;

    private static final int MAX_ADDRESS_LENGTH = 256;
    private static final int MAX_TEXT_LENGTH = 1024;

    private final UnsafeBuffer scratch = new UnsafeBuffer(new byte[MAX_FRAME_LENGTH]);
    private final MessageHeaderEncoder headerEncoder = new MessageHeaderEncoder();
    private final HelloEncoder helloEncoder = new HelloEncoder();
    private final HelloAckEncoder ackEncoder = new HelloAckEncoder();
    private final ByeEncoder byeEncoder = new ByeEncoder();
    private final MessageHeaderDecoder headerDecoder = new MessageHeaderDecoder();
    private final HelloDecoder helloDecoder = new HelloDecoder();
    private final HelloAckDecoder ackDecoder = new HelloAckDecoder();
    private final ByeDecoder byeDecoder = new ByeDecoder();

    /**
     * Might this be a handshake frame? Cheap, for the agents.
     *
     * @param buffer with an Aeron frame at its start.
     * @param length of the datagram in bytes.
     * @return true for an extension frame with our schema id.
     */
    static boolean isHandshake(final DirectBuffer buffer, final int length)
    {
        return length >= MIN_HEADER_LENGTH + MessageHeaderDecoder.ENCODED_LENGTH && length <= MAX_FRAME_LENGTH &&
            HDR_TYPE_EXT == (buffer.getShort(HeaderFlyweight.TYPE_FIELD_OFFSET) & 0xFFFF) &&
            HelloDecoder.SCHEMA_ID == (buffer.getShort(MIN_HEADER_LENGTH + 4) & 0xFFFF);
    }

    ByteBuffer encode(final HandshakeMessage.Hello hello)
    {
        helloEncoder.wrapAndApplyHeader(scratch, MIN_HEADER_LENGTH, headerEncoder)
            .protocolVersion(hello.protocolVersion())
            .incarnation(hello.incarnation())
            .hostId(hello.hostId())
            .senderHandle(hello.senderHandle() & 0xFFFF_FFFFL)
            .sequence(hello.sequence());
        helloEncoder.capabilities().clear();

        final HelloEncoder.RailsEncoder rails = helloEncoder.railsCount(hello.rails().size());
        for (final RailAddress rail : hello.rails())
        {
            rails.next()
                .speedMbps(rail.speedMbps())
                .numaNode((short)rail.numaNode())
                .maxSendLength(rail.maxSendLength())
                .putAddress(rail.address(), 0, rail.address().length);
        }

        helloEncoder.provider(hello.provider()).wireName(hello.wireName());
        return finish(helloEncoder.encodedLength());
    }

    ByteBuffer encode(final HandshakeMessage.HelloAck ack)
    {
        ackEncoder.wrapAndApplyHeader(scratch, MIN_HEADER_LENGTH, headerEncoder)
            .protocolVersion(ack.protocolVersion())
            .incarnation(ack.incarnation())
            .peerIncarnation(ack.peerIncarnation())
            .sequence(ack.sequence())
            .senderHandle(ack.senderHandle() & 0xFFFF_FFFFL)
            .receiverHandle(ack.receiverHandle() & 0xFFFF_FFFFL)
            .status(ack.status());
        ackEncoder.capabilities().clear();

        final HelloAckEncoder.RailsEncoder rails = ackEncoder.railsCount(ack.rails().size());
        for (final RailAddress rail : ack.rails())
        {
            rails.next()
                .speedMbps(rail.speedMbps())
                .numaNode((short)rail.numaNode())
                .maxSendLength(rail.maxSendLength())
                .putAddress(rail.address(), 0, rail.address().length);
        }

        ackEncoder.reason(ascii(ack.reason()));
        return finish(ackEncoder.encodedLength());
    }

    ByteBuffer encode(final HandshakeMessage.Bye bye)
    {
        byeEncoder.wrapAndApplyHeader(scratch, MIN_HEADER_LENGTH, headerEncoder)
            .incarnation(bye.incarnation())
            .handle(bye.handle() & 0xFFFF_FFFFL)
            .cause(bye.cause())
            .reason(ascii(bye.reason()));
        return finish(byeEncoder.encodedLength());
    }

    /**
     * Decode a frame.
     *
     * @param frame as it came from the socket.
     * @return the message, or null when it is malformed, out of range or of another schema.
     */
    HandshakeMessage decode(final byte[] frame)
    {
        final UnsafeBuffer buffer = new UnsafeBuffer(frame);
        try
        {
            if (!isHandshake(buffer, frame.length) ||
                frame.length != buffer.getInt(HeaderFlyweight.FRAME_LENGTH_FIELD_OFFSET))
            {
                return null;
            }

            return switch (HandshakeFrames.check(buffer, MIN_HEADER_LENGTH, frame.length - MIN_HEADER_LENGTH))
            {
                case HelloDecoder.TEMPLATE_ID -> decodeHello(buffer);
                case HelloAckDecoder.TEMPLATE_ID -> decodeAck(buffer);
                case ByeDecoder.TEMPLATE_ID -> decodeBye(buffer);
                default -> null;
            };
        }
        catch (final IndexOutOfBoundsException | IllegalArgumentException ex)
        {
            return null;
        }
    }

    private HandshakeMessage decodeHello(final UnsafeBuffer buffer)
    {
        helloDecoder.wrapAndApplyHeader(buffer, MIN_HEADER_LENGTH, headerDecoder);
        final int protocolVersion = helloDecoder.protocolVersion();
        final long incarnation = helloDecoder.incarnation();
        final long hostId = helloDecoder.hostId();
        final int senderHandle = (int)helloDecoder.senderHandle();
        final long sequence = helloDecoder.sequence();

        final HelloDecoder.RailsDecoder rails = helloDecoder.rails();
        if (rails.count() < 1 || rails.count() > EfaConfiguration.RAILS_MAX)
        {
            return null;
        }

        final List<RailAddress> addresses = new ArrayList<>(rails.count());
        while (rails.hasNext())
        {
            rails.next();
            final int speedMbps = (int)rails.speedMbps();
            final int numaNode = rails.numaNode();
            final long maxSendLength = rails.maxSendLength();
            final byte[] address = new byte[checkLength(rails.addressLength(), MAX_ADDRESS_LENGTH)];
            rails.getAddress(address, 0, address.length);
            addresses.add(new RailAddress(speedMbps, numaNode, maxSendLength, address));
        }

        checkLength(helloDecoder.providerLength(), MAX_TEXT_LENGTH);
        final String provider = helloDecoder.provider();
        checkLength(helloDecoder.wireNameLength(), MAX_TEXT_LENGTH);
        final String wireName = helloDecoder.wireName();

        return 0 == senderHandle || !areValid(addresses) ? null : new HandshakeMessage.Hello(
            protocolVersion, incarnation, hostId, senderHandle, sequence, addresses, provider, wireName);
    }

    private HandshakeMessage decodeAck(final UnsafeBuffer buffer)
    {
        ackDecoder.wrapAndApplyHeader(buffer, MIN_HEADER_LENGTH, headerDecoder);
        final HelloAckDecoder.RailsDecoder rails = ackDecoder.rails();
        if (rails.count() > EfaConfiguration.RAILS_MAX)
        {
            return null;
        }

        final List<RailAddress> addresses = new ArrayList<>(rails.count());
        while (rails.hasNext())
        {
            rails.next();
            final int speedMbps = (int)rails.speedMbps();
            final int numaNode = rails.numaNode();
            final long maxSendLength = rails.maxSendLength();
            final byte[] address = new byte[checkLength(rails.addressLength(), MAX_ADDRESS_LENGTH)];
            rails.getAddress(address, 0, address.length);
            addresses.add(new RailAddress(speedMbps, numaNode, maxSendLength, address));
        }

        checkLength(ackDecoder.reasonLength(), MAX_TEXT_LENGTH);
        final String reason = ackDecoder.reason();
        final HandshakeMessage.HelloAck ack = new HandshakeMessage.HelloAck(
            ackDecoder.protocolVersion(),
            ackDecoder.incarnation(),
            ackDecoder.peerIncarnation(),
            ackDecoder.sequence(),
            (int)ackDecoder.senderHandle(),
            (int)ackDecoder.receiverHandle(),
            ackDecoder.status(),
            addresses,
            reason);

        final boolean isAccepted = AckStatus.ACCEPTED == ack.status();
        return isAccepted && (addresses.isEmpty() || 0 == ack.receiverHandle()) || !areValid(addresses) ? null : ack;
    }

    private HandshakeMessage decodeBye(final UnsafeBuffer buffer)
    {
        byeDecoder.wrapAndApplyHeader(buffer, MIN_HEADER_LENGTH, headerDecoder);
        checkLength(byeDecoder.reasonLength(), MAX_TEXT_LENGTH);
        final String reason = byeDecoder.reason();
        return new HandshakeMessage.Bye(
            byeDecoder.incarnation(), (int)byeDecoder.handle(), byeDecoder.cause(), reason);
    }

    private static boolean areValid(final List<RailAddress> addresses)
    {
        for (final RailAddress rail : addresses)
        {
            if (0 == rail.address().length || rail.maxSendLength() < MIN_HEADER_LENGTH)
            {
                return false;
            }
        }

        return true;
    }

    private static int checkLength(final int length, final int maxLength)
    {
        if (length < 0 || length > maxLength)
        {
            throw new IllegalArgumentException("length=" + length + " max=" + maxLength);
        }

        return length;
    }

    private static String ascii(final String text)
    {
        return text.substring(0, Math.min(text.length(), MAX_TEXT_LENGTH)).replaceAll("[^\\x20-\\x7E]", "?");
    }

    private ByteBuffer finish(final int bodyLength)
    {
        final int length = MIN_HEADER_LENGTH + MessageHeaderEncoder.ENCODED_LENGTH + bodyLength;
        scratch.putInt(HeaderFlyweight.FRAME_LENGTH_FIELD_OFFSET, length);
        scratch.putByte(HeaderFlyweight.VERSION_FIELD_OFFSET, HeaderFlyweight.CURRENT_VERSION);
        scratch.putByte(HeaderFlyweight.FLAGS_FIELD_OFFSET, (byte)0);
        scratch.putShort(HeaderFlyweight.TYPE_FIELD_OFFSET, (short)HDR_TYPE_EXT);
        final byte[] frame = new byte[length];
        scratch.getBytes(0, frame);
        return ByteBuffer.wrap(frame);
    }
}
