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

import io.aeron.logbuffer.LogBufferDescriptor;
import io.aeron.protocol.HeaderFlyweight;
import io.millrace.codecs.handshake.AckStatus;
import io.millrace.codecs.handshake.ByeDecoder;
import io.millrace.codecs.handshake.ByeEncoder;
import io.millrace.codecs.handshake.CapabilitiesDecoder;
import io.millrace.codecs.handshake.CapabilitiesEncoder;
import io.millrace.codecs.handshake.HandshakeFrames;
import io.millrace.codecs.handshake.HelloAckDecoder;
import io.millrace.codecs.handshake.HelloAckEncoder;
import io.millrace.codecs.handshake.HelloDecoder;
import io.millrace.codecs.handshake.HelloEncoder;
import io.millrace.codecs.handshake.ImageOfferDecoder;
import io.millrace.codecs.handshake.ImageOfferEncoder;
import io.millrace.codecs.handshake.MessageHeaderDecoder;
import io.millrace.codecs.handshake.MessageHeaderEncoder;
import io.millrace.codecs.handshake.OfferAckDecoder;
import io.millrace.codecs.handshake.OfferAckEncoder;
import io.millrace.codecs.handshake.OfferEndDecoder;
import io.millrace.codecs.handshake.OfferEndEncoder;
import io.millrace.efa.EfaConfiguration;
import org.agrona.BitUtil;
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
public final class HandshakeCodec
{
    /**
     * Of the handshake and of messages on rails. Root blocks only ever grow at their end, so that a peer of another
     * version can be told of both.
     */
    public static final int PROTOCOL_VERSION = 2;

    static final int MAX_FRAME_LENGTH = 16 * 1024;

    /**
     * Shorter messages hold no data frame.
     */
    private static final int MIN_SEND_LENGTH = 256;
    private static final int MAX_ADDRESS_LENGTH = 256;
    private static final int MAX_TEXT_LENGTH = 1024;

    private final UnsafeBuffer scratch = new UnsafeBuffer(new byte[MAX_FRAME_LENGTH]);
    private final MessageHeaderEncoder headerEncoder = new MessageHeaderEncoder();
    private final HelloEncoder helloEncoder = new HelloEncoder();
    private final HelloAckEncoder ackEncoder = new HelloAckEncoder();
    private final ByeEncoder byeEncoder = new ByeEncoder();
    private final ImageOfferEncoder offerEncoder = new ImageOfferEncoder();
    private final OfferEndEncoder offerEndEncoder = new OfferEndEncoder();
    private final OfferAckEncoder offerAckEncoder = new OfferAckEncoder();
    private final ImageOfferDecoder offerDecoder = new ImageOfferDecoder();
    private final OfferEndDecoder offerEndDecoder = new OfferEndDecoder();
    private final OfferAckDecoder offerAckDecoder = new OfferAckDecoder();
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
        return length >= MIN_HEADER_LENGTH + MessageHeaderDecoder.ENCODED_LENGTH &&
            length <= MAX_FRAME_LENGTH + HandshakeSeal.TRAILER_LENGTH &&
            HDR_TYPE_EXT == (buffer.getShort(HeaderFlyweight.TYPE_FIELD_OFFSET) & 0xFFFF) &&
            HelloDecoder.SCHEMA_ID == (buffer.getShort(MIN_HEADER_LENGTH + 4) & 0xFFFF);
    }

    /**
     * Create. For one thread.
     */
    public HandshakeCodec()
    {
    }

    /**
     * Encode a hello.
     *
     * @param hello to encode.
     * @return the frame, a buffer of its own.
     */
    public ByteBuffer encode(final HandshakeMessage.Hello hello)
    {
        helloEncoder.wrapAndApplyHeader(scratch, MIN_HEADER_LENGTH, headerEncoder)
            .protocolVersion(hello.protocolVersion())
            .incarnation(hello.incarnation())
            .hostId(hello.hostId())
            .senderHandle(hello.senderHandle() & 0xFFFF_FFFFL)
            .sequence(hello.sequence())
            .challenge(hello.challenge());
        encode(helloEncoder.capabilities(), hello.capabilities());

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
            .status(ack.status())
            .challenge(ack.challenge());
        encode(ackEncoder.capabilities(), ack.capabilities());

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

    private static void encode(final CapabilitiesEncoder encoder, final int capabilities)
    {
        encoder.clear()
            .rmaWrite(TermSettings.canWrite(capabilities))
            .wideImmediate(TermSettings.hasWideImmediate(capabilities))
            .group(TermSettings.isGroup(capabilities));
    }

    ByteBuffer encode(final HandshakeMessage.ImageOffer offer)
    {
        offerEncoder.wrapAndApplyHeader(scratch, MIN_HEADER_LENGTH, headerEncoder)
            .incarnation(offer.incarnation())
            .peerIncarnation(offer.peerIncarnation())
            .senderHandle(offer.senderHandle() & 0xFFFF_FFFFL)
            .receiverHandle(offer.receiverHandle() & 0xFFFF_FFFFL)
            .epoch(offer.epoch())
            .sessionId(offer.sessionId())
            .streamId(offer.streamId())
            .initialTermId(offer.initialTermId())
            .termLength(offer.termLength())
            .immediateBase(offer.immediateBase())
            .minFrameLength(offer.minFrameLength())
            .revision(offer.revision());

        final ImageOfferEncoder.RegionsEncoder regions = offerEncoder.regionsCount(offer.regions().size());
        for (final HandshakeMessage.ImageOffer.Region region : offer.regions())
        {
            regions.next()
                .key(region.key())
                .address(region.address())
                .putRailAddress(region.railAddress(), 0, region.railAddress().length);
        }

        return finish(offerEncoder.encodedLength());
    }

    ByteBuffer encode(final HandshakeMessage.OfferEnd end)
    {
        offerEndEncoder.wrapAndApplyHeader(scratch, MIN_HEADER_LENGTH, headerEncoder)
            .incarnation(end.incarnation())
            .epoch(end.epoch())
            .peerIncarnation(end.peerIncarnation())
            .senderHandle(end.senderHandle() & 0xFFFF_FFFFL)
            .receiverHandle(end.receiverHandle() & 0xFFFF_FFFFL);
        return finish(offerEndEncoder.encodedLength());
    }

    ByteBuffer encode(final HandshakeMessage.OfferAck ack)
    {
        offerAckEncoder.wrapAndApplyHeader(scratch, MIN_HEADER_LENGTH, headerEncoder)
            .peerIncarnation(ack.peerIncarnation())
            .epoch(ack.epoch())
            .status(ack.status())
            .writes(ack.writes())
            .incarnation(ack.incarnation())
            .receiverHandle(ack.receiverHandle() & 0xFFFF_FFFFL)
            .revision(ack.revision())
            .reason(ascii(ack.reason()));
        return finish(offerAckEncoder.encodedLength());
    }

    ByteBuffer encode(final HandshakeMessage.Bye bye)
    {
        byeEncoder.wrapAndApplyHeader(scratch, MIN_HEADER_LENGTH, headerEncoder)
            .incarnation(bye.incarnation())
            .handle(bye.handle() & 0xFFFF_FFFFL)
            .cause(bye.cause())
            .sequence(bye.sequence())
            .reason(ascii(bye.reason()));
        return finish(byeEncoder.encodedLength());
    }

    /**
     * Decode a frame.
     *
     * @param frame as it came from the socket.
     * @return the message, or null when it is malformed, out of range or of another schema.
     */
    public HandshakeMessage decode(final byte[] frame)
    {
        final UnsafeBuffer buffer = new UnsafeBuffer(frame);
        try
        {
            if (!isHandshake(buffer, frame.length) ||
                HeaderFlyweight.CURRENT_VERSION != buffer.getByte(HeaderFlyweight.VERSION_FIELD_OFFSET) ||
                frame.length != buffer.getInt(HeaderFlyweight.FRAME_LENGTH_FIELD_OFFSET))
            {
                return null;
            }

            return switch (HandshakeFrames.check(buffer, MIN_HEADER_LENGTH, frame.length - MIN_HEADER_LENGTH))
            {
                case HelloDecoder.TEMPLATE_ID -> decodeHello(buffer);
                case HelloAckDecoder.TEMPLATE_ID -> decodeAck(buffer);
                case ByeDecoder.TEMPLATE_ID -> decodeBye(buffer);
                case ImageOfferDecoder.TEMPLATE_ID -> decodeOffer(buffer);
                case OfferEndDecoder.TEMPLATE_ID -> decodeOfferEnd(buffer);
                case OfferAckDecoder.TEMPLATE_ID -> decodeOfferAck(buffer);
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
        final int capabilities = decode(helloDecoder.capabilities());
        final long challenge = helloDecoder.challenge();
        if (PROTOCOL_VERSION != protocolVersion)
        {
            return new HandshakeMessage.Hello(
                protocolVersion, incarnation, hostId, senderHandle, sequence, challenge, List.of(), "", "");
        }

        final HelloDecoder.RailsDecoder rails = helloDecoder.rails();
        if (0 == rails.count() && 0 != challenge || rails.count() > EfaConfiguration.RAILS_MAX)
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

        return senderHandle <= 0 || !areValid(addresses) ? null : new HandshakeMessage.Hello(
            protocolVersion, incarnation, hostId, senderHandle, sequence, challenge, addresses, provider, wireName,
            capabilities);
    }

    private HandshakeMessage decodeAck(final UnsafeBuffer buffer)
    {
        ackDecoder.wrapAndApplyHeader(buffer, MIN_HEADER_LENGTH, headerDecoder);
        if (PROTOCOL_VERSION != ackDecoder.protocolVersion())
        {
            return new HandshakeMessage.HelloAck(
                ackDecoder.protocolVersion(),
                ackDecoder.incarnation(),
                ackDecoder.peerIncarnation(),
                ackDecoder.sequence(),
                (int)ackDecoder.senderHandle(),
                0,
                AckStatus.VERSION_MISMATCH,
                0,
                List.of(),
                "protocol version " + PROTOCOL_VERSION + " of the sender is not " + ackDecoder.protocolVersion() +
                " of the receiver");
        }

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
            ackDecoder.challenge(),
            addresses,
            reason,
            decode(ackDecoder.capabilities()));

        final boolean isAccepted = AckStatus.ACCEPTED == ack.status();
        return AckStatus.NULL_VAL == ack.status() || !areValid(addresses) ||
            isAccepted && (addresses.isEmpty() || ack.receiverHandle() <= 0) ||
            AckStatus.CHALLENGE == ack.status() != (0 != ack.challenge()) ? null : ack;
    }

    private HandshakeMessage decodeBye(final UnsafeBuffer buffer)
    {
        byeDecoder.wrapAndApplyHeader(buffer, MIN_HEADER_LENGTH, headerDecoder);
        checkLength(byeDecoder.reasonLength(), MAX_TEXT_LENGTH);
        final String reason = byeDecoder.reason();
        return new HandshakeMessage.Bye(
            byeDecoder.incarnation(), (int)byeDecoder.handle(), byeDecoder.cause(), byeDecoder.sequence(), reason);
    }

    private static int decode(final CapabilitiesDecoder decoder)
    {
        return TermSettings.capabilities(decoder.rmaWrite(), decoder.wideImmediate()) |
            TermSettings.group(decoder.group());
    }

    private HandshakeMessage decodeOffer(final UnsafeBuffer buffer)
    {
        offerDecoder.wrapAndApplyHeader(buffer, MIN_HEADER_LENGTH, headerDecoder);
        final ImageOfferDecoder.RegionsDecoder regions = offerDecoder.regions();
        final int count = regions.count();
        final long termLength = offerDecoder.termLength();
        if (count < 1 || count > EfaConfiguration.RAILS_MAX || termLength < LogBufferDescriptor.TERM_MIN_LENGTH ||
            termLength > LogBufferDescriptor.TERM_MAX_LENGTH || !BitUtil.isPowerOfTwo(termLength))
        {
            return null;
        }

        final List<HandshakeMessage.ImageOffer.Region> list = new ArrayList<>(count);
        while (regions.hasNext())
        {
            regions.next();
            final long key = regions.key();
            final long address = regions.address();
            final byte[] railAddress = new byte[checkLength(regions.railAddressLength(), MAX_ADDRESS_LENGTH)];
            regions.getRailAddress(railAddress, 0, railAddress.length);
            list.add(new HandshakeMessage.ImageOffer.Region(key, address, railAddress));
        }

        return new HandshakeMessage.ImageOffer(
            offerDecoder.incarnation(),
            offerDecoder.peerIncarnation(),
            (int)offerDecoder.senderHandle(),
            (int)offerDecoder.receiverHandle(),
            offerDecoder.epoch(),
            offerDecoder.sessionId(),
            offerDecoder.streamId(),
            offerDecoder.initialTermId(),
            (int)termLength,
            offerDecoder.immediateBase(),
            (int)Math.min(Integer.MAX_VALUE, offerDecoder.minFrameLength()),
            offerDecoder.revision(),
            list);
    }

    private HandshakeMessage decodeOfferEnd(final UnsafeBuffer buffer)
    {
        offerEndDecoder.wrapAndApplyHeader(buffer, MIN_HEADER_LENGTH, headerDecoder);
        return new HandshakeMessage.OfferEnd(
            offerEndDecoder.incarnation(),
            offerEndDecoder.epoch(),
            offerEndDecoder.peerIncarnation(),
            (int)offerEndDecoder.senderHandle(),
            (int)offerEndDecoder.receiverHandle());
    }

    private HandshakeMessage decodeOfferAck(final UnsafeBuffer buffer)
    {
        offerAckDecoder.wrapAndApplyHeader(buffer, MIN_HEADER_LENGTH, headerDecoder);
        checkLength(offerAckDecoder.reasonLength(), MAX_TEXT_LENGTH);
        final String reason = offerAckDecoder.reason();
        return new HandshakeMessage.OfferAck(
            offerAckDecoder.peerIncarnation(),
            offerAckDecoder.epoch(),
            offerAckDecoder.status(),
            offerAckDecoder.writes(),
            offerAckDecoder.incarnation(),
            (int)offerAckDecoder.receiverHandle(),
            offerAckDecoder.revision(),
            reason);
    }

    /** Rails out of use have no address; of those in use there has to be one, unless there is none at all. */
    private static boolean areValid(final List<RailAddress> addresses)
    {
        boolean isAnyInUse = addresses.isEmpty();
        for (final RailAddress rail : addresses)
        {
            if (rail.isInUse() && (isBlank(rail.address()) || rail.maxSendLength() < MIN_SEND_LENGTH))
            {
                return false;
            }
            isAnyInUse |= rail.isInUse();
        }

        return isAnyInUse;
    }

    /**
     * An address is all zeros when it was asked for before the endpoint was enabled.
     */
    private static boolean isBlank(final byte[] address)
    {
        for (final byte b : address)
        {
            if (0 != b)
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
